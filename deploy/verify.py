"""Holds the log, the stores and the published totals against one another, from outside.

Every difference is named. What is under way is no difference: run it when the system is quiet,
or expect `pending` to be told apart.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from nats.aio.client import Client

from deploy.connection import Endpoints
from deploy.dead import dead_letters
from deploy.recount import COUNTED, CaseFacts, recount
from deploy.stream import messages
from shared.contracts import (
    CATALOGUE,
    ActivityRecorded,
    CaseAccepted,
    CaseAssigned,
    CaseConcluded,
    CaseOpened,
    ChannelAnnounced,
    ReportPublished,
    SubmissionReceived,
)
from shared.contracts.case import case_id
from shared.contracts.envelope import AnyEvent, Event
from shared.contracts.submission import ELIGIBLE
from shared.runtime.mongo import Database, Document, open_client, open_database
from shared.runtime.streams import EVENTS, FEED, REPORTS

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference: which invariant it breaks, what it is about, and what is wrong."""

    invariant: str
    about: str
    wrong: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.about} {self.wrong}"


@dataclass(slots=True)
class Seen:
    """What the log and the stores hold, by id."""

    events: dict[str, AnyEvent] = field(default_factory=dict)
    submissions: dict[str, Document] = field(default_factory=dict)
    records: dict[str, Document] = field(default_factory=dict)
    arrivals: dict[str, Document] = field(default_factory=dict)
    cases: dict[str, Document] = field(default_factory=dict)
    rows: set[str] = field(default_factory=set)
    activity_rows: set[str] = field(default_factory=set)
    kept_reports: dict[str, Document] = field(default_factory=dict)
    reports: dict[str, Event[ReportPublished]] = field(default_factory=dict)

    def subjects(self, *types: str) -> set[str]:
        """What the events of these types are about."""
        return {e.subject or "" for e in self.events.values() if e.type in types}


async def verify(client: Client, endpoints: Endpoints) -> list[Finding]:
    """Every difference between what came in, what is kept, what was said and what was counted."""
    seen = await _look(client, endpoints)
    return [
        *await _feed(client, seen),
        *_intake(seen),
        *_routing(seen),
        *_reporting(seen),
        *_totals(seen),
    ]


async def _look(client: Client, endpoints: Endpoints) -> Seen:
    seen = Seen()
    async for message in messages(client, EVENTS):
        contract = CATALOGUE.get(message.subject)
        if contract is not None:
            event: AnyEvent = Event[contract].model_validate_json(message.data)  # type: ignore[valid-type]
            seen.events[event.id] = event
    async for message in messages(client, REPORTS):
        report = Event[ReportPublished].model_validate_json(message.data)
        seen.reports[report.id] = report
    mongo = open_client(endpoints.mongo)
    try:
        intake, routing, reporting = (
            open_database(mongo, f"{endpoints.mongo_prefix}_{service}")
            for service in ("intake", "routing", "reporting")
        )
        without = {f"sealed.{part}.content": 0 for part in ("identity", "text", "raw")}
        seen.submissions = await _all(intake, "submissions", without)
        seen.records = await _all(intake, "records")
        seen.arrivals = await _all(intake, "arrivals", {"sealed": 0})
        seen.cases = await _all(routing, "cases")
        seen.rows = set(await _all(reporting, "case_rows", {"_id": 1}))
        seen.activity_rows = set(await _all(reporting, "activity_rows", {"_id": 1}))
        seen.kept_reports = await _all(reporting, "reports")
    finally:
        mongo.close()
    return seen


async def _all(
    database: Database, collection: str, projection: Mapping[str, Any] | None = None
) -> dict[str, Document]:
    found = database.get_collection(collection).find({}, projection, batch_size=5_000)
    return {document["_id"]: document async for document in found}


async def _feed(client: Client, seen: Seen) -> list[Finding]:
    """Every sending that the feed confirmed has exactly one fate, or still waits there."""
    state = (await client.jetstream().stream_info(FEED)).state
    decided = {a["sequence"] for key, a in seen.arrivals.items() if key.startswith("feed:")}
    dead = {x.data.sequence async for x in _dead_of(client, FEED)}
    waiting: set[int] = set()
    if state.messages:
        waiting = {m.metadata.sequence.stream async for m in _waiting(client)}
    missing = set(range(1, state.last_seq + 1)) - decided - dead - waiting
    return [
        Finding("nothing lost", f"sending {sequence} of the feed", "is nowhere: no fate is kept")
        for sequence in sorted(missing)
    ]


async def _dead_of(client: Client, stream: str) -> AsyncIterator[Any]:
    async for letter in dead_letters(client):
        if letter.data.stream == stream:
            yield letter


async def _waiting(client: Client) -> AsyncIterator[Any]:
    """What lies in the work queue: read message by message, since it has its one consumer."""
    jetstream = client.jetstream()
    state = (await jetstream.stream_info(FEED)).state
    for sequence in range(state.first_seq, state.last_seq + 1):
        yield await jetstream.get_msg(FEED, sequence)


