"""Whether the bodies of a case may go on with it, and who does where they may not.

Asked at every hop: when the case is handed on, when it concerns more than was known, when a term
ends, when new rules hold, and on each day that the rules name.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from services.routing.domain.competence import NO_LOAD, Assignment, assign
from services.routing.domain.conflict import excluded
from services.routing.domain.lifecycle import CaseState, Grounds, Stage, Weighed
from services.routing.domain.reasons import Speaker
from services.routing.domain.rules import RulesInForce
from shared.contracts.case import Assigning, Basis, CaseAssigned, Exclusion, Reason
from shared.contracts.rulebook import EscalationRule


@dataclass(frozen=True, slots=True)
class Handing:
    """A case in new hands: how it stands, and what is said of it."""

    state: CaseState
    said: CaseAssigned


def weighed(rules: RulesInForce, on: date) -> Weighed:
    """What a decision of this day holds until."""
    cited = (*rules.rulebook.conflicts, *rules.rulebook.competence)
    bounds = {day for rule in cited for day in (rule.effective_from, rule.effective_to) if day}
    days = [day for day in (*bounds, rules.directory.next_change(on)) if day and day > on]
    return Weighed(rules.directory_version, rules.rulebook_version, min(days, default=None))


def barred(state: CaseState, rules: RulesInForce, on: date) -> tuple[Exclusion, ...]:
    """Bodies that may not touch the case on this day."""
    return excluded(state.matter, rules.directory, rules.rulebook, on)


def may_touch(body: str, state: CaseState, rules: RulesInForce, on: date) -> bool:
    """Whether the body holds the case and nothing keeps it away today: the one rule of access."""
    if body not in state.bodies:
        return False
    return body not in {exclusion.body for exclusion in barred(state, rules, on)}


def reassessed(
    state: CaseState,
    rules: RulesInForce,
    on: date,
    why: Assigning = Assigning.RULES,
    load: Mapping[str, int] = NO_LOAD,
) -> Handing | CaseState:
    """The case in new hands where one of its bodies may not go on; else as it was, weighed."""
    closed = {exclusion.body for exclusion in barred(state, rules, on)}
    unfit = {body for body in state.bodies if body in closed or not _there(body, rules, on)}
    if not unfit:
        return replace(state, weighed=weighed(rules, on))
    if state.lead in unfit:
        return handed_on(state, rules, on, why, load)
    cooperating = tuple(body for body in state.cooperating if body not in unfit)
    kept = replace(state, cooperating=cooperating)
    return _handing(kept, rules, on, why, state.assigned, before=state.lead)


def handed_on(
    state: CaseState,
    rules: RulesInForce,
    on: date,
    why: Assigning,
    load: Mapping[str, int] = NO_LOAD,
) -> Handing:
    """The case with whom competence names today, past those that did not take it up."""
    found = assign(state.matter, rules.directory, rules.rulebook, on, load, past=state.past)
    grounds = Grounds(found.basis, found.rule, found.citation, found.within_competence)
    moved = _moved(state, found.lead, found.cooperating)
    return _handing(moved, rules, on, why, grounds, before=state.lead, found=found)


def transferred(state: CaseState, to: str, citation: str, rules: RulesInForce, on: date) -> Handing:
    """The case with the named body; that it is competent and clean was asked before."""
    seat = rules.directory.body(to, on)
    line = rules.directory.path(
        state.matter.unit, on, then=state.matter.acted, category=state.matter.category
    )
    within = seat is not None and seat.unit in line
    grounds = Grounds(Basis.TRANSFER, Assigning.TRANSFER.value, citation, within)
    closed = {exclusion.body for exclusion in barred(state, rules, on)}
    fit = (b for b in state.cooperating if b not in closed and _there(b, rules, on))
    others = tuple(body for body in fit if body != to)
    said = _speaker(state, rules, on, grounds.rule, citation).transfer(to, state.lead)
    moved = _moved(state, to, others)
    return _handing(
        moved, rules, on, Assigning.TRANSFER, grounds, before=state.lead, reasons=(said,)
    )


def escalated(
    state: CaseState,
    rule: EscalationRule,
    rules: RulesInForce,
    on: date,
    load: Mapping[str, int] = NO_LOAD,
) -> Handing:
    """The case with the next clean body up the ladder: as its lead, or to urge it.

    Its bodies were weighed by these rules before. The highest body of all has nobody above it;
    the case then goes to the named desk.
    """
    past = {*state.past, *state.bodies, *_not_above(state.bodies, rules, on)}
    past.discard(rules.directory.fallback_body)  # wherever the desk sits, it stands behind all
    found = assign(state.matter, rules.directory, rules.rulebook, on, load, past=past)
    speaker = _speaker(state, rules, on, rule.code, rule.citation)
    said = speaker.escalation(found.lead, state.lead, takes_over=rule.takes_over)
    if rule.takes_over:
        grounds = Grounds(Basis.ESCALATION, rule.code, rule.citation, found.within_competence)
        moved = replace(_moved(state, found.lead, ()), past=(*state.past, state.lead))
    else:
        grounds = state.assigned
        moved = replace(state, cooperating=(*state.cooperating, found.lead))
    return _handing(
        moved, rules, on, Assigning.ESCALATION, grounds, before=state.lead, reasons=(said,)
    )


def count_move(before: CaseState, after: CaseState, load: Counter[str]) -> None:
    """Let `load`, the open cases by lead, know of a step of one case."""
    if before.open:
        load[before.lead] -= 1
    if after.open:
        load[after.lead] += 1


def _moved(state: CaseState, lead: str, cooperating: tuple[str, ...]) -> CaseState:
    """Who takes a case over has not accepted it yet; its terms run on as they were."""
    if lead == state.lead:
        return replace(state, cooperating=cooperating)
    return replace(state, lead=lead, cooperating=cooperating, stage=Stage.ASSIGNED, accepted=None)


def _handing(
    state: CaseState,
    rules: RulesInForce,
    on: date,
    why: Assigning,
    grounds: Grounds,
    *,
    before: str,
    found: Assignment | None = None,
    reasons: tuple[Reason, ...] = (),
) -> Handing:
    version = state.version + 1
    after = replace(state, assigned=grounds, weighed=weighed(rules, on), version=version)
    said = CaseAssigned(
        version=version,
        lead=after.lead,
        cooperating=after.cooperating,
        basis=grounds.basis,
        within_competence=grounds.within_competence,
        excluded=found.excluded if found else barred(state, rules, on),
        rule=grounds.rule,
        citation=grounds.citation,
        directory=rules.directory_version,
        rulebook=rules.rulebook_version,
        reasons=found.reasons if found else reasons,
        why=why,
        lead_before=before,
        accepted=after.stage is Stage.ACCEPTED,
    )
    return Handing(after, said)


def _not_above(bodies: Iterable[str], rules: RulesInForce, on: date) -> Iterator[str]:
    """Those that sit no higher than these: the ladder goes up, never sideways or down."""
    directory = rules.directory
    seats = [seat.unit for code in bodies if (seat := directory.body(code, on))]
    highest = min(map(directory.level, seats), default=0)
    for same_level in directory.bodies_by_level(on):
        yield from (body.code for body in same_level if directory.level(body.unit) >= highest)


def _there(body: str, rules: RulesInForce, on: date) -> bool:
    """The outside desk is in no directory, and always there."""
    directory = rules.directory
    return body == directory.outside_desk or directory.body(body, on) is not None


def _speaker(state: CaseState, rules: RulesInForce, on: date, rule: str, citation: str) -> Speaker:
    return Speaker(rules.directory, on, state.matter.acted, rule, citation)
