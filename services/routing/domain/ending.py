"""How a case ends by its lead's word: answered, or withdrawn by who sent it.

A withdrawal ends a case only as the rulebook allows. Where the law wants it settled all the same,
it goes on as if nobody had withdrawn, and no second withdrawal and no pause holds it up.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo

from services.routing.domain import objections
from services.routing.domain.clocks import all_met
from services.routing.domain.command import Refusal
from services.routing.domain.decision import Act, Decision
from services.routing.domain.lifecycle import CONCLUSION, CaseState, GoesOn, Stage
from shared.contracts.case import CaseConcluded, CaseWithdrawn
from shared.contracts.order import CaseConclude, CaseWithdraw
from shared.contracts.rulebook import Rulebook, WithdrawalRule
from shared.contracts.vocabulary import Kind, Outcome


def concluded(
    state: CaseState, order: CaseConclude, at: datetime, zone: tzinfo
) -> tuple[CaseState, CaseConcluded]:
    """The case as it ends at this moment, and what is said of it."""
    said = CaseConcluded(
        version=state.version + 1,
        body=state.lead,
        outcome=order.outcome,
        in_time=all_met(state.clocks, CONCLUSION, at, zone),
        times=state.settled + 1,
        recovered=order.recovered,
        sanctions=order.sanctions,
    )
    after = replace(
        state,
        stage=Stage.CONCLUDED,
        accepted=state.accepted or at,
        concluded=at,
        settled=said.times,
        version=said.version,
    )
    return after, said


def withdrawal_rule(kind: Kind, rulebook: Rulebook, on: date) -> WithdrawalRule | None:
    """The rule for the kind on this local day; the first one decides."""
    fitting = (
        rule
        for rule in rulebook.withdrawals
        if rule.in_force(on) and (not rule.kinds or kind in rule.kinds)
    )
    return next(fitting, None)


def withdrawn(
    state: CaseState,
    order: CaseWithdraw,
    act: Act,
    rulebook: Rulebook,
    zone: tzinfo,
    *,
    skew: timedelta,
) -> Decision | Refusal:
    """The open case as its sender's withdrawal leaves it; `skew` is how far clocks may differ."""
    if state.accepted is not None and act.at < state.accepted:
        return objections.time_before_acceptance()
    if order.asked > act.at + skew:
        return objections.asked_after_act()
    if order.asked < state.received - skew:
        return objections.asked_before_receipt()
    if state.goes_on is not None:
        return objections.goes_on(state.goes_on.citation)
    rule = withdrawal_rule(state.matter.kind, rulebook, order.asked.astimezone(zone).date())
    if rule is None:
        return objections.no_withdrawal(rulebook)
    exception = next((e for e in rule.exceptions if e.code == order.goes_on), None)
    if order.goes_on is not None and exception is None:
        return objections.unknown_exception(rule)
    said = CaseWithdrawn(
        version=state.version + 1,
        body=state.lead,
        asked=order.asked,
        rule=rule.code,
        citation=exception.citation if exception else rule.citation,
        goes_on=order.goes_on,
    )
    told = replace(state, version=said.version)
    if exception is not None:
        reason = GoesOn(exception.code, exception.citation)
        return Decision(replace(told, goes_on=reason), ((said, act.at),))
    after, end = concluded(told, CaseConclude(outcome=Outcome.WITHDRAWN), act.at, zone)
    return Decision(after, ((said, act.at), (end, act.at)))
