"""Every sending has one fate, and everything that is kept came with a sending."""

from collections.abc import Iterator

from deploy.verify.finding import Finding
from deploy.verify.seen import Kept, Seen
from shared.contracts.ingress import Fate
from shared.runtime.mongo import Document

FEED, COMMAND = "feed", "command"
DIRECT = frozenset(("http", "imap", "lmtp", "form", "call"))
"""Entrances of intake's own. A crash before a fate is noted leaves its sender unanswered, who
sends again: then that sending was told duplicate of the same item."""
AFTERWARDS = frozenset(("ask", "receipt"))
"""Ways to say more on a submission; what comes on them is no sending and has no fate."""


def feed(seen: Seen) -> Iterator[Finding]:
    """Every sending that the feed confirmed has exactly one fate, or still waits there."""
    arrivals = seen.intake.arrivals
    decided = {a["sequence"] for key, a in arrivals.items() if _entrance(key) == FEED}
    missing = set(range(1, seen.fed + 1)) - decided - seen.set_aside - seen.waiting
    for sequence in sorted(missing):
        wrong = "is nowhere: no fate is kept"
        yield Finding("nothing lost", f"sending {sequence} of the feed", wrong)


def fates(seen: Seen) -> Iterator[Finding]:
    """Whichever entrance a sending took: what it was told of it is true."""
    intake = seen.intake
    items = {**intake.submissions, **intake.records}
    came = {Fate.KEPT: _arrivals(items), Fate.JOINED: _arrivals(intake.conversations)}
    again = {
        arrival.get("submission")
        for key, arrival in intake.arrivals.items()
        if arrival.get("fate") == Fate.DUPLICATE and _entrance(key) in DIRECT
    }
    for key, arrival in sorted(intake.arrivals.items()):
        for wrong in _wrong(key, arrival, items, came):
            yield Finding("nothing lost", f"sending {key}", wrong)
    for fate, noun, documents in (
        (Fate.KEPT, "item", items),
        (Fate.JOINED, "addition", intake.conversations),
    ):
        for key, document in sorted(documents.items()):
            arrival = document.get("arrival", "")
            entrance = _entrance(arrival)
            if entrance in AFTERWARDS and fate is Fate.JOINED:
                continue
            noted = intake.arrivals.get(arrival)
            if noted is None and entrance in DIRECT and _about(document) in again:
                continue
            if noted is None or noted.get("fate") != fate:
                yield Finding("nothing invented", f"{noun} {key}", "came with no sending")
    yield from _calls(intake)


def _wrong(
    key: str, arrival: Document, items: dict[str, Document], came: dict[Fate, set[str]]
) -> Iterator[str]:
    fate, subject = arrival.get("fate"), arrival.get("submission")
    if subject is not None and subject not in items:
        yield f"became item {subject}, which is not kept"
    parts = {part["name"] for part in arrival["parts"]}
    match fate:
        case Fate.KEPT if _entrance(key) == COMMAND:
            return
        case Fate.KEPT | Fate.JOINED:
            if key not in came[Fate(fate)]:
                yield f"was told {fate}, and nothing that is kept came with it"
        case Fate.DUPLICATE:
            if subject is None:
                yield "was told duplicate, and of nothing"
        case Fate.REFUSED | Fate.AUTOMATIC:
            if fate not in parts or (fate == Fate.REFUSED and not arrival.get("refusal")):
                yield f"was told {fate}, and is not kept with its reason"
        case _ if fate != Fate.HEARD:  # of which nothing is kept
            yield "has a fate that there is none of"


def _calls(intake: Kept) -> Iterator[Finding]:
    """A call of which records came waits, was missed, or was taken in like any other."""
    taken = {a["item"] for key, a in intake.arrivals.items() if _entrance(key) == "call"}
    for name, call in sorted(intake.calls.items()):
        state = call.get("state")
        if state == "taken" and f"call-{name}" not in taken:
            yield Finding("nothing lost", f"call {name}", "was taken in, and no fate is kept")
        elif "waits_since" in call and not call["parts"]:
            yield Finding("nothing lost", f"call {name}", "waits without its records")
        elif "waits_since" not in call and state not in {"taken", "missed"}:
            yield Finding("nothing lost", f"call {name}", "neither waits nor was decided")


def _arrivals(documents: dict[str, Document]) -> set[str]:
    return {document.get("arrival", "") for document in documents.values()}


def _about(document: Document) -> str:
    subject: str = document.get("submission") or document["_id"]
    return subject


def _entrance(arrival: str) -> str:
    return arrival.partition(":")[0]
