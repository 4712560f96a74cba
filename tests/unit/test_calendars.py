"""Intake and routing read the operator's calendar alike: no day is worked for one alone."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.handlers.ports import Rules
from services.routing.domain.calendar import WorkingDays
from shared.contracts import CalendarPublished, DirectoryPublished, RulebookPublished
from shared.contracts.rulebook import Calendar, Holiday
from tests.examples_intake import directory, rulebook
from tests.examples_routing import calendar, label

PUBLISHED = (
    DirectoryPublished(version=1, directory=directory()),
    RulebookPublished(version=1, rulebook=rulebook()),
)
DAYS = st.dates(date(2024, 12, 22), date(2025, 1, 12))
"""Around the first day that the calendar covers, or the last; so few that some are named twice."""
NO_SUCH_YEAR = 0


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    return calendar(
        first_year=draw(st.sampled_from([2024, 2025])),
        last_year=draw(st.sampled_from([NO_SUCH_YEAR, 2024, 2025])),
        weekly_rest=tuple(draw(st.sets(st.integers(0, 8)))),
        holidays=tuple(Holiday(day=day, name=label("Nghỉ")) for day in draw(st.sets(DAYS))),
        swapped=tuple(draw(st.sets(DAYS))),
    )


def intake(table: Calendar | None) -> Rules:
    return Rules(*PUBLISHED, CalendarPublished(version=1, calendar=table) if table else None)


@given(calendars(), DAYS)
def test_a_day_is_worked_for_both_or_for_neither(table, day):
    assert intake(table).is_working(day) is WorkingDays(table).is_working(day)


def test_a_holiday_stays_off_for_both_though_it_was_swapped():
    sunday = date(2025, 1, 5)
    table = calendar(holidays=(Holiday(day=sunday, name=label("Nghỉ")),), swapped=(sunday,))

    assert [intake(table).is_working(sunday), WorkingDays(table).is_working(sunday)] == [False] * 2


@pytest.mark.parametrize(("day", "worked"), [(date(2025, 1, 3), True), (date(2025, 1, 4), False)])
def test_without_a_calendar_intake_counts_monday_to_friday(day, worked):
    assert intake(None).is_working(day) is worked
