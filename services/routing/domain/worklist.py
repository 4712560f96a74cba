"""A case as a body that holds it reads it: its place in the worklist, its row, its history."""

from dataclasses import dataclass
from datetime import date

from services.routing.domain.clocks import Clock, Standing
from services.routing.domain.due import act_that_stops
from services.routing.domain.lifecycle import CaseState
from services.routing.domain.reasons import Speaker
from services.routing.domain.reassessing import barred
from services.routing.domain.rules import RulesInForce
from shared.contracts.case import Exclusion
from shared.contracts.envelope import AnyEvent
from shared.contracts.worklist import CaseTold, Row, Term

NO_DAY = "none"
"""As text it is more than any day."""
OWED = frozenset({Standing.RUNNING, Standing.MISSED})


@dataclass(frozen=True, slots=True)
class Life:
    """A case as it stands, and everything that was announced of it, in version order."""

    state: CaseState
    events: tuple[AnyEvent, ...]


def next_term(state: CaseState) -> Clock | None:
    """The clock that ends first of those that no act has stopped; a missed one is owed still.

    A paused one has no last day while it stands still.
    """
    owed = (
        clock
        for clock in state.clocks
        if clock.standing in OWED and not clock.paused and act_that_stops(clock, state) is None
    )
    return min(owed, key=lambda clock: clock.due, default=None)


def turn(state: CaseState) -> str:
    """Its place in a worklist: compared as text, the next last day decides, then the case's id.

    What nothing runs on comes last.
    """
    term = next_term(state)
    return f"{term.due.isoformat() if term else NO_DAY} {state.case}"


def turns_end(day: date) -> str:
    """Every turn of this day and before is less, and every later one more."""
    return f"{day.isoformat()}~"


def row(state: CaseState, body: str) -> Row:
    """The case in the worklist of a body that holds it."""
    term = next_term(state)
    return Row(
        case=state.case,
        unit=state.matter.unit,
        kind=state.matter.kind,
        category=state.matter.category,
        stage=state.stage.value,
        lead=state.lead,
        role="lead" if body == state.lead else "co-operating",
        version=state.version,
        received=state.received,
        due=term.due if term else None,
        clock=term.code if term else None,
        citation=term.citation if term else None,
        parent=state.parent,
        divided=state.divided,
        joined=state.joined,
    )


def told(state: CaseState, body: str, rules: RulesInForce, on: date) -> CaseTold:
    """The case as it stands, without its history."""
    return CaseTold(
        status="told",
        row=row(state, body),
        cooperating=state.cooperating,
        terms=tuple(_term(clock) for clock in state.clocks),
        excluded=_excluded(state, rules, on),
    )


def _excluded(state: CaseState, rules: RulesInForce, on: date) -> tuple[Exclusion, ...]:
    found = barred(state, rules, on)
    speaker = Speaker(rules.directory, on, state.matter.acted, rule="", citation="")
    return speaker.excluded(found, {exclusion.body for exclusion in found}, rules.rulebook)


def _term(clock: Clock) -> Term:
    paused = clock.standing is Standing.RUNNING and clock.paused
    return Term(
        clock=clock.code,
        citation=clock.citation,
        stops=clock.stops,
        due=clock.due,
        standing="paused" if paused else clock.standing.value,
    )
