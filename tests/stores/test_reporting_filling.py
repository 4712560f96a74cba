"""Rows that begin and are filled as they come: quick for the server, and the same in the end."""

import pytest

from services.reporting.domain.change import change
from services.reporting.store import MongoRows, rows
from tests.examples_reporting import (
    WITHIN,
    case_assigned,
    case_opened,
    clock_started,
    submission_received,
)
from tests.fakes_reporting import MemoryRows

BEGUN = [submission_received("s1", WITHIN)]
FILLED = [
    case_opened("s1", WITHIN),
    case_assigned("s1", WITHIN),
    clock_started("s1", clock="take-up", version=3),
    clock_started("s1", clock="answer", version=4),
]


@pytest.fixture
def weighed(monkeypatch) -> list[str]:
    """The rows whose facets had to be weighed."""
    found: list[str] = []
    weigh = rows._weighed

    def noted(key, row):
        found.append(key)
        return weigh(key, row)

    monkeypatch.setattr(rows, "_weighed", noted)
    return found


async def applied(store, *batches) -> list:
    for batch in batches:
        await store.apply([change(event) for event in batch])
    return [row async for row in store.cases()]


async def test_in_order_nothing_is_weighed(mongo_database, weighed):
    kept = await applied(MongoRows(mongo_database), BEGUN, FILLED)

    assert kept == await applied(MemoryRows(), BEGUN, FILLED)
    assert weighed == []


@pytest.mark.parametrize(
    "batches",
    [
        (FILLED, BEGUN),
        (BEGUN, FILLED, FILLED),
        (BEGUN, BEGUN, FILLED[:2], FILLED),
        ([*BEGUN, *FILLED], FILLED[1:]),
    ],
)
async def test_out_of_order_or_again_the_row_is_the_same(mongo_database, weighed, batches):
    kept = await applied(MongoRows(mongo_database), *batches)

    assert kept == await applied(MemoryRows(), BEGUN, FILLED)
    assert weighed
