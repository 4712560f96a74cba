"""Where a proposal and a calendar come to different working days."""

from dataclasses import dataclass
from datetime import date, timedelta

from deploy.calendar.proposing import Proposed
from services.routing.domain.calendar import WorkingDays
from shared.contracts.directory import Label
from shared.contracts.rulebook import Calendar, Holiday

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the year, with the names that it bears in either."""

    day: date
    worked: bool
    """By the calendar; by the proposal it is the other way."""
    proposed: Label | None
    standing: Label | None


@dataclass(frozen=True, slots=True)
class Difference:
    """Each day that one of the two counts as worked and the other does not, in one of three lists.

    Names alone make no difference, nor does a holiday that falls on a day of rest.
    """

    covered: bool
    """Whether the calendar says anything of the year; if not, all that is proposed is added."""
    added: tuple[Day, ...]
    """Proposed as days off, and worked by the calendar."""
    missing: tuple[Day, ...]
    """Days off in the calendar, of which the package knows nothing."""
    disagree: tuple[Day, ...]
    """Days of the weekly rest that one of them says are worked."""


def compared(proposal: Proposed, standing: Calendar | None) -> Difference:
    """The proposal beside the calendar; beside none, or one without the year, beside bare weeks."""
    covered = standing is not None and proposal.year in _years(standing)
    rest = standing.weekly_rest if standing else proposal.weekly_rest
    ours = {h.day: h.name for h in standing.holidays} if standing and covered else {}
    theirs = WorkingDays(as_calendar(proposal, rest))
    now = WorkingDays(standing if standing and covered else _bare(proposal.year, rest))
    found = [
        Day(day, now.is_working(day), proposal.holidays.get(day), ours.get(day))
        for day in days_of(proposal.year)
        if theirs.is_working(day) != now.is_working(day)
    ]
    resting = [each for each in found if each.day.isoweekday() in rest]
    weekdays = [each for each in found if each.day.isoweekday() not in rest]
    return Difference(
        covered=covered,
        added=tuple(each for each in weekdays if each.worked),
        missing=tuple(each for each in weekdays if not each.worked),
        disagree=tuple(resting),
    )


def as_calendar(proposal: Proposed, rest: tuple[int, ...]) -> Calendar:
    """The year as the package knows it, under this weekly rest."""
    listed = tuple(Holiday(day=day, name=name) for day, name in proposal.holidays.items())
    swapped = tuple(day for day in proposal.swapped if day.isoweekday() in rest)
    return _bare(proposal.year, rest).model_copy(update={"holidays": listed, "swapped": swapped})


def days_of(year: int) -> list[date]:
    """Every day of the year, in order."""
    first = date(year, 1, 1)
    return [first + n * ONE_DAY for n in range((date(year, 12, 31) - first).days + 1)]


def _years(calendar: Calendar) -> range:
    return range(calendar.first_year, calendar.last_year + 1)


def _bare(year: int, rest: tuple[int, ...]) -> Calendar:
    return Calendar(
        title=Label(vi=str(year)),
        citation="",
        first_year=year,
        last_year=year,
        weekly_rest=rest,
        holidays=(),
    )
