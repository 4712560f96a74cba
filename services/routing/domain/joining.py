"""How a duplicate is closed: another case of the same body goes on with what both concern.

Two cases are written, the standing one first. A crash between the two leaves a case that concerns
more than it need, never one that was closed while nobody took over whom it concerns.
"""

from dataclasses import dataclass, replace
from datetime import date, tzinfo

from services.routing.domain import objections
from services.routing.domain.command import Refusal
from services.routing.domain.decision import Act, Decision
from services.routing.domain.due import acts_settled
from services.routing.domain.lifecycle import CaseState, KeptCase, Stage
from services.routing.domain.orders import SKEW, may_not_order
from services.routing.domain.reassessing import Handing, barred, reassessed
from services.routing.domain.rules import RulesInForce
from shared.contracts.case import Assigning, CaseAmended, CaseJoined, CaseOpened
from shared.contracts.order import CaseJoin
from shared.contracts.submission import ELIGIBLE


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two cases, with its own opening."""

    case: KeptCase
    letter: CaseOpened


@dataclass(frozen=True, slots=True)
class Joining:
    """One order to join. `standing` is None where no such case is known."""

    order: CaseJoin
    act: Act
    duplicate: Side
    standing: Side | None
    rules: RulesInForce
    zone: tzinfo

    @property
    def today(self) -> date:
        return self.act.recorded.astimezone(self.zone).date()

    def take_over(self) -> Decision | Refusal:
        """What the standing case takes over; refused where either case cannot be joined."""
        refusal = self.may_not_close(self.order.version) or self._may_not_stand()
        if refusal is not None:
            return refusal
        assert self.standing is not None  # noqa: S101 - `_may_not_stand` asked
        duplicate, state = self.duplicate.case, self.standing.case.state
        matter = state.matter.taking_over(duplicate.state.matter)
        settled, said = acts_settled(state, self.zone)
        amended = CaseAmended(
            version=settled.version + 1,
            body=settled.lead,
            concerns=matter.concerns,
            taken_from=duplicate.state.case,
        )
        past = tuple(dict.fromkeys((*settled.past, *duplicate.recused)))
        after = replace(settled, matter=matter, past=past, version=amended.version)
        said = (*said, (amended, self.act.at))
        found = reassessed(after, self.rules, self.today, Assigning.CONCERNS)
        if isinstance(found, Handing):
            return Decision(found.state, (*said, (found.said, self.act.at)))
        return Decision(found, said)

    def may_not_close(self, version: int | None = None) -> Refusal | None:
        """Why the duplicate stays open; asked once more after the standing case was written.

        Then no longer by version: what the clocks said meanwhile does not undo half an order.
        """
        state, at = self.duplicate.case.state, self.act.at
        refusal = may_not_order(state, self.act, self.rules, self.today, version)
        if refusal is not None:
            return refusal
        if not state.open:
            return objections.already_concluded()
        if state.accepted is not None and at < state.accepted:
            return objections.time_before_acceptance()
        return None

    def close(self) -> Decision:
        """The duplicate, closed: its clocks stop as at any conclusion."""
        state, at = self.duplicate.case.state, self.act.at
        joined = CaseJoined(
            version=state.version + 1,
            body=state.lead,
            into=self.order.into,
            citation=self.order.citation,
        )
        after: CaseState = replace(
            state,
            stage=Stage.CONCLUDED,
            accepted=state.accepted or at,
            concluded=at,
            joined=joined.into,
            version=joined.version,
        )
        return Decision(after, ((joined, at),))

    def _may_not_stand(self) -> Refusal | None:
        if self.order.into == self.duplicate.case.state.case:
            return objections.joins_itself()
        if self.standing is None or self.standing.case.state.lead != self.act.party:
            return objections.standing_not_led()
        state = self.standing.case.state
        for exclusion in barred(state, self.rules, self.today):
            if exclusion.body == self.act.party:
                return objections.standing_concerned(exclusion.rule, self.rules.rulebook)
        if not state.open:
            return objections.standing_concluded()
        if self.act.at < state.received - SKEW:
            return objections.time_before_receipt()
        return self._letters_differ()

    def _letters_differ(self) -> Refusal | None:
        assert self.standing is not None  # noqa: S101 - `_may_not_stand` asked
        ours, theirs = self.duplicate.letter, self.standing.letter
        if ours.submission == theirs.submission:
            return objections.same_letter()
        if ours.eligibility == ELIGIBLE != theirs.eligibility:
            return objections.standing_not_eligible()
        return None
