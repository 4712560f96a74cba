"""Every letter has its case, every case one row, and what was said of it is kept.

A submission has the case that it opened, and one for each kind that was split from that.
"""

from collections.abc import Iterator

from deploy.verify.finding import Finding
from deploy.verify.seen import Documents, Seen
from shared.contracts import ActivityRecorded, CaseAssigned, CaseDivided, CaseJoined
from shared.contracts.case import Assigning, case_id
from shared.runtime.mongo import Document


def routing(seen: Seen) -> Iterator[Finding]:
    expected = {case_id(submission): submission for submission in seen.intake.submissions}
    for case in sorted(expected.keys() - seen.cases.keys()):
        yield Finding("exactly one case", f"submission {expected[case]}", f"has no case {case}")
    opened = {case: document["opening"][0]["data"] for case, document in seen.cases.items()}
    for case in sorted(seen.cases.keys() - expected.keys()):
        if not opened[case].get("parent"):
            yield Finding("exactly one case", f"case {case}", "has no submission")
    yield from _letters(seen.cases, opened)
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


def _letters(cases: Documents, opened: Documents) -> Iterator[Finding]:
    """A letter's first case and its parts name one another, no kind twice; duplicates lead on."""
    named: dict[str, str] = {}
    for case, document in sorted(cases.items()):
        events = [(event["type"], event["data"]) for event in events_of(document)]
        parts = [part for t, said in events if t == CaseDivided.TYPE for part in said["parts"]]
        for part in parts:
            named[part["case"]] = case
            yield from _part(case, part, opened)
        kinds = sorted([opened[case]["kind"], *(part["kind"] for part in parts)])
        if len(kinds) != len(set(kinds)):
            yield Finding("one case a kind", f"case {case}", f"is split into {kinds}")
        for into in (said["into"] for t, said in events if t == CaseJoined.TYPE):
            if into not in cases:
                wrong = f"was joined to {into}, which is none"
                yield Finding("nothing lost", f"case {case}", wrong)
    for case, parent in sorted((case, said.get("parent") or "") for case, said in opened.items()):
        if parent and parent not in cases:
            yield Finding("one case a kind", f"part {case}", f"of case {parent}, which is none")
        elif parent and named.get(case) != parent:
            yield Finding("one case a kind", f"part {case}", f"is none that case {parent} names")


def _part(case: str, part: Document, opened: Documents) -> Iterator[Finding]:
    about, said = f"part {part['case']}", opened.get(part["case"])
    if said is None:
        yield Finding("one case a kind", about, f"of case {case} is no case")
        return
    for name, expected in (
        ("parent", case),
        ("kind", part["kind"]),
        ("submission", opened[case]["submission"]),
        ("received", opened[case]["received"]),
        ("unit", opened[case]["unit"]),
    ):
        if said.get(name) != expected:
            yield Finding("one case a kind", about, f"of case {case} has another {name}")


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
