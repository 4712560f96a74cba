"""Promises of a case's life: only its lead moves it, step by step."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain.clocks import Clock
from services.routing.domain.command import CaseOrder, Refusal
from services.routing.domain.decision import Act
from services.routing.domain.lifecycle import CaseState, Stage, Weighed
from services.routing.domain.orders import decide
from shared.contracts.case import CaseAccepted, CaseConcluded
from shared.contracts.order import CaseAccept, CaseConclude
from shared.contracts.vocabulary import Outcome
from tests.examples_routing import NOON, ZONE, matter, rules_in_force

HOUR = timedelta(hours=1)
ACCEPT = CaseAccept()
CONCLUDE = CaseConclude(outcome=Outcome.PARTLY_RIGHT)

CLOCK = Clock(
    code="answer",
    citation="Điều 8",
    stops="concluded",
    started=NOON,
    due=date(2026, 3, 20),
    covered=True,
)
ASSIGNED = CaseState(
    case="case-1",
    affair="affair-1",
    lead="ward-front",
    stage=Stage.ASSIGNED,
    version=3,
    received=NOON,
    matter=matter(),
    clocks=(CLOCK,),
    weighed=Weighed(3, 5),
)
RULES = rules_in_force()
ACCEPTED = replace(ASSIGNED, stage=Stage.ACCEPTED, version=4, accepted=NOON + HOUR)
CONCLUDED = replace(ACCEPTED, stage=Stage.CONCLUDED, version=5, concluded=NOON + 2 * HOUR)


def decision(
    state: CaseState,
    order: CaseOrder,
    *,
    party: str = "ward-front",
    at: datetime = NOON + 2 * HOUR,
    recorded: datetime | None = None,
):
    return decide(state, order, Act(party, at, recorded or at), RULES, ZONE)


def decided(*arguments, **more):
    """What is said first, or the refusal."""
    found = decision(*arguments, **more)
    return found if isinstance(found, Refusal) else found.said[0][0]


def refused(*arguments, **more) -> str:
    found = decided(*arguments, **more)
    assert isinstance(found, Refusal)
    return found.problem


class TestAccept:
    def test_of_the_lead_is_taken(self):
        assert decided(ASSIGNED, ACCEPT) == CaseAccepted(version=4, body="ward-front")

    def test_of_another_body_is_refused(self):
        assert refused(ASSIGNED, ACCEPT, party="province-front") == "not-lead"

    def test_a_second_time_is_refused(self):
        assert refused(ACCEPTED, ACCEPT) == "already-accepted"

    def test_of_a_concluded_case_is_refused(self):
        assert refused(CONCLUDED, ACCEPT) == "already-concluded"


class TestConclude:
    def test_of_an_accepted_case_is_taken(self):
        assert decided(ACCEPTED, CONCLUDE) == CaseConcluded(
            version=5, body="ward-front", outcome=Outcome.PARTLY_RIGHT, in_time=True
        )

    def test_what_it_recovered_and_proposed_is_announced(self):
        order = CaseConclude(outcome=Outcome.RIGHT, recovered=15_000_000, sanctions=2)

        concluded = decided(ACCEPTED, order)

        assert (concluded.recovered, concluded.sanctions) == (15_000_000, 2)

    def test_before_acceptance_is_refused(self):
        assert refused(ASSIGNED, CONCLUDE) == "not-accepted"

    def test_a_second_time_is_refused(self):
        assert refused(CONCLUDED, CONCLUDE) == "already-concluded"

    def test_of_another_body_is_refused(self):
        assert refused(ACCEPTED, CONCLUDE, party="province-front") == "not-lead"

    def test_on_the_last_day_is_in_time(self):
        at = datetime(2026, 3, 20, 23, 59, tzinfo=ZONE)

        assert decided(ACCEPTED, CONCLUDE, at=at).in_time

    def test_after_the_last_day_is_late(self):
        at = datetime(2026, 3, 21, 0, 0, tzinfo=ZONE)

        assert not decided(ACCEPTED, CONCLUDE, at=at).in_time

    def test_without_a_clock_is_in_time(self):
        assert decided(replace(ACCEPTED, clocks=()), CONCLUDE).in_time

    def test_earlier_than_the_acceptance_is_refused(self):
        assert refused(ACCEPTED, CONCLUDE, at=NOON + HOUR / 2) == "time-before-acceptance"


class TestTime:
    def test_before_the_receipt_is_refused(self):
        assert refused(ASSIGNED, ACCEPT, at=NOON - HOUR) == "time-before-receipt"

    def test_at_the_receipt_is_taken(self):
        assert isinstance(decided(ASSIGNED, ACCEPT, at=NOON), CaseAccepted)

    @pytest.mark.parametrize("ahead", [timedelta(0), timedelta(minutes=5)])
    def test_a_little_ahead_of_the_stream_is_taken(self, ahead):
        found = decided(ASSIGNED, ACCEPT, at=NOON + ahead, recorded=NOON)

        assert isinstance(found, CaseAccepted)

    def test_far_ahead_of_the_stream_is_refused(self):
        ahead = timedelta(minutes=5, microseconds=1)

        assert refused(ASSIGNED, ACCEPT, at=NOON + ahead, recorded=NOON) == "time-in-future"

    def test_of_another_body_is_not_looked_at(self):
        assert refused(ASSIGNED, ACCEPT, party="x", at=NOON - HOUR) == "not-lead"


def test_every_refusal_names_a_field_with_advice():
    found = decided(ASSIGNED, CONCLUDE)

    [problem] = found.problems
    assert (problem.field, problem.rule) == ("/subject", "not-accepted")
    assert "case.accept.v1" in problem.advice


ORDERS = st.tuples(
    st.sampled_from([ACCEPT, CONCLUDE]),
    st.sampled_from(["ward-front", "province-front"]),
    st.integers(-2, 20).map(lambda hours: NOON + hours * HOUR),
)


@given(st.lists(ORDERS, max_size=12))
def test_whatever_is_ordered_the_versions_have_no_gap(orders):
    state, versions = ASSIGNED, [ASSIGNED.version]
    for order, party, at in orders:
        found = decision(state, order, party=party, at=at)
        if not isinstance(found, Refusal):
            state = found.after
            versions += [data.version for data, _ in found.said]

    assert versions == list(range(3, 3 + len(versions)))
    assert len(versions) <= 3
