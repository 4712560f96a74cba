"""What a run ends with, read once: the log, the stores, the servers' own counts. Writes nothing."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import orjson
from nats.aio.client import Client

from deploy.connection import Endpoints, pending
from deploy.stream import messages
from deploy.verify import verify
from deploy.verify.routing import events_of
from deploy.verify.totals import ZONE
from services.intake.store import MongoContents, MongoDataKeys
from services.intake.vault import open_sealed
from services.intake.wrapping import FileWrapping
from services.routing.domain.opening import open_case
from services.routing.store import MongoRules
from shared.contracts import ClockStarted, SubmissionReceived
from shared.contracts.envelope import Event
from shared.runtime.mongo import Database, open_client, open_database
from shared.runtime.streams import DEAD_LETTERS, EVENTS, FEED, REFUSALS, REPORTS
from tests.faults.ledger import Ledger, hash_of
from tests.faults.world import World

CANARY = re.compile(r"Hoàng Yến [0-9a-f]{12}")
SPOKEN = ("text", "note", "summary")
Document = dict[str, Any]


@dataclass(slots=True)
class Logged:
    sequence: int
    digest: str
    event: Document

    @property
    def id(self) -> str:
        return self.event["id"]

    @property
    def type(self) -> str:
        return self.event["type"]


@dataclass(slots=True)
class View:
    """Plain data, so that a test may change it."""

    ledger: Ledger
    log: list[Logged] = field(default_factory=list)
    submissions: dict[str, Document] = field(default_factory=dict)
    """By id: `event`, and `said`, the hash of the text as it opens."""
    arrivals: dict[str, Document] = field(default_factory=dict)
    receipts: list[str] = field(default_factory=list)
    cases: dict[str, Document] = field(default_factory=dict)
    """By id: `events`, in the order of their versions, `acted` and the `state` in words."""
    views: dict[str, Document] = field(default_factory=dict)
    rows: dict[str, Document] = field(default_factory=dict)
    sendings: dict[str, Document] = field(default_factory=dict)
    """What became of orders, as routing keeps it."""
    due: dict[str, dict[str, str]] = field(default_factory=dict)
    """By case: the last day of each clock, computed again."""
    pending: dict[str, int] = field(default_factory=dict)
    fed: int = 0
    waiting: int = 0
    dead: list[Document] = field(default_factory=list)
    findings: list[tuple[str, str]] = field(default_factory=list)
    """What `langnghe verify` names: invariant and words."""
    canaries: list[str] = field(default_factory=list)
    """Places where words of a reporter lie in clear."""


async def read(world: World, client: Client, ledger: Ledger, *, with_verify: bool = True) -> View:
    view = View(ledger)
    await _read_streams(client, view)
    mongo = open_client(world.endpoints.mongo)
    try:
        await _read_intake(mongo, world.endpoints, view)
        routing = open_database(mongo, "langnghe_routing")
        view.cases = {c["_id"]: _case(c) async for c in routing.get_collection("cases").find()}
        view.sendings = await _all(routing, "commands")
        view.rows = await _all(open_database(mongo, "langnghe_reporting"), "case_rows")
        await _compute_due(routing, view)
        for name in ("intake", "intake_keys", "routing", "reporting"):
            await _look_for_words(open_database(mongo, f"langnghe_{name}"), view)
    finally:
        mongo.close()
    for file in sorted((world.state / "log").glob("*.log")):
        _words(file.name, [file.read_text(errors="replace")], view)
    if with_verify:
        found = await verify(client, world.endpoints)
        view.findings = [(f.invariant, str(f)) for f in found]
    return view


async def _read_streams(client: Client, view: View) -> None:
    async for message in messages(client, EVENTS):
        view.log.append(
            Logged(
                message.metadata.sequence.stream,
                sha256(message.data).hexdigest(),
                orjson.loads(message.data),
            )
        )
        _words(EVENTS, [message.data.decode()], view)
    async for message in messages(client, DEAD_LETTERS):
        view.dead.append(orjson.loads(message.data)["data"])
    for stream in (REFUSALS, REPORTS, DEAD_LETTERS):
        async for message in messages(client, stream):
            _words(stream, [message.data.decode()], view)
    view.pending = await pending(client.jetstream())
    feed = (await client.jetstream().stream_info(FEED)).state
    view.fed, view.waiting = feed.last_seq, feed.messages


async def _read_intake(mongo, endpoints: Endpoints, view: View) -> None:
    intake = open_database(mongo, "langnghe_intake")
    wrapping = FileWrapping.from_file(endpoints.keys / "intake.kek")
    keys = MongoDataKeys(open_database(mongo, "langnghe_intake_keys"), wrapping)
    contents = MongoContents(intake)
    async for document in intake.get_collection("submissions").find({}, {"event": 1, "also": 1}):
        parts = await contents.parts(document["_id"], ("text",)) or {}
        found = await keys.find([part.key for part in parts.values()])
        said = [
            open_sealed(found[part.key], name, part)
            for name, part in parts.items()
            if part.key in found
        ]
        text = "".join(str(orjson.loads(each).get(n, "")) for each in said for n in SPOKEN)
        view.submissions[document["_id"]] = {
            "events": [document["event"], *document.get("also", ())],
            "said": hash_of(text.strip()),
        }
    view.arrivals = await _all(intake, "arrivals")
    view.views = await _all(intake, "cases")
    view.receipts = [r["submission"] async for r in intake.get_collection("receipts").find()]


async def _all(database: Database, collection: str) -> dict[str, Document]:
    return {d["_id"]: d async for d in database.get_collection(collection).find()}


def _case(document: Document) -> Document:
    events = sorted(events_of(document), key=lambda event: event["data"]["version"])
    return {
        "events": events,
        "acted": [(s["party"], s["item"]) for s in document["acted"]],
        "state": document["state"]["stage"],
    }


async def _compute_due(routing: Database, view: View) -> None:
    """Of every submission as it was announced, by the rules that are kept, without what ran."""
    rules = await MongoRules(routing).latest()
    if rules is None:
        return
    for logged in view.log:
        if logged.type == SubmissionReceived.TYPE:
            event = Event[SubmissionReceived].model_validate(logged.event)
            opened = open_case(event, rules, ZONE, event.recordedtime)
            view.due[opened.state.case] = {
                said.data.clock: said.data.due.isoformat()
                for said in opened.events
                if said.type == ClockStarted.TYPE
            }


async def _look_for_words(database: Database, view: View) -> None:
    for name in await database.list_collection_names():
        async for document in database.get_collection(name).find():
            _words(f"{database.name}.{name}", [str(document)], view)


def _words(place: str, texts: Iterable[str], view: View) -> None:
    found = Counter(word for text in texts for word in CANARY.findall(text))
    view.canaries += [f"{place}: {word}" for word in found]
