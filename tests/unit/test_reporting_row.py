"""Promises of the rows: order and repetition of events leave no trace in them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.domain.change import change
from services.reporting.domain.facet import Laid, Table, laid
from shared.contracts import CaseAccept, ClockRestated
from shared.contracts.case import Restating, case_id
from tests.examples_reporting import (
    END,
    LAST_DAY,
    WITHIN,
    activity_recorded,
    case_accepted,
    case_assigned,
    case_concluded,
    case_opened,
    case_row,
    channel_announced,
    clock_started,
    event,
    submission_received,
)

LIFE = (
    submission_received(),
    case_opened(),
    case_assigned(),
    clock_started(),
    clock_started(clock="take-up", version=4),
    clock_started(due=LAST_DAY + timedelta(days=3), version=7),
    case_accepted(version=5),
    case_concluded(version=6),
    activity_recorded(),
    channel_announced(),
)


def rows(events):
    rows = laid(change(each) for each in events)
    return {key: row.facets for key, row in rows.items()}


@st.composite
def tellings(draw):
    """Every event of LIFE at least once, in any order, some again."""
    again = draw(st.lists(st.sampled_from(LIFE), max_size=8))
    return draw(st.permutations([*LIFE, *again]))


@given(tellings())
def test_any_order_and_repetition_gives_the_same_rows(told):
    assert rows(told) == rows(LIFE)


@given(tellings(), st.integers(1, 9))
def test_batches_give_what_one_batch_gives(told, size):
    merged = {}
    for start in range(0, len(told), size):
        for key, row in laid(change(each) for each in told[start : start + size]).items():
            whole = merged.setdefault(key, Laid())
            for place, facet in row.all:
                whole.lay(place, facet)

    assert merged == laid(change(each) for each in LIFE)


def test_a_submission_fills_the_row_of_its_case():
    told = change(submission_received("s9"))

    assert (told.table, told.key, told.facet) == (Table.CASE, case_id("s9"), "submission")


@pytest.mark.parametrize("order", [1, -1])
def test_an_older_version_never_overwrites_a_newer(order):
    events = [clock_started(version=3), clock_started(version=7, due=LAST_DAY + timedelta(days=3))]

    row = case_row(*events[::order])

    assert row.due == {"answer": LAST_DAY + timedelta(days=3)}


@pytest.mark.parametrize("order", [1, -1])
def test_a_restated_last_day_takes_the_place_of_the_first(order):
    later = LAST_DAY + timedelta(days=1)
    restated = ClockRestated(
        version=4,
        clock="answer",
        citation="Điều 8",
        due_before=LAST_DAY,
        due=later,
        why=Restating.CALENDAR,
        rulebook_before=1,
        rulebook=1,
        calendar_before=1,
        calendar=2,
    )
    events = [clock_started(), event(restated, about=case_id("s1"))]

    assert case_row(*events[::order]).due == {"answer": later}


def test_clocks_of_one_case_stand_side_by_side():
    row = case_row(clock_started(), clock_started(clock="take-up", version=4))

    assert row.due == {"answer": LAST_DAY, "take-up": LAST_DAY}


def test_intake_and_routing_tell_the_same_receipt():
    by_intake, by_routing = case_row(submission_received()), case_row(case_opened())

    assert (by_intake.received, by_intake.unit) == (by_routing.received, by_routing.unit)


def test_a_row_is_there_before_anybody_told_of_its_receipt():
    assert case_row(case_accepted()).received is None


def test_instants_are_cut_to_the_millisecond_and_never_reach_the_boundary():
    last = END - timedelta(microseconds=1)

    row = case_row(submission_received(time=last))

    assert row.received == END - timedelta(milliseconds=1)


def test_a_channel_is_a_row_for_each_day_it_was_published():
    days = (LAST_DAY, LAST_DAY - timedelta(days=1))

    assert len(rows(channel_announced(published=day) for day in days)) == 2


def test_the_life_of_a_case_can_be_read_from_its_row():
    row = case_row(*LIFE[:8])

    assert (row.kind, row.signatures, row.eligible) == ("reflection", "one", True)
    assert (row.assigned, row.accepted, row.concluded) == (WITHIN, WITHIN, WITHIN)
    assert (row.within_competence, row.in_time, row.times_settled) == (True, True, 1)


def test_a_command_is_no_fact_that_rows_keep():
    with pytest.raises(TypeError):
        change(event(CaseAccept()))
