"""How a mixed letter is split: one case for each kind, as if its sender had written so many.

The case that the letter opened keeps one kind; each other kind gets one case. Only that first
case is split, so that its version guards all of them: a kind is split off once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, tzinfo
from typing import cast

from services.routing.domain import SOURCE, objections
from services.routing.domain.clocks import Clock, Versions, clocks_at_opening
from services.routing.domain.command import Refusal
from services.routing.domain.competence import NO_LOAD
from services.routing.domain.decision import Act, Decision
from services.routing.domain.lifecycle import CaseState, Grounds, KeptCase, OpenedCase, Stage
from services.routing.domain.matter import Matter, unknown_concern
from services.routing.domain.opening import assigned_at_opening, clocks_said
from services.routing.domain.orders import may_not_order
from services.routing.domain.reassessing import weighed
from services.routing.domain.rules import RulesInForce
from shared.contracts.case import CaseAmended, CaseDivided, CaseEvent, CaseOpened, Part, part_id
from shared.contracts.envelope import AnyEvent, Event, derived_id
from shared.contracts.order import CaseSplit, SplitPart
from shared.contracts.submission import ELIGIBLE


@dataclass(frozen=True, slots=True)
class Division:
    """What a split does: to the case itself, and the cases that begin."""

    decision: Decision
    parts: tuple[OpenedCase, ...]


@dataclass(frozen=True, slots=True)
class Splitting:
    """What a split is decided by. `letter` is the case's own opening, `cause` the order's id.

    `load` is the number of open cases by body, as at any opening.
    """

    case: KeptCase
    letter: CaseOpened
    cause: str
    at: datetime
    rules: RulesInForce
    zone: tzinfo
    load: Mapping[str, int] = field(default_factory=lambda: NO_LOAD)

    def divide(self, order: CaseSplit, act: Act) -> Division | Refusal:
        """One case for each part, at once: all of them, or none."""
        state, rules = self.case.state, self.rules
        today = act.recorded.astimezone(self.zone).date()
        refusal = may_not_order(state, act, rules, today, order.version)
        refusal = refusal or self._objection(order, today)
        if refusal is not None:
            return refusal
        parts = tuple(self._part(part, act.party, today) for part in order.parts)
        divided = CaseDivided(
            version=state.version + 1,
            body=state.lead,
            parts=tuple(Part(case=p.state.case, kind=p.state.matter.kind) for p in parts),
            citation=order.citation,
        )
        kinds = tuple(part.kind for part in order.parts)
        after = replace(state, divided=(*state.divided, *kinds), version=divided.version)
        return Division(Decision(after, ((divided, act.at),)), parts)

    def _objection(self, order: CaseSplit, today: date) -> Refusal | None:
        state, rules = self.case.state, self.rules
        if not state.open:
            return objections.already_concluded()
        if state.parent is not None:
            return objections.part_of_a_letter()
        there = {state.matter.kind, *state.divided}
        for place, part in enumerate(order.parts):
            if part.kind in there:
                return objections.kind_there(place, part.kind, rules.rulebook)
            there.add(part.kind)
            if part.category not in {None, *self._categories(today)}:
                return objections.unknown_category(place)
            unknown = unknown_concern(part.concerns, rules.directory, today)
            if unknown is not None:
                return objections.not_in_directory(f"/data/parts/{place}/concerns/{unknown}")
        return None

    def _categories(self, today: date) -> Iterator[str]:
        yield self.case.state.matter.category
        yield self.rules.rulebook.default_category
        yield from (rule.code for rule in self.rules.rulebook.categories if rule.in_force(today))

    def _part(self, part: SplitPart, body: str, today: date) -> OpenedCase:
        """Told as of the legal receipt of the letter, from which its terms count."""
        parent, rules = self.case.state, self.rules
        matter = self._matter(part)
        lead = assigned_at_opening(matter, rules, today, self.load, self.case.recused)
        said: list[CaseEvent] = [self._opened(part), lead]
        if set(matter.concerns) != {said[0].concerns}:  # type: ignore[attr-defined]
            said.append(CaseAmended(version=3, body=body, concerns=matter.concerns))
        clocks = self._clocks(matter)
        said += clocks_said(clocks, len(said) + 1, rules)
        state = CaseState(
            case=part_id(parent.case, part.kind),
            affair=parent.affair,
            lead=lead.lead,
            stage=Stage.ASSIGNED,
            version=len(said),
            received=parent.received,
            matter=matter,
            clocks=clocks,
            cooperating=lead.cooperating,
            past=self.case.recused,
            assigned=Grounds(lead.basis, lead.rule, lead.citation, lead.within_competence),
            weighed=weighed(rules, today),
            parent=parent.case,
        )
        return OpenedCase(state, tuple(self._event(state, data) for data in said))

    def _matter(self, part: SplitPart) -> Matter:
        """Whatever the letter concerns, each part of it may tell of."""
        whole = self.case.state.matter
        return replace(
            whole.naming(part.concerns), kind=part.kind, category=part.category or whole.category
        )

    def _opened(self, part: SplitPart) -> CaseOpened:
        return self.letter.model_copy(
            update={
                "version": 1,
                "kind": part.kind,
                "category": part.category or self.case.state.matter.category,
                "concerns": part.concerns[0] if part.concerns else self.letter.concerns,
                "parent": self.case.state.case,
            }
        )

    def _clocks(self, matter: Matter) -> tuple[Clock, ...]:
        """As of a letter of this kind; eligible is what the whole letter was."""
        if self.letter.eligibility != ELIGIBLE:
            return ()
        rules = self.rules
        return clocks_at_opening(
            matter.kind,
            self.case.state.received,
            rules.rulebook,
            rules.working_days,
            self.zone,
            versions=Versions(rules.rulebook_version, rules.calendar_version),
        )

    def _event(self, state: CaseState, data: CaseEvent) -> AnyEvent:
        """Its id is that of its place in the case, as nothing else begins this case."""
        shape = cast("type[AnyEvent]", Event[type(data)])  # type: ignore[misc]
        return shape(
            id=derived_id(state.case, data.TYPE, str(data.version)),
            source=SOURCE,
            type=data.TYPE,
            subject=state.case,
            time=state.received,
            recordedtime=self.at,
            correlationid=state.affair,
            causationid=self.cause,
            data=data,
        )
