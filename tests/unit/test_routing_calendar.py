"""Promises of the working-day calendar."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain.calendar import WorkingDays
from shared.contracts.rulebook import Calendar, Holiday
from tests.examples_routing import calendar, label

FRIDAY = date(2025, 4, 25)
SWAPPED_SATURDAY = date(2025, 4, 26)
SWAPPED_OFF = date(2025, 5, 2)


def working_days(**more) -> WorkingDays:
    return WorkingDays(calendar(**more))


class TestWorkingDay:
    def test_the_weekly_rest_is_off(self):
        assert not working_days().is_working(date(2026, 3, 14))

    def test_a_holiday_is_off(self):
        assert not working_days().is_working(date(2025, 4, 30))

    def test_a_swapped_saturday_is_worked(self):
        assert working_days().is_working(SWAPPED_SATURDAY)

    def test_the_day_given_for_it_is_off(self):
        assert not working_days().is_working(SWAPPED_OFF)

    def test_the_weekly_rest_is_the_calendar_s(self):
        days = working_days(weekly_rest=(5,))

        assert days.is_working(date(2026, 3, 14))
        assert not days.is_working(date(2026, 3, 13))

    def test_a_year_not_covered_has_the_weekly_pattern_alone(self):
        days = working_days(
            holidays=(Holiday(day=date(2027, 1, 1), name=label("Tết Dương lịch")),),
            swapped=(date(2027, 1, 2),),
        )

        assert days.is_working(date(2027, 1, 1))
        assert not days.is_working(date(2027, 1, 2))


class TestTerm:
    def test_the_day_after_the_start_is_day_one(self):
        assert working_days().add_working_days(date(2026, 3, 10), 1).due == date(2026, 3, 11)

    def test_counts_across_the_swap_of_2025(self):
        # Sat 26, Mon 28, Tue 29 April, then off from the 30th to Sun 4 May, Mon 5 May.
        due = [working_days().add_working_days(FRIDAY, n).due for n in (1, 2, 3, 4)]

        assert due == [SWAPPED_SATURDAY, date(2025, 4, 28), date(2025, 4, 29), date(2025, 5, 5)]

    def test_counts_calendar_days_through_rest(self):
        assert working_days().add_calendar_days(FRIDAY, 10).due == date(2025, 5, 5)

    def test_says_when_it_leaves_the_calendar(self):
        days = working_days()

        assert days.add_working_days(date(2026, 12, 30), 1).covered
        assert not days.add_working_days(date(2026, 12, 30), 2).covered

    def test_of_a_week_without_work_counts_every_day_uncovered(self):
        term = working_days(weekly_rest=tuple(range(1, 8))).add_working_days(FRIDAY, 2)

        assert (term.due, term.covered) == (date(2025, 4, 27), False)


DAYS = st.dates(date(2024, 6, 1), date(2027, 6, 1))


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    return calendar(
        weekly_rest=tuple(draw(st.sets(st.integers(1, 7), max_size=6))),
        holidays=tuple(Holiday(day=day, name=label("Nghỉ")) for day in draw(st.lists(DAYS))),
        swapped=tuple(draw(st.lists(DAYS))),
    )


@given(calendars(), DAYS, st.integers(1, 60))
def test_a_term_ends_on_a_working_day(table, start, days):
    working = WorkingDays(table)

    assert working.is_working(working.add_working_days(start, days).due)


@given(calendars(), DAYS, st.integers(1, 60))
def test_a_term_holds_exactly_its_working_days(table, start, days):
    working = WorkingDays(table)
    due = working.add_working_days(start, days).due
    counted = [start + timedelta(days=n) for n in range(1, (due - start).days + 1)]

    assert sum(map(working.is_working, counted)) == days


@given(calendars(), DAYS, st.integers(1, 30), st.integers(1, 30))
def test_two_terms_in_a_row_are_one_long_term(table, start, first, second):
    working = WorkingDays(table)
    middle = working.add_working_days(start, first).due

    assert (
        working.add_working_days(middle, second).due
        == working.add_working_days(start, first + second).due
    )
