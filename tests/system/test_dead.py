"""Dead letters driven again: a mended handler heals what it set aside, and nothing is done twice."""

import asyncio
from collections.abc import AsyncIterator

import nats
import pytest

from deploy.dead import dead_letters, redrive
from shared.contracts import ActivityRecorded, ChannelAnnounced
from shared.runtime.arrival import Arrival
from shared.runtime.bus import Bus
from shared.runtime.streams import declare
from tests.system.test_bus import DURABLE, OPENER, SEAL, Keeper, World, activity, follows

FEED_SUBJECT = "feed.a-1.letter.registered.v1"


def bus(url: str, name: str) -> Bus:
    return Bus(url, name, seal=SEAL, delays=(0.05, 0.05))


@pytest.fixture
async def world(nats_server) -> AsyncIterator[World]:
    client = await nats.connect(nats_server.url)
    await declare(client.jetstream(), ack_wait=1)
    yield World(nats_server.url, client)
    await client.close()


def keep(bus: Bus, keeper: Keeper) -> None:
    async def handle(events):
        return await keeper([event for event in events if event.type == ActivityRecorded.TYPE])

    bus.react(DURABLE, handle, ActivityRecorded, ChannelAnnounced)


async def until_letters(world, count: int) -> None:
    async with asyncio.timeout(20):
        while len([letter async for letter in dead_letters(world.client)]) != count:
            await asyncio.sleep(0.02)


async def driven(world, **chosen) -> int:
    return len([letter async for letter in redrive(world.client, OPENER, **chosen)])


async def until_empty(world) -> None:
    async with asyncio.timeout(20):
        while (await world.jetstream.stream_info("REDRIVE")).state.messages:
            await asyncio.sleep(0.02)


class TestDrivenAgain:
    async def test_a_mended_handler_has_it_once_and_only_its_consumer(self, world):
        broken = Keeper(lambda name: LookupError() if name == "e1" else None)
        running = bus(world.url, "reporting")
        keep(running, broken)
        await running.start()
        await running.publish([activity(name) for name in ("e0", "e1", "e2")])
        await until_letters(world, 1)
        broken.fails = lambda _name: None

        assert await driven(world, consumer="routing-commands") == 0
        assert await driven(world) == 1
        await until_empty(world)
        assert await driven(world) == 0
        await running.stop()

        assert sorted(broken.kept) == ["e0", "e1", "e2"]
        assert len(await world.stored("EVENTS", ActivityRecorded.TYPE)) == 3
        assert sorted(await world.stored("EVENTS", ChannelAnnounced.TYPE)) == sorted(
            follows(activity(name)).encode() for name in ("e0", "e1", "e2")
        )

    async def test_a_sending_has_the_key_that_it_had(self, world):
        seen: list[Arrival] = []
        mended = False

        async def take(batch):
            seen.extend(batch)
            if not mended:
                raise LookupError
            return []

        running = bus(world.url, "intake")
        running.admit("intake-feed", take)
        await running.start()
        await world.jetstream.publish(FEED_SUBJECT, b"what was sent", stream="FEED")
        await until_letters(world, 1)
        mended = True
        await driven(world)
        await until_empty(world)
        await running.stop()

        assert len({(a.key, a.party, a.type, a.body, a.sequence) for a in seen}) == 1
        assert len(seen) == 4

    async def test_what_fails_once_more_is_a_dead_letter_once_more(self, world):
        running = bus(world.url, "reporting")
        keep(running, Keeper(lambda _name: LookupError()))
        await running.start()
        await running.publish([activity("e1")])
        await until_letters(world, 1)
        [first] = [letter async for letter in dead_letters(world.client)]
        await driven(world)
        await until_letters(world, 0)
        await until_letters(world, 1)
        await running.stop()

        [again] = [letter async for letter in dead_letters(world.client)]
        assert again.id != first.id
        assert again.data.model_dump(exclude={"sealed"}) == first.data.model_dump(
            exclude={"sealed"}
        )
