"""Promises of terms that roll, are extended or stand still."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain.calendar import Pause, WorkingDays
from services.routing.domain.clocks import Clock, clocks_at_opening, extended, paused, resumed
from services.routing.domain.command import Refusal
from shared.contracts.rulebook import ClockRule, DayKind
from shared.contracts.vocabulary import Kind
from tests.examples_routing import NOON, REGULATION, ZONE, calendar, clock_rule, rulebook

DAYS = WorkingDays(calendar())


def running(rule: ClockRule) -> Clock:
    [clock] = clocks_at_opening(Kind.COMPLAINT, NOON, rulebook(clocks=(rule,)), DAYS, ZONE)
    return clock


def refused(found: Clock | Refusal) -> str:
    assert isinstance(found, Refusal)
    assert REGULATION in found.problems[0].advice
    return found.problem


class TestRoll:
    def test_a_last_day_of_rest_gives_way_to_the_next_working_day(self):
        rule = clock_rule(days=4, day_kind=DayKind.CALENDAR, roll=True)

        assert running(rule).due == date(2026, 3, 16)  # not Saturday the 14th

    def test_without_the_setting_a_term_ends_where_it_ends(self):
        assert running(clock_rule(days=4, day_kind=DayKind.CALENDAR)).due == date(2026, 3, 14)

    def test_a_working_last_day_stays(self):
        rule = clock_rule(days=3, day_kind=DayKind.CALENDAR, roll=True)

        assert running(rule).due == date(2026, 3, 13)

    def test_a_swapped_saturday_is_no_day_of_rest(self):
        term = DAYS.add_calendar_days(date(2025, 4, 25), 1)

        assert DAYS.rolled(term).due == date(2025, 4, 26)

    def test_a_roll_out_of_the_calendar_says_so(self):
        days = WorkingDays(calendar(last_year=2025))

        assert not days.rolled(days.add_calendar_days(date(2025, 12, 31), 3)).covered


class TestExtension:
    RULE = clock_rule(days=20, longest=30)

    def test_counts_from_the_start(self):
        longer = extended(running(self.RULE), 5, self.RULE, DAYS, ZONE)

        assert longer.due == running(clock_rule(days=25)).due

    def test_may_reach_the_longest_term_in_parts(self):
        first = extended(running(self.RULE), 4, self.RULE, DAYS, ZONE)
        second = extended(first, 6, self.RULE, DAYS, ZONE)

        assert second.due == running(clock_rule(days=30)).due
        assert refused(extended(second, 1, self.RULE, DAYS, ZONE)) == "beyond-longest"

    @pytest.mark.parametrize("days", [0, -1, 11])
    def test_beyond_the_longest_term_is_refused(self, days):
        assert (
            refused(extended(running(self.RULE), days, self.RULE, DAYS, ZONE)) == "beyond-longest"
        )

    def test_needs_a_rule_that_knows_one(self):
        rule = clock_rule()

        assert refused(extended(running(rule), 1, rule, DAYS, ZONE)) == "no-extension"


class TestPause:
    RULE = clock_rule(days=10, may_pause=True)

    def test_needs_a_rule_that_allows_it(self):
        rule = clock_rule()

        assert refused(paused(running(rule), date(2026, 3, 11), rule)) == "no-pause"

    def test_is_not_counted(self):
        still = paused(running(self.RULE), date(2026, 3, 12), self.RULE)
        going = resumed(still, date(2026, 3, 19), self.RULE, DAYS, ZONE)

        assert going.due == running(clock_rule(days=15)).due  # five working days stood still

    def test_of_calendar_days_lengthens_a_term_by_its_days(self):
        rule = clock_rule(days=10, day_kind=DayKind.CALENDAR, may_pause=True)
        going = resumed(
            paused(running(rule), date(2026, 3, 12), rule), date(2026, 3, 19), rule, DAYS, ZONE
        )

        assert going.due == date(2026, 3, 27)

    def test_that_ends_on_its_day_changes_nothing(self):
        day = date(2026, 3, 12)
        clock = running(self.RULE)

        assert resumed(paused(clock, day, self.RULE), day, self.RULE, DAYS, ZONE).due == clock.due

    def test_cannot_begin_twice(self):
        still = paused(running(self.RULE), date(2026, 3, 12), self.RULE)

        assert refused(paused(still, date(2026, 3, 13), self.RULE)) == "clock-paused"

    def test_cannot_save_an_ended_term(self):
        clock = running(self.RULE)

        late = clock.due + timedelta(days=1)
        assert refused(paused(clock, late, self.RULE)) == "clock-ended"

    def test_cannot_end_before_it_began(self):
        still = paused(running(self.RULE), date(2026, 3, 12), self.RULE)

        early = date(2026, 3, 11)
        assert refused(resumed(still, early, self.RULE, DAYS, ZONE)) == "resumed-too-early"

    @given(st.integers(1, 12), st.integers(0, 30), st.sampled_from(DayKind))
    def test_never_shortens_a_term(self, begins, lasts, day_kind):
        rule = clock_rule(days=20, day_kind=day_kind, may_pause=True)
        clock = running(rule)
        first = NOON.date() + timedelta(days=begins)

        going = resumed(paused(clock, first, rule), first + timedelta(days=lasts), rule, DAYS, ZONE)

        assert clock.due <= going.due <= clock.due + timedelta(days=2 * lasts + 14)

    def test_holds_from_its_first_day_to_the_day_before_it_ends(self):
        pause = Pause(date(2026, 3, 12), date(2026, 3, 14))

        held = [day for day in range(10, 17) if pause.holds(date(2026, 3, day))]

        assert held == [12, 13]
