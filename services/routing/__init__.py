"""Routing: each submission becomes a case, led by a body that is competent and not concerned.

Consumes
    `submission.received.v1`   intake kept a submission
    `case.accept.v1`, `case.conclude.v1`, on `command.<body>.<type>`   what a lead body orders
    `directory.published.v1`, `rulebook.published.v1`, `calendar.published.v1`

Publishes
    `case.opened.v1`, `case.assigned.v1`, `clock.started.v1`   for each submission, once
    `case.accepted.v1`, `case.concluded.v1` …   for each command that was taken
    `case.divided.v1`, with the opening of each part
    `case.joined.v1`, with what the other case took over
    `clock.warned.v1`, `clock.met.v1`, `clock.missed.v1`   as each clock's last day has it, once
    `clock.restated.v1`   for each last day that new rules moved
    `item.refused.v1`, on `command.<party>.refused`   for each that was not

Answers
    `ask.<party>.routing.fates`   what became of a party's own commands
    `ask.<body>.routing.worklist`, `case`, `load`   the cases that a body holds; see `questions`
    `ask.operator.routing.effect`   what new rules would do to open cases; see `effects`

    `/v1/orders`, `/v1/worklist`, `/v1/cases/<case>`, `/v1/load`, `/v1/fates`   the same over HTTP

Keeps, in its own database
    `cases`   one document per case: its state, and every event announced of it, word for word
    `commands`   one document per sending of a command: its fate
    `directories`, `rulebooks`, `calendars`   every version
"""
