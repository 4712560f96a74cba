"""The legal terms that run on a case, each with its rule, and whether an answer met them.

Days are local: the day after the start is day one, and a term ends at the midnight that closes
its last day.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from services.routing.domain.calendar import WorkingDays
from shared.contracts.rulebook import ClockRule, DayKind, Rulebook
from shared.contracts.vocabulary import Kind

STARTS_AT_OPENING = frozenset({"received", "assigned"})
"""Both begin with the legal receipt: a case is assigned in the same step in which it is opened,
and no delay of ours may lengthen a term."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A term of law that runs."""

    code: str
    citation: str
    stops: str
    """`accepted` or `concluded`."""
    started: datetime
    due: date
    covered: bool
    """Whether the calendar covers every day that was counted."""


def clocks_at_opening(
    kind: Kind, received: datetime, rulebook: Rulebook, working_days: WorkingDays, zone: tzinfo
) -> tuple[Clock, ...]:
    """The clocks that a receipt starts, in the rulebook's order.

    The rules in force on the local day of receipt hold; of two with one code, the first.
    """
    start = received.astimezone(zone).date()
    rules: dict[str, ClockRule] = {}
    for rule in rulebook.clocks:
        fits = not rule.kinds or kind in rule.kinds
        if fits and rule.starts in STARTS_AT_OPENING and rule.in_force(start):
            rules.setdefault(rule.code, rule)
    return tuple(_started(rule, received, start, working_days) for rule in rules.values())


def all_met(clocks: Iterable[Clock], stopped_by: str, at: datetime, zone: tzinfo) -> bool:
    """Whether an act at this instant is in time for every clock that it stops."""
    day = at.astimezone(zone).date()
    return all(day <= clock.due for clock in clocks if clock.stops == stopped_by)


def _started(rule: ClockRule, received: datetime, start: date, working_days: WorkingDays) -> Clock:
    match rule.day_kind:
        case DayKind.WORKING:
            term = working_days.add_working_days(start, rule.days)
        case DayKind.CALENDAR:
            term = working_days.add_calendar_days(start, rule.days)
    return Clock(
        code=rule.code,
        citation=rule.citation,
        stops=rule.stops,
        started=received,
        due=term.due,
        covered=term.covered,
    )
