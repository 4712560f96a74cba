"""What a body holds, over memory and over MongoDB: in order, by an index."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.routing.domain.due import tick
from services.routing.domain.lifecycle import CaseState, KeptCase, Stage
from services.routing.domain.opening import open_case
from services.routing.domain.worklist import row, turn, turns_end
from services.routing.store import MongoCases, MongoClocks, MongoWorklists
from services.routing.store.questions import wanted
from shared.contracts.case import case_id
from tests.examples_routing import (
    NOON,
    ZONE,
    clock_rule,
    rulebook,
    rules_in_force,
    submission_received,
)
from tests.fakes_routing import MemoryCases, MemoryClocks, MemoryWorklists

RULES = rules_in_force(rulebook=rulebook(clocks=(clock_rule(days=1),)))
DUE = date(2026, 3, 11)
DAY = timedelta(days=1)


@pytest.fixture(params=["memory", "mongo"])
def stores(request):
    """Cases, their clocks, and what bodies read of them."""
    if request.param == "memory":
        cases = MemoryCases()
        clocks = MemoryClocks(cases, NOON)
        return cases, clocks, MemoryWorklists(cases, clocks)
    database = request.getfixturevalue("mongo_database")
    return MongoCases(database), MongoClocks(database), MongoWorklists(database)


@pytest.fixture
async def worklists(stores):
    await stores[2].prepare()
    return stores[2]


async def keep(stores, name: str, days: int = 0, **more) -> CaseState:
    """A case of the ward whose one term ends so many days after the eleventh."""
    case = open_case(submission_received(name), RULES, ZONE, NOON)
    [clock] = case.state.clocks
    clocks = (replace(clock, due=DUE + days * DAY),)
    state = replace(case.state, **{"clocks": clocks, **more})
    await stores[0].add_once([replace(case, state=state)])
    return state


def names(states) -> list[str]:
    return [state.case for state in states]


class TestHeld:
    async def test_the_next_last_day_comes_first(self, stores, worklists):
        late = await keep(stores, "s1", 5)
        soon = await keep(stores, "s2", 1)
        none = await keep(stores, "s3", clocks=())

        assert names(await worklists.held("ward-front", 10)) == names([soon, late, none])

    async def test_of_one_day_the_id_decides(self, stores, worklists):
        kept = [await keep(stores, f"s{n}") for n in range(5)]

        assert names(await worklists.held("ward-front", 10)) == sorted(names(kept))

    async def test_it_goes_on_after_a_turn(self, stores, worklists):
        kept = sorted([await keep(stores, f"s{n}", n // 2) for n in range(5)], key=turn)

        found = await worklists.held("ward-front", 2, after=turn(kept[1]))

        assert list(found) == kept[2:4]

    async def test_it_ends_with_a_day(self, stores, worklists):
        kept = [await keep(stores, f"s{n}", n) for n in range(3)]
        await keep(stores, "s9", clocks=())

        found = await worklists.held("ward-front", 10, before=turns_end(DUE + DAY))

        assert list(found) == kept[:2]

    async def test_what_nobody_has_to_answer_ends_on_no_day(self, stores, worklists):
        await keep(stores, "s1", clocks=())

        assert list(await worklists.held("ward-front", 10, before=turns_end(date.max))) == []

    async def test_only_the_bodies_of_a_case_hold_it(self, stores, worklists):
        await keep(stores, "s1", cooperating=("inspectorate",))

        assert len(await worklists.held("inspectorate", 10)) == 1
        assert len(await worklists.held("province-front", 10)) == 0

    @pytest.mark.parametrize(("finished", "count"), [(False, 0), (True, 1)])
    async def test_what_is_answered_is_held_only_where_it_is_asked_for(
        self, stores, worklists, finished, count
    ):
        await keep(stores, "s1", stage=Stage.CONCLUDED, accepted=NOON, concluded=NOON)

        assert len(await worklists.held("ward-front", 10, finished=finished)) == count

    async def test_a_case_that_moved_is_found_where_it_went(self, stores, worklists):
        before = await keep(stores, "s1")
        after = replace(before, lead="province-front", version=before.version + 1)
        await stores[0].advance([(KeptCase(before), KeptCase(after))])

        assert names(await worklists.held("province-front", 10)) == [before.case]
        assert list(await worklists.held("ward-front", 10)) == []

    async def test_every_holder_is_known(self, stores, worklists):
        await keep(stores, "s1", cooperating=("inspectorate",))

        assert list(await worklists.holders()) == ["inspectorate", "ward-front"]


class TestLife:
    async def test_it_tells_what_was_announced_in_version_order(self, stores, worklists):
        cases, clocks, _ = stores
        opened = open_case(submission_received("s1"), RULES, ZONE, NOON)
        await cases.add_once([opened])
        await clocks.fire([tick(opened.state, RULES, ZONE, NOON + 9 * DAY)])

        life = await worklists.life(case_id("s1"))

        assert [event.data.version for event in life.events] == [1, 2, 3, 4]
        assert life.events[:3] == opened.events
        assert life.events[3].type == "clock.missed.v1"

    async def test_of_what_is_not_kept_there_is_none(self, worklists):
        assert await worklists.life("nowhere") is None


class TestNextTerm:
    async def test_a_missed_term_is_owed_until_it_is_answered(self, stores, worklists):
        state = await keep(stores, "s1")
        await stores[1].fire([tick(state, RULES, ZONE, NOON + 9 * DAY)])

        [missed] = await worklists.held("ward-front", 10)

        assert row(missed, "ward-front").due == DUE


@pytest.fixture
async def in_mongo(mongo_database):
    stores = MongoCases(mongo_database), None, MongoWorklists(mongo_database)
    await stores[2].prepare()
    for n in range(20):
        await keep(stores, f"s{n}", n)
    return mongo_database["cases"]


def stages(plan) -> set[str]:
    """Of the whole winning plan, whatever shape the engine gives it."""
    if isinstance(plan, list):
        return set().union(*map(stages, plan))
    if not isinstance(plan, dict):
        return set()
    own = {plan["stage"]} if isinstance(plan.get("stage"), str) else set()
    return own.union(*map(stages, plan.values()))


class TestIndex:
    @pytest.mark.parametrize("finished", [False, True])
    @pytest.mark.parametrize("before", ["", turns_end(DUE)])
    async def test_a_worklist_is_read_in_the_order_of_an_index(self, in_mongo, finished, before):
        query = wanted("ward-front", finished=finished, after="2026-03-11 x", before=before)

        found = in_mongo.find(query, sort=[("turn", 1)], limit=50)
        plan = (await found.explain())["queryPlanner"]["winningPlan"]

        assert "IXSCAN" in stages(plan)
        assert not {"COLLSCAN", "SORT"} & stages(plan)

    async def test_holders_are_read_from_it_alone(self, in_mongo):
        told = await in_mongo.database.command(
            {"explain": {"distinct": "cases", "key": "bodies"}, "verbosity": "queryPlanner"}
        )

        assert "COLLSCAN" not in stages(told["queryPlanner"]["winningPlan"])
