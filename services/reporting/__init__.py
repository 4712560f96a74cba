"""Reporting: each closed period becomes reports, rolled up the tree of units.

Consumes
    `submission.received.v1`, `case.*`, `clock.started.v1`, `clock.restated.v1`   cases in any order
    `submission.rated.v1`   how satisfied who spoke was with the answer
    `activity.recorded.v1`, `channel.announced.v1`   what bodies did, what agencies made known
    `report.close.v1`, on `command.<party>.<type>`   an operator closes a period
    `directory.published.v1`, `rulebook.published.v1`

Publishes
    `report.published.v1`, on `report.internal.<unit>.<form>.<period>`   for each unit and form
    `item.refused.v1`, on `command.<party>.refused`   for each command that was not taken
    `audit.checkpoint.v1`   every day, and when the operator asks: a signed root over `EVENTS`

Answers
    `ask.<party>.reporting.fates`   what became of a party's own commands
    `ask.<party>.reporting.count`   a unit's figures as of a day, as known at an instant
    `ask.<party>.reporting.recount`   whether closings still follow from the rows
    `ask.<party>.reporting.checkpoint`   a signed checkpoint of everything up to now

Posts
    public reports to the webhooks of `webhooks.json`, from the consumers `webhook-<code>`

Reads, besides
    `EVENTS` from its first message, in order: the chain over it

Keeps, in its own database
    `case_rows`, `activity_rows`, `channel_rows`   what forms count; `EVENTS` replayed rebuilds them
    `closings`   one document per closed period: what was counted, once and for good
    `reports`   every report that was published, word for word
    `commands`   one document per sending of a command: its fate
    `webhooks`   how far each webhook is, its failures, whether it is paused
    `directories`, `rulebooks`   every version
    `chain`, `checkpoints`   a hash of every message of `EVENTS`, and what was signed over them
"""
