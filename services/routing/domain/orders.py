"""What a body's order does to a case, and why it is refused where it is.

Only the lead gives orders, and only while nothing keeps it away from the case. Whatever an order
does, the case is weighed again: it never stays with, nor goes to, a body that may not touch it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo

from services.routing.domain import objections
from services.routing.domain.clocks import Clock, Versions, all_met, clocks_started
from services.routing.domain.command import CaseOrder, Refusal
from services.routing.domain.competence import NO_LOAD, is_competent
from services.routing.domain.decision import Act, Decision
from services.routing.domain.due import acts_settled
from services.routing.domain.ending import concluded, withdrawn
from services.routing.domain.lifecycle import CONCLUSION, CaseState, Stage
from services.routing.domain.matter import unknown_concern
from services.routing.domain.orders_on_terms import on_term
from services.routing.domain.reassessing import (
    Handing,
    barred,
    handed_on,
    reassessed,
    transferred,
)
from services.routing.domain.rules import RulesInForce
from shared.contracts.case import (
    Assigning,
    CaseAccepted,
    CaseAmended,
    CaseDeclined,
    CaseEvent,
    CaseFollowedUp,
    CaseRecommended,
    CaseReferred,
    CaseReopened,
    ClockStarted,
)
from shared.contracts.order import (
    CaseAccept,
    CaseAmend,
    CaseConclude,
    CaseDecline,
    CaseExtend,
    CaseFollowUp,
    CasePause,
    CaseRecommend,
    CaseRefer,
    CaseReopen,
    CaseResume,
    CaseTransfer,
    CaseWithdraw,
)
from shared.contracts.vocabulary import Outcome

SKEW = timedelta(minutes=5)
"""How far two clocks may differ: a body's ahead of the stream's, or behind who received it."""
ACCEPTANCE = frozenset({"accepted"})
"""What a clock rule names as its start where the acceptance starts it."""
HANDING_ON = (CaseAmend, CaseDecline, CaseReopen)
"""Orders after which competence may name another lead."""


def decide(
    state: CaseState,
    order: CaseOrder,
    act: Act,
    rules: RulesInForce,
    zone: tzinfo,
    *,
    load: Mapping[str, int] = NO_LOAD,
) -> Decision | Refusal:
    """What a party's order does to the case; `load` is the number of open cases by lead.

    Who does not lead the case is told so before anything else: its state is none of theirs.
    """
    today = act.recorded.astimezone(zone).date()
    refusal = may_not_order(state, act, rules, today, order.version)
    return refusal or _Taking(state, act, rules, zone, today, load).take(order)


def may_not_order(
    state: CaseState, act: Act, rules: RulesInForce, today: date, version: int | None
) -> Refusal | None:
    """Why a party gives no orders on the case, whatever they are; None where it may.

    `version` is that of the case which the party had before it, if it says so.
    """
    if act.party != state.lead:
        return objections.not_lead()
    for exclusion in barred(state, rules, today):
        if exclusion.body == act.party:
            return objections.concerned(exclusion.rule, rules.rulebook)
    return untimely(state, act, version)


def untimely(state: CaseState, act: Act, version: int | None) -> Refusal | None:
    """What is wrong with the moment of an order, or with the version that it was decided by."""
    if act.at > act.recorded + SKEW:
        return objections.time_in_future()
    if act.at < state.received - SKEW:
        return objections.time_before_receipt()
    if version not in {None, state.version}:
        return objections.version_conflict()
    return None


@dataclass(frozen=True, slots=True)
class _Taking:
    """One order on one case."""

    state: CaseState
    act: Act
    rules: RulesInForce
    zone: tzinfo
    today: date
    load: Mapping[str, int]

    def take(self, order: CaseOrder) -> Decision | Refusal:
        match order:
            case CaseAccept():
                return self._accept()
            case CaseConclude():
                return self._conclude(order)
            case CaseReopen():
                return self._reopen(order)
            case CaseFollowUp():
                return self._follow_up(order)
            case _ if not self.state.open:
                return objections.already_concluded()
            case CaseExtend() | CasePause() | CaseResume():
                return on_term(self.state, order, self.act, self.rules, self.zone)
            case CaseDecline() | CaseTransfer() | CaseRefer() | CaseWithdraw():
                return self._away(order)
            case CaseAmend():
                return self._amend(order)
            case CaseRecommend():
                return self._recommend(order)

    def _accept(self) -> Decision | Refusal:
        match self.state.stage:
            case Stage.ACCEPTED:
                return objections.already_accepted()
            case Stage.CONCLUDED:
                return objections.already_concluded()
            case Stage.ASSIGNED:
                accepted = CaseAccepted(version=self.state.version + 1, body=self.state.lead)
                after = replace(
                    self.state,
                    stage=Stage.ACCEPTED,
                    accepted=self.act.at,
                    version=accepted.version,
                )
                known = {clock.code for clock in self.state.clocks}
                return self._with_clocks(after, (accepted,), lambda clock: clock.code not in known)

    def _conclude(self, order: CaseConclude) -> Decision | Refusal:
        state, at = self.state, self.act.at
        match state.stage:
            case Stage.ASSIGNED:
                return objections.not_accepted()
            case Stage.CONCLUDED:
                return objections.already_concluded()
            case Stage.ACCEPTED:
                if state.accepted is not None and at < state.accepted:
                    return objections.time_before_acceptance()
                if order.outcome is Outcome.WITHDRAWN:
                    return objections.withdrawn_by_order()
                return self._said(*concluded(state, order, at, self.zone))

    def _reopen(self, order: CaseReopen) -> Decision | Refusal:
        """What ran is settled first; the terms that an acceptance starts begin anew."""
        if self.state.concluded is None:
            return objections.not_concluded()
        if self.act.at < self.state.concluded:
            return objections.time_before_conclusion()
        settled, said = acts_settled(self.state, self.zone)
        reopened = CaseReopened(
            version=settled.version + 1, body=settled.lead, citation=order.citation
        )
        after = replace(
            settled,
            stage=Stage.ACCEPTED,
            accepted=self.act.at,
            concluded=None,
            joined=None,
            version=reopened.version,
        )
        decision = self._with_clocks(after, (reopened,), lambda _: True)
        return self._weighed(replace(decision, said=(*said, *decision.said)), Assigning.RULES)

    def _away(
        self, order: CaseDecline | CaseTransfer | CaseRefer | CaseWithdraw
    ) -> Decision | Refusal:
        match order:
            case CaseWithdraw():
                book = self.rules.rulebook
                return withdrawn(self.state, order, self.act, book, self.zone, skew=SKEW)
            case CaseDecline():
                return self._decline(order)
            case CaseTransfer():
                return self._transfer(order)
            case CaseRefer():
                return self._refer(order)

    def _decline(self, order: CaseDecline) -> Decision | Refusal:
        directory = self.rules.directory
        if self.state.stage is Stage.ACCEPTED:
            return objections.accepted_stays()
        if self.state.lead in {directory.fallback_body, directory.outside_desk}:
            return objections.desk_stays()
        settled, said = acts_settled(self.state, self.zone)
        declined = CaseDeclined(
            version=settled.version + 1,
            body=settled.lead,
            ground=order.ground,
            citation=order.citation,
        )
        past = tuple(dict.fromkeys((*settled.past, settled.lead)))
        left = replace(settled, past=past, version=declined.version)
        handing = handed_on(left, self.rules, self.today, Assigning.DECLINE, self.load)
        return self._handed(handing, (*said, (declined, self.act.at)))

    def _transfer(self, order: CaseTransfer) -> Decision | Refusal:
        rules, matter = self.rules, self.state.matter
        if order.to == self.state.lead:
            return objections.leads_already()
        for exclusion in barred(self.state, rules, self.today):
            if exclusion.body == order.to:
                return objections.receiver_concerned(exclusion.rule, rules.rulebook)
        if not is_competent(order.to, matter, rules.directory, rules.rulebook, self.today):
            return objections.receiver_not_competent()
        settled, said = acts_settled(self.state, self.zone)
        handing = transferred(settled, order.to, order.citation, rules, self.today)
        return self._handed(handing, said)

    def _refer(self, order: CaseRefer) -> Decision | Refusal:
        state, at = self.state, self.act.at
        if state.accepted is not None and at < state.accepted:
            return objections.time_before_acceptance()
        referred = CaseReferred(
            version=state.version + 1,
            body=state.lead,
            way=order.way,
            citation=order.citation,
            in_time=all_met(state.clocks, CONCLUSION, at, self.zone),
        )
        after = replace(
            state,
            stage=Stage.CONCLUDED,
            accepted=state.accepted or at,
            concluded=at,
            version=referred.version,
        )
        return self._said(after, referred)

    def _recommend(self, order: CaseRecommend) -> Decision | Refusal:
        state = self.state
        if state.stage is not Stage.ACCEPTED:
            return objections.not_accepted()
        if not self.rules.directory.knows_unit(order.unit):
            return objections.unknown_unit()
        recommended = CaseRecommended(
            version=state.version + 1,
            body=state.lead,
            number=state.recommended + 1,
            unit=order.unit,
            citation=order.citation,
            due=order.due,
        )
        after = replace(state, recommended=recommended.number, version=recommended.version)
        return self._said(after, recommended)

    def _follow_up(self, order: CaseFollowUp) -> Decision | Refusal:
        state = self.state
        if order.number > state.recommended:
            return objections.unknown_recommendation()
        followed = CaseFollowedUp(
            version=state.version + 1,
            body=state.lead,
            number=order.number,
            following=order.following,
        )
        return self._said(replace(state, version=followed.version), followed)

    def _amend(self, order: CaseAmend) -> Decision | Refusal:
        """Accused who are named later move the case at once where its bodies are concerned."""
        matter = self.state.matter.naming(order.concerns)
        if matter == self.state.matter:
            return objections.named_already()
        unknown = unknown_concern(order.concerns, self.rules.directory, self.today)
        if unknown is not None:
            return objections.not_in_directory(f"/data/concerns/{unknown}")
        settled, said = acts_settled(self.state, self.zone)
        amended = CaseAmended(
            version=settled.version + 1, body=settled.lead, concerns=matter.concerns
        )
        after = replace(settled, matter=matter, version=amended.version)
        decision = Decision(after, (*said, (amended, self.act.at)))
        return self._weighed(decision, Assigning.CONCERNS)

    def _with_clocks(
        self, after: CaseState, said: tuple[CaseEvent, ...], wanted: Callable[[Clock], bool]
    ) -> Decision:
        """The same, with the terms that an acceptance at this moment starts."""
        rules, version = self.rules, after.version
        started = tuple(filter(wanted, self._started_by_acceptance()))
        clocks_said = tuple(
            ClockStarted(
                version=number,
                clock=clock.code,
                citation=clock.citation,
                started=clock.started,
                due=clock.due,
                rulebook=rules.rulebook_version,
                calendar=rules.calendar_version,
            )
            for number, clock in enumerate(started, start=version + 1)
        )
        after = replace(after, clocks=(*after.clocks, *started), version=version + len(started))
        return self._said(after, *said, *clocks_said)

    def _started_by_acceptance(self) -> tuple[Clock, ...]:
        """None for what was never eligible: no clock runs on it."""
        if not self.state.clocks:
            return ()
        return clocks_started(
            ACCEPTANCE,
            self.state.matter.kind,
            self.act.at,
            rulebook=self.rules.rulebook,
            working_days=self.rules.working_days,
            zone=self.zone,
            versions=Versions(self.rules.rulebook_version, self.rules.calendar_version),
        )

    def _weighed(self, decision: Decision, why: Assigning) -> Decision:
        found = reassessed(decision.after, self.rules, self.today, why, load=self.load)
        if isinstance(found, CaseState):
            return replace(decision, after=found)
        return self._handed(found, decision.said)

    def _handed(self, handing: Handing, said: tuple[tuple[CaseEvent, datetime], ...]) -> Decision:
        return Decision(handing.state, (*said, (handing.said, self.act.at)))

    def _said(self, after: CaseState, *said: CaseEvent) -> Decision:
        return Decision(after, tuple((each, self.act.at) for each in said))
