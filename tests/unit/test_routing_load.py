"""Promises of how cases are shared among equal bodies."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from services.routing.domain.lifecycle import Stage
from services.routing.handlers import case_opener, command_taker
from services.routing.schedule import Schedule
from shared.contracts import (
    CalendarPublished,
    CaseAssigned,
    CaseDecline,
    DirectoryPublished,
    RulebookPublished,
)
from tests.examples_routing import (
    NOON,
    TODAY,
    ZONE,
    body,
    calendar,
    clock_rule,
    directory,
    event,
    published,
    rulebook,
    sent,
    submission_received,
)
from tests.fakes_routing import MemoryCases, MemoryClocks, MemoryCommands, MemoryRules
from tests.walks_routing import escalation

EQUALS = (body("a", "ward"), body("b", "ward"))
SECOND = timedelta(seconds=1)


class Desk:
    """Routing with two equal bodies and a clock that the test sets."""

    def __init__(self, bodies=EQUALS, desk="a") -> None:
        self.at, self.bodies, self.desk = NOON, bodies, desk
        self.cases, self.rules = MemoryCases(), MemoryRules()
        self.clocks = MemoryClocks(self.cases, NOON)
        self._open_cases = case_opener(self.rules, self.cases, ZONE, lambda: self.at)

    async def open(self, *names: str) -> list[str]:
        """The lead of each, in this order."""
        there = directory(bodies=self.bodies, fallback_body=self.desk)
        await self.rules.add_once(
            [
                published(DirectoryPublished(version=1, directory=there)),
                published(RulebookPublished(version=1, rulebook=rulebook())),
                published(CalendarPublished(version=1, calendar=calendar())),
            ]
        )
        told = await self._open_cases([submission_received(name) for name in names])
        return [event.data.lead for event in told if isinstance(event.data, CaseAssigned)]

    async def new_rules(self, version: int, bodies, book=None) -> None:
        there = directory(bodies=bodies, fallback_body=self.desk)
        await self.rules.add_once(
            [
                published(DirectoryPublished(version=version, directory=there)),
                published(RulebookPublished(version=version, rulebook=book or rulebook())),
            ]
        )

    async def sweep(self, *, publish=None) -> None:
        async def nowhere(_events) -> None:
            pass

        self.clocks.at = self.at
        await Schedule(
            self.rules, self.clocks, publish or nowhere, zone=ZONE, now=lambda: self.at
        ).sweep()

    def leads(self) -> dict[str, str]:
        """Of each case."""
        return {case: kept.state.lead for case, kept in self.cases.kept.items()}

    async def order(self, *orders) -> None:
        take = command_taker(self.rules, self.cases, MemoryCommands(), ZONE, lambda: self.at)
        await take([sent(order, n, party="a") for n, order in enumerate(orders, 1)])

    def conclude_all_of(self, lead: str) -> None:
        for case, kept in self.cases.kept.items():
            if kept.state.lead == lead:
                state = replace(kept.state, stage=Stage.CONCLUDED, concluded=self.at)
                self.cases.kept[case] = replace(kept, state=state)


@pytest.mark.parametrize("bodies", [EQUALS, EQUALS[::-1]])
@pytest.mark.parametrize("size", [1, 7, 100])
async def test_two_equal_bodies_get_half_of_the_cases_each(bodies, size):
    desk, leads = Desk(bodies), []

    for first in range(0, 100, size):
        leads += await desk.open(*(f"s{n}" for n in range(first, min(first + size, 100))))

    assert Counter(leads) == {"a": 50, "b": 50}
    assert leads[:3] == ["a", "b", "a"]


async def test_a_submission_twice_in_a_batch_weighs_once():
    assert await Desk().open("s1", "s1", "s2", "s3") == ["a", "b", "a"]


async def test_a_body_that_concluded_its_cases_is_asked_again_within_a_second():
    desk = Desk()
    await desk.open(*(f"s{n}" for n in range(10)))
    desk.conclude_all_of("b")

    desk.at += SECOND

    assert await desk.open(*(f"t{n}" for n in range(6))) == ["b"] * 5 + ["a"]


@pytest.mark.parametrize(("already", "seconds"), [(0, 1), (500_000, 10)])
async def test_the_more_cases_are_open_the_less_often_they_are_counted(
    already, seconds, monkeypatch
):
    desk, asked = Desk(), []

    async def counting():
        asked.append(desk.at)
        return {"a": already}

    monkeypatch.setattr(desk.cases, "open_by_lead", counting)
    for n in range(25):
        desk.at = NOON + n * SECOND / 2
        await desk.open(f"s{n}")

    assert asked[1] - asked[0] == seconds * SECOND


ALONE = (body("a", "ward"),)
HEIRS = (
    body("a", "ward", valid_to=TODAY),
    body("b", "ward", valid_from=TODAY),
    body("c", "ward", valid_from=TODAY),
)


class Killed(Exception):
    """The process dies here."""


async def killed(_events) -> None:
    raise Killed


@pytest.mark.parametrize("heirs", [HEIRS, HEIRS[::-1]])
async def test_the_cases_of_an_ended_body_are_shared_among_equals(heirs):
    desk = Desk(ALONE)
    await desk.open(*(f"s{n}" for n in range(101)))

    await desk.new_rules(2, heirs)
    await desk.sweep()

    assert sorted(Counter(desk.leads().values()).items()) == [("b", 51), ("c", 50)]


async def test_what_moves_goes_first_to_whom_has_least():
    desk = Desk(EQUALS)
    await desk.open(*(f"s{n}" for n in range(12)))

    await desk.new_rules(2, HEIRS)
    await desk.sweep()

    assert Counter(desk.leads().values()) == {"b": 6, "c": 6}


async def test_a_sweep_that_died_and_went_on_shares_as_one_that_did_not(monkeypatch):
    monkeypatch.setattr("services.routing.schedule.BATCH", 7)
    shared = []
    for dies in (False, True):
        desk = Desk(ALONE)
        await desk.open(*(f"s{n}" for n in range(100)))
        await desk.new_rules(2, HEIRS)
        if dies:
            with pytest.raises(Killed):
                await desk.sweep(publish=killed)
        await desk.sweep()
        shared.append(Counter(desk.leads().values()))

    assert shared[0] == shared[1] == {"b": 50, "c": 50}


async def test_the_order_in_which_a_store_finds_cases_decides_nothing(monkeypatch):
    found = []
    for turned in (False, True):
        desk = Desk(ALONE)
        await desk.open(*(f"s{n}" for n in range(40)))
        await desk.new_rules(2, HEIRS)
        if turned:
            desk.cases.kept = dict(reversed(desk.cases.kept.items()))
        await desk.sweep()
        found.append(desk.leads())

    assert found[0] == found[1]


async def test_what_escalates_is_shared_among_equals_above():
    above = (body("x", "province"), body("y", "province"))
    book = rulebook(
        clocks=(clock_rule(days=1),), escalations=(escalation("answer", takes_over=True),)
    )
    desk = Desk((*ALONE, *above), desk="none")
    await desk.new_rules(2, desk.bodies, book)
    await desk.open(*(f"s{n}" for n in range(10)))

    desk.at += timedelta(days=3)
    await desk.sweep()

    assert Counter(desk.leads().values()) == {"x": 5, "y": 5}


async def test_what_a_body_declines_is_shared_among_the_others():
    desk = Desk((*ALONE, body("b", "province"), body("c", "province")), desk="none")
    await desk.open(*(f"s{n}" for n in range(6)))
    said = CaseDecline(ground="not-competent", citation="Điều 12")
    cases = list(desk.cases.kept)

    await desk.order(*(event(said, item=f"c{n}", subject=c) for n, c in enumerate(cases)))

    assert Counter(desk.leads().values()) == {"b": 3, "c": 3}
