"""Promises of how cases are shared among equal bodies."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from services.routing.domain.lifecycle import Stage
from services.routing.handlers import case_opener
from shared.contracts import (
    CalendarPublished,
    CaseAssigned,
    DirectoryPublished,
    RulebookPublished,
)
from tests.examples_routing import (
    NOON,
    ZONE,
    body,
    calendar,
    directory,
    published,
    rulebook,
    submission_received,
)
from tests.fakes_routing import MemoryCases, MemoryRules

EQUALS = (body("a", "ward"), body("b", "ward"))
SECOND = timedelta(seconds=1)


class Desk:
    """Routing with two equal bodies and a clock that the test sets."""

    def __init__(self, bodies=EQUALS) -> None:
        self.at, self.bodies = NOON, bodies
        self.cases, self.rules = MemoryCases(), MemoryRules()
        self._open_cases = case_opener(self.rules, self.cases, ZONE, lambda: self.at)

    async def open(self, *names: str) -> list[str]:
        """The lead of each, in this order."""
        there = directory(bodies=self.bodies, fallback_body="a")
        await self.rules.add_once(
            [
                published(DirectoryPublished(version=1, directory=there)),
                published(RulebookPublished(version=1, rulebook=rulebook())),
                published(CalendarPublished(version=1, calendar=calendar())),
            ]
        )
        told = await self._open_cases([submission_received(name) for name in names])
        return [event.data.lead for event in told if isinstance(event.data, CaseAssigned)]

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
