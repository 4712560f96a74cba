"""Promises of Form 03/KQGQ, and of its tie with Form 01/XLD."""

import pytest

from services.reporting.domain.forms import Tally
from services.reporting.domain.revision import own_figures
from services.reporting.domain.rollup import Tree
from shared.contracts.case import Referral
from shared.contracts.vocabulary import Kind, Outcome
from tests.examples_reporting import (
    AFTER,
    BEFORE,
    DENUNCIATIONS,
    FORMS,
    LAST_DAY,
    WITHIN,
    case_accepted,
    case_assigned,
    case_concluded,
    case_referred,
    case_reopened,
    case_rows,
    cases_counted,
    directory,
    submission_received,
    window,
)


def columns(*followed, time=WITHIN, **more):
    more.setdefault("kind", Kind.DENUNCIATION)
    events = (submission_received(time=time, **more), case_assigned(), *followed)
    return cases_counted(DENUNCIATIONS, events)


@pytest.mark.parametrize(("received", "column"), [(BEFORE, "2"), (WITHIN, "3")])
def test_1_to_3_tell_when_it_was_received(received, column):
    assert columns(time=received) == {"1": 1, column: 1, "10": 1}


@pytest.mark.parametrize(
    ("outcome", "column"),
    [
        (Outcome.RIGHT, "5"),
        (Outcome.WRONG, "6"),
        (Outcome.PARTLY_RIGHT, "7"),
        (Outcome.WITHDRAWN, "8"),
        (Outcome.SUSPENDED, "9"),
    ],
)
def test_4_to_9_tell_the_outcome(outcome, column):
    counted = columns(case_accepted(), case_concluded(outcome=outcome))

    assert counted == {"1": 1, "3": 1, "4": 1, column: 1, "13": 1}


def test_10_counts_what_was_concluded_after_the_end_and_nothing_of_how():
    later = case_concluded(time=AFTER, recovered=5, sanctions=2)

    assert columns(case_accepted(), later) == {"1": 1, "3": 1, "10": 1}


def test_11_and_12_add_up_what_was_recovered_and_for_how_many_sanctions_were_proposed():
    counted = columns(case_accepted(), case_concluded(recovered=15_000_000, sanctions=2))

    assert (counted["11"], counted["12"]) == (15_000_000, 2)


def test_11_and_12_forget_a_conclusion_that_was_taken_back():
    taken_back = (case_concluded(recovered=5, sanctions=2), case_reopened(version=6))

    assert columns(case_accepted(), *taken_back) == {"1": 1, "3": 1, "10": 1}


@pytest.mark.parametrize(("in_time", "column"), [(True, "13"), (False, "14")])
def test_13_and_14_tell_whether_the_deadline_was_kept(in_time, column):
    assert columns(case_accepted(), case_concluded(in_time=in_time))[column] == 1


@pytest.mark.parametrize(
    ("followed", "more"),
    [
        ((), {"kind": Kind.COMPLAINT}),
        ((), {"eligibility": "stored-anonymous"}),
        ((case_assigned(version=3, within=False),), {}),
        ((case_referred(Referral.GUIDED),), {}),
    ],
    ids=["another kind", "not eligible", "forwarded", "passed on"],
)
def test_what_column_20_of_01_xld_leaves_out_is_not_here(followed, more):
    assert columns(*followed, **more) == {}


def test_the_amounts_of_many_cases_are_added_up_unit_by_unit_and_rolled_up():
    tally = Tally(window())
    for number, (unit, sum_) in enumerate((("ward", 5), ("ward", 5), ("ward", 7), ("school", 1))):
        name = f"s{number}"
        events = (
            submission_received(name, kind=Kind.DENUNCIATION, unit=unit),
            case_assigned(name),
            case_concluded(name, recovered=sum_),
        )
        for row in case_rows(events):
            tally.add_case(row)

    figures = own_figures(FORMS, tally, Tree.on(LAST_DAY, directory()))["03-kqgq"]

    assert {unit: DENUNCIATIONS.named(cells)["11"] for unit, cells in figures.items()} == {
        "ward": 17,
        "school": 1,
        "commune": 0,
        "province": 0,
    }
