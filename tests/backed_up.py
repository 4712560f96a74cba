"""Both stores of one installation, to be backed up, lost and restored."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import orjson

from deploy.backup import (
    backup,
    restore,
)
from deploy.backup.databases import KEYS, SERVICES
from deploy.connection import Endpoints
from services.reporting.chain import MongoLinks
from services.reporting.domain.chain import Logged
from shared.contracts.envelope import Event
from shared.runtime.mongo import open_client, open_database
from shared.runtime.streams import (
    ADVISORIES,
    EVENTS,
    FEED,
    STREAMS,
)
from tests.system.test_bus import activity

NOON = datetime(2026, 5, 11, 5, tzinfo=UTC)
LETTER = "feed.a-1.letter.registered.v1"


def told(contents: dict[str, object]) -> dict[str, object]:
    """Without what the server says of the streams and consumers that are being made."""
    return {name: each for name, each in contents.items() if not name.startswith(ADVISORIES)}


class World:
    """Both stores of one installation, and folders for its backups."""

    def __init__(self, jetstream, mongo, endpoints, folder) -> None:
        self.jetstream, self.mongo, self.endpoints = jetstream, mongo, endpoints
        self.folder = folder
        self.client = jetstream._nc

    def database(self, name):
        return open_database(self.mongo, f"{self.endpoints.mongo_prefix}_{name}")

    async def take(self, name: str = "one"):
        return await backup(
            self.client, self.endpoints, self.folder / name, self.keys(name), lambda: NOON
        )

    def keys(self, name: str) -> Path:
        return self.folder / f"{name}-keys"

    async def restore(self, name: str = "one", **more):
        return await restore(
            self.client, self.endpoints, self.folder / name, self.keys(name), **more
        )

    async def lose_streams(self) -> None:
        for stream in await self.jetstream.streams_info():
            await self.jetstream.delete_stream(stream.config.name)

    async def lose_databases(self) -> None:
        for name in (*SERVICES, *KEYS):
            await self.mongo.drop_database(f"{self.endpoints.mongo_prefix}_{name}")

    async def lose_everything(self) -> None:
        await self.lose_streams()
        await self.lose_databases()

    async def log(self) -> list[Logged]:
        last = (await self.jetstream.stream_info(EVENTS)).state.last_seq
        found = [await self.jetstream.get_msg(EVENTS, n) for n in range(1, last + 1)]
        return [Logged(m.seq, m.subject, m.data) for m in found]

    async def say(self, *events: Event) -> None:
        """Announced, and copied by reporting."""
        for event in events:
            await self.jetstream.publish(
                event.type, event.encode(), headers={"Nats-Msg-Id": event.id}
            )
        await MongoLinks(self.database("reporting")).copy(await self.log())

    async def contents(self) -> dict[str, object]:
        """Every message with its number, place, time and headers; every document and index."""
        found: dict[str, object] = {}
        for config in STREAMS:
            info = await self.jetstream.stream_info(config.name)
            # Of an empty stream the server says that it begins at 0, or at 1.
            first = max(info.state.first_seq, 1)
            found[config.name] = (first, info.state.last_seq, info.state.messages)
            for number in range(first, info.state.last_seq + 1):
                answer = await self.client.request(
                    f"$JS.API.STREAM.MSG.GET.{config.name}", orjson.dumps({"seq": number})
                )
                found[f"{config.name}:{number}"] = orjson.loads(answer.data).get("message")
            for each in await self.jetstream.consumers_info(config.name):
                found[f"{config.name}/{each.name}"] = (
                    each.ack_floor.stream_seq,
                    each.num_pending + each.num_ack_pending,
                )
        for name in (*SERVICES, *KEYS):
            database = self.database(name)
            for collection in await database.list_collection_names():
                documents = [d async for d in database[collection].find({}, sort=[("_id", 1)])]
                indexes = await database[collection].index_information()
                found[f"{name}/{collection}"] = (documents, indexes)
        return found


@asynccontextmanager
async def worlds(jetstream, servers, folder) -> AsyncIterator[World]:
    mongo = open_client(servers.mongo_url)
    endpoints = Endpoints("", servers.mongo_url, f"test_{uuid4().hex[:8]}")
    world = World(jetstream, mongo, endpoints, folder)
    yield world
    await world.lose_databases()
    mongo.close()


async def fill(world: World) -> None:
    """Something of every kind: a hole, a consumer half way, a large file, an odd index."""
    for number in range(3):
        await world.jetstream.publish(LETTER, b"%d" % number)
    waiting = await world.jetstream.pull_subscribe_bind("intake-feed", FEED)
    [first] = await waiting.fetch(1)
    await first.ack_sync()
    await world.say(activity("e1"), activity("e2"))
    counting = await world.jetstream.pull_subscribe_bind("reporting-rows", EVENTS)
    [counted] = await counting.fetch(1)
    await counted.ack_sync()
    await world.jetstream.publish("dead.feed", b"sealed", headers={"why": "failed"})
    intake = world.database("intake")
    await intake["arrivals"].insert_one({"_id": "feed:1:then", "sequence": 1, "at": NOON})
    await intake["arrivals"].create_index([("party", 1), ("sequence", -1)], sparse=True)
    await intake["sealed.chunks"].insert_one({"_id": 1, "data": bytes(range(256)) * 900})
    await world.database("intake_keys")["data_keys"].insert_one(
        {"_id": "k", "owner": "feed:1:then", "wrapped": b"w"}
    )
    await world.database("routing")["empty"].create_index("at", expireAfterSeconds=60)
