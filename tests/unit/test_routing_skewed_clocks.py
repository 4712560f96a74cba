"""A clock that is wrong on one node changes no id, no version and no last day, and refuses nobody.

Each history is lived once with right clocks; then again where routing's own clock is off.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.routing.domain.lifecycle import Stage
from shared.contracts import CalendarPublished, ClockMet, ClockMissed
from shared.contracts.case import case_id
from shared.contracts.envelope import AnyEvent
from shared.contracts.rulebook import Holiday
from tests.examples_routing import (
    ZONE,
    accept,
    calendar,
    label,
    published,
    sent,
    submission_received,
)
from tests.histories_routing import (
    BEGINNING,
    Moment,
    Routing,
    a_history,
    first_rules,
    versions,
)

MINUTES, DAY, YEAR = timedelta(minutes=5), timedelta(days=1), timedelta(days=365)
SKEWS = pytest.mark.parametrize("skew", [MINUTES, -MINUTES, -DAY, YEAR])
SEEDS = range(4)


@pytest.fixture(scope="module")
def histories() -> list[tuple[Routing, list[Moment]]]:
    return [asyncio.run(a_history(seed)) for seed in SEEDS]


def lived(past: list[Moment], skew: timedelta, *, caught_up: bool = False) -> Routing:
    """The same once more; at its end a node with a right clock may sweep too."""

    async def live() -> Routing:
        routing = Routing(skew)
        for moment in past:
            await routing.live(moment)
        if caught_up:
            routing.skew = timedelta(0)
            await routing.sweep()
        return routing

    return asyncio.run(live())


def told(log: list[AnyEvent], wanted: Callable[[AnyEvent], bool] = lambda _: True) -> list[Any]:
    """What was announced, in order, but for when our own clock said that it was."""
    return [e.model_dump(exclude={"recordedtime"}) for e in log if wanted(e)]


def follows_from_a_submission(event: AnyEvent) -> bool:
    return (event.causationid or "").startswith("event-s")


@pytest.mark.parametrize("skew", [MINUTES, YEAR])
def test_a_node_ahead_says_what_one_with_a_right_clock_says(histories, skew):
    for right, past in histories:
        wrong = lived(past, skew)

        assert told(wrong.log) == told(right.log)


@SKEWS
def test_the_same_submissions_open_the_same_cases_with_the_same_terms(histories, skew):
    for right, past in histories:
        wrong = lived(past, skew)

        ours = told(wrong.log, follows_from_a_submission)
        assert ours == told(right.log, follows_from_a_submission)
        assert len(ours) > 20


@SKEWS
def test_versions_are_whole(histories, skew):
    for _, past in histories:
        wrong = lived(past, skew, caught_up=True)

        whole = {case: list(range(1, s.version + 1)) for case, s in wrong.states.items()}
        assert versions(wrong.log) == whole


@SKEWS
def test_every_term_that_is_over_is_told_of_once_when_the_clock_is_right_again(histories, skew):
    for _, past in histories:
        wrong = lived(past, skew, caught_up=True)
        today = past[-1].at.astimezone(ZONE).date()

        missed = Counter(
            (said.subject, said.data.clock, said.data.due)
            for said in wrong.log
            if isinstance(said.data, ClockMissed)
        )
        over = {
            (state.case, clock.code, clock.due)
            for state in wrong.states.values()
            for clock in state.clocks
            if clock.due < today and not clock.paused and clock.standing.value != "met"
        }
        assert over <= missed.keys()
        assert set(missed.values()) <= {1}


def test_a_node_behind_tells_of_a_miss_late_and_once(histories):
    _, past = histories[0]

    behind, right = lived(past, -DAY), lived(past, -DAY, caught_up=True)

    def misses(routing: Routing) -> int:
        return sum(isinstance(said.data, ClockMissed | ClockMet) for said in routing.log)

    assert misses(behind) < misses(right)


def opened(*submissions: Any, at: datetime = BEGINNING) -> Routing:
    return lived([Moment(at, rules=first_rules(), submissions=submissions)], timedelta(0))


@pytest.mark.parametrize("off", [-40 * YEAR, -DAY, -MINUTES, MINUTES, DAY, YEAR, 70 * YEAR])
def test_no_submission_is_refused_for_its_stamp(off):
    stamped = submission_received("s1", BEGINNING + off)

    routing = opened(stamped)

    state = routing.states[case_id("s1")]
    assert state.received == BEGINNING + off
    assert state.lead
    assert [said for said in routing.log if "refused" in said.type] == []


def test_a_body_may_act_at_once_on_what_a_node_five_minutes_ahead_has_received():
    routing = opened(submission_received("s1", BEGINNING + MINUTES))
    [state] = routing.states.values()
    order = sent(accept(state.case, time=BEGINNING), 1, party=state.lead, recorded=BEGINNING)

    asyncio.run(routing.order([order]))

    assert routing.states[state.case].stage is Stage.ACCEPTED


ACKNOWLEDGED_BY, ANSWERED_BY = date(2027, 2, 4), date(2027, 2, 17)


class TestTet:
    """2027: the first day is the 6th of February; the 5th to the 9th are off."""

    OFF = tuple(Holiday(day=date(2027, 2, day), name=label("Tết")) for day in range(5, 10))
    MONDAY = datetime(2027, 2, 1, 2, tzinfo=UTC)

    def lived(self, *days: int, skew: timedelta = timedelta(0)) -> Routing:
        """A submission of Monday the 1st, and a sweep on each of these days after it."""
        table = calendar(last_year=2027, holidays=self.OFF)
        rules = published(CalendarPublished(version=2, calendar=table))
        first = Moment(
            self.MONDAY,
            rules=(*first_rules(), rules),
            submissions=(submission_received("s1", self.MONDAY),),
        )
        return lived([first, *(Moment(self.MONDAY + n * DAY) for n in days)], skew)

    def missed(self, routing: Routing) -> list[Any]:
        return [said.data.due for said in routing.log if isinstance(said.data, ClockMissed)]

    def test_terms_are_counted_over_it(self):
        [state] = self.lived().states.values()

        assert [clock.due for clock in state.clocks] == [ANSWERED_BY, ACKNOWLEDGED_BY]

    def test_a_leap_into_it_ends_only_what_ended_before_it(self):
        assert self.missed(self.lived(6)) == [ACKNOWLEDGED_BY]

    def test_a_leap_over_it_ends_no_term_that_it_lengthened(self):
        """Nine working days without it would have ended on the 12th."""
        assert self.missed(self.lived(2, 16)) == [ACKNOWLEDGED_BY]

    def test_the_day_after_the_last_one_ends_the_rest_once(self):
        assert self.missed(self.lived(4, 17, 17, 18)) == [ACKNOWLEDGED_BY, ANSWERED_BY]

    def test_a_node_that_leaps_into_it_alone_ends_nothing(self):
        assert self.missed(self.lived(1, 2, 3, skew=5 * DAY)) == []


def test_the_zone_has_one_offset_and_no_summer_time():
    first, last = datetime(2000, 1, 1, tzinfo=UTC), datetime(2051, 1, 1, tzinfo=UTC)

    days = (first + n * DAY for n in range((last - first).days))

    assert {day.astimezone(ZONE).utcoffset() for day in days} == {timedelta(hours=7)}
