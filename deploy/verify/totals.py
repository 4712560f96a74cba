"""Every published cell, counted again by other means."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from deploy.recount import COUNTED, CaseFacts, recount
from deploy.verify.finding import Finding
from deploy.verify.routing import events_of
from deploy.verify.seen import Seen
from shared.contracts import (
    CaseAccepted,
    CaseAssigned,
    CaseConcluded,
    CaseJoined,
    CaseOpened,
    CaseReferred,
    CaseReopened,
    ReportPublished,
)
from shared.contracts.case import case_id
from shared.contracts.envelope import Event
from shared.contracts.submission import ELIGIBLE
from shared.runtime.mongo import Document

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def totals(seen: Seen) -> Iterator[Finding]:
    """Own cells recounted; and every parent's row equals the total of the child's own report."""
    by_unit: dict[str, list[CaseFacts]] = defaultdict(list)
    ratings = {case_id(submission): kept for submission, kept in seen.intake.ratings.items()}
    for case, document in seen.cases.items():
        facts = _facts(case, document, ratings.get(case))
        by_unit[facts.unit].append(facts)
    in_force = _in_force(seen)
    published = {(r.data.form, r.data.unit, r.data.period.code): r.data.totals for r in in_force}
    for event in in_force:
        report = event.data
        name = f"report {event.subject}"
        expected = recount(report, event.time, by_unit[report.unit], ZONE)
        own = next(row for row in report.rows if row.own)
        cells = dict(zip((c.code for c in report.columns), own.cells, strict=True))
        for code in COUNTED.get(report.form, ()):
            counted = expected.get(code, 0)
            if cells[code] != counted:
                wrong = f"says {cells[code]} in column {code}, the stores {counted}"
                yield Finding("totals", name, wrong)
        for row in report.rows:
            child = published.get((report.form, row.unit, report.period.code))
            if not row.own and child != row.cells:
                yield Finding("totals", name, f"differs from the report of {row.unit}")
        rows = (tuple(cell or 0 for cell in row.cells) for row in report.rows)
        if tuple(map(sum, zip(*rows, strict=True))) != report.totals:
            yield Finding("totals", name, "does not add up")


def _in_force(seen: Seen) -> list[Event[ReportPublished]]:
    newest: dict[str | None, Event[ReportPublished]] = {}
    for event in seen.reports.values():
        standing = newest.get(event.subject)
        if standing is None or standing.data.revision < event.data.revision:
            newest[event.subject] = event
    return list(newest.values())


def _facts(case: str, document: Document, rating: Document | None = None) -> CaseFacts:
    events = sorted(events_of(document), key=lambda event: event["data"]["version"])
    by_type = {event["type"]: event for event in events}
    opened, assigned = by_type[CaseOpened.TYPE], by_type.get(CaseAssigned.TYPE)
    accepted = by_type.get(CaseAccepted.TYPE)
    ended = [event for event in events if event["type"] in {CaseConcluded.TYPE, CaseReferred.TYPE}]
    concluded = ended[-1] if ended else None
    reopened = by_type.get(CaseReopened.TYPE)
    if concluded and reopened and reopened["data"]["version"] > concluded["data"]["version"]:
        concluded = None
    joined = by_type.get(CaseJoined.TYPE)
    if joined and reopened and reopened["data"]["version"] > joined["data"]["version"]:
        joined = None
    moved = assigned["data"] if assigned else {"version": 0}
    if accepted and accepted["data"]["version"] < moved["version"] and not moved["accepted"]:
        accepted = None
    data = opened["data"]
    return CaseFacts(
        case=case,
        unit=data["unit"],
        kind=data["kind"],
        signatures=data["signatures"],
        eligible=data["eligibility"] == ELIGIBLE,
        within=assigned is None or assigned["data"]["within_competence"],
        received=_at(data["received"]),
        received_recorded=_at(opened["recordedtime"]),
        accepted=_at(accepted["time"]) if accepted else None,
        accepted_recorded=_at(accepted["recordedtime"]) if accepted else None,
        concluded=_at(concluded["time"]) if concluded else None,
        concluded_recorded=_at(concluded["recordedtime"]) if concluded else None,
        in_time=bool(concluded and concluded["data"]["in_time"]),
        times=concluded["data"].get("times", 1) if concluded else 1,
        joined=_at(joined["time"]) if joined else None,
        joined_recorded=_at(joined["recordedtime"]) if joined else None,
        way=concluded["data"].get("way") if concluded else None,
        outcome=concluded["data"].get("outcome") if concluded else None,
        recovered=concluded["data"].get("recovered", 0) if concluded else 0,
        sanctions=concluded["data"].get("sanctions", 0) if concluded else 0,
        rated=_at(rating["event"]["time"]) if rating else None,
        rated_recorded=_at(rating["event"]["recordedtime"]) if rating else None,
        score=rating["event"]["data"]["score"] if rating else 0,
    )


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
