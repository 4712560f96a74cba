"""What was done to protect who spoke: orders that were followed, identities that were opened."""

from collections.abc import Iterator
from datetime import timedelta

from deploy.verify.finding import Finding
from deploy.verify.seen import Seen
from shared.contracts import (
    CaseUnsealingConfirmed,
    IdentityOpened,
    SubmissionErase,
    SubmissionHeld,
    SubmissionHold,
    SubmissionRelease,
    SubmissionReleased,
)
from shared.contracts.envelope import derived_id
from shared.contracts.ingress import Fate

FOLLOWED = {
    SubmissionHold.TYPE: SubmissionHeld.TYPE,
    SubmissionRelease.TYPE: SubmissionReleased.TYPE,
}
"""By order: what is announced of it."""
KEPT_OTHERWISE = (*FOLLOWED.values(), IdentityOpened.TYPE)
"""What intake announces and keeps in no document word for word."""
AGREEMENT = timedelta(hours=24)
"""Within which the persons of a body asked of whom an opening speaks."""
INSTANT = timedelta(milliseconds=1)
"""A time in the store ends there."""


def protection(seen: Seen) -> Iterator[Finding]:
    yield from _orders(seen)
    yield from _holds(seen)
    yield from _openings(seen)


def _orders(seen: Seen) -> Iterator[Finding]:
    """Every order that was followed was announced, and nothing else was."""
    said = seen.said(*FOLLOWED.values())
    followed = set()
    for key, arrival in sorted(seen.intake.arrivals.items()):
        if arrival.get("fate") != Fate.KEPT or not key.startswith("command:"):
            continue
        if arrival["type"] == SubmissionErase.TYPE:
            submission = seen.intake.submissions.get(arrival.get("submission", ""), {})
            if "erased" not in submission:
                yield Finding("erased", f"order {key}", "was followed and nothing is erased")
        elif arrival["type"] in FOLLOWED:
            event = derived_id(key, FOLLOWED[arrival["type"]])
            followed.add(event)
            if event not in said:
                yield Finding("log = store", f"order {key}", "was followed and never announced")
    for key in sorted(said.keys() - followed):
        about = f"{said[key].type} {key} of {said[key].subject}"
        yield Finding("log = store", about, "was announced and no order says so")


def _holds(seen: Seen) -> Iterator[Finding]:
    """The last order on a submission holds."""
    holds: dict[str | None, str | None] = {}
    said = seen.said(*FOLLOWED.values()).values()
    for event in sorted(said, key=lambda e: e.recordedtime or e.time):
        is_held = event.type == SubmissionHeld.TYPE
        holds[event.subject] = event.data.citation if is_held else None
    for key, submission in sorted(seen.intake.submissions.items()):
        if submission.get("held") != holds.get(key):
            wrong = "is held otherwise than was announced last"
            yield Finding("held", f"submission {key}", wrong)


def _openings(seen: Seen) -> Iterator[Finding]:
    """Of everybody who was told who spoke, it is kept that they asked, and a second agreed.

    Who asked may have been told nothing: a crash came between.
    """
    agreed = {
        (event.subject, event.data.number): event.data
        for event in seen.said(CaseUnsealingConfirmed.TYPE).values()
    }
    for key, event in sorted(seen.said(IdentityOpened.TYPE).items()):
        data = event.data
        about = f"opening {key} of case {data.case}"
        if data.unsealing is not None:
            by = agreed.get((data.case, data.unsealing))
            if by is None or data.persons != (by.person, by.second_person) or data.body != by.body:
                yield Finding("two persons", about, "was told and no second person agreed")
        asked = {
            opening["person"]
            for opening in seen.intake.openings.values()
            if (opening["case"], opening["body"]) == (data.case, data.body)
            and event.time - AGREEMENT - INSTANT <= opening["at"] <= event.time
        }
        # Once two of one body had to ask; now the second one's word is in the log.
        askers = data.persons if data.unsealing is None else data.persons[:1]
        if set(askers) - asked:
            wrong = f"told {data.body} who spoke, and it is not kept who asked"
            yield Finding("log = store", about, wrong)
