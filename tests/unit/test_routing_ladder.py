"""Promises of the ladder: whoever was sent for and does not act either has the next one above."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain.calendar import WorkingDays
from services.routing.domain.clocks import Versions
from services.routing.domain.decision import Act, Decision
from services.routing.domain.due import next_look, oldest_count, tick
from services.routing.domain.lifecycle import CaseState
from services.routing.domain.opening import open_case
from services.routing.domain.orders import decide
from services.routing.domain.rules import RulesInForce
from shared.contracts.case import Assigning, CaseAssigned, Ground
from shared.contracts.order import CaseAccept, CaseConclude, CaseDecline
from shared.contracts.rulebook import DayKind, Holiday
from shared.contracts.vocabulary import Concern, Outcome
from tests.examples_routing import (
    BODIES,
    NOON,
    REGULATION,
    ZONE,
    body,
    calendar,
    clock_rule,
    index,
    label,
    rulebook,
    rules_in_force,
    submission_received,
)
from tests.walks_routing import escalation

DAY = timedelta(days=1)
SCHOOL, WARD, PROVINCE, DESK = "school-front", "ward-front", "province-front", "desk"
DIRECTORY = index(
    bodies=(*BODIES, body(SCHOOL, "school"), body(DESK, "province", jurisdictions=())),
    fallback_body=DESK,
)
TAKE = clock_rule("take", stops="accepted", days=3)
MISSED = date(2026, 3, 14)
"""Saturday: the term of three working days ended on Friday the 13th."""
CLIMBING: dict[str, Any] = {"again_after": 2}


def rules(*, takes_over: bool = True, **more: Any) -> RulesInForce:
    content = {**CLIMBING, **more}
    rule = escalation("take", takes_over=takes_over, **content)
    book = rulebook(clocks=(TAKE,), escalations=(rule,))
    return rules_in_force(directory=DIRECTORY, rulebook=book)


def opened(there: RulesInForce, **more: Any) -> CaseState:
    about = {"concerns": Concern(unit="school"), **more}
    return open_case(submission_received(**about), there, ZONE, NOON).state


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), ZONE)


def swept(state: CaseState, there: RulesInForce, day: date) -> CaseState:
    return tick(state, there, ZONE, noon(day)).after


def lived(state: CaseState, there: RulesInForce, until: date) -> dict[date, tuple[str, ...]]:
    """By day: the bodies that hold it once it was swept, where they changed."""
    found: dict[date, tuple[str, ...]] = {}
    day = NOON.date()
    while day <= until:
        before = state.bodies
        state = swept(state, there, day)
        if state.bodies != before:
            found[day] = state.bodies
        day += DAY
    return found


def ordered(state: CaseState, order: Any, there: RulesInForce, day: date) -> CaseState:
    decision = decide(state, order, Act(state.lead, noon(day), noon(day)), there, ZONE)
    assert isinstance(decision, Decision), decision
    return decision.after


def test_each_rung_that_lets_it_lie_is_followed_by_the_next():
    there = rules()

    assert lived(opened(there), there, date(2026, 6, 1)) == {
        MISSED: (WARD,),
        date(2026, 3, 18): (PROVINCE,),  # Monday and Tuesday were the ward's
        date(2026, 3, 21): (DESK,),  # Thursday and Friday were the province's
    }


def test_those_who_only_urge_are_joined_by_the_next():
    there = rules(takes_over=False)

    assert list(lived(opened(there), there, date(2026, 6, 1)).values()) == [
        (SCHOOL, WARD),
        (SCHOOL, WARD, PROVINCE),
        (SCHOOL, WARD, PROVINCE, DESK),
    ]


def test_days_of_a_rung_may_be_those_of_the_calendar():
    there = rules(day_kind=DayKind.CALENDAR)

    assert list(lived(opened(there), there, date(2026, 6, 1))) == [
        MISSED,
        date(2026, 3, 17),
        date(2026, 3, 20),
    ]


def test_without_a_term_for_it_the_ladder_has_one_step():
    there = rules(again_after=None)

    assert lived(opened(there), there, date(2026, 6, 1)) == {MISSED: (WARD,)}


def test_the_desk_has_nobody_above_it():
    there = rules()
    state = opened(there)
    for day in (MISSED, date(2026, 3, 18), date(2026, 3, 21)):
        state = swept(state, there, day)

    assert state.lead == DESK
    assert next_look(state) is None


def test_past_anyone_who_is_excluded():
    there = rules()
    state = opened(there)
    state = replace(state, matter=state.matter.naming([Concern(office="ward-chair")]))

    assert list(lived(state, there, date(2026, 6, 1)).values()) == [(PROVINCE,), (DESK,)]


def test_who_takes_it_up_in_time_is_followed_by_nobody():
    there = rules()
    state = ordered(swept(opened(there), there, MISSED), CaseAccept(), there, date(2026, 3, 17))

    assert lived(state, there, date(2026, 6, 1)) == {}


def test_what_is_concluded_climbs_no_more():
    there = rules(takes_over=False)
    state = swept(opened(there), there, MISSED)
    for order in (CaseAccept(), CaseConclude(outcome=Outcome.RIGHT)):
        state = ordered(state, order, there, date(2026, 3, 16))

    assert lived(state, there, date(2026, 6, 1)) == {}


def test_no_handing_over_makes_a_rung_longer():
    there = rules()
    decline = CaseDecline(ground=Ground.NOT_COMPETENT, citation=REGULATION)
    state = ordered(swept(opened(there), there, MISSED), decline, there, date(2026, 3, 17))
    assert state.lead == PROVINCE

    assert lived(state, there, date(2026, 6, 1)) == {date(2026, 3, 18): (DESK,)}


def test_a_sweep_that_was_away_leaves_each_body_its_time():
    there = rules()
    late = date(2026, 5, 25)  # a Monday
    state = swept(opened(there), there, late)
    assert state.lead == WARD
    state = swept(state, there, late)

    assert swept(state, there, late + 2 * DAY).lead == WARD
    assert swept(state, there, late + 3 * DAY).lead == PROVINCE


def test_each_step_says_that_it_escalates_and_cites_why():
    there = rules()
    state = swept(opened(there), there, MISSED)

    [event] = tick(state, there, ZONE, noon(date(2026, 3, 18))).events

    assert isinstance(event.data, CaseAssigned)
    assert (event.data.why, event.data.lead_before) == (Assigning.ESCALATION, WARD)
    assert (event.data.rule, event.data.citation) == ("take-escalates", REGULATION)


def test_a_new_calendar_counts_a_rung_again():
    there = rules()
    state = swept(opened(there), there, MISSED)
    off = Holiday(day=date(2026, 3, 17), name=label("Nghỉ"))
    table = calendar(holidays=(*calendar().holidays, off))
    news = replace(there, working_days=WorkingDays(table), calendar_version=8)

    moved = swept(state, news, date(2026, 3, 16))

    assert oldest_count(state).calendar == 7
    assert oldest_count(moved).calendar == 8
    assert swept(moved, news, date(2026, 3, 18)).lead == WARD
    assert swept(moved, news, date(2026, 3, 19)).lead == PROVINCE


@pytest.mark.parametrize("gone", [{"again_after": None}, {"effective_to": date(2026, 3, 16)}])
def test_a_rule_that_climbs_no_more_leaves_the_case_where_it_is(gone):
    there = rules()
    state = swept(opened(there), there, MISSED)
    news = replace(rules(**gone), rulebook_version=6)

    assert lived(state, news, date(2026, 6, 1)) == {}
    assert next_look(swept(state, news, date(2026, 6, 1))) is None


def test_a_rule_that_ends_by_its_own_day_is_looked_at_once_more():
    there = rules(effective_to=date(2026, 3, 16))
    state = swept(opened(there), there, MISSED)

    left = swept(state, there, date(2026, 3, 18))

    assert left.lead == WARD
    assert next_look(left) is None


def test_who_leads_since_this_very_day_has_the_time_of_a_rung():
    """The school's own body is gone when the term is found missed: its heir is not to blame."""
    there = rules()
    state = opened(there)
    ended = body(SCHOOL, "school", valid_to=MISSED)
    heirs = index(bodies=(*BODIES, ended, body(DESK, "province", jurisdictions=())),
                  fallback_body=DESK)  # fmt: skip
    news = replace(there, directory=heirs, directory_version=4)

    assert list(lived(state, news, date(2026, 3, 20)).items()) == [
        (MISSED, (WARD,)),
        (date(2026, 3, 18), (PROVINCE,)),
    ]


@given(
    st.booleans(),
    st.sampled_from([None, 1, 2, 7]),
    st.sampled_from(DayKind),
    st.lists(st.integers(0, 12), max_size=25),
)
def test_a_case_that_was_looked_at_waits_for_a_later_day(takes_over, again_after, kind, waits):
    """Else a sweep would find it for ever; and no body comes in twice."""
    there = rules(takes_over=takes_over, again_after=again_after, day_kind=kind)
    state, day = opened(there), NOON.date()
    for wait in waits:
        day += wait * DAY
        state = swept(state, there, day)

        look = next_look(state)
        assert look is None or look > day
        assert oldest_count(state) in {None, Versions(5, 7)}
        assert tick(state, there, ZONE, noon(day)).events == ()
        assert len(set(state.bodies)) == len(state.bodies)