def _intake(seen: Seen) -> Iterator[Finding]:
    kept = {**seen.submissions, **seen.records}
    announced = seen.subjects(SubmissionReceived.TYPE, ActivityRecorded.TYPE, ChannelAnnounced.TYPE)
    for key in sorted(kept.keys() - announced):
        yield Finding("log = store", f"item {key}", "is kept and was never announced")
    for key in sorted(announced - kept.keys()):
        yield Finding("log = store", f"item {key}", "was announced and is not kept")
    for key, arrival in sorted(seen.arrivals.items()):
        subject = arrival.get("submission")
        if subject is not None and subject not in kept:
            yield Finding("nothing lost", f"item {subject}", f"of sending {key} is not kept")
    for key, document in sorted(kept.items()):
        if seen.arrivals.get(document["arrival"], {}).get("fate") != "kept":
            yield Finding("nothing invented", f"item {key}", "came with no sending")
    for key, document in sorted(seen.submissions.items()):
        for part in {"identity", "text"} - document.get("sealed", {}).keys():
            yield Finding("sealed", f"submission {key}", f"has no {part}")


def _routing(seen: Seen) -> Iterator[Finding]:
    expected = {case_id(submission): submission for submission in seen.submissions}
    for case in sorted(expected.keys() - seen.cases.keys()):
        yield Finding("exactly one case", f"submission {expected[case]}", f"has no case {case}")
    for case in sorted(seen.cases.keys() - expected.keys()):
        yield Finding("exactly one case", f"case {case}", "has no submission")
    said = {key: e for key, e in seen.events.items() if e.type.startswith(("case.", "clock."))}
    kept: set[str] = set()
    for case, document in sorted(seen.cases.items()):
        events = _events_of(document)
        kept |= {event["id"] for event in events}
        for event in events:
            if event["id"] not in said:
                yield Finding("log = store", f"case {case}", f"never announced {event['type']}")
        yield from _assignment(case, events)
    for key in sorted(said.keys() - kept):
        yield Finding("log = store", f"event {key}", f"of case {said[key].subject} is not kept")


def _assignment(case: str, events: list[Document]) -> Iterator[Finding]:
    """Versions 1 … n without a gap; one lead, never an excluded one."""
    versions = sorted(event["data"]["version"] for event in events)
    if versions != list(range(1, len(versions) + 1)):
        yield Finding("one assignment", f"case {case}", f"has versions {versions}")
    assigned = [event["data"] for event in events if event["type"] == CaseAssigned.TYPE]
    if len(assigned) != 1:
        yield Finding("one assignment", f"case {case}", f"has {len(assigned)} assignments")
    for data in assigned:
        if data["lead"] in {exclusion["body"] for exclusion in data["excluded"]}:
            yield Finding("no conflict", f"case {case}", f"is led by excluded {data['lead']}")


def _events_of(case: Document) -> list[Document]:
    """Every event of a case as routing keeps it: the opening's, then one for each command."""
    return [*case["opening"], *(event for sending in case["acted"] for event in sending["events"])]


def _reporting(seen: Seen) -> Iterator[Finding]:
    for case in sorted(seen.cases.keys() - seen.rows):
        yield Finding("nothing lost", f"case {case}", "has no row in reporting")
    for case in sorted(seen.rows - seen.cases.keys()):
        yield Finding("nothing invented", f"row {case}", "has no case")
    for key in sorted(seen.subjects(ActivityRecorded.TYPE) - seen.activity_rows):
        yield Finding("nothing lost", f"activity {key}", "has no row in reporting")
    kept = {document["event"]["id"]: key for key, document in seen.kept_reports.items()}
    for key in sorted(kept.keys() - seen.reports.keys()):
        yield Finding("log = store", f"report {kept[key]}", "is kept and was never published")
    for key in sorted(seen.reports.keys() - kept.keys()):
        yield Finding("log = store", f"report {seen.reports[key].subject}", "is not kept")


def _totals(seen: Seen) -> Iterator[Finding]:
    """Own cells recounted; and every parent's row equals the total of the child's own report."""
    by_unit: dict[str, list[CaseFacts]] = defaultdict(list)
    for case, document in seen.cases.items():
        facts = _facts(case, document)
        by_unit[facts.unit].append(facts)
    in_force = _in_force(seen)
    totals = {(r.data.form, r.data.unit, r.data.period.code): r.data.totals for r in in_force}
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
            child = totals.get((report.form, row.unit, report.period.code))
            if not row.own and child != row.cells:
                yield Finding("totals", name, f"differs from the report of {row.unit}")
        if tuple(map(sum, zip(*(r.cells for r in report.rows), strict=True))) != report.totals:
            yield Finding("totals", name, "does not add up")


def _in_force(seen: Seen) -> list[Event[ReportPublished]]:
    newest: dict[str | None, Event[ReportPublished]] = {}
    for event in seen.reports.values():
        standing = newest.get(event.subject)
        if standing is None or standing.data.revision < event.data.revision:
            newest[event.subject] = event
    return list(newest.values())


def _facts(case: str, document: Document) -> CaseFacts:
    by_type = {event["type"]: event for event in _events_of(document)}
    opened, assigned = by_type[CaseOpened.TYPE], by_type.get(CaseAssigned.TYPE)
    accepted, concluded = by_type.get(CaseAccepted.TYPE), by_type.get(CaseConcluded.TYPE)
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
    )


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
