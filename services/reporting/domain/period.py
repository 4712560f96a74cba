"""Which days a period has, and the instants at which it begins and ends."""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from datetime import time as time_of_day

from shared.contracts.directory import BEGINNING, Label
from shared.contracts.report import Period
from shared.contracts.rulebook import PeriodRule

DAY = timedelta(days=1)
LAST_YEAR = 9998
"""The year after the last reporting year must still be a year of the calendar."""


def resolve(code: str, rules: Iterable[PeriodRule]) -> Period | None:
    """The period that `2026-h1` names under these rules, or nothing.

    What follows the dash is the rule's code. A rule counts when it is in force on the period's
    last day; of several, the one that took effect last.
    """
    year_digits, _, name = code.partition("-")
    # Digits of other scripts are digits to Python too: the same period under a second name.
    if not (year_digits.isascii() and year_digits.isdigit()):
        return None
    year = int(year_digits)
    if not BEGINNING.year <= year <= LAST_YEAR:
        return None
    candidates = [
        (rule.effective_from, period)
        for rule in rules
        if rule.code == name
        for period in [_period(code, year, rule)]
        if rule.in_force(period.last_day)
    ]
    return max(candidates, key=lambda each: each[0])[1] if candidates else None


def _period(code: str, year: int, rule: PeriodRule) -> Period:
    first_day, last_day = days_of(rule, year)
    return Period(code=code, label=_label(rule.label, year), first_day=first_day, last_day=last_day)


def days_of(rule: PeriodRule, year: int) -> tuple[date, date]:
    """The first and the last day of the rule's period of this reporting year."""
    first_year = year - 1 if rule.first_day > rule.last_day else year
    return _day(first_year, rule.first_day), _day(year, rule.last_day)


def _day(year: int, month_day: str) -> date:
    """That day, or the last one of its month: 29 February in a year without one."""
    month, day = (int(part) for part in month_day.split("-"))
    return date(year, month, min(day, monthrange(year, month)[1]))


def _label(label: Label, year: int) -> Label:
    """`6 tháng đầu năm 2026`, `Quý I năm 2026`: the word for year is not said twice."""
    joint = "" if label.vi.casefold().endswith("năm") else "năm "
    return Label(vi=f"{label.vi} {joint}{year}", en=label.en and f"{label.en} {year}")


@dataclass(frozen=True, slots=True)
class Window:
    """A period's instants, half-open: `start` is within it, `end` is not."""

    period: Period
    start: datetime
    end: datetime

    @classmethod
    def of(cls, period: Period, zone: tzinfo) -> "Window":
        return cls(
            period,
            _midnight(period.first_day, zone),
            _midnight(period.last_day + DAY, zone),
        )

    @property
    def before(self) -> datetime:
        """An instant that stands for all before the start."""
        return self.start - DAY

    def seen(self, at: datetime) -> datetime:
        """One of three instants that the period cannot tell from this one: `end` is after it."""
        if self.was_over(at):
            return self.before
        return self.start if self.has_seen(at) else self.end

    def has_seen(self, at: datetime | None) -> bool:
        """Whether that had happened before the end: what came later counts as not happened."""
        return at is not None and at < self.end

    def was_over(self, at: datetime | None) -> bool:
        """Whether that had happened before the start."""
        return at is not None and at < self.start


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time_of_day.min, tzinfo=zone).astimezone(UTC)
