"""Events and orders that come late, twice and in any order lead to where they lead in order."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.app import CASE_EVENTS
from services.intake.store.cases import MongoCases
from services.reporting.domain.change import change
from services.reporting.domain.row import CaseRow
from services.reporting.store import MongoRows
from services.routing.domain.lifecycle import Stage
from shared.contracts import (
    CaseAccepted,
    CaseAssigned,
    CaseConcluded,
    CaseOpened,
    CaseReopened,
    ClockRestated,
    ClockStarted,
)
from shared.contracts.envelope import AnyEvent
from shared.contracts.ingress import Fate
from tests.examples_reporting import case_rows
from tests.fakes_reporting import MemoryRows
from tests.histories_routing import Moment, Routing, a_history, first_rules, versions

INTAKE_READS = {contract.TYPE for contract in CASE_EVENTS}
REPORTING_READS = {
    contract.TYPE
    for contract in (
        CaseOpened,
        CaseAssigned,
        CaseAccepted,
        CaseConcluded,
        CaseReopened,
        ClockStarted,
        ClockRestated,
    )
}
SEEDS = range(8)
WINDOW = timedelta(minutes=10)


@pytest.fixture(scope="module")
def histories() -> list[tuple[Routing, list[Moment]]]:
    return [asyncio.run(a_history(seed)) for seed in SEEDS]


def read_by(types: set[str], routing: Routing) -> list[AnyEvent]:
    return [event for event in routing.log if event.type in types]


def delivered(events: Sequence[Any], chance: random.Random) -> Iterator[list[Any]]:
    """All of them in any order, some twice or more, in batches of any size."""
    again = [event for event in events if chance.random() < 0.4]
    mixed = [*events, *again]
    chance.shuffle(mixed)
    return batches(mixed, chance)


def late(events: Sequence[AnyEvent], chance: random.Random) -> Iterator[list[AnyEvent]]:
    """Each up to ten minutes late by the moment at which it was announced; some come again."""

    def arrives(event: AnyEvent) -> datetime:
        return (event.recordedtime or event.time) + WINDOW * chance.random()

    again = [event for event in events if chance.random() < 0.4]
    due = sorted(((arrives(e), n, e) for n, e in enumerate([*events, *again])), key=lambda d: d[:2])
    return batches([event for *_, event in due], chance)


def batches(events: list[Any], chance: random.Random) -> Iterator[list[Any]]:
    while events:
        size = chance.randint(1, 40)
        yield events[:size]
        events = events[size:]


DELIVERIES = pytest.mark.parametrize(
    ("seed", "deliver"),
    [(seed, deliver) for seed in SEEDS for deliver in (delivered, late)],
    ids=lambda given: getattr(given, "__name__", given),
)


class TestIntakesView:
    async def documents(self, database) -> list[Any]:
        return [d async for d in database["cases"].find().sort("_id")]

    async def in_order(self, database, routing: Routing) -> list[Any]:
        """What the history leaves when each event comes once, in order, by itself."""
        view = MongoCases(database)
        for event in read_by(INTAKE_READS, routing):
            await view.note([event])
        found = await self.documents(database)
        await database["cases"].drop()
        return found

    @DELIVERIES
    async def test_does_not_depend_on_the_order(self, histories, seed, deliver, mongo_database):
        routing, _ = histories[seed]
        expected = await self.in_order(mongo_database, routing)
        view = MongoCases(mongo_database)

        for batch in deliver(read_by(INTAKE_READS, routing), random.Random(seed)):
            await view.note(batch)

        assert await self.documents(mongo_database) == expected

    async def test_is_the_same_whichever_replica_takes_a_batch(self, histories, mongo_database):
        routing, _ = histories[0]
        expected = await self.in_order(mongo_database, routing)
        await MongoCases(mongo_database).note(read_by({CaseOpened.TYPE}, routing))

        taken = delivered(read_by(INTAKE_READS, routing), random.Random(1))
        await asyncio.gather(*(MongoCases(mongo_database).note(batch) for batch in taken))

        assert await self.documents(mongo_database) == expected

    @pytest.mark.parametrize("seed", SEEDS)
    async def test_says_who_holds_the_case_and_how_far_it_is(self, histories, seed, mongo_database):
        routing, _ = histories[seed]
        view = MongoCases(mongo_database)
        for batch in delivered(read_by(INTAKE_READS, routing), random.Random(seed)):
            await view.note(batch)

        for case, state in routing.states.items():
            seen = await view.find(case)
            assert seen is not None
            assert (seen.lead, seen.cooperating, seen.state) == (
                state.lead,
                state.cooperating,
                state.stage.value,
            )


class TestReportingsRows:
    @DELIVERIES
    async def test_do_not_depend_on_the_order(self, histories, seed, deliver, mongo_database):
        routing, _ = histories[seed]
        events = read_by(REPORTING_READS, routing)
        rows = MongoRows(mongo_database)

        for batch in deliver(events, random.Random(seed)):
            await rows.apply([change(event) for event in batch])

        found = by_case([row async for row in rows.cases()])
        assert found == by_case(await in_order(events))

    @pytest.mark.parametrize("seed", SEEDS)
    def test_say_who_leads_when_it_is_due_and_whether_it_is_answered(self, histories, seed):
        routing, _ = histories[seed]
        rows = by_case(case_rows(read_by(REPORTING_READS, routing)))

        for case, state in routing.states.items():
            row = rows[case]
            assert row.facets["assigned"].data["lead"] == state.lead
            assert row.due == {clock.code: clock.due for clock in state.clocks}
            assert (row.concluded is None) == state.open

    def test_say_whether_the_lead_has_accepted_it(self, histories):
        """A case that is taken up again is its lead's without another acceptance."""
        for routing, _ in histories:
            rows = by_case(case_rows(read_by(REPORTING_READS, routing)))
            for case, state in routing.states.items():
                if state.settled == 0:
                    assert (rows[case].accepted is None) == (state.stage is Stage.ASSIGNED)


