"""Which items go on with a submission that is there, and which only look like one.

A mail goes on with an earlier one if it answers it *and* its sender is the sealed one, or it
bears the submission's receipt code: a header alone proves nothing. A call-taker's note goes on
with the call whose record came before it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from services.intake.domain import receipt
from services.intake.domain.duplicate import Thread, call_keys, keys_of, thread_of
from services.intake.domain.mail import Mail
from services.intake.handlers.opening import SOURCE, Opened
from services.intake.handlers.ports import Kept, Receipts, Submissions
from shared.contracts import HotlineCallLogged, SubmissionRelated
from shared.contracts.envelope import AnyEvent, Event, derived_id
from shared.contracts.submission import Addition, Link

MOST_CODES = 3
"""Receipt codes that are tried in one mail: each costs a slow hash."""


@dataclass(frozen=True, slots=True)
class Join:
    submission: str
    addition: Addition


@dataclass(frozen=True, slots=True)
class Places:
    """By place in the batch: what an item joins, or the submission whose mail it answers."""

    joins: Mapping[int, Join]
    answers: Mapping[int, str]
    late: frozenset[int]
    """What would join a submission that was erased: nothing is added to that any more."""


async def places(
    opened: Mapping[int, Opened],
    mails: Mapping[int, Mail],
    submissions: Submissions,
    receipts: Receipts,
    key: bytes,
) -> Places:
    joins = await _call_notes(opened, submissions, key)
    answers: dict[int, str] = {}
    threads = {
        number: thread_of(opened[number].agency.code, mail, key=key)
        for number, mail in mails.items()
    }
    known = await submissions.threads([a for t in threads.values() for a in t.answers])
    keys = {
        number: keys_of(opened[number].agency.code, opened[number].event, mail, key=key)
        for number, mail in mails.items()
    }
    own = await submissions.known([k for one in keys.values() for k in one])
    for number, thread in threads.items():
        found = next((known[a] for a in thread.answers if a in known), None)
        if found is None or any(k in own for k in keys[number]):
            continue  # what came before the mail that it answers is a submission of its own
        submission, sender = found
        if await _proves(thread, mails[number], submission, sender, receipts):
            joins[number] = Join(submission, Addition.MESSAGE)
        else:
            answers[number] = submission
    erased = await submissions.erased([join.submission for join in joins.values()])
    late = frozenset(number for number, join in joins.items() if join.submission in erased)
    return Places({n: join for n, join in joins.items() if n not in late}, answers, late)


async def _proves(
    thread: Thread, mail: Mail, submission: str, sender: str | None, receipts: Receipts
) -> bool:
    if sender is not None and thread.sender == sender:
        return True
    for code in islice(receipt.codes_in(mail.text), MOST_CODES):
        if await receipts.find(code) == submission:
            return True
    return False


async def _call_notes(
    opened: Mapping[int, Opened], submissions: Submissions, key: bytes
) -> dict[int, Join]:
    """Notes on calls that are there, in the store or earlier in the batch, with other words."""
    calls = {
        number: (one, call_keys(one.agency.code, one.event.id, data, key=key))
        for number, one in opened.items()
        if isinstance(data := one.event.data, HotlineCallLogged)
    }
    if not calls:
        return {}
    known = dict(await submissions.known([k for _, keys in calls.values() for k in keys.all()]))
    joins: dict[int, Join] = {}
    for number, (one, keys) in calls.items():
        there = known.get(keys.call)
        if there is None:
            known |= dict.fromkeys(keys.all(), one.submission)
        elif keys.event not in known and keys.note not in known:
            known |= dict.fromkeys((keys.event, keys.note), there)
            joins[number] = Join(there, Addition.CALL_NOTE)
    return joins


def answering(item: Kept, earlier: str) -> AnyEvent:
    """It answers another's mail and proves nothing: a new submission, marked as related."""
    return related_event(item.event, SubmissionRelated(earlier=earlier, link=Link.REPLY))


def related_event(received: AnyEvent, data: SubmissionRelated) -> AnyEvent:
    """The event about a submission, whose own announcement is `received`."""
    return Event[SubmissionRelated](
        id=derived_id(received.id, data.TYPE, data.earlier),
        source=SOURCE,
        type=data.TYPE,
        subject=received.subject,
        time=received.time,
        recordedtime=received.recordedtime,
        correlationid=received.correlationid,
        causationid=received.id,
        data=data,
    )
