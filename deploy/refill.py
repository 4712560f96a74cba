"""Fills the streams again from what the services keep, after NATS lost them.

EVENTS comes from reporting's copy, byte by byte and in the old order, so that the chain over it
holds; behind it comes what the services kept and the copy had not reached. Ids are those of then:
consumers, which are made anew with the stream, are given everything again and act once.
"""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Self

import orjson
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import Header
from nats.js.errors import APIError, NotFoundError

from deploy.access.permissions import SERVICE, service
from deploy.connection import Address, Endpoints, connected
from deploy.verify.routing import events_of
from deploy.verify.seen import OUTBOX
from shared import contracts
from shared.contracts import ReportPublished
from shared.contracts.envelope import MEDIA_TYPE, AnyEvent, Event
from shared.runtime.mongo import Client as Mongo
from shared.runtime.mongo import Database, Document, open_client, open_database
from shared.runtime.streams import ANNOUNCES, COMMANDS, EVENTS, FEED, REPORTS, declare

SECONDS = 10.0
FATES = (("intake", "arrivals"), ("routing", "commands"), ("reporting", "commands"))
"""By service: the collection of what became of each sending."""
LAST_SEQUENCE = Header.EXPECTED_LAST_SEQUENCE.value


class NotRefilled(Exception):
    """The stream is not the one that was lost; the text says what to do."""


@dataclass(slots=True)
class Refilled:
    """How many messages came back: `copied` in their old places, `kept` behind them, `reports`."""

    copied: int = 0
    kept: int = 0
    reports: int = 0


class _Voices:
    """Each message is said by whoever said it then: nobody else has the right to."""

    def __init__(self, client: Client, endpoints: Endpoints) -> None:
        self._operator, self._endpoints = client, endpoints
        self._by_service: dict[str, Client] = {}
        self._ending = AsyncExitStack()

    async def __aenter__(self) -> Self:
        address = self._endpoints.nats
        if not isinstance(address, Address) or address.seed is None:
            return self
        for name in ANNOUNCES:
            own = address.seed.parent / f"{SERVICE}{name}.nk"
            if not own.exists():
                raise NotRefilled(f"{own} is needed: only {name} may say again what it said.")
            self._by_service[name] = await self._ending.enter_async_context(
                connected(Address(address, own, address.authority), user=service(name))
            )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._ending.aclose()

    def of(self, subject: str) -> JetStreamContext:
        for name, client in self._by_service.items():
            if any(
                subject == said or (said.endswith(">") and subject.startswith(said[:-1]))
                for said in ANNOUNCES[name]
            ):
                return client.jetstream()
        return self._operator.jetstream()


async def refill(client: Client, endpoints: Endpoints) -> Refilled:
    """Put back what is missing at the end of EVENTS and REPORTS; all of it, if they are empty.

    On a guarded server the seeds of the services must lie beside the operator's. The services
    must not run: whoever says something meanwhile takes the place of what was said.
    Raises `NotRefilled` then, and where the stream holds another history than the copy.
    """
    jetstream = client.jetstream()
    refilled = Refilled()
    mongo = open_client(endpoints.mongo)
    async with AsyncExitStack() as ending:
        ending.callback(mongo.close)
        prefix = endpoints.mongo_prefix
        await declare(jetstream, begins=await entrances(mongo, prefix))
        reporting = open_database(mongo, f"{prefix}_reporting")
        voices = await ending.enter_async_context(_Voices(client, endpoints))
        known = await _copied(jetstream, voices, reporting, refilled)
        kept = [event async for event in _kept(mongo, prefix) if event.id not in known]
        # One event may be kept twice, e.g. by a letter's case and by its part.
        for event in {e.id: e for e in sorted(kept, key=_place)}.values():
            await _say(voices, EVENTS, event.type, event.encode(), event.id)
            refilled.kept += 1
        refilled.reports = await _reports(jetstream, voices, reporting)
    return refilled


async def entrances(mongo: Mongo, prefix: str) -> dict[str, int]:
    """Where FEED and COMMANDS count on: a party asks by sequence what became of its sending."""
    last = {FEED: 0, COMMANDS: 0}
    for party, name in FATES:
        collection = open_database(mongo, f"{prefix}_{party}").get_collection(name)
        for entrance, stream in (("feed", FEED), ("command", COMMANDS)):
            found = await collection.find_one(
                {"_id": {"$regex": f"^{entrance}:"}}, {"sequence": 1}, sort=[("sequence", -1)]
            )
            if found:
                last[stream] = max(last[stream], int(found["sequence"]))
    return {stream: sequence + 1 for stream, sequence in last.items()}


