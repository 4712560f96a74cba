"""What is wrong with terms and with what follows once they are missed."""

from collections.abc import Iterator

from deploy.rulebook.document import Document, Finding, Severity
from deploy.rulebook.firing import ARRIVALS, days_of_change, is_ever_in_force, refuses
from services.routing.domain.clocks import STARTS_AT_OPENING
from services.routing.domain.orders import ACCEPTANCE
from shared.contracts.rulebook import ClockRule, EscalationRule, Rulebook

STARTS = STARTS_AT_OPENING | ACCEPTANCE
STOPS = frozenset({"accepted", "concluded"})
"""What happens to a case, as clocks name it."""


def clock_findings(document: Document[Rulebook]) -> Iterator[Finding]:
    for number, clock in enumerate(document.content.clocks):
        yield from _numbers(document, number, clock)
        yield from _ends(document, number, clock)


def escalation_findings(document: Document[Rulebook]) -> Iterator[Finding]:
    """Escalations that nothing sets off, or that come two at a time."""
    rules = document.content.escalations
    for number, rule in enumerate(rules):
        yield from _set_off(document, number, rule)
        twins = (earlier for earlier in rules[:number] if _together(earlier, rule))
        twin = next(twins, None)
        if twin is not None:
            yield document.finding(
                Severity.ERROR,
                "escalates-twice",
                ("escalations", number),
                what=f"When {rule.clock} is missed, {twin.code} sends the case up as well.",
                advice="Keep one of them for each day, and end the older one where this begins.",
            )


def _numbers(document: Document[Rulebook], number: int, clock: ClockRule) -> Iterator[Finding]:
    if clock.longest is not None and clock.longest < clock.days:
        yield document.finding(
            Severity.ERROR,
            "longest-below-days",
            ("clocks", number),
            what=f"With every extension {clock.longest} days, without any {clock.days}.",
            advice="longest counts from the start and holds the first days, too.",
        )
    if clock.warn_before >= clock.days:
        yield document.finding(
            Severity.WARNING,
            "warned-at-once",
            ("clocks", number),
            what=f"The warning {clock.warn_before} days before the last comes with the start.",
            advice="Warn fewer days before.",
        )


def _ends(document: Document[Rulebook], number: int, clock: ClockRule) -> Iterator[Finding]:
    if clock.starts not in STARTS:
        yield document.finding(
            Severity.WARNING,
            "never-starts",
            ("clocks", number),
            what=f"Nothing tells that a case is {clock.starts!r}: this term does not run.",
            advice=f"What starts terms: {', '.join(sorted(STARTS))}.",
        )
    elif clock.stops not in STOPS:
        yield document.finding(
            Severity.ERROR,
            "never-stops",
            ("clocks", number),
            what=f"Nothing tells that a case is {clock.stops!r}: this term is always missed.",
            advice=f"What stops terms: {', '.join(sorted(STOPS))}.",
        )
    elif clock.starts == clock.stops:
        yield document.finding(
            Severity.ERROR,
            "stops-at-start",
            ("clocks", number),
            what=f"What starts it, {clock.starts!r}, stops it: this term measures nothing.",
            advice="Let it stop when the case is concluded, or start when it is received.",
        )


def _set_off(document: Document[Rulebook], number: int, rule: EscalationRule) -> Iterator[Finding]:
    rulebook, place = document.content, ("escalations", number)
    clocks = [clock for clock in rulebook.clocks if clock.code == rule.clock]
    if not clocks:
        yield document.finding(
            Severity.ERROR,
            "unknown-clock",
            (*place, "clock"),
            what=f"No term has the code {rule.clock}.",
            advice="Name one of the clocks by its code.",
        )
        return
    if not is_ever_in_force(rule):
        return
    running = [clock for clock in clocks if _can_be_missed(clock, rulebook)]
    in_time = [clock for clock in running if not _ends_before_one_is_missed(rule, clock)]
    if not running:
        what = f"No case ever misses {rule.clock}."
    elif not in_time:
        what = f"It ends on {rule.effective_to}, before a term of {rule.clock} can be missed."
    elif not any(_begins_while_it_runs(rule, clock) for clock in in_time):
        yield document.finding(
            Severity.WARNING,
            "never-escalates",
            place,
            what=f"From {rule.effective_from} no term of {rule.clock} begins any more: "
            "at most an old one is still missed.",
            advice="Correct the dates of one of the two.",
        )
        return
    else:
        return
    yield document.finding(
        Severity.ERROR,
        "never-escalates",
        place,
        what=what,
        advice="Correct the clock or the dates, or take this rule out.",
    )


def _can_be_missed(clock: ClockRule, rulebook: Rulebook) -> bool:
    return (
        clock.starts in STARTS
        and clock.starts != clock.stops
        and _is_ever_taken_up(clock, rulebook)
    )


def _is_ever_taken_up(clock: ClockRule, rulebook: Rulebook) -> bool:
    """Terms run on the eligible alone: a kind of which everything is refused has none."""
    days = days_of_change(rulebook.eligibility, clock.effective_from)
    arrivals = [arrived for arrived in ARRIVALS if not clock.kinds or arrived.kind in clock.kinds]
    for day in filter(clock.in_force, days):
        refusing = [rule for rule in rulebook.eligibility if rule.in_force(day)]
        if any(not any(refuses(rule, arrived) for rule in refusing) for arrived in arrivals):
            return True
    return False


def _ends_before_one_is_missed(rule: EscalationRule, clock: ClockRule) -> bool:
    """Of working days a term has no fewer days than of calendar days."""
    if rule.effective_to is None:
        return False
    return (rule.effective_to - clock.effective_from).days <= clock.days + 1


def _begins_while_it_runs(rule: EscalationRule, clock: ClockRule) -> bool:
    return clock.effective_to is None or rule.effective_from < clock.effective_to


def _together(one: EscalationRule, other: EscalationRule) -> bool:
    """Two of one code are an overlap, which is told of every rule."""
    latest = max(one.effective_from, other.effective_from)
    both = one.in_force(latest) and other.in_force(latest)
    return both and one.clock == other.clock and one.code != other.code
