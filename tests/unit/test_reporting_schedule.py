"""Periods are counted when it is time, though nobody orders it."""

import asyncio
from datetime import date, timedelta

import pytest

from services.reporting.schedule import PATIENCE, Schedule
from tests.examples_reporting import (
    END,
    LAST_DAY,
    ZONE,
    close,
    directory_published,
    rulebook_published,
    submission_received,
)
from tests.fakes_reporting import MemoryFlight
from tests.reporting_in_memory import Reporting

BEFORE_END = END - timedelta(seconds=2)


class Scheduled(Reporting):
    def __init__(self, closes_from=LAST_DAY, first=BEFORE_END, stores=None):
        super().__init__(first=first, stores=stores)
        self.schedule = Schedule(
            self.closer,
            self.desk,
            self.rules,
            self.closings,
            closes_from=closes_from,
            zone=ZONE,
            now=lambda: self.at,
        )

    async def swept(self, at):
        self.at = at
        before = len(self.out)
        await self.schedule.sweep()
        return {(e.data.period.code, e.data.revision) for e in self.out[before:]}


@pytest.fixture
async def reporting():
    service = Scheduled()
    await service.keep_rules([directory_published(), rulebook_published()])
    await service.keep_rows([submission_received()])
    return service


async def test_a_period_is_closed_at_local_midnight_and_once(reporting):
    assert await reporting.swept(END - timedelta(seconds=1)) == set()
    assert await reporting.swept(END) == {("2026-h1", 1)}
    assert await reporting.swept(END + timedelta(seconds=1)) == set()


@pytest.mark.parametrize("closes_from", [None, LAST_DAY + timedelta(days=1)])
async def test_what_ends_before_the_day_is_closed_only_when_ordered(closes_from):
    reporting = Scheduled(closes_from)
    await reporting.keep_rules([directory_published(), rulebook_published()])

    assert await reporting.swept(END) == set()


async def test_what_ended_while_nothing_ran_is_closed_in_order():
    reporting = Scheduled(date(2025, 6, 14))
    await reporting.keep_rules([directory_published(), rulebook_published()])
    await reporting.swept(END + timedelta(days=400))

    codes = list(dict.fromkeys(event.data.period.code for event in reporting.out))
    assert codes == ["2025-h1", "2025-y", "2026-h1", "2026-y", "2027-h1"]


async def test_before_the_first_rules_nothing_happens():
    assert await Scheduled().swept(END) == set()


async def test_what_was_ordered_is_not_closed_again(reporting):
    reporting.at = END
    await reporting.take([close()])

    assert await reporting.swept(END + timedelta(minutes=1)) == set()


async def test_two_replicas_close_it_once(reporting):
    other = Scheduled(stores=reporting)
    arrived, may_go_on = asyncio.Event(), asyncio.Event()

    class Slow(MemoryFlight):
        async def before(self, end):
            arrived.set()
            await may_go_on.wait()
            return await super().before(end)

    other.closer._flight = Slow()
    slower = asyncio.create_task(other.swept(END + timedelta(seconds=3)))
    await arrived.wait()
    await reporting.swept(END)
    may_go_on.set()
    await slower

    [closing] = reporting.closings.closings.values()
    said = [event for replica in (reporting, other) for event in replica.out]
    assert {event.time for event in said} == {closing.at} == {END}
    assert len({event.id for event in said}) == 12


async def test_a_period_that_cannot_be_closed_is_tried_again_later(reporting):
    reporting.flight.waiting = {"dead-letters": 1}
    assert await reporting.swept(END) == set()
    reporting.flight.waiting = {}

    assert await reporting.swept(END + PATIENCE - timedelta(seconds=1)) == set()
    assert await reporting.swept(END + PATIENCE) == {("2026-h1", 1)}


async def test_what_came_late_is_counted_after_the_next_midnight_once(reporting):
    await reporting.swept(END)
    await reporting.keep_rows([submission_received("late", recorded=END + timedelta(hours=1))])

    assert await reporting.swept(END + timedelta(hours=23)) == set()
    assert await reporting.swept(END + timedelta(days=1)) == {("2026-h1", 2)}
    assert await reporting.swept(END + timedelta(days=1, seconds=1)) == set()
    assert await reporting.swept(END + timedelta(days=2)) == set()
    assert await reporting.closings.late() == {}


async def test_what_a_crash_left_goes_out_with_the_next_sweep(reporting):
    await reporting.swept(END)
    first = list(reporting.out)
    reporting.closings.out.clear()
    await reporting.swept(END + timedelta(seconds=1))

    assert reporting.out == first * 2
