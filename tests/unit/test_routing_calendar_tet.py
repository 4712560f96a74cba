"""Terms over real calendars: every Tết from 2010 to 2030, by three calculations of others."""

import csv
import json
import os
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.rules import RULE_FILES, read_rules
from services.routing.domain.calendar import WorkingDays
from shared.contracts.rulebook import Calendar, Holiday
from tests.examples_routing import calendar, label

CORPUS = os.environ.get("LANGNGHE_CORPUS")
HOLIDAYS = Path(CORPUS).parent / "holidays" if CORPUS else None
YEARS = range(2010, 2031)
SAMPLE = Path(__file__).parents[2] / "deploy" / "sample" / "calendar.yaml"
needs_holidays = pytest.mark.skipif(
    HOLIDAYS is None or not HOLIDAYS.is_dir(),
    reason="LANGNGHE_CORPUS names no folder with holidays beside it",
)


def naive(table: Calendar, start: date, days: int) -> date:
    """Day by day, as a clerk counts in a printed calendar."""
    off = {holiday.day for holiday in table.holidays}
    day = start
    while days:
        day += timedelta(days=1)
        rest = day.isoweekday() in table.weekly_rest and day not in table.swapped
        days -= not (rest or day in off)
    return day


def snapshot() -> dict[date, str]:
    """Every holiday that python-holidays knows."""
    found = json.loads((HOLIDAYS / "python-holidays.VN_COMMON.snapshot-2026-07.json").read_text())
    return {date.fromisoformat(day): name for day, name in found.items()}


def lunar() -> dict[int, date]:
    with (HOLIDAYS / "lunar-tet-2000-2026.csv").open() as rows:
        return {int(row["year"]): date.fromisoformat(row["tet"]) for row in csv.DictReader(rows)}


def year_files() -> dict[int, date]:
    """The first day of each year that date-holidays was asked for."""
    found = {}
    for path in HOLIDAYS.glob("date-holidays.VN-*.json"):
        for entry in json.loads(path.read_text()):
            if entry["rule"] == "vietnamese 1-0-1":
                day = date.fromisoformat(entry["date"][:10])
                found[day.year] = day
    return found


def of_others() -> dict[int, date]:
    """The first day of each Tết; the three calculations agree or the test fails."""
    found: dict[int, date] = {
        day.year: day for day, name in snapshot().items() if name == "Lunar New Year"
    }
    for other in (lunar(), year_files()):
        assert {year: found[year] for year in other} == other
    return {year: found[year] for year in YEARS}


def table_of(days: dict[date, str]) -> Calendar:
    return calendar(
        first_year=YEARS.start,
        last_year=YEARS.stop - 1,
        holidays=tuple(Holiday(day=day, name=label("Nghỉ lễ")) for day in sorted(days)),
        swapped=(),
    )


@needs_holidays
class TestTet:
    def test_three_calculations_agree_on_every_first_day(self):
        assert sorted(of_others()) == list(YEARS)

    @pytest.mark.parametrize("year", YEARS)
    def test_a_term_over_it_equals_a_count_day_by_day(self, year):
        first = of_others()[year]
        table = table_of({d: n for d, n in snapshot().items() if d.year in YEARS})
        working = WorkingDays(table)

        for before in range(1, 25):
            start = first - timedelta(days=before)
            for days in (1, 2, 5, 7, 10, 20, 30):
                assert working.add_working_days(start, days).due == naive(table, start, days)

    @pytest.mark.parametrize("year", YEARS)
    def test_its_first_three_days_are_never_a_last_day(self, year):
        first = of_others()[year]
        working = WorkingDays(table_of(snapshot()))
        rest = {first + timedelta(days=n) for n in (-1, 0, 1, 2)}

        dues = {
            working.add_working_days(first - timedelta(days=before), days).due
            for before in range(1, 15)
            for days in range(1, 15)
        }

        assert not dues & rest


class TestTheSampleCalendar:
    TABLE = read_rules(SAMPLE, RULE_FILES["calendar"])
    DAYS = WorkingDays(TABLE)

    @pytest.mark.parametrize(
        ("start", "days", "due"),
        [
            ("2025-04-25", 1, "2025-04-26"),  # the swapped Saturday is worked
            ("2025-04-29", 1, "2025-05-05"),  # 30 April to 4 May are off, 2 May by the swap
            ("2025-12-31", 1, "2026-01-05"),  # 2 January 2026 is off by the swap
            ("2026-01-09", 1, "2026-01-10"),  # and Saturday the 10th is worked for it
            ("2026-02-13", 1, "2026-02-23"),  # Tết of 2026, Monday to Friday
        ],
    )
    def test_counts_over_its_swaps(self, start, days, due):
        assert self.DAYS.add_working_days(date.fromisoformat(start), days).due.isoformat() == due

    @given(st.dates(date(2025, 1, 1), date(2026, 11, 1)), st.integers(1, 30))
    def test_counts_as_a_clerk_does(self, start, days):
        assert self.DAYS.add_working_days(start, days).due == naive(self.TABLE, start, days)
