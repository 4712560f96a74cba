"""What new rules would do to open cases, found as a sweep finds it; nothing is kept of it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, tzinfo

from services.routing.domain.due import Fired, ticked
from services.routing.domain.lifecycle import CaseState
from services.routing.domain.reasons import NOT_IN_FORCE, Speaker
from services.routing.domain.reassessing import barred
from services.routing.domain.rules import RulesInForce
from shared.contracts.case import Assigning, CaseAssigned, ClockRestated, Reason, Restating
from shared.contracts.effect import MOST_TOLD, BodyMoves, CaseMove

BY_RULES = frozenset({Restating.CALENDAR, Restating.RULEBOOK})


@dataclass(slots=True)
class Effect:
    """The sums over the cases that were weighed."""

    moves: int = 0
    terms: int = 0
    earliest: date | None = None
    cases: list[CaseMove] = field(default_factory=list)
    """The first of those that move."""
    _leave: Counter[str] = field(default_factory=Counter)
    _arrive: Counter[str] = field(default_factory=Counter)

    @property
    def bodies(self) -> tuple[BodyMoves, ...]:
        codes = sorted(self._leave | self._arrive)
        return tuple(
            BodyMoves(body=code, leave=self._leave[code], arrive=self._arrive[code])
            for code in codes
        )

    def count(self, state: CaseState, said: CaseAssigned) -> tuple[tuple[str, ...], ...]:
        """Who leaves the case, and who comes in."""
        after = (said.lead, *said.cooperating)
        leave = tuple(body for body in state.bodies if body not in after)
        arrive = tuple(body for body in after if body not in state.bodies)
        self.moves += 1
        self._leave.update(leave)
        self._arrive.update(arrive)
        return leave, arrive

    def restate(self, due: date) -> None:
        self.terms += 1
        self.earliest = due if self.earliest is None else min(self.earliest, due)


@dataclass(frozen=True, slots=True)
class Foretelling:
    """`rules` are those in force, `proposed` the same with one part anew, as of the moment `at`."""

    rules: RulesInForce
    proposed: RulesInForce
    zone: tzinfo
    at: datetime

    def add(self, effect: Effect, states: Iterable[CaseState], load: Counter[str]) -> None:
        """Add what the sweep after the publishing would do to these cases because of the rules.

        A term that ends, and what follows from it, is no part of it. `load` hears of every move.
        """
        for fired in ticked(states, self.proposed, self.zone, self.at, load):
            for said in (event.data for event in fired.events):
                if isinstance(said, CaseAssigned) and said.why is Assigning.RULES:
                    self._count(effect, fired, said)
                elif isinstance(said, ClockRestated) and said.why in BY_RULES:
                    effect.restate(said.due)

    def _count(self, effect: Effect, fired: Fired, said: CaseAssigned) -> None:
        state = fired.before
        leave, arrive = effect.count(state, said)
        if len(effect.cases) < MOST_TOLD:
            effect.cases.append(
                CaseMove(
                    case=state.case,
                    lead_before=state.lead,
                    lead=said.lead,
                    leave=leave,
                    arrive=arrive,
                    reasons=(*self._unfit(state, leave), *said.reasons),
                )
            )

    def _unfit(self, state: CaseState, leave: tuple[str, ...]) -> Iterator[Reason]:
        """Why each that leaves may not go on; a body beside a lead that changes needs no reason."""
        on = self.at.astimezone(self.zone).date()
        speaker = Speaker(
            self.proposed.directory, on, state.matter.acted, NOT_IN_FORCE, citation=""
        )
        found = barred(state, self.proposed, on)
        spoken = speaker.excluded(found, leave, self.proposed.rulebook)
        for body in leave:
            why = next((e.reason for e in spoken if e.body == body and e.reason), None)
            if why is not None:
                yield why
            elif self.proposed.directory.body(body, on) is None:
                yield replace(speaker, directory=self.rules.directory).gone(body)
