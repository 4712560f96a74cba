"""Every submission has one case, every case one row, and what was said of it is kept."""

from collections.abc import Iterator

from deploy.verify.finding import Finding
from deploy.verify.seen import Seen
from shared.contracts import ActivityRecorded, CaseAssigned
from shared.contracts.case import Assigning, case_id
from shared.runtime.mongo import Document


def routing(seen: Seen) -> Iterator[Finding]:
    expected = {case_id(submission): submission for submission in seen.intake.submissions}
    for case in sorted(expected.keys() - seen.cases.keys()):
        yield Finding("exactly one case", f"submission {expected[case]}", f"has no case {case}")
    for case in sorted(seen.cases.keys() - expected.keys()):
        yield Finding("exactly one case", f"case {case}", "has no submission")
    said = {key: e for key, e in seen.events.items() if e.type.startswith(("case.", "clock."))}
    kept: set[str] = set()
    for case, document in sorted(seen.cases.items()):
        events = events_of(document)
        kept |= {event["id"] for event in events}
        waiting = document.get("waiting", ())
        for event in events:
            if event["id"] not in said and event["id"] not in waiting:
                yield Finding("log = store", f"case {case}", f"never announced {event['type']}")
        yield from _assignment(case, events)
    for key in sorted(said.keys() - kept - seen.meanwhile):
        yield Finding("log = store", f"event {key}", f"of case {said[key].subject} is not kept")


def _assignment(case: str, events: list[Document]) -> Iterator[Finding]:
    """Versions 1 … n without a gap; a lead at all times, and no body that was excluded."""
    versions = sorted(event["data"]["version"] for event in events)
    if versions != list(range(1, len(versions) + 1)):
        yield Finding("one assignment", f"case {case}", f"has versions {versions}")
    assigned = [event["data"] for event in events if event["type"] == CaseAssigned.TYPE]
    openings = sum(data["why"] == Assigning.OPENING for data in assigned)
    if openings != 1:
        yield Finding("one assignment", f"case {case}", f"has {openings} assignments")
    for data in assigned:
        excluded = {exclusion["body"] for exclusion in data["excluded"]}
        for body in excluded.intersection((data["lead"], *data["cooperating"])):
            yield Finding("no conflict", f"case {case}", f"is held by excluded {body}")


def events_of(case: Document) -> list[Document]:
    """Every event of a case as routing keeps it: the opening's, the commands', the clocks'."""
    acted = (event for sending in case["acted"] for event in sending["events"])
    return [*case["opening"], *acted, *case.get("fired", ())]


def reporting(seen: Seen) -> Iterator[Finding]:
    for case in sorted(seen.cases.keys() - seen.rows):
        yield Finding("nothing lost", f"case {case}", "has no row in reporting")
    for case in sorted(seen.rows - seen.cases.keys()):
        yield Finding("nothing invented", f"row {case}", "has no case")
    activities = {e.subject or "" for e in seen.said(ActivityRecorded.TYPE).values()}
    for key in sorted(activities - seen.activity_rows):
        yield Finding("nothing lost", f"activity {key}", "has no row in reporting")
    kept = {document["event"]["id"]: key for key, document in seen.kept_reports.items()}
    for key in sorted(kept.keys() - seen.reports.keys()):
        yield Finding("log = store", f"report {kept[key]}", "is kept and was never published")
    for key in sorted(seen.reports.keys() - kept.keys()):
        yield Finding("log = store", f"report {seen.reports[key].subject}", "is not kept")
