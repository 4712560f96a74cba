"""Who was told what: kept once, only ever added, found by case in order of time."""

from datetime import timedelta

import pytest

from services.routing.domain.look import Look
from services.routing.store import MongoLooks
from tests.examples_routing import NOON
from tests.fakes_routing import MemoryLooks

MICROSECOND = timedelta(microseconds=1)


@pytest.fixture(params=["memory", "mongo"])
def store(request):
    if request.param == "memory":
        return MemoryLooks()
    return MongoLooks(request.getfixturevalue("mongo_database"))


@pytest.fixture
async def looks(store):
    await store.prepare()
    return store


def look(after: int = 0, **more) -> Look:
    about = {"party": "ward-front", "person": None, "question": "case", "told": 1, "rule": "held"}
    return Look(**{**about, "at": NOON + after * MICROSECOND, "case": "c1", **more})


async def test_what_is_kept_is_found_as_it_was(looks):
    kept = look(person="cb-12", shape="{}")
    await looks.keep(kept)

    assert list(await looks.of("c1", after=None, limit=9)) == [kept]


async def test_the_same_look_is_kept_once(looks):
    await looks.keep(look())
    await looks.keep(look())

    assert len(await looks.of("c1", after=None, limit=9)) == 1


async def test_two_persons_at_one_moment_are_two_looks(looks):
    await looks.keep(look(person="cb-12"))
    await looks.keep(look(person="cb-13"))

    assert len(await looks.of("c1", after=None, limit=9)) == 2


async def test_they_come_in_order_of_time_and_page_by_page(looks):
    kept = [look(n) for n in (3, 0, 1_000_000, 2)]
    for each in kept:
        await looks.keep(each)
    ordered = sorted(kept, key=lambda each: each.at)

    first = await looks.of("c1", after=None, limit=2)

    assert list(first) == ordered[:2]
    assert list(await looks.of("c1", after=first[-1].at, limit=9)) == ordered[2:]


async def test_a_list_stands_at_no_case(looks):
    await looks.keep(look(case=None, question="worklist", told=50))

    assert list(await looks.of("c1", after=None, limit=9)) == []


async def test_an_index_finds_those_of_a_case(mongo_database):
    await MongoLooks(mongo_database).prepare()
    told = await mongo_database["looks"].find({"case": "c1"}, sort=[("at", 1)]).explain()

    plan = str(told["queryPlanner"]["winningPlan"])
    assert "IXSCAN" in plan
    assert "COLLSCAN" not in plan
    assert "'SORT'" not in plan
