"""A period counts what had happened by its end, also of a case that went on afterwards."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples_reporting import (
    AFTER,
    DENUNCIATIONS,
    END,
    FORMS,
    SUPERVISION,
    WITHIN,
    case_accepted,
    case_assigned,
    case_concluded,
    case_joined,
    case_reopened,
    case_row,
    cases_counted,
    clock_started,
    submission_received,
)

ANSWERED = (submission_received(), case_assigned(), case_accepted(), case_concluded())


def then(event, at=AFTER):
    return event.model_copy(update={"time": at})


AFTERWARDS = {
    "taken up again": (then(case_reopened(version=6)),),
    "answered again": (
        then(case_reopened(version=6)),
        then(case_concluded(version=7, times=2, in_time=False)),
    ),
    "given to another": (then(case_assigned(version=6, within=False)),),
    "a term restated": (then(clock_started(version=6)),),
    "at the end itself": (then(case_reopened(version=6), END),),
}


@pytest.mark.parametrize("later", AFTERWARDS)
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.code)
def test_what_happened_later_changes_nothing_of_what_stood(form, later):
    assert cases_counted(form, [*ANSWERED, *AFTERWARDS[later]]) == cases_counted(form, ANSWERED)


def test_taken_up_again_a_moment_before_the_end_it_is_open():
    again = then(case_reopened(version=6), END - timedelta(milliseconds=1))

    assert cases_counted(SUPERVISION, [*ANSWERED, again])["open"] == 1


def test_the_next_period_has_the_second_answer():
    events = [*ANSWERED, *AFTERWARDS["answered again"]]

    assert cases_counted(SUPERVISION, events, "2027-h1") == {}
    again = cases_counted(DENUNCIATIONS, events, "2026-y")
    assert again == cases_counted(DENUNCIATIONS, events[:3] + events[-1:], "2026-y")


def test_a_duplicate_that_was_taken_up_later_was_one_at_the_end():
    joined = [*ANSWERED[:3], case_joined()]

    assert cases_counted(SUPERVISION, [*joined, then(case_reopened(version=6))]) == (
        cases_counted(SUPERVISION, joined)
    )


def test_what_was_not_known_does_not_come_forth():
    first = case_concluded(version=5).model_copy(update={"recordedtime": AFTER})
    later = then(case_reopened(version=6)).model_copy(update={"recordedtime": WITHIN})
    row = case_row(*ANSWERED[:3], first, later)

    assert row.as_known(AFTER).as_of(END).concluded == WITHIN
    assert row.as_known(END).as_of(END).concluded is None


@given(st.permutations([*ANSWERED, *AFTERWARDS["answered again"]]))
def test_in_any_order(events):
    row = case_row(*events)

    assert row.as_of(END).facets == case_row(*ANSWERED).facets
    assert row.as_of(AFTER + timedelta(days=1)) is row
