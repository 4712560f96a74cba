"""The lower bound of work: the three stages in plain nats-py and motor, and nothing else.

Each pulls 500, validates against the contracts, writes in bulk to a majority and its journal,
publishes pipelined with confirmation and acknowledges, as the services do. The same events go
out: `submission.received`, `case.opened`, `case.assigned` and the case's clocks; reporting keeps
a row a case. It decides nothing, seals nothing, and knows no duplicate but by `_id`.

`python -m deploy.bench.bare intake|routing|reporting NATS MONGO`, one process a stage.
"""

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import nats
import orjson
import uvloop
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase
from nats.aio.client import Client
from nats.aio.msg import Msg
from pymongo import UpdateOne, WriteConcern
from pymongo.errors import BulkWriteError

from shared.contracts import HotlineCallLogged, SubmissionReceived
from shared.contracts.case import CaseAssigned, CaseOpened, ClockStarted, case_id
from shared.contracts.envelope import Event, derived_id
from shared.contracts.submission import submission_id

DATABASE = "bench_bare"
FEED, EVENTS = "BENCH_FEED", "BENCH_EVENTS"
PREFIX = "bench."
BATCH, FETCH_SECONDS, CONFIRMATION_SECONDS = 500, 1.0, 10.0
CLOCKS = ("take-up", "reg124-answer")
DUPLICATE_KEY = 11000

Document = dict[str, Any]
Database = AsyncIOMotorDatabase[Document]
Said = tuple[str, str, bytes]
"""Subject, id and body of an event."""
Step = Callable[[Database, Sequence[Msg]], Awaitable[list[Said]]]


async def intake(database: Database, messages: Sequence[Msg]) -> list[Said]:
    documents, said = [], []
    for message in messages:
        document, body = received(Event[HotlineCallLogged].model_validate_json(message.data))
        documents.append(document)
        said.append(_said(body))
    await _insert(database, "submissions", documents)
    return said


async def routing(database: Database, messages: Sequence[Msg]) -> list[Said]:
    documents: list[Document] = []
    said: list[Said] = []
    for message in messages:
        document, bodies = opened(Event[SubmissionReceived].model_validate_json(message.data))
        documents.append(document)
        said += map(_said, bodies)
    await _insert(database, "cases", documents)
    return said


async def reporting(database: Database, messages: Sequence[Msg]) -> list[Said]:
    rows: dict[str, Document] = {}
    for message in messages:
        kind = message.subject.removeprefix(PREFIX)
        case, place, facet = told(READERS[kind].model_validate_json(message.data))
        rows.setdefault(case, {})[place] = facet
    await database["rows"].bulk_write(
        [UpdateOne({"_id": case}, {"$set": row}, upsert=True) for case, row in rows.items()],
        ordered=False,
    )
    return []


def received(event: Event[HotlineCallLogged]) -> tuple[Document, Document]:
    """What is kept of a call, and what is announced."""
    agency = event.source.removeprefix("/agencies/")
    submission = submission_id(agency, event.id)
    at = event.time.isoformat()
    data = {"agency": agency, **RECEIVED}
    body = _event(submission, SubmissionReceived.TYPE, submission, event.id, at, data)
    return {"_id": submission, "note": event.data.note, "event": body}, body


def opened(event: Event[SubmissionReceived]) -> tuple[Document, list[Document]]:
    """What is kept of a case, and what is announced."""
    case, at = case_id(event.subject or ""), event.time.isoformat()
    said = event.data.model_dump(mode="json", exclude={"agency", "rulebook", "directory"})
    said |= {"version": 1, "submission": event.subject, "received": at}
    bodies = [
        _event(case, CaseOpened.TYPE, case, event.id, at, said),
        _event(case, CaseAssigned.TYPE, case, event.id, at, ASSIGNED),
    ]
    for clock in CLOCKS:
        cause, data = f"{case}/{clock}", {**CLOCK, "clock": clock, "started": at}
        bodies.append(_event(cause, ClockStarted.TYPE, case, event.id, at, data))
    return {"_id": case, "lead": ASSIGNED["lead"], "events": bodies}, bodies


def told(event: Event[Any]) -> tuple[str, str, Document]:
    """Row, place in it and what stands there."""
    about = event.subject or ""
    case = case_id(about) if isinstance(event.data, SubmissionReceived) else about
    place = event.type.replace(".", "-")
    if isinstance(event.data, ClockStarted):
        place = f"{place}-{event.data.clock}"
    return case, place, {"event": event.id, "time": event.time}


