"""Working days: the weekly pattern, less the holidays, with the swapped days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from shared.contracts.rulebook import Calendar

ONE_DAY = timedelta(days=1)
TERMS = 4_096
"""Days and lengths of terms that are remembered: most of what comes begins today."""
DAYS_OF_THE_WEEK = frozenset(range(1, 8))


@dataclass(frozen=True, slots=True)
class Term:
    """The last day of a term of days, itself included."""

    due: date
    covered: bool
    """False if a day was counted that the calendar says nothing about; see `WorkingDays`."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Days in which a term stands still: from `first` to the day before `resumed`.

    Without `resumed` it lasts; a term cannot be counted while it does.
    """

    first: date
    resumed: date | None = None

    def holds(self, day: date) -> bool:
        return self.first <= day and (self.resumed is None or day < self.resumed)


class WorkingDays:
    """One version of the calendar, ready to count with.

    Of a year that it does not cover nobody has yet said which days are off: there the weekly
    pattern alone counts, and the term says so. A weekly rest of all seven days is no pattern:
    every day counts then, and no year is covered.
    """

    def __init__(self, calendar: Calendar) -> None:
        rest = frozenset(calendar.weekly_rest)
        senseless = rest >= DAYS_OF_THE_WEEK
        self._rest = frozenset() if senseless else rest
        self._years = range(0) if senseless else range(calendar.first_year, calendar.last_year + 1)
        self._off = frozenset(holiday.day for holiday in calendar.holidays)
        self._worked = frozenset(calendar.swapped)
        self._added = lru_cache(TERMS)(lambda start, days: self._add(start, days, ()))

    def covers(self, day: date) -> bool:
        return day.year in self._years

    def is_working(self, day: date) -> bool:
        """A holiday is off even on a day that was swapped."""
        if self.covers(day):
            if day in self._off:
                return False
            if day in self._worked:
                return True
        return day.isoweekday() not in self._rest

    def add_working_days(self, start: date, days: int, pauses: Sequence[Pause] = ()) -> Term:
        """The `days`-th working day after `start`; the day after it may be day one."""
        if not pauses:
            return self._added(start, days)
        return self._add(start, days, pauses)

    def _add(self, start: date, days: int, pauses: Sequence[Pause]) -> Term:
        day, covered, left = start, True, days
        while left > 0:
            day += ONE_DAY
            covered = covered and self.covers(day)
            left -= self.is_working(day) and not _paused(day, pauses)
        return Term(due=day, covered=covered)

    def add_calendar_days(self, start: date, days: int, pauses: Sequence[Pause] = ()) -> Term:
        """The `days`-th day after `start`, worked or not."""
        if not pauses:
            return Term(due=start + timedelta(days=days), covered=True)
        day, left = start, days
        while left > 0:
            day += ONE_DAY
            left -= not _paused(day, pauses)
        return Term(due=day, covered=True)

    def rolled(self, term: Term) -> Term:
        """The term, ending on the next working day if its last day is one of rest."""
        day, covered = term.due, term.covered and self.covers(term.due)
        while not self.is_working(day):
            day += ONE_DAY
            covered = covered and self.covers(day)
        return Term(due=day, covered=covered)

    def working_days_before(self, day: date, days: int) -> date:
        """The last working day behind which `days` more come, `day` being the last of them."""
        while days > 0:
            days -= self.is_working(day)
            day -= ONE_DAY
        while not self.is_working(day):
            day -= ONE_DAY
        return day


def _paused(day: date, pauses: Sequence[Pause]) -> bool:
    return any(pause.holds(day) for pause in pauses)
