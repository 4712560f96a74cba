"""Intake: from a call, message, form or letter to a submission whose text and sender are sealed.

Consumes  `feed.<agency>.<type>` (what agencies send); mailboxes (IMAP), mail servers (LMTP) and
          HTTP, see `sources`; `command.<party>.submission.<verb>.v1`; routing's case events; the
          directory, the rulebook and the calendar.
Publishes `submission.received.v1`, and what becomes of it later: `related`, `supplemented`,
          `rated`, `erased`, `held`, `released`; `identity.opened.v1`; `activity.recorded.v1`;
          `channel.announced.v1`, `silent`, `interrupted`; refusals on `feed.<agency>.refused`.
Answers   `ask.<agency>.intake.fates` and `.key`; to bodies `ask.<body>.intake.text`, `.identity`,
          `.say`; over HTTP agencies, forms, exchanges, and whoever has a receipt code.
Sends     one acknowledgement to who wrote to a mailbox.
Keeps     texts and identities, sealed, and apart from them the data keys, wrapped; the keyed
          hashes under which an item is known for ever; the fate of every sending; slow hashes of
          receipt codes; its own view of cases; its copies of the rules.
"""
