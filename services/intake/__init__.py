"""Intake: from a call, message, form or letter to a submission whose text and sender are sealed.

Consumes  `feed.<agency>.<type>` (what agencies send), `directory.published.v1`,
          `rulebook.published.v1`.
Publishes `submission.received.v1`, `activity.recorded.v1`, `channel.announced.v1`,
          and refusals on `feed.<agency>.refused`.
Answers   `ask.<agency>.intake.fates`: what became of an agency's own sendings.
Keeps     texts and identities, sealed; the keys under which an item is known for ever;
          the fate of every sending; its copies of the directory and the rulebook.
"""
