"""What the log and the stores hold, read once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nats.aio.client import Client
from nats.js.errors import NotFoundError
from pydantic import ValidationError

from deploy.connection import Endpoints
from deploy.stream import messages
from deploy.verify.finding import Finding
from shared import contracts
from shared.contracts import MessageSetAside, ReportPublished
from shared.contracts.envelope import AnyEvent, Event, EventData
from shared.runtime.mongo import Database, Document, open_client, open_database
from shared.runtime.streams import DEAD_LETTERS, EVENTS, FEED, REPORTS

OUTBOX = ("submissions", "conversations", "records", "alarms", "ratings", "relations")
"""Intake's collections that keep events with what they are about."""
OF_ITSELF = {
    "alarms": ("channel.silent.v1", "channel.interrupted.v1"),
    "relations": ("submission.related.v1",),
}
"""What intake's sweeps find and announce with nobody sending anything, by collection."""
ISSUE_SECONDS = 60.0
"""The public edition is weighed, and attacked, before it goes out."""
POLL_SECONDS = 0.2

_SEALED: Sequence[Document] = (
    {"$set": {"sealed": {"$objectToArray": {"$ifNull": ["$sealed", {}]}}}},
    {
        "$set": {
            "parts": {
                "$map": {
                    "input": "$sealed",
                    "in": {"name": "$$this.k", "key": "$$this.v.key", "file": "$$this.v.file"},
                }
            }
        }
    },
    {"$unset": ["sealed", "matter", "thread", "keys"]},
)
_RECORDS: Sequence[Document] = (
    {
        "$set": {
            "parts": {
                "$map": {
                    "input": {"$ifNull": ["$records", []]},
                    "in": {"name": "records", "key": "$$this.key"},
                }
            }
        }
    },
    {"$unset": "records"},
)
_CHUNKS: Sequence[Document] = (
    {"$sort": {"files_id": 1}},
    {"$group": {"_id": "$files_id", "count": {"$sum": 1}}},
)

Documents = dict[str, Document]


@dataclass(slots=True)
class Kept:
    """Intake's collections, by id. What is sealed in a document is in its `parts`, without content.

    A part has `name` and `key`, a large one also `file`.
    """

    submissions: Documents = field(default_factory=dict)
    conversations: Documents = field(default_factory=dict)
    records: Documents = field(default_factory=dict)
    alarms: Documents = field(default_factory=dict)
    ratings: Documents = field(default_factory=dict)
    relations: Documents = field(default_factory=dict)
    arrivals: Documents = field(default_factory=dict)
    calls: Documents = field(default_factory=dict)
    openings: Documents = field(default_factory=dict)
    cases: Documents = field(default_factory=dict)
    """Intake's own view of routing's cases."""
    feeds: Documents = field(default_factory=dict)
    receipts: Sequence[str] = ()
    """The submissions that they are for."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """The owners of the data keys, by the keys' names."""
    whole_files: frozenset[str] = frozenset()


@dataclass(slots=True)
class Seen:
    """What the log and the stores hold, by id; and what of the log nobody can read."""

    unreadable: list[Finding] = field(default_factory=list)
    events: dict[str, AnyEvent] = field(default_factory=dict)
    meanwhile: set[str] = field(default_factory=set)
    """Ids of what sweeps said while the stores were being read: they go on by themselves."""
    reports: dict[str, Event[ReportPublished]] = field(default_factory=dict)
    fed: int = 0
    """The last sequence that the feed confirmed."""
    waiting: set[int] = field(default_factory=set)
    set_aside: set[int] = field(default_factory=set)
    intake: Kept = field(default_factory=Kept)
    cases: Documents = field(default_factory=dict)
    rows: set[str] = field(default_factory=set)
    activity_rows: set[str] = field(default_factory=set)
    kept_reports: Documents = field(default_factory=dict)

    def said(self, *types: str) -> dict[str, AnyEvent]:
        """The announced events of these types, by id."""
        return {key: event for key, event in self.events.items() if event.type in types}


async def look(client: Client, endpoints: Endpoints, relay_seconds: float) -> Seen:
    """Reads all of it; what intake is just about to announce has so many seconds for it.

    Reports that are still to be issued are waited for, and left out if they are not out by then.
    """
    seen = Seen()
    mongo = open_client(endpoints.mongo)
    try:
        intake, keys, routing, reporting = (
            open_database(mongo, f"{endpoints.mongo_prefix}_{service}")
            for service in ("intake", "intake_keys", "routing", "reporting")
        )
        await _announced(intake, relay_seconds)
        waits = await _issued(reporting)
        last = (await client.jetstream().stream_info(EVENTS)).state.last_seq
        await _read_log(client, seen)
        seen.intake = await _read_intake(intake, keys)
        seen.cases = await _all(routing, "cases")
        seen.rows = set(await _all(reporting, "case_rows", {"_id": 1}))
        seen.activity_rows = set(await _all(reporting, "activity_rows", {"_id": 1}))
        kept = await _all(reporting, "reports")
        waits |= await _under_way(reporting)
        seen.kept_reports = {
            key: report
            for key, report in kept.items()
            if (report["closing"], report["edition"]) not in waits
        }
        await _announced(intake, relay_seconds)
        still = await _unannounced(intake)
    finally:
        mongo.close()
    for name in OF_ITSELF:
        for key, document in getattr(seen.intake, name).items():
            if (name, key) not in still:
                document.pop("unannounced", None)
    subjects = ["clock.>", *(subject for types in OF_ITSELF.values() for subject in types)]
    async for said in _readable(
        client, EVENTS, contracts.EVENTS.get, seen.unreadable, subjects=subjects, start=last + 1
    ):
        if said.id not in seen.events:
            seen.events[said.id] = said
            seen.meanwhile.add(said.id)
    return seen


