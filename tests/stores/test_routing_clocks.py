"""Clocks that fall due, over memory and over MongoDB: once, whoever looks and whatever dies."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from services.routing.domain.clocks import Versions
from services.routing.domain.due import tick
from services.routing.domain.opening import open_case
from services.routing.handlers import command_taker
from services.routing.schedule import Schedule
from services.routing.store import MongoCases, MongoClocks, MongoCommands, MongoRules
from shared.contracts import CalendarPublished, DirectoryPublished, RulebookPublished
from shared.contracts.case import case_id
from shared.contracts.directory import Unit
from shared.contracts.rulebook import DayKind, Holiday
from shared.runtime.publish import Unconfirmed
from tests.examples_routing import (
    BODIES,
    NOON,
    UNITS,
    ZONE,
    accept,
    body,
    calendar,
    clock_rule,
    conclude,
    directory,
    label,
    published,
    rulebook,
    sent,
    submission_received,
    unit,
)
from tests.fakes_routing import MemoryCases, MemoryClocks, MemoryCommands, MemoryRules
from tests.walks_routing import escalation

DUE = date(2026, 3, 11)
MIDNIGHT = datetime(2026, 3, 11, 17, tzinfo=UTC)
"""That closes the one day of the term, in Vietnam."""
DAY = timedelta(days=1)
OFF = (Holiday(day=DUE, name=label("Nghỉ")),)


def higher(there: Unit) -> Unit:
    """The same with one level above it."""
    return there.model_copy(
        update={"parent": there.parent or "nation", "level": (there.level or 0) + 1}
    )


class Desk:
    """Routing with a clock that the test sets; `log` is what reached the stream, in order."""

    def __init__(self, cases, clocks, ledger, rules) -> None:
        self.cases, self.clocks, self.ledger, self.rules = cases, clocks, ledger, rules
        self.log: list = []
        self.away = False
        self.at = NOON

    async def publish(self, events) -> None:
        if self.away:
            raise Unconfirmed("away")
        self.log += events

    def schedule(self, now=None) -> Schedule:
        return Schedule(
            self.rules, self.clocks, self.publish, zone=ZONE, now=now or (lambda: self.at)
        )

    async def open(self, *names: str) -> None:
        latest = await self.rules.latest()
        await self.cases.add_once(
            [open_case(submission_received(name), latest, ZONE, NOON) for name in names]
        )

    async def order(self, *commands, recorded=None) -> None:
        take = command_taker(self.rules, self.cases, self.ledger, ZONE, lambda: self.at)
        arrivals = [
            sent(command, n, recorded=recorded or self.at) for n, command in enumerate(commands, 1)
        ]
        await take(arrivals)

    async def sweep(self, at: datetime) -> list[str]:
        """The types of what a sweep at this time announced."""
        self.at, before = at, len(self.log)
        await self.schedule().sweep()
        return [event.type for event in self.log[before:]]


@pytest.fixture(params=["memory", "mongo"])
def stores(request):
    if request.param == "memory":
        cases = MemoryCases()
        return cases, MemoryClocks(cases, NOON), MemoryCommands(), MemoryRules()
    database = request.getfixturevalue("mongo_database")
    return tuple(store(database) for store in (MongoCases, MongoClocks, MongoCommands, MongoRules))


@pytest.fixture
async def desk(stores, monkeypatch):
    made = Desk(*stores)

    async def time() -> datetime:
        return made.at

    monkeypatch.setattr(made.clocks, "time", time)
    await made.clocks.prepare()
    book = rulebook(clocks=(clock_rule(days=1),))
    await made.rules.add_once(
        [
            published(DirectoryPublished(version=1, directory=directory())),
            published(RulebookPublished(version=1, rulebook=book)),
            published(CalendarPublished(version=1, calendar=calendar())),
        ]
    )
    return made


async def new_calendar(desk: Desk, version: int = 2, holidays=OFF) -> None:
    table = calendar()
    table = calendar(holidays=(*table.holidays, *holidays))
    await desk.rules.add_once([published(CalendarPublished(version=version, calendar=table))])


class TestSweep:
    async def test_a_clock_that_fell_due_was_missed_once(self, desk):
        await desk.open("s1")

        assert await desk.sweep(MIDNIGHT - timedelta(seconds=1)) == []
        assert await desk.sweep(MIDNIGHT) == ["clock.missed.v1"]
        assert await desk.sweep(MIDNIGHT + DAY) == []

    async def test_who_was_down_over_the_last_day_fires_on_start(self, desk):
        await desk.open("s1", "s2")

        assert await desk.sweep(MIDNIGHT + 40 * DAY) == ["clock.missed.v1"] * 2

    async def test_a_case_climbs_rung_by_rung_and_is_not_read_in_between(self, desk):
        rule = escalation("answer", takes_over=True, again_after=1, day_kind=DayKind.CALENDAR)
        book = rulebook(clocks=(clock_rule(days=1),), escalations=(rule,))
        await desk.rules.add_once([published(RulebookPublished(version=2, rulebook=book))])
        seats = (*BODIES, body("nation-front", "nation"), body("desk", "nation", jurisdictions=()))
        units = (unit("nation", level=1), *(higher(each) for each in UNITS))
        there = directory(units=units, bodies=seats, fallback_body="desk")
        await desk.rules.add_once([published(DirectoryPublished(version=2, directory=there))])
        await desk.open("s1")

        led = [
            (hours // 24, desk.log[-1].data.lead)
            for hours in range(0, 24 * 9, 12)
            if await desk.sweep(MIDNIGHT + timedelta(hours=hours))
        ]

        assert led == [(0, "province-front"), (2, "nation-front"), (4, "desk")]
        today = desk.at.astimezone(ZONE).date()
        assert await desk.clocks.due(today, Versions(2, 1), 10, directory=2) == []

    async def test_an_answer_in_time_is_said_to_have_met_its_term(self, desk):
        await desk.open("s1")
        desk.at = NOON + timedelta(hours=2)
        await desk.order(accept(case_id("s1")), conclude(case_id("s1")))

        assert await desk.sweep(NOON + timedelta(hours=3)) == ["clock.met.v1"]
        assert await desk.sweep(MIDNIGHT) == []

    async def test_a_command_goes_on_from_the_version_of_the_miss(self, desk):
        await desk.open("s1")
        await desk.sweep(MIDNIGHT)
        desk.at = MIDNIGHT + DAY
        await desk.order(accept(case_id("s1")))

        kept = (await desk.cases.known([case_id("s1")]))[case_id("s1")]
        assert kept.state.version == 5  # opened, assigned, started, missed, accepted
        assert kept.acted[0].events[0].data.version == 5

    async def test_what_a_dead_bus_did_not_take_is_announced_later(self, desk):
        await desk.open("s1")
        desk.away = True
        with pytest.raises(Unconfirmed):
            await desk.sweep(MIDNIGHT)
        desk.away = False

        assert await desk.sweep(MIDNIGHT) == ["clock.missed.v1"]
        assert await desk.sweep(MIDNIGHT) == []

    async def test_many_cases_fall_due_in_one_sweep(self, desk):
        await desk.open(*(f"s{n}" for n in range(450)))

        assert await desk.sweep(MIDNIGHT) == ["clock.missed.v1"] * 450

    async def test_nothing_is_said_while_there_are_no_rules(self, desk):
        desk.rules = MemoryRules()

        assert await desk.sweep(MIDNIGHT) == []

    async def test_who_saw_a_case_before_it_was_answered_says_nothing_of_it(self, desk):
        await desk.open("s1")
        [state] = await desk.clocks.due(DUE + DAY, Versions(1, 1), 10)
        desk.at = NOON + timedelta(hours=2)
        await desk.order(accept(case_id("s1")), conclude(case_id("s1")))

        await desk.clocks.fire([tick(state, await desk.rules.latest(), ZONE, MIDNIGHT)])

        assert list(await desk.clocks.waiting(10)) == []
        assert await desk.sweep(MIDNIGHT) == ["clock.met.v1"]

    async def test_two_replicas_tell_of_one_miss(self, desk):
        await desk.open(*(f"s{n}" for n in range(20)))
        desk.at = MIDNIGHT

        await asyncio.gather(*(desk.schedule().sweep() for _ in range(3)))

        assert len({event.id for event in desk.log}) == 20
        assert {event.data.version for event in desk.log} == {4}


class TestNewCalendar:
    async def test_moves_running_clocks_visibly_once(self, desk):
        await desk.open("s1", "s2")
        await new_calendar(desk)

        assert await desk.sweep(NOON) == ["clock.restated.v1"] * 2
        assert await desk.sweep(NOON) == []
        assert await desk.sweep(MIDNIGHT) == []
        assert await desk.sweep(MIDNIGHT + DAY) == ["clock.missed.v1"] * 2

    async def test_is_taken_up_again_where_a_crash_left_it(self, desk):
        await desk.open("s1", "s2")
        await new_calendar(desk)
        [one, _] = await desk.clocks.due(NOON.date(), Versions(1, 2), 10)
        [left] = await desk.clocks.due(NOON.date(), Versions(1, 2), 1)
        assert one == left

        desk.away = True
        with pytest.raises(Unconfirmed):
            await desk.sweep(NOON)
        desk.away = False

        assert await desk.sweep(NOON) == ["clock.restated.v1"] * 2

    async def test_that_moves_nothing_says_nothing(self, desk):
        await desk.open("s1")
        await new_calendar(desk, holidays=())

        assert await desk.sweep(NOON) == []
        assert await desk.clocks.due(NOON.date(), Versions(1, 2), 10) == []

    async def test_moves_no_clock_that_was_missed(self, desk):
        await desk.open("s1")
        await desk.sweep(MIDNIGHT)
        await new_calendar(desk)

        assert await desk.sweep(MIDNIGHT + DAY) == []

    async def test_is_the_only_thing_that_moves_a_last_day(self, desk):
        await desk.open("s1")
        dues = []
        for step in (accept(case_id("s1")), conclude(case_id("s1"))):
            desk.at += timedelta(hours=2)
            await desk.order(step)
            await desk.sweep(desk.at)
            kept = (await desk.cases.known([case_id("s1")]))[case_id("s1")]
            dues.append(kept.state.clocks[0].due)

        assert dues == [DUE, DUE]


class TestSkewedClocks:
    @pytest.mark.parametrize("skew", [timedelta(minutes=5), DAY, 365 * DAY])
    async def test_a_process_ahead_of_its_store_ends_no_term_early(self, desk, skew):
        await desk.open("s1")
        desk.at = MIDNIGHT - timedelta(minutes=1)

        await desk.schedule(lambda: desk.at + skew).sweep()

        assert desk.log == []

    async def test_a_store_ahead_of_its_process_ends_no_term_early(self, desk):
        await desk.open("s1")
        desk.at = MIDNIGHT + 365 * DAY

        await desk.schedule(lambda: MIDNIGHT - timedelta(minutes=1)).sweep()

        assert desk.log == []

    async def test_a_process_behind_is_made_good_by_the_next(self, desk):
        await desk.open("s1")
        desk.at = MIDNIGHT

        await desk.schedule(lambda: desk.at - DAY).sweep()

        assert await desk.sweep(MIDNIGHT) == ["clock.missed.v1"]


async def test_mongo_tells_its_own_time(mongo_database):
    said = await MongoClocks(mongo_database).time()

    assert abs(said - datetime.now(UTC)) < timedelta(minutes=1)


async def test_cases_kept_before_there_were_clocks_to_find_are_looked_at(mongo_database):
    clocks = MongoClocks(mongo_database)
    await MongoRules(mongo_database).add_once([])
    await mongo_database["cases"].insert_one({"_id": "old", "version": 3})

    await clocks.prepare()

    assert (await mongo_database["cases"].find_one({"_id": "old"}))["clocks"] == {
        "look": "0001-01-01"
    }
