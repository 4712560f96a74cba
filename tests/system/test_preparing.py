"""What is made before a service works: again without harm, killed in the middle, and forward only."""

import asyncio
import os
import signal
import sys
from itertools import count
from uuid import uuid4

import nats
import pytest
from nats.js import JetStreamContext

from deploy.keys import ensure_keys
from shared.runtime.mongo import open_client
from shared.runtime.streams import ADVISORIES, CONSUMERS, REDRIVEN, STREAMS, declare
from tests.documents import ROOT

SERVICES = ("intake", "routing", "reporting")


class Stores:
    """A service's databases under a prefix of the test's own."""

    def __init__(self, url: str, folder) -> None:
        self.url, self.client, self.folder = url, open_client(url), folder
        ensure_keys(folder)

    async def prepare(self, service: str, prefix: str, steps: int = 10_000) -> int:
        """How the process ended."""
        environment = {
            **os.environ,
            "LANGNGHE_MONGO_URL": self.url,
            "LANGNGHE_MONGO_PREFIX": prefix,
            "LANGNGHE_KEYS": str(self.folder / "keys"),
            "PYTHONPATH": str(ROOT),
        }
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.system.preparing_child", service, str(steps)),
            env=environment,
        )
        return await child.wait()

    async def indexes(self, prefix: str) -> dict[str, dict]:
        """By database without its prefix and collection."""
        found = {}
        for name in await self.client.list_database_names():
            if name.startswith(f"{prefix}_"):
                database = self.client[name]
                for collection in await database.list_collection_names():
                    kept = await database[collection].index_information()
                    found[f"{name.removeprefix(prefix)}.{collection}"] = kept
        return found

    async def drop(self, *prefixes: str) -> None:
        for name in await self.client.list_database_names():
            if name.startswith(prefixes):
                await self.client.drop_database(name)


@pytest.fixture
async def stores(servers, tmp_path):
    made = Stores(servers.mongo_url, tmp_path)
    made.prefix = f"t{uuid4().hex[:12]}"
    yield made
    await made.drop(made.prefix)
    made.client.close()


class TestIndexes:
    @pytest.mark.parametrize("service", SERVICES)
    async def test_a_kill_before_any_of_them_is_made_good_by_the_next_start(self, stores, service):
        whole, broken = f"{stores.prefix}a", f"{stores.prefix}b"
        assert await stores.prepare(service, whole) == 0
        wanted = await stores.indexes(whole)
        ends, sizes = [], []
        for steps in count(0, 3):  # each start gets a few steps further than the one before
            ends.append(await stores.prepare(service, broken, steps))
            sizes.append(sum(map(len, (await stores.indexes(broken)).values())))
            if ends[-1] == 0:
                break

        assert len(ends) > 2
        assert set(ends[:-1]) == {-signal.SIGKILL}
        assert sizes == sorted(sizes)
        assert await stores.indexes(broken) == wanted

    @pytest.mark.parametrize("service", SERVICES)
    async def test_what_a_newer_version_made_is_left_alone(self, stores, service):
        """An older version that starts again after it, or a second start."""
        await stores.prepare(service, stores.prefix)
        wanted = await stores.indexes(stores.prefix)
        collections = [
            stores.client[f"{stores.prefix}{database}"][collection]
            for database, _, collection in (name.partition(".") for name in wanted)
        ]
        for each in collections:
            await each.insert_one({"_id": "of-a-newer", "newer": 1})
            await each.create_index([("newer", 1)])
        before = await stores.indexes(stores.prefix)

        assert await stores.prepare(service, stores.prefix) == 0
        assert await stores.indexes(stores.prefix) == before != wanted
        assert [await each.count_documents({"newer": 1}) for each in collections] == [1] * len(
            collections
        )


class Interrupted(Exception):
    pass


def interrupting(jetstream: JetStreamContext, steps: int) -> JetStreamContext:
    """Ends in the middle of declaring, like a process that is killed."""
    begun = count(1)
    for name in ("add_stream", "update_stream", "add_consumer"):
        plain = getattr(jetstream, name)

        async def ask(*arguments, plain=plain, **more):
            if next(begun) > steps:
                raise Interrupted
            return await plain(*arguments, **more)

        setattr(jetstream, name, ask)
    return jetstream


async def declared(jetstream: JetStreamContext) -> dict:
    """Every stream and consumer: how it is, when it was made, what it holds.

    What the server itself says of consumers is more each time.
    """
    found = {}
    for stream in STREAMS:
        info = await jetstream.stream_info(stream.name)
        holds = None if stream.name == ADVISORIES else info.state
        found[stream.name] = (info.config, info.created, holds)
    for durable in (*CONSUMERS.values(), *REDRIVEN.values()):
        info = await jetstream.consumer_info(durable.stream, durable.name)
        found[durable.name] = (info.config, info.created, info.ack_floor, info.num_pending)
    return found


class TestStreams:
    async def test_declared_again_nothing_is_changed_or_given_out_again(self, jetstream):
        for number in range(3):
            await jetstream.publish("feed.a1.form.submitted.v1", str(number).encode())
        taking = await jetstream.pull_subscribe_bind("intake-feed", "FEED")
        [message] = await taking.fetch(1, 5)
        await message.ack_sync()
        before = await declared(jetstream)

        await declare(jetstream)

        assert await declared(jetstream) == before
        [following] = await taking.fetch(1, 5)
        assert following.data == b"1"

    @pytest.mark.parametrize("steps", [0, 1, 5, len(STREAMS), len(STREAMS) + 5])
    async def test_a_kill_in_the_middle_is_made_good_by_the_next_run(self, nats_server, steps):
        client = await nats.connect(nats_server.url)
        with pytest.raises(Interrupted):
            await declare(interrupting(client.jetstream(), steps))
        await declare(client.jetstream())
        made = await declared(client.jetstream())
        await declare(client.jetstream())

        assert len(made) == len(STREAMS) + len(CONSUMERS) + len(REDRIVEN)
        assert await declared(client.jetstream()) == made
        await client.close()
