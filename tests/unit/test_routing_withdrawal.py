"""Promises of a withdrawal: it ends a case by rule alone, and where it is in vain, nothing stops."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.routing.domain.clocks import Standing
from services.routing.domain.command import Refusal
from services.routing.domain.decision import Act, Decision
from services.routing.domain.due import tick
from services.routing.domain.lifecycle import CaseState, GoesOn, Stage
from services.routing.domain.opening import open_case
from services.routing.domain.orders import decide
from shared.contracts.case import CaseConcluded, CaseWithdrawn, Ground
from shared.contracts.order import (
    CaseAccept,
    CaseConclude,
    CaseDecline,
    CaseExtend,
    CasePause,
    CaseReopen,
    CaseResume,
    CaseWithdraw,
)
from shared.contracts.rulebook import DayKind, WithdrawalException, WithdrawalRule
from shared.contracts.vocabulary import Kind, Outcome
from tests.examples_routing import (
    LONG_AGO,
    NOON,
    REGULATION,
    TODAY,
    ZONE,
    clock_rule,
    label,
    rulebook,
    rules_in_force,
    submission_received,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SIGNS = WithdrawalException(code="signs", label=label("Dấu hiệu"), citation="Luật Tố cáo, Điều 33")
THREAT = WithdrawalException(code="threat", label=label("Đe dọa"), citation="Luật Tố cáo, Điều 33b")


def withdrawal(code: str = "taken-back", **more) -> WithdrawalRule:
    content = {"citation": "Luật Tố cáo", "issued": LONG_AGO, "effective_from": LONG_AGO}
    return WithdrawalRule(code=code, label=label("Rút đơn"), **{**content, **more})


OF_DENUNCIATIONS = withdrawal(kinds=(Kind.DENUNCIATION,), exceptions=(SIGNS, THREAT))
OF_COMPLAINTS = withdrawal("complaints", kinds=(Kind.COMPLAINT,), citation="Luật Khiếu nại")
BOOK = rulebook(
    clocks=(
        clock_rule("answer", days=9, longest=60, may_pause=True, day_kind=DayKind.CALENDAR),
        clock_rule("acknowledge", starts="received", stops="accepted", days=3),
        clock_rule("again", starts="accepted", days=5, longest=60, may_pause=True),
    ),
    withdrawals=(OF_DENUNCIATIONS, OF_COMPLAINTS),
)
RULES = rules_in_force(rulebook=BOOK)


def opened(kind: Kind = Kind.DENUNCIATION, rules=RULES) -> CaseState:
    return open_case(submission_received(kind=kind), rules, ZONE, NOON).state


def withdraw(goes_on: str | None = None, asked=NOON + HOUR) -> CaseWithdraw:
    return CaseWithdraw(asked=asked, goes_on=goes_on)


def act(state, order, *, at=NOON + 2 * HOUR, rules=RULES, party=None):
    return decide(state, order, Act(party or state.lead, at, at), rules, ZONE)


def after(state: CaseState, *orders) -> CaseState:
    for order in orders:
        found = act(state, order)
        assert isinstance(found, Decision), found
        state = found.after
    return state


def refused(*arguments, **more) -> Refusal:
    found = act(*arguments, **more)
    assert isinstance(found, Refusal)
    return found


class TestWithoutAnException:
    @pytest.mark.parametrize("before", [(), (CaseAccept(),)])
    def test_the_case_is_concluded_as_withdrawn(self, before):
        found = act(after(opened(), *before), withdraw())

        (said, _), (end, at) = found.said
        assert isinstance(said, CaseWithdrawn)
        assert (said.rule, said.citation, said.goes_on) == ("taken-back", "Luật Tố cáo", None)
        assert isinstance(end, CaseConcluded)
        assert (end.outcome, end.version, at) == (
            Outcome.WITHDRAWN,
            said.version + 1,
            NOON + 2 * HOUR,
        )
        assert found.after.stage is Stage.CONCLUDED
        assert found.after.version == end.version

    def test_it_says_when_the_sender_asked(self):
        (said, _), _ = act(opened(), withdraw(asked=NOON + HOUR)).said

        assert said.asked == NOON + HOUR

    def test_every_term_stops_at_the_end(self):
        state = after(opened(), CaseAccept(), withdraw())

        ended = tick(state, RULES, ZONE, NOON + 90 * DAY).after

        assert {clock.standing for clock in ended.clocks} == {Standing.MET}

    def test_after_the_last_day_it_is_late(self):
        late = NOON + 20 * DAY

        _, (end, _) = act(opened(), withdraw(), at=late).said

        assert not end.in_time

    def test_a_withdrawn_case_may_be_taken_up_again(self):
        state = after(opened(), withdraw(), CaseReopen(citation=REGULATION))

        assert state.open
        assert after(state, withdraw()).settled == 2


class TestWithAnException:
    def test_the_case_goes_on_as_it_was(self):
        state = after(opened(), CaseAccept())

        found = act(state, withdraw("threat"))

        [(said, _)] = found.said
        assert (said.goes_on, said.citation) == ("threat", THREAT.citation)
        goes_on = GoesOn("threat", THREAT.citation)
        assert found.after == replace(state, goes_on=goes_on, version=state.version + 1)

    def test_no_second_withdrawal_ends_it(self):
        state = after(opened(), withdraw("signs"))

        for goes_on in (None, "signs", "threat"):
            refusal = refused(state, withdraw(goes_on))
            assert refusal.problem == "goes-on"
            assert SIGNS.citation in refusal.problems[0].advice

    def test_no_pause_holds_it_up(self):
        state = after(opened(), CaseAccept(), withdraw("signs"))

        refusal = refused(state, CasePause(clock="answer", citation=REGULATION))

        assert refusal.problem == "goes-on"
        assert SIGNS.citation in refusal.problems[0].advice

    def test_a_pause_that_stands_may_end(self):
        pause = CasePause(clock="answer", citation=REGULATION)
        state = after(opened(), CaseAccept(), pause, withdraw("signs"))

        assert isinstance(act(state, CaseResume(clock="answer"), at=NOON + DAY), Decision)

    def test_it_stays_so_in_other_hands(self):
        decline = CaseDecline(ground=Ground.NOT_COMPETENT, citation=REGULATION)
        state = after(opened(), withdraw("signs"), decline)

        assert refused(state, withdraw()).problem == "goes-on"

    @pytest.mark.parametrize("goes_on", ["other", "taken-back"])
    def test_one_that_the_rule_does_not_have_is_refused(self, goes_on):
        refusal = refused(opened(), withdraw(goes_on))

        [problem] = refusal.problems
        assert (refusal.problem, problem.field) == ("unknown-exception", "/data/goes_on")
        assert "Luật Tố cáo: give one of its exceptions (signs, threat)" in problem.advice

    def test_a_kind_without_exceptions_has_none(self):
        refusal = refused(opened(Kind.COMPLAINT), withdraw("signs"))

        assert refusal.problem == "unknown-exception"


class TestRefused:
    def test_where_no_rule_is_for_the_kind(self):
        refusal = refused(opened(Kind.REFLECTION), withdraw())

        assert refusal.problem == "no-withdrawal"
        assert "Luật Tố cáo; Luật Khiếu nại" in refusal.problems[0].advice

    @pytest.mark.parametrize(
        ("more", "allowed"),
        [
            ({"effective_from": TODAY}, True),
            ({"effective_from": TODAY + DAY}, False),
            ({"effective_to": TODAY}, False),
            ({"effective_to": TODAY + DAY}, True),
        ],
    )
    def test_by_the_rule_of_the_local_day_on_which_the_sender_asked(self, more, allowed):
        book = BOOK.model_copy(update={"withdrawals": (withdrawal(**more),)})
        rules = rules_in_force(rulebook=book)

        found = act(opened(rules=rules), withdraw(), at=NOON + 3 * DAY, rules=rules)

        assert isinstance(found, Decision) is allowed

    @pytest.mark.parametrize(
        ("asked", "problem"),
        [
            (NOON - HOUR, "asked-before-receipt"),
            (NOON + 3 * HOUR, "asked-after-act"),
        ],
    )
    def test_when_the_sender_asked_lies_between_receipt_and_order(self, asked, problem):
        refusal = refused(opened(), withdraw(asked=asked))

        assert (refusal.problem, refusal.problems[0].field) == (problem, "/data/asked")

    def test_an_order_of_before_the_acceptance(self):
        state = after(opened(), CaseAccept())

        refusal = refused(state, withdraw(asked=NOON), at=NOON + HOUR)

        assert refusal.problem == "time-before-acceptance"

    def test_of_a_concluded_case(self):
        state = after(opened(), CaseAccept(), CaseConclude(outcome=Outcome.RIGHT))

        assert refused(state, withdraw()).problem == "already-concluded"

    def test_by_who_does_not_lead(self):
        assert refused(opened(), withdraw(), party="inspectorate").problem == "not-lead"

    def test_a_conclusion_as_withdrawn(self):
        """One way leads to that end."""
        state = after(opened(), CaseAccept())

        refusal = refused(state, CaseConclude(outcome=Outcome.WITHDRAWN))

        assert refusal.problem == "withdrawn-by-order"
        assert "case.withdraw.v1" in refusal.problems[0].advice


ORDERS = st.one_of(
    st.just(CaseAccept()),
    st.sampled_from(Outcome).map(lambda outcome: CaseConclude(outcome=outcome)),
    st.just(CaseReopen(citation=REGULATION)),
    st.just(CaseDecline(ground=Ground.NOT_COMPETENT, citation=REGULATION)),
    st.sampled_from(("answer", "again")).map(lambda c: CasePause(clock=c, citation=REGULATION)),
    st.sampled_from(("answer", "again")).map(lambda c: CaseResume(clock=c)),
    st.just(CaseExtend(clock="answer", days=2, citation=REGULATION)),
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from((0, 1, 3)),
        st.one_of(ORDERS, st.sampled_from((None, None, "signs", "threat", "none"))),
    ),
    max_size=14,
)
"""Days that pass, then an order, or a withdrawal with this exception."""


@settings(max_examples=300)
@given(st.sampled_from(Kind), STEPS)
def test_whatever_happens_a_withdrawal_ends_a_case_or_changes_nothing_but_its_word(kind, steps):
    state, at, vain = opened(kind), NOON, False
    for days, step in steps:
        at += days * DAY + HOUR
        state = tick(state, RULES, ZONE, at).after
        order = withdraw(step, at) if step is None or isinstance(step, str) else step
        before, found = state, act(state, order, at=at)
        if isinstance(found, Refusal):
            if isinstance(order, CaseWithdraw) and before.open and not vain:
                known = {Kind.DENUNCIATION: {None, "signs", "threat"}, Kind.COMPLAINT: {None}}
                assert order.goes_on not in known.get(kind, set())
            continue
        state = found.after
        versions = [data.version for data, _ in found.said]
        assert versions == list(range(before.version + 1, state.version + 1))
        if isinstance(order, CaseWithdraw):
            assert before.open
            assert not vain
            assert kind in {Kind.DENUNCIATION, Kind.COMPLAINT}
            assert state.clocks == before.clocks
            assert state.bodies == before.bodies
            assert state.open is (order.goes_on is not None)
            vain = order.goes_on is not None
        ended = [data for data, _ in found.said if isinstance(data, CaseConcluded)]
        assert all(
            (data.outcome is Outcome.WITHDRAWN) is isinstance(order, CaseWithdraw) for data in ended
        )
        assert not (vain and isinstance(order, CasePause))
        assert (state.goes_on is not None) is vain


def test_a_rule_that_ends_gives_way_to_the_next():
    ends = date(2026, 3, 11)
    first = withdrawal("old", effective_to=ends, exceptions=(SIGNS,))
    book = BOOK.model_copy(update={"withdrawals": (first, withdrawal("new", effective_from=ends))})
    rules = rules_in_force(rulebook=book)
    late = NOON + 5 * DAY

    said = [
        act(opened(rules=rules), withdraw(asked=asked), at=late, rules=rules).said[0][0].rule
        for asked in (NOON + HOUR, NOON + DAY)
    ]

    assert said == ["old", "new"]
