"""How webhooks stand: in memory and in MongoDB it is the same."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from services.reporting.push import Standing
from services.reporting.store import MongoWebhooks
from tests.fakes_push import MemoryStandings

NOON = datetime(2026, 11, 24, 5, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


@pytest.fixture(params=["memory", "mongo"])
def standings(request):
    if request.param == "memory":
        return MemoryStandings()
    return MongoWebhooks(request.getfixturevalue("mongo_database"))


async def test_one_that_is_not_known_stands_at_the_beginning(standings):
    assert await standings.of("a") == Standing()


async def test_numbers_run_without_a_gap_and_a_place_keeps_its_own(standings):
    numbers = [await standings.numbered("a", place) for place in (3, 3, 7, 7, 8)]

    assert numbers == [1, 1, 2, 2, 3]
    assert await standings.numbered("b", 8) == 1
    assert (await standings.of("a")).sequence == 8


async def test_of_many_that_number_one_place_each_has_the_same_number(standings):
    assert set(await asyncio.gather(*(standings.numbered("a", 5) for _ in range(8)))) == {1}


async def test_failures_count_from_the_first_one(standings):
    await standings.failed("a", NOON, "500")

    told = await standings.failed("a", LATER, "ConnectError")

    assert told == await standings.of("a")
    assert told == Standing(failing_since=NOON, failures=2, reason="ConnectError")


async def test_a_delivery_ends_them_and_keeps_the_number(standings):
    await standings.numbered("a", 4)
    await standings.failed("a", NOON, "500")

    await standings.delivered("a", LATER)

    assert await standings.of("a") == Standing(number=1, sequence=4, delivered=LATER)


async def test_one_that_is_resumed_fails_anew(standings):
    await standings.numbered("a", 4)
    await standings.failed("a", NOON, "500")
    await standings.pause("a", LATER)
    assert (await standings.of("a")).paused == LATER

    assert await standings.resume("a")
    assert not await standings.resume("a")
    assert await standings.of("a") == Standing(number=1, sequence=4)


async def test_what_is_forgotten_begins_anew(standings):
    await standings.numbered("a", 4)
    await standings.numbered("b", 4)

    await standings.forget("a")

    assert await standings.of("a") == Standing()
    assert (await standings.of("b")).number == 1
