"""What intake keeps was announced, what was announced is kept, and both say the same."""

from collections.abc import Iterator
from itertools import pairwise

from pydantic import ValidationError

from deploy.verify.finding import Finding
from deploy.verify.protection import KEPT_OTHERWISE
from deploy.verify.seen import OUTBOX, Documents, Kept, Seen
from shared import contracts
from shared.contracts import (
    CaseAccepted,
    CaseAssigned,
    CaseConcluded,
    CaseJoined,
    CaseOpened,
    CaseReferred,
    CaseReopened,
    ChannelInterrupted,
)
from shared.contracts.case import case_id
from shared.contracts.envelope import AnyEvent, Event
from shared.runtime.mongo import Document
from shared.runtime.streams import ANNOUNCES

KEPT_WHOLE = frozenset(ANNOUNCES["intake"]) & contracts.EVENTS.keys() - set(KEPT_OTHERWISE)
"""What intake keeps word for word, with what it is about."""
STATES = {
    CaseOpened.TYPE: "opened",
    CaseAssigned.TYPE: "assigned",
    CaseAccepted.TYPE: "accepted",
    CaseConcluded.TYPE: "concluded",
    CaseReopened.TYPE: "accepted",
    CaseReferred.TYPE: "referred",
    CaseJoined.TYPE: "joined",
}


def intake(seen: Seen) -> Iterator[Finding]:
    yield from _announced(seen)
    yield from _belonging(seen.intake)
    yield from _views(seen)
    yield from _feeds(seen)


def _announced(seen: Seen) -> Iterator[Finding]:
    said = seen.said(*KEPT_WHOLE)
    kept: set[str] = set()
    for name in OUTBOX:
        documents: Documents = getattr(seen.intake, name)
        for key, document in sorted(documents.items()):
            about = f"{name.removesuffix('s')} {key}"
            if document.get("unannounced"):
                yield Finding("announced", about, "still waits for it")
            for written in _events_of(document):
                event = _read(written)
                if event is None:
                    yield Finding("readable", about, "keeps an event that breaks its contract")
                    continue
                kept.add(event.id)
                if event.id not in said:
                    yield Finding("log = store", about, f"never announced its {event.type}")
                elif said[event.id] != event:
                    wrong = f"keeps another {event.type} than was announced"
                    yield Finding("log = store", about, wrong)
    for key in sorted(said.keys() - kept - seen.meanwhile):
        about = f"{said[key].type} {key} of {said[key].subject}"
        yield Finding("log = store", about, "was announced and is not kept")


def _events_of(document: Document) -> list[Document]:
    erased = [document["erased"]] if "erased" in document else []
    return [document.get("event", {}), *document.get("also", ()), *erased]


def _read(written: Document) -> AnyEvent | None:
    contract = contracts.EVENTS.get(written.get("type", ""))
    if contract is None:
        return None
    try:
        event: AnyEvent = Event[contract].model_validate(written)  # type: ignore[valid-type]
    except ValidationError:
        return None
    return event


def _belonging(intake: Kept) -> Iterator[Finding]:
    """What belongs to a submission has one."""
    cases = {case_id(submission) for submission in intake.submissions}
    cases |= {case for case, view in intake.cases.items() if view.get("parent")}
    for key, addition in sorted(intake.conversations.items()):
        if addition.get("submission") not in intake.submissions:
            yield Finding("nothing invented", f"addition {key}", "belongs to no submission")
    for key in sorted(intake.ratings.keys() - intake.submissions.keys()):
        yield Finding("nothing invented", f"rating {key}", "belongs to no submission")
    for submission in sorted(set(intake.receipts) - intake.submissions.keys()):
        yield Finding("nothing invented", f"receipt of {submission}", "belongs to no submission")
    for key, opening in sorted(intake.openings.items()):
        if opening["case"] not in cases:
            yield Finding("nothing invented", f"opening {key}", "belongs to no submission")


def _views(seen: Seen) -> Iterator[Finding]:
    """What intake goes by when a body asks is what routing decided."""
    views = seen.intake.cases
    for case in sorted(views.keys() - seen.cases.keys()):
        yield Finding("one view", f"case {case}", "is known to intake and not to routing")
    for case, document in sorted(seen.cases.items()):
        decided = _view(document)
        known = {name: views.get(case, {}).get(name) for name in decided}
        wrong = sorted(name for name in decided if decided[name] != known[name])
        if wrong:
            about = f"case {case}"
            yield Finding("one view", about, f"has another {wrong[0]} in intake than in routing")


def _view(case: Document) -> Document:
    events = [*case["opening"], *(event for acted in case["acted"] for event in acted["events"])]
    events = sorted((e for e in events if e["type"] in STATES), key=lambda e: e["data"]["version"])
    view: Document = {}
    for event in events:
        view["state"] = STATES[event["type"]]
        if event["type"] == CaseOpened.TYPE:
            view["submission"] = event["data"]["submission"]
            view["parent"] = event["data"].get("parent")
        if event["type"] == CaseJoined.TYPE:
            view["into"] = event["data"]["into"]
        if event["type"] == CaseAssigned.TYPE:
            view |= {name: event["data"][name] for name in ("lead", "cooperating")}
    return view


def _feeds(seen: Seen) -> Iterator[Finding]:
    """An agency's own numbering has come past every gap that was announced of it.

    Of a silence it has come up to the number that was due next.
    """
    feeds = seen.intake.feeds
    for key, event in sorted(seen.said(ChannelInterrupted.TYPE).items()):
        last = _last(feeds.get(event.data.agency, {}))
        if last + (event.data.silent_since is not None) <= event.data.last:
            wrong = f"tells of a gap that the feed of {event.data.agency} has not come to"
            yield Finding("one view", f"alarm {key}", wrong)
    for agency, feed in sorted(feeds.items()):
        bounds = [feed["contiguous"] + 1, *(bound for part in feed["ahead"] for bound in part)]
        if any(a >= b for a, b in pairwise(bounds)):
            yield Finding("one view", f"feed of {agency}", "is out of order")


def _last(feed: Document) -> int:
    ahead = feed.get("ahead", ())
    last: int = ahead[-1][1] - 1 if ahead else feed.get("contiguous", 0)
    return last
