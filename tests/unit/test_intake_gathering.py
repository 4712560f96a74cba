"""Whoever hands in at the same moment is kept together, and told its own."""

import asyncio
from datetime import UTC, datetime

import pytest

from services.intake.handlers import Gathering, StoreAway
from services.intake.handlers.ports import ArrivalFate
from shared.contracts.ingress import Fate
from shared.runtime.arrival import Arrival

NOON = datetime(2026, 3, 2, 5, tzinfo=UTC)


def arrival(name: str) -> Arrival:
    return Arrival(
        entrance="lmtp", party="a-1", type="t", body=b"", sequence=0, recorded=NOON, name=name
    )


class Keeping:
    """Keeps what it is given once it may go on; refuses what is broken, and all while away."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.open = asyncio.Event()
        self.away = False

    async def __call__(self, arrivals):
        self.batches.append([one.name for one in arrivals])
        await self.open.wait()
        if self.away:
            raise StoreAway("away")
        if any(one.name == "broken" for one in arrivals):
            raise ValueError("broken")
        return [ArrivalFate(one, f"of {one.name}", Fate.KEPT) for one in arrivals]


@pytest.fixture
def keeping() -> Keeping:
    return Keeping()


async def handed_in(keeping: Keeping, *names: str, most: int = 100) -> list:
    gathering = Gathering(keeping, most)
    tasks = [asyncio.create_task(gathering([arrival(name)])) for name in names]
    while not keeping.batches:
        await asyncio.sleep(0)
    keeping.open.set()
    return await asyncio.gather(*tasks, return_exceptions=True)


async def test_what_comes_meanwhile_makes_the_next_batch(keeping):
    gathering = Gathering(keeping)
    first = asyncio.create_task(gathering([arrival("m1")]))
    while not keeping.batches:
        await asyncio.sleep(0)
    others = [asyncio.create_task(gathering([arrival(f"m{n}")])) for n in (2, 3)]
    await asyncio.sleep(0)
    keeping.open.set()

    told = await asyncio.gather(first, *others)

    assert keeping.batches == [["m1"], ["m2", "m3"]]
    assert [fate.item for [fate] in told] == ["of m1", "of m2", "of m3"]


async def test_no_batch_is_larger_than_it_may_be(keeping):
    await handed_in(keeping, *(f"m{n}" for n in range(5)), most=2)

    assert max(map(len, keeping.batches)) == 2


async def test_the_same_sending_is_never_twice_in_one_batch(keeping):
    await handed_in(keeping, "m1", "m1", "m2")

    assert keeping.batches == [["m1"], ["m1", "m2"]]


async def test_one_that_fails_takes_nobody_along(keeping):
    good, bad, other = await handed_in(keeping, "m1", "broken", "m3")

    assert isinstance(bad, ValueError)
    assert [good[0].item, other[0].item] == ["of m1", "of m3"]


async def test_while_the_store_is_away_all_are_told_so(keeping):
    keeping.away = True

    told = await handed_in(keeping, "m1", "m2")

    assert [type(one) for one in told] == [StoreAway, StoreAway]


async def test_a_sender_who_has_gone_disturbs_nobody(keeping):
    gathering = Gathering(keeping)
    gone, stays = (asyncio.create_task(gathering([arrival(name)])) for name in ("m1", "m2"))
    while not keeping.batches:
        await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    keeping.open.set()

    assert [fate.item for fate in await stays] == ["of m2"]
