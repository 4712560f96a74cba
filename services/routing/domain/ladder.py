"""Who is sent for once a term is missed, and who after that: rung by rung up the ladder.

A rule whose escalation climbs on gives each body that it sends for a term of its own; if that ends
unanswered too, the next clean body above comes in, until the fallback body holds the case.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date

from services.routing.domain.clocks import Clock, Rung, Standing, Versions
from services.routing.domain.lifecycle import CaseState
from services.routing.domain.reassessing import escalated
from services.routing.domain.rules import RulesInForce
from shared.contracts.case import CaseAssigned
from shared.contracts.rulebook import DayKind, EscalationRule


def climbed(
    state: CaseState,
    blamed: str,
    missed: Collection[str],
    rules: RulesInForce,
    today: date,
    *,
    load: Mapping[str, int],
) -> tuple[CaseState, tuple[CaseAssigned, ...]]:
    """The case after each escalation that is due, and who was sent for.

    `missed` are the terms that ended just now, under the lead `blamed`: a body that has led only
    since this look is not taken from, and has the time of the rung before the next one is.
    """
    said: list[CaseAssigned] = []
    for rule in rules.rulebook.escalations:
        if not rule.in_force(today) or not _is_due(rule, state, missed, today):
            continue
        if _has_ladder(state, rules) and (state.lead == blamed or not rule.takes_over):
            handing = escalated(state, rule, rules, today, load)
            state = handing.state
            said.append(handing.said)
        state = _with_rung(state, rule, rules, today)
    return _without_old_rungs(state, today), tuple(said)


def recounted(clock: Clock, rules: RulesInForce, today: date) -> Clock:
    """The rung that lasts, as these rules count it; none where no rule lets it climb any more."""
    versions = _versions(rules)
    if clock.rung is None or clock.counted == versions:
        return clock
    standing = (r for r in rules.rulebook.escalations if r.clock == clock.code)
    rule = next((rule for rule in standing if rule.in_force(today)), None)
    rung = _rung(rule, rules, clock.rung.begun) if rule else None
    return replace(clock, rung=rung, counted=versions)


def _is_due(rule: EscalationRule, state: CaseState, missed: Collection[str], today: date) -> bool:
    """Its term ended just now, or that of the body that was sent for did."""
    clocks = (clock for clock in state.clocks if clock.code == rule.clock)
    return rule.clock in missed or any(_is_over(clock, today) for clock in clocks)


def _is_over(clock: Clock, today: date) -> bool:
    return clock.climbs and clock.rung is not None and clock.rung.due < today


def _has_ladder(state: CaseState, rules: RulesInForce) -> bool:
    """Nobody stands above the desks; an answered case needs nobody."""
    desks = {rules.directory.fallback_body, rules.directory.outside_desk}
    return state.open and not desks.intersection(state.bodies)


def _with_rung(
    state: CaseState, rule: EscalationRule, rules: RulesInForce, today: date
) -> CaseState:
    """The body that was sent for has its time from today on; the desks have nobody above them."""
    rung = _rung(rule, rules, today) if _has_ladder(state, rules) else None

    def stepped(clock: Clock) -> Clock:
        if clock.code != rule.clock or clock.standing is not Standing.MISSED:
            return clock
        return replace(clock, rung=rung, counted=_versions(rules) if rung else clock.counted)

    return replace(state, clocks=tuple(map(stepped, state.clocks)))


def _without_old_rungs(state: CaseState, today: date) -> CaseState:
    """What no rule in force lets climb any more is not looked at again."""
    if not any(_is_over(clock, today) for clock in state.clocks):
        return state
    clocks = (replace(c, rung=None) if _is_over(c, today) else c for c in state.clocks)
    return replace(state, clocks=tuple(clocks))


def _rung(rule: EscalationRule, rules: RulesInForce, begun: date) -> Rung | None:
    if rule.again_after is None:
        return None
    match rule.day_kind:
        case DayKind.WORKING:
            term = rules.working_days.add_working_days(begun, rule.again_after)
        case DayKind.CALENDAR:
            term = rules.working_days.add_calendar_days(begun, rule.again_after)
    return Rung(begun, term.due)


def _versions(rules: RulesInForce) -> Versions:
    return Versions(rules.rulebook_version, rules.calendar_version)
