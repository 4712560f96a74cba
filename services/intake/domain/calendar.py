"""Which days are worked: a channel is mute only on days on which somebody could have spoken."""

from datetime import date

from shared.contracts.rulebook import Calendar

DAYS_OF_THE_WEEK = frozenset(range(1, 8))
WEEKEND = frozenset({6, 7})


class WorkingDays:
    """One version of the calendar, read as routing reads it for legal terms.

    Beyond the years of the calendar the weekly pattern alone counts. A weekly rest of all seven
    days is no pattern: every day is worked then. Without a calendar, Monday to Friday are.
    """

    def __init__(self, calendar: Calendar | None) -> None:
        rest = frozenset(calendar.weekly_rest) if calendar else WEEKEND
        senseless = rest >= DAYS_OF_THE_WEEK
        self._rest = frozenset[int]() if senseless else rest
        self._years = range(0)
        self._off, self._swapped = frozenset[date](), frozenset[date]()
        if calendar and not senseless:
            self._years = range(calendar.first_year, calendar.last_year + 1)
            self._off = frozenset(holiday.day for holiday in calendar.holidays)
            self._swapped = frozenset(calendar.swapped)

    def is_working(self, day: date) -> bool:
        """A holiday is off even on a day that was swapped."""
        if day.year in self._years:
            if day in self._off:
                return False
            if day in self._swapped:
                return True
        return day.isoweekday() not in self._rest