async def _copied(
    jetstream: JetStreamContext, voices: _Voices, reporting: Database, refilled: Refilled
) -> set[str]:
    """Publish every copied message that the stream lacks; answers the ids of all copied ones."""
    last = (await jetstream.stream_info(EVENTS)).state.last_seq
    known: set[str] = set()
    expected = 1
    async for copy in reporting.get_collection("log").find({}, sort=[("_id", 1)]):
        sequence, subject, body = copy["_id"], copy["subject"], copy["body"]
        if sequence != expected:
            raise NotRefilled(f"Reporting has no copy of message {expected}.")
        expected += 1
        name = _id_of(body)
        if sequence == last:
            await _must_be_there(jetstream, sequence, subject, body)
        elif sequence > last:
            # What was said twice, long after one another, has its id once.
            once = "" if name in known else name
            await _say(voices, EVENTS, subject, body, once, after=sequence - 1)
            refilled.copied += 1
        known.add(name)
    if 1 < expected <= last:
        await _must_be_there(jetstream, sequence, subject, body)
    known |= await _behind(jetstream, expected, last)
    return known


async def _must_be_there(
    jetstream: JetStreamContext, sequence: int, subject: str, body: bytes
) -> None:
    try:
        found = await jetstream.get_msg(EVENTS, sequence)
    except NotFoundError:
        found = None
    if found is None or (found.subject, found.data) != (subject, body):
        raise NotRefilled(
            f"Message {sequence} of EVENTS is not the one that reporting copied: another history "
            "has begun. Stop the services, delete the stream as the server's administrator, and "
            "refill it."
        )


async def _behind(jetstream: JetStreamContext, first: int, last: int) -> set[str]:
    """Ids of what the stream holds and no copy was made of yet."""
    return {
        _id_of((await jetstream.get_msg(EVENTS, sequence)).data or b"")
        for sequence in range(first, last + 1)
    }


async def _kept(mongo: Mongo, prefix: str) -> AsyncGenerator[AnyEvent]:
    """What the services keep of what they announced, or were about to."""
    intake, routing, reporting = (
        open_database(mongo, f"{prefix}_{name}") for name in ("intake", "routing", "reporting")
    )
    for name in OUTBOX:
        async for document in intake.get_collection(name).find({}, {"sealed": 0, "matter": 0}):
            erased = [document["erased"]] if "erased" in document else []
            for event in _events([document["event"], *document.get("also", ()), *erased]):
                yield event
    async for case in routing.get_collection("cases").find({}):
        for event in _events(events_of(case)):
            yield event
    async for checkpoint in reporting.get_collection("checkpoints").find({}):
        for event in _events([checkpoint["event"]]):
            yield event


def _events(documents: Sequence[Document]) -> Iterable[AnyEvent]:
    """Those of them that EVENTS holds: a refusal, which a case keeps too, has its own stream."""
    for document in documents:
        if contract := contracts.EVENTS.get(document["type"]):
            yield Event[contract].model_validate(document)  # type: ignore[valid-type]


def _place(event: AnyEvent) -> tuple[str, int, str]:
    """As it was recorded, and of one instant by the version of its case."""
    at = event.recordedtime or event.time
    return at.isoformat(), int(getattr(event.data, "version", 0)), event.id


async def _reports(jetstream: JetStreamContext, voices: _Voices, reporting: Database) -> int:
    """Publish each kept report that is newer than the last one on its subject."""
    out: dict[str, int] = {}
    count = 0
    found = reporting.get_collection("reports").find({}, sort=[("event.data.revision", 1)])
    async for document in found:
        event = Event[ReportPublished].model_validate(document["event"])
        subject = event.data.nats_subject()
        if subject not in out:
            out[subject] = await _revision(jetstream, subject)
        if event.data.revision > out[subject]:
            await _say(voices, REPORTS, subject, event.encode(), event.id)
            count += 1
    return count


async def _revision(jetstream: JetStreamContext, subject: str) -> int:
    try:
        last = await jetstream.get_last_msg(REPORTS, subject)
    except NotFoundError:
        return 0
    return int(orjson.loads(last.data or b"")["data"]["revision"])


async def _say(
    voices: _Voices,
    stream: str,
    subject: str,
    body: bytes,
    name: str,
    *,
    after: int | None = None,
) -> None:
    headers = {Header.MSG_ID.value: name, "content-type": MEDIA_TYPE} if name else {}
    if after is not None:
        headers[LAST_SEQUENCE] = str(after)
    try:
        taken = await voices.of(subject).publish(
            subject, body, timeout=SECONDS, stream=stream, headers=headers
        )
    except APIError as error:
        raise NotRefilled(
            f"{stream} does not take what comes after message {after or 0} (error "
            f"{error.err_code}). Stop the services first."
        ) from None
    if after is not None and taken.seq != after + 1:
        raise NotRefilled(f"Message {after + 1} was said before: its id is in the stream.")


def _id_of(body: bytes) -> str:
    """Of what nobody can read: none."""
    try:
        return str(orjson.loads(body)["id"])
    except (ValueError, KeyError, TypeError):
        return ""