READERS = {
    contract.TYPE: Event[contract]  # type: ignore[valid-type]
    for contract in (SubmissionReceived, CaseOpened, CaseAssigned, ClockStarted)
}

STAGES: dict[str, tuple[str, str, Step]] = {
    "intake": (FEED, f"{PREFIX}feed", intake),
    "routing": (EVENTS, f"{PREFIX}{SubmissionReceived.TYPE}", routing),
    "reporting": (EVENTS, f"{PREFIX}>", reporting),
}
"""By stage: its stream, what it takes from there, and what it does."""

RECEIVED = {
    "unit": "tinh",
    "channel": "hotline",
    "form": "telephone",
    "kind": "reflection",
    "category": "duty-performance",
    "signatures": "other",
    "concerns": {"unit": "tinh", "office": "gd-so-xay-dung"},
    "eligibility": "eligible",
    "decided_by": ["kind-reflection", "duty-performance"],
    "rulebook": 1,
    "directory": 1,
}
ASSIGNED = {
    "version": 2,
    "lead": "ban-tgdv-tinh",
    "cooperating": [],
    "basis": "same-level",
    "within_competence": True,
    "excluded": [],
    "rule": "same-level",
    "citation": "Quy định số 124-QĐ/TW, Điều 5",
    "directory": 1,
    "rulebook": 1,
    "reasons": [
        {
            "rule": "same-level",
            "citation": "Quy định số 124-QĐ/TW, Điều 5",
            "vi": "Là tổ chức giám sát cùng cấp với đơn vị được phản ánh, không có xung đột.",
            "en": "The body at the level of the unit concerned, with no conflict of interest.",
        }
    ],
}

CLOCK = {
    "version": 3,
    "citation": "Quy định số 124-QĐ/TW, Điều 8",
    "due": "2026-12-31",
    "rulebook": 1,
    "calendar": 1,
}
"""As long as the real ones, and as their contracts want them."""


def _event(  # noqa: PLR0917 - the parts of an envelope, in their order
    cause: str, kind: str, subject: str, causation: str, at: str, data: Document
) -> Document:
    return {
        "specversion": "1.0",
        "id": derived_id(cause, kind),
        "source": "/services/bench",
        "type": kind,
        "subject": subject,
        "time": at,
        "recordedtime": at,
        "datacontenttype": "application/json",
        "correlationid": subject,
        "causationid": causation,
        "data": data,
    }


def _said(event: Document) -> Said:
    return f"{PREFIX}{event['type']}", event["id"], orjson.dumps(event)


async def _insert(database: Database, name: str, documents: list[Document]) -> None:
    try:
        await database[name].insert_many(documents, ordered=False)
    except BulkWriteError as error:
        if any(failure["code"] != DUPLICATE_KEY for failure in error.details["writeErrors"]):
            raise


async def publish(client: Client, said: Sequence[Said]) -> None:
    """All at once over one inbox; returns when each is confirmed."""
    if not said:
        return
    inbox = client.new_inbox()
    answers = await client.subscribe(inbox)
    for subject, name, body in said:
        await client.publish(subject, body, reply=inbox, headers={"Nats-Msg-Id": name})
    for _ in said:
        answer = orjson.loads((await answers.next_msg(timeout=CONFIRMATION_SECONDS)).data)
        if "error" in answer:
            raise RuntimeError(answer["error"])
    await answers.unsubscribe()


async def run(stage: str, nats_url: str, mongo_url: str) -> None:
    """Until the process is ended."""
    stream, _, step = STAGES[stage]
    client = await nats.connect(nats_url, name=f"bench-{stage}")
    motor: AsyncIOMotorClient[Document] = AsyncIOMotorClient(mongo_url)
    database = motor.get_database(DATABASE, write_concern=WriteConcern("majority", j=True))
    jetstream = client.jetstream()
    pulling = await jetstream.pull_subscribe_bind(f"bench-{stage}", stream)
    while True:
        with contextlib.suppress(TimeoutError):
            messages = await pulling.fetch(BATCH, timeout=FETCH_SECONDS)
            if not messages:
                continue
            await publish(client, await step(database, messages))
            for message in messages:
                await message.ack()


if __name__ == "__main__":
    with contextlib.suppress(asyncio.CancelledError, KeyboardInterrupt):
        uvloop.run(run(*sys.argv[1:4]))
