"""I9: what the feed let go is in the inbox, or was set aside; asked of the real NATS and MongoDB."""

from dataclasses import replace

import pytest
from prometheus_client import REGISTRY

from services.intake.handlers.ports import ArrivalFate
from services.intake.inbox import Inbox
from services.intake.store import MongoArrivals
from shared.contracts.ingress import Fate
from shared.runtime.publish import Unconfirmed
from tests.examples_intake import NOON, call, sent
from tests.fakes_intake import MemoryArrivals

CALL = "hotline-call.logged.v1"


@pytest.fixture(params=["memory", "mongo"])
def arrivals(request):
    if request.param == "memory":
        return MemoryArrivals()
    return MongoArrivals(request.getfixturevalue("mongo_database"))


@pytest.fixture
def inbox(jetstream, arrivals):
    return Inbox(arrivals, lambda: jetstream._nc)


async def missing(inbox):
    await inbox.reconcile(NOON)
    return REGISTRY.get_sample_value("langnghe_inbox_missing_messages", {"stream": "FEED"})


async def let_go(jetstream, count):
    """So many sendings come and are acknowledged, whatever became of them."""
    for _ in range(count):
        await jetstream.publish(f"feed.a017.{CALL}", b"{}")
    subscription = await jetstream.pull_subscribe_bind("intake-feed", "FEED")
    for message in await subscription.fetch(count, timeout=5):
        await message.ack_sync()


async def decided(arrivals, *sequences, entrance="feed"):
    for sequence in sequences:
        arrival = sent(CALL, call(), item=f"item-{sequence}", sequence=sequence)
        arrival = replace(arrival, entrance=entrance)
        await arrivals.note([ArrivalFate(arrival, f"item-{sequence}", Fate.KEPT)])


async def test_what_was_decided_is_not_missing(jetstream, inbox, arrivals):
    await let_go(jetstream, 3)
    await decided(arrivals, 1, 2, 3)

    assert await missing(inbox) == 0


async def test_what_was_let_go_and_never_decided_is_missing(jetstream, inbox, arrivals):
    await let_go(jetstream, 3)
    await decided(arrivals, 1, 3)

    assert await missing(inbox) == 1


async def test_what_came_another_way_stands_for_none(jetstream, inbox, arrivals):
    await let_go(jetstream, 2)
    await decided(arrivals, 1)
    await decided(arrivals, 2, entrance="http")

    assert await missing(inbox) == 1


async def test_what_was_set_aside_is_not_missing(jetstream, inbox, arrivals):
    await let_go(jetstream, 2)
    await decided(arrivals, 1)
    await jetstream.publish(f"dead.feed.a017.{CALL}", b"{}")
    await jetstream.publish("dead.case.accepted.v1", b"{}")

    assert await missing(inbox) == 0


async def test_what_is_driven_again_is_not_missing(jetstream, inbox, arrivals):
    await let_go(jetstream, 2)
    await decided(arrivals, 1)
    await jetstream.publish("redrive.intake-feed", b"{}")

    assert await missing(inbox) == 0


async def test_what_waits_is_not_missing(jetstream, inbox):
    await jetstream.publish(f"feed.a017.{CALL}", b"{}")

    assert await missing(inbox) == 0


async def test_while_the_bus_is_away_nothing_old_is_told(jetstream, inbox, arrivals):
    def away():
        raise Unconfirmed("not connected")

    await let_go(jetstream, 1)
    assert await missing(inbox) == 1

    assert await missing(Inbox(arrivals, away)) is None
