"""A type of a version to come, while replicas of the version before are at work."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import ClassVar

import nats
import pytest

from deploy.dead import redrive
from shared.contracts import ActivityRecorded, ChannelAnnounced
from shared.contracts.envelope import Event
from shared.runtime.bus import Bus
from shared.runtime.streams import declare
from tests.system.test_bus import DURABLE, OPENER, SEAL, Keeper, World, activity, until
from tests.system.test_dead import until_empty, until_letters

LONG, SHORT = (0.05,) * 200, (0.05, 0.05)


class Recorded2(ActivityRecorded):
    TYPE: ClassVar[str] = "activity.recorded.v2"


def to_come(name: str) -> Event[Recorded2]:
    standing = activity(name)
    data = Recorded2(**dict(standing.data))
    return Event[Recorded2](**{**dict(standing), "type": Recorded2.TYPE, "data": data})


@pytest.fixture
async def world(nats_server) -> AsyncIterator[World]:
    """The newer version has declared: its consumer has the new type too."""
    client = await nats.connect(nats_server.url)
    jetstream = client.jetstream()
    await declare(jetstream, ack_wait=1)
    consumer = (await jetstream.consumer_info("EVENTS", DURABLE)).config
    wanted = [*consumer.filter_subjects, Recorded2.TYPE]
    await jetstream.add_consumer("EVENTS", replace(consumer, filter_subjects=wanted))
    yield World(nats_server.url, client)
    await client.close()


@asynccontextmanager
async def version(world, keeper, *contracts, delays=LONG) -> AsyncIterator[Bus]:
    async def handle(events):
        return await keeper([event for event in events if event.type != ChannelAnnounced.TYPE])

    bus = Bus(world.url, "reporting", seal=SEAL, delays=delays)
    bus.react(DURABLE, handle, ChannelAnnounced, *contracts)
    await bus.start()
    try:
        yield bus
    finally:
        await bus.stop()


async def test_waits_for_a_newer_replica_and_holds_nobody_up(world):
    older, newer = Keeper(), Keeper()
    names = [f"e{n}" for n in range(10)]
    async with version(world, older, ActivityRecorded) as bus:
        await bus.publish([*map(to_come, names), activity("known")])
        await until(lambda: "known" in older.kept)
        async with version(world, newer, ActivityRecorded, Recorded2):
            await until(lambda: newer.kept.keys() >= set(names))
            await world.quiet()

    assert older.kept.keys() == {"known"}
    assert newer.kept.keys() == set(names)
    assert (await world.jetstream.stream_info("DEAD_LETTERS")).state.messages == 0
    assert len(await world.stored("EVENTS", ChannelAnnounced.TYPE)) == 11


async def test_is_set_aside_with_its_reason_and_driven_again_after_the_upgrade(world):
    older, newer = Keeper(), Keeper()
    async with version(world, older, ActivityRecorded, delays=SHORT) as bus:
        await bus.publish([to_come("e1")])
        await until_letters(world, 1)
    async with version(world, newer, ActivityRecorded, Recorded2):
        [letter] = [letter async for letter in redrive(world.client, OPENER)]
        await until_empty(world)
        await asyncio.wait_for(world.quiet(), 10)

    assert (letter.reason, letter.deliveries) == ("unknown", 3)
    assert letter.detail == (
        "this version of reporting does not know activity.recorded.v2: "
        "upgrade it, then drive it again"
    )
    assert (older.kept, newer.kept.keys()) == ({}, {"e1"})
    assert len(await world.stored("EVENTS", ChannelAnnounced.TYPE)) == 1
