"""The legal terms that run on a case, each with its rule, and whether an answer met them.

Days are local: the day after the start is day one, and a term ends at the midnight that closes
its last day. A last day is moved by `restated`, `extended` and `resumed`, and by nothing else.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum

from services.routing.domain.calendar import Pause, Term, WorkingDays
from services.routing.domain.command import Refusal
from shared.contracts.rulebook import ClockRule, DayKind, Rulebook
from shared.contracts.vocabulary import Kind

STARTS_AT_OPENING = frozenset({"received", "assigned"})
"""Both begin with the legal receipt: a case is assigned in the same step in which it is opened,
and no delay of ours may lengthen a term."""


class Standing(StrEnum):
    """How a clock stands. `met` and `late` are final."""

    RUNNING = "running"
    MISSED = "missed"
    """Its last day is over, and no answer is known yet."""
    MET = "met"
    LATE = "late"
    """Answered, but after its last day."""


@dataclass(frozen=True, slots=True)
class Versions:
    """The rules that a last day was counted with."""

    rulebook: int = 0
    calendar: int = 0


@dataclass(frozen=True, slots=True)
class Rung:
    """How long the body that an escalation sent for has, before the next one is sent for."""

    begun: date
    """The local day on which it was sent for; the day after is day one."""
    due: date


@dataclass(frozen=True, slots=True)
class Clock:
    """A term of law on one case."""

    code: str
    citation: str
    stops: str
    """`accepted` or `concluded`."""
    started: datetime
    due: date
    covered: bool
    """Whether the calendar covers every day that was counted."""
    days: int = 0
    """As the rule says, without what was granted; 0 if its rule was not kept with it."""
    day_kind: DayKind = DayKind.CALENDAR
    roll: bool = False
    warn_before: int = 0
    kind: Kind | None = None
    """The kind of the submission, by which its rule was chosen."""
    counted: Versions = Versions()
    standing: Standing = Standing.RUNNING
    warned: bool = False
    """Whether a warning was given for the last day that it has now."""
    warns: date | None = None
    """The first day of the warning, if the rule has one."""
    granted: int = 0
    """Days by which it was extended."""
    pauses: tuple[Pause, ...] = ()
    rung: Rung | None = None
    """Of a missed term whose escalation climbs on."""

    @property
    def climbs(self) -> bool:
        """Whether the next body up the ladder comes in if nobody answers."""
        return self.standing is Standing.MISSED and self.rung is not None

    @property
    def paused(self) -> bool:
        return bool(self.pauses) and self.pauses[-1].resumed is None


def clocks_at_opening(
    kind: Kind,
    received: datetime,
    rulebook: Rulebook,
    working_days: WorkingDays,
    zone: tzinfo,
    *,
    versions: Versions = Versions(),
) -> tuple[Clock, ...]:
    """The clocks that a receipt starts, in the rulebook's order.

    The rules in force on the local day of receipt hold; of two with one code, the first.
    Clocks of versions not given are counted again by the next sweep, which changes nothing.
    """
    return clocks_started(
        STARTS_AT_OPENING,
        kind,
        received,
        rulebook=rulebook,
        working_days=working_days,
        zone=zone,
        versions=versions,
    )


def clocks_started(
    by: Collection[str],
    kind: Kind,
    at: datetime,
    *,
    rulebook: Rulebook,
    working_days: WorkingDays,
    zone: tzinfo,
    versions: Versions = Versions(),
) -> tuple[Clock, ...]:
    """The clocks that an act at this instant starts, if `by` are its names in the rulebook."""
    start = at.astimezone(zone).date()
    rules: dict[str, ClockRule] = {}
    for rule in rulebook.clocks:
        if rule.starts in by and _fits(rule, kind, start):
            rules.setdefault(rule.code, rule)
    return tuple(
        _counted(_begun(rule, kind, at), working_days, versions, zone) for rule in rules.values()
    )


def rule_of(clock: Clock, rulebook: Rulebook, zone: tzinfo) -> ClockRule | None:
    """The rule that the clock runs by; None if the rulebook has it no more."""
    start = clock.started.astimezone(zone).date()
    same = (r for r in rulebook.clocks if r.code == clock.code and r.stops == clock.stops)
    return next((rule for rule in same if _fits(rule, clock.kind, start)), None)


def all_met(clocks: Iterable[Clock], stopped_by: str, at: datetime, zone: tzinfo) -> bool:
    """Whether an act at this instant is in time for every clock that it stops."""
    day = at.astimezone(zone).date()
    return all(day <= clock.due for clock in clocks if clock.stops == stopped_by)


def restated(
    clock: Clock, rulebook: Rulebook, working_days: WorkingDays, versions: Versions, zone: tzinfo
) -> Clock:
    """The clock as these versions count it.

    The rule is the one that a receipt on its first day would start today. A clock whose rule
    is gone runs on as it began.
    """
    rule = rule_of(clock, rulebook, zone)
    if rule is not None:
        clock = replace(
            clock,
            citation=rule.citation,
            days=rule.days,
            day_kind=rule.day_kind,
            roll=rule.roll,
            warn_before=rule.warn_before,
        )
    if not clock.days:
        return replace(clock, counted=versions)
    return _counted(clock, working_days, versions, zone)


def same_term(before: Clock, after: Clock) -> bool:
    """Whether both have the same rule, so that only the calendar can tell them apart."""
    return (before.days, before.day_kind, before.roll) == (after.days, after.day_kind, after.roll)


def extended(
    clock: Clock, days: int, rule: ClockRule, working_days: WorkingDays, zone: tzinfo
) -> Clock | Refusal:
    """The clock with `days` more of its kind, counted from its start and not from today.

    All extensions together go no further than the rule's `longest`; a refusal cites the rule.
    """
    if clock.standing is not Standing.RUNNING:
        return _refused("clock-ended", "The term has ended", rule, "An ended term stands.")
    if rule.longest is None:
        advice = "This term cannot be extended."
        return _refused("no-extension", "The rule knows no extension", rule, advice)
    left = rule.longest - rule.days - clock.granted
    if not 1 <= days <= left:
        advice = f"Ask for 1 to {left} more days." if left > 0 else "No more days can be granted."
        return _refused("beyond-longest", "The rule allows no term as long", rule, advice)
    if clock.paused:
        return _is_paused(rule)
    longer = replace(clock, granted=clock.granted + days, days=rule.days)
    return _counted(longer, working_days, clock.counted, zone)


def paused(clock: Clock, on: date, rule: ClockRule) -> Clock | Refusal:
    """The clock standing still from this local day on, which is not counted any more."""
    if not rule.may_pause:
        advice = "Go on with the case: this term runs through."
        return _refused("no-pause", "The rule knows no pause", rule, advice)
    if clock.standing is not Standing.RUNNING or on > clock.due:
        return _refused("clock-ended", "The term has ended", rule, "An ended term stands.")
    if clock.paused:
        return _is_paused(rule)
    if clock.pauses and on < (clock.pauses[-1].resumed or date.max):
        advice = "Give a day at or after the end of the last pause."
        return _refused("pause-overlaps", "The pause begins within another", rule, advice)
    return replace(clock, pauses=(*clock.pauses, Pause(on)))


def resumed(
    clock: Clock, on: date, rule: ClockRule, working_days: WorkingDays, zone: tzinfo
) -> Clock | Refusal:
    """The clock going on at this local day, which counts; its last day is later for the pause."""
    if not clock.paused:
        advice = "Nothing is left to do."
        return _refused("not-paused", "The term is not paused", rule, advice)
    last = clock.pauses[-1]
    if on < last.first:
        advice = "Give a day at or after the beginning of the pause."
        return _refused("resumed-too-early", "The pause ends before it began", rule, advice)
    pauses = (*clock.pauses[:-1], replace(last, resumed=on))
    return _counted(replace(clock, pauses=pauses), working_days, clock.counted, zone)


def _fits(rule: ClockRule, kind: Kind | None, start: date) -> bool:
    return rule.in_force(start) and (not rule.kinds or kind is None or kind in rule.kinds)


def _begun(rule: ClockRule, kind: Kind, received: datetime) -> Clock:
    """Not counted yet: its last day is that of its start."""
    return Clock(
        code=rule.code,
        citation=rule.citation,
        stops=rule.stops,
        started=received,
        due=received.date(),
        covered=True,
        days=rule.days,
        day_kind=rule.day_kind,
        roll=rule.roll,
        warn_before=rule.warn_before,
        kind=kind,
    )


def _counted(clock: Clock, working_days: WorkingDays, versions: Versions, zone: tzinfo) -> Clock:
    """The clock with its last day, and the day of its warning, by these versions."""
    start = clock.started.astimezone(zone).date()
    term = _term(clock, start, working_days)
    return replace(
        clock,
        due=term.due,
        covered=term.covered,
        warns=_warning(clock, term.due, working_days),
        warned=clock.warned and term.due == clock.due,
        counted=versions,
    )


def _term(clock: Clock, start: date, working_days: WorkingDays) -> Term:
    days = clock.days + clock.granted
    match clock.day_kind:
        case DayKind.WORKING:
            term = working_days.add_working_days(start, days, clock.pauses)
        case DayKind.CALENDAR:
            term = working_days.add_calendar_days(start, days, clock.pauses)
    return working_days.rolled(term) if clock.roll else term


def _warning(clock: Clock, due: date, working_days: WorkingDays) -> date | None:
    if not clock.warn_before:
        return None
    match clock.day_kind:
        case DayKind.WORKING:
            return working_days.working_days_before(due, clock.warn_before)
        case DayKind.CALENDAR:
            return due - timedelta(days=clock.warn_before)


def _refused(problem: str, title: str, rule: ClockRule, advice: str) -> Refusal:
    return Refusal.of(problem, title, field="/data", advice=f"{rule.citation}: {advice}")


def _is_paused(rule: ClockRule) -> Refusal:
    return _refused("clock-paused", "The term is paused", rule, "End the pause first.")