async def look_at_keys(endpoints: Endpoints) -> Kept:
    """What intake keeps, alone."""
    mongo = open_client(endpoints.mongo)
    try:
        prefix = endpoints.mongo_prefix
        keys = open_database(mongo, f"{prefix}_intake_keys")
        return await _read_intake(open_database(mongo, f"{prefix}_intake"), keys)
    finally:
        mongo.close()


async def _announced(intake: Database, seconds: float) -> None:
    """Return when nothing waits to be announced, or when for so long none of it has gone out."""
    loop = asyncio.get_running_loop()
    waiting = await _unannounced(intake)
    deadline = loop.time() + seconds
    while waiting and loop.time() < deadline:
        await asyncio.sleep(POLL_SECONDS)
        earlier, waiting = waiting, await _unannounced(intake)
        if earlier - waiting:
            deadline = loop.time() + seconds


async def _issued(reporting: Database) -> set[tuple[str, str]]:
    """What is still to be issued when all is out, or after a while."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + ISSUE_SECONDS
    waits = await _under_way(reporting)
    while waits and loop.time() < deadline:
        await asyncio.sleep(POLL_SECONDS)
        waits = await _under_way(reporting)
    return waits


async def _under_way(reporting: Database) -> set[tuple[str, str]]:
    """By closing and edition: what is to be issued, and may be kept already."""
    closings = reporting.get_collection("closings").find({"waits.0": {"$exists": True}})
    return {(closing["_id"], each) async for closing in closings for each in closing["waits"]}


async def _unannounced(intake: Database) -> set[tuple[str, str]]:
    return {
        (name, document["_id"])
        for name in OUTBOX
        async for document in intake.get_collection(name).find({"unannounced": True}, {"_id": 1})
    }


async def _read_log(client: Client, seen: Seen) -> None:
    async for event in _readable(client, EVENTS, contracts.EVENTS.get, seen.unreadable):
        seen.events[event.id] = event
    async for report in _readable(client, REPORTS, lambda _: ReportPublished, seen.unreadable):
        seen.reports[report.id] = report
    async for letter in _readable(client, DEAD_LETTERS, lambda _: MessageSetAside, seen.unreadable):
        if letter.data.stream == FEED:
            seen.set_aside.add(letter.data.sequence)
    state = (await client.jetstream().stream_info(FEED)).state
    seen.fed = state.last_seq
    if state.messages:
        seen.waiting = {s async for s in _waiting(client, state.first_seq, state.last_seq)}


async def _readable(
    client: Client,
    stream: str,
    contract_of: Callable[[str], type[EventData] | None],
    unreadable: list[Finding],
    *,
    subjects: Sequence[str] = (),
    start: int = 1,
) -> AsyncIterator[AnyEvent]:
    """A stream's events. What breaks its contract is a finding, and never quoted."""
    async for message in messages(client, stream, subjects, start):
        place = f"message {message.metadata.sequence.stream} of {stream}"
        contract = contract_of(message.subject)
        if contract is None:
            wrong = f"is of a type that is not known here, {message.subject}"
            unreadable.append(Finding("readable", place, wrong))
            continue
        try:
            event = Event[contract].model_validate_json(message.data)  # type: ignore[valid-type]
        except ValidationError:
            unreadable.append(Finding("readable", place, f"is no {contract.TYPE}"))
        else:
            yield event


async def _waiting(client: Client, first: int, last: int) -> AsyncIterator[int]:
    """What lies in the work queue: read message by message, since it has its one consumer."""
    jetstream = client.jetstream()
    for sequence in range(first, last + 1):
        try:
            await jetstream.get_msg(FEED, sequence)
        except NotFoundError:  # it was taken before those around it
            continue
        yield sequence


async def _read_intake(intake: Database, keys: Database) -> Kept:
    receipts = await _all(intake, "receipts")
    files = await _all(intake, "sealed.files", {"length": 1, "chunkSize": 1})
    chunks = await _piped(intake, "sealed.chunks", _CHUNKS)
    return Kept(
        submissions=await _piped(intake, "submissions", _SEALED),
        conversations=await _piped(intake, "conversations", _SEALED),
        records=await _all(intake, "records"),
        alarms=await _all(intake, "alarms"),
        ratings=await _all(intake, "ratings"),
        relations=await _all(intake, "relations"),
        arrivals=await _piped(intake, "arrivals", _SEALED),
        calls=await _piped(intake, "calls", _RECORDS),
        openings=await _piped(intake, "openings", _SEALED),
        cases=await _all(intake, "cases"),
        feeds=await _all(intake, "feeds"),
        receipts=[receipt["submission"] for receipt in receipts.values()],
        keys={
            name: d["owner"] for name, d in (await _all(keys, "data_keys", {"owner": 1})).items()
        },
        whole_files=frozenset(
            name
            for name, file in files.items()
            if chunks.get(name, {}).get("count", 0) == -(-file["length"] // file["chunkSize"])
        ),
    )


async def _all(
    database: Database, collection: str, projection: Mapping[str, Any] | None = None
) -> Documents:
    found = database.get_collection(collection).find({}, projection, batch_size=5_000)
    return {document["_id"]: document async for document in found}


async def _piped(database: Database, collection: str, pipeline: Sequence[Document]) -> Documents:
    found = database.get_collection(collection).aggregate(list(pipeline), batchSize=5_000)
    return {document["_id"]: document async for document in found}
