"""Promises of a sweep over many cases: it reads what is due, and moves each once, whatever dies."""

import pytest

from services.routing.domain.clocks import Versions
from services.routing.store.clocks import what_is_due
from tests.examples_routing import TODAY
from tests.scale.routing_cases import Desk

CASES = 300
FOUND_BY = ("look", "rulebook", "calendar", "directory")
"""What a case lies under in `clocks`."""


@pytest.fixture
async def desk(mongo_database):
    made = Desk(mongo_database)
    await made.prepare()
    await made.open(CASES)
    return made


async def test_a_new_directory_moves_each_case_once_though_the_process_dies(desk):
    await desk.replace_a_body()

    await desk.sweep_dying(dies_after=0, announced=False)
    await desk.sweep_dying(dies_after=0, announced=True)
    await desk.sweep()

    assert await desk.faults(CASES) == []


async def test_a_sweep_that_finds_nothing_reads_no_case(desk, mongo_database):
    plan = await explained(mongo_database, what_is_due(TODAY, Versions(1, 1), directory=1))

    assert plan["executionStats"]["totalDocsExamined"] == 0
    assert plan["executionStats"]["totalKeysExamined"] <= len(FOUND_BY)


async def test_each_reason_to_look_at_a_case_has_its_index(desk, mongo_database):
    plan = await explained(mongo_database, what_is_due(TODAY, Versions(2, 2), directory=2))

    steps = list(stages(plan["queryPlanner"]["winningPlan"]))
    assert "COLLSCAN" not in {step["stage"] for step in steps}
    assert {name for step in steps for name in step.get("keyPattern", ())} == {
        f"clocks.{name}" for name in FOUND_BY
    }


async def explained(database, wanted):
    find = {"find": "cases", "filter": wanted, "limit": 200}
    return await database.command("explain", find, verbosity="executionStats")


def stages(plan):
    """Every stage of a plan, however deep."""
    if isinstance(plan, dict):
        if "stage" in plan:
            yield plan
        for part in plan.values():
            yield from stages(part)
    elif isinstance(plan, list):
        for part in plan:
            yield from stages(part)