async def in_order(events: Sequence[AnyEvent]) -> list[CaseRow]:
    """What the history leaves when each event comes once, in order, by itself."""
    rows = MemoryRows()
    for event in events:
        await rows.apply([change(event)])
    return [row async for row in rows.cases()]


def by_case(rows: Sequence[CaseRow]) -> dict[str, CaseRow]:
    return {row.case: row for row in rows}


def test_no_two_events_share_an_id(histories):
    for routing, _ in histories:
        said = {(e.id, e.subject, e.data.model_dump_json()) for e in routing.log}
        assert len(said) == len({event.id for event in routing.log})


class TestRoutingItself:
    @settings(max_examples=25)
    @given(st.sampled_from(SEEDS), st.integers(0, 10**6))
    def test_keeps_its_versions_whole_in_whatever_order_it_is_told(self, histories, seed, order):
        _, past = histories[seed]
        routing = asyncio.run(told_in_any_order(past, random.Random(order)))

        assert {
            case: list(range(1, state.version + 1)) for case, state in routing.states.items()
        } == (versions(routing.log))
        assert {state.lead for state in routing.states.values()} <= {
            "province-front",
            "ward-front",
            "inspectorate",
            "ward-youth",
            "province-youth",
            "outside-desk",
        }
        rows = by_case(case_rows(read_by(REPORTING_READS, routing)))
        assert {case: row.facets["assigned"].data["lead"] for case, row in rows.items()} == {
            case: state.lead for case, state in routing.states.items()
        }

    @settings(max_examples=25)
    @given(st.sampled_from(SEEDS), st.integers(0, 10**6))
    def test_answers_every_order_once_and_takes_none_twice(self, histories, seed, order):
        _, past = histories[seed]
        routing = asyncio.run(told_in_any_order(past, random.Random(order)))

        orders = {order.key for moment in past for order in moment.orders}
        assert routing.ledger.sendings.keys() == orders
        taken = Counter(
            sending.item
            for sending in routing.ledger.sendings.values()
            if sending.fate is Fate.KEPT
        )
        assert set(taken.values()) <= {1}
        said = Counter(
            event.id
            for kept in routing.cases.kept.values()
            for s in kept.acted
            for event in s.events
        )
        assert set(said.values()) <= {1}

    def test_takes_some_of_what_comes_in_any_order(self, histories):
        """A promise kept because nothing was taken is none."""
        routing = asyncio.run(told_in_any_order(histories[0][1], random.Random(0)))

        assert len([e for e in routing.log if isinstance(e.data, CaseAccepted)]) > 2

    def test_opens_the_same_cases_whatever_the_order_and_once(self, histories):
        whole, past = histories[0]
        routing = asyncio.run(told_in_any_order(past, random.Random(0)))

        assert routing.states.keys() == whole.states.keys()
        opened = Counter(
            event.subject
            for event in {e.id: e for e in routing.log}.values()
            if isinstance(event.data, CaseOpened)
        )
        assert set(opened.values()) == {1}


async def told_in_any_order(past: Sequence[Moment], chance: random.Random) -> Routing:
    """Submissions and orders of a whole month, shuffled and repeated; sweeps in between."""
    routing = Routing()
    await routing.rules.add_once(first_rules())
    submissions = [("submission", one) for moment in past for one in moment.submissions]
    orders = [("order", one) for moment in past for one in moment.orders]
    for batch in delivered([*submissions, *submissions, *orders], chance):
        await routing.receive([one for kind, one in batch if kind == "submission"])
        await routing.order([one for kind, one in batch if kind == "order"])
        if chance.random() < 0.5:
            await routing.sweep()
    routing.at = past[-1].at
    await routing.sweep()
    return routing
