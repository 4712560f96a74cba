"""Two programs that share no code count alike, whatever a case has lived through."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.recount import COUNTED, recount
from deploy.verify.totals import _facts
from services.reporting.domain.change import change
from services.reporting.domain.forms import Tally
from services.reporting.domain.row import CaseRow
from shared.contracts import SubmissionRated
from shared.contracts.case import Referral, case_id
from shared.contracts.vocabulary import Kind, Outcome, Signatures
from tests.examples_reporting import (
    AFTER,
    BEFORE,
    DAY,
    END,
    FORMS,
    START,
    WITHIN,
    ZONE,
    case_accepted,
    case_assigned,
    case_concluded,
    case_opened,
    case_referred,
    case_reopened,
    case_rows,
    count,
    event,
    submission_received,
    window,
)

LATE = AFTER + 400 * DAY
"""Everything has been recorded by then."""
INSTANTS = st.sampled_from(
    [BEFORE, START - timedelta(seconds=1), START, WITHIN, END - timedelta(seconds=1), END, AFTER]
)


@st.composite
def lives(draw):
    """A case from its opening on: its events, and how it was rated."""
    received = draw(INSTANTS)
    said = {
        "kind": draw(st.sampled_from([Kind.DENUNCIATION, Kind.DENUNCIATION, *Kind])),
        "signatures": draw(st.sampled_from(Signatures)),
        "eligibility": draw(st.sampled_from(["eligible", "eligible", "stored-anonymous"])),
    }
    events = [
        case_opened("s1", received, **said),
        case_assigned(time=received, within=draw(st.booleans())),
    ]
    if draw(st.booleans()):
        events.append(case_accepted(time=draw(INSTANTS)))
    match draw(st.sampled_from(["open", "concluded", "referred", "reopened"])):
        case "concluded":
            events.append(concluded(draw))
        case "referred":
            events.append(case_referred(draw(st.sampled_from(Referral))))
        case "reopened":
            events += [concluded(draw), case_reopened(version=6)]
    rated = [event(SubmissionRated(score=draw(st.integers(1, 5))), draw(INSTANTS))]
    return submission_received("s1", received, **said), events, rated if draw(st.booleans()) else []


def concluded(draw):
    return case_concluded(
        time=draw(INSTANTS),
        in_time=draw(st.booleans()),
        times=draw(st.integers(1, 3)),
        outcome=draw(st.sampled_from(Outcome)),
        recovered=draw(st.sampled_from([0, 15_000_000])),
        sanctions=draw(st.integers(0, 2)),
    )


class Report:
    unit = "ward"
    period = window().period

    def __init__(self, form):
        self.form = form


def recounted(form, events, rated):
    opening = [each.model_dump(mode="json") for each in events]
    [rating] = [{"event": each.model_dump(mode="json")} for each in rated] or [None]
    facts = _facts(case_id("s1"), {"opening": opening, "acted": []}, rating)
    return {c: n for c, n in recount(Report(form), LATE, [facts], ZONE).items() if n}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.code)
@settings(max_examples=300)
@given(lives())
def test_every_figure_that_is_recounted_is_the_one_that_was_reported(form, life):
    received, events, rated = life
    tally = Tally(window())
    for row in case_rows([received, *events, *rated]):
        tally.add_case(row)
    counted = count(form, tally)

    assert recounted(form.code, events, rated) == {
        code: figure for code, figure in counted.items() if code in COUNTED[form.code]
    }


def test_each_form_of_the_pack_is_recounted():
    assert set(COUNTED) == {form.code for form in FORMS}
    for form in FORMS:
        assert set(COUNTED[form.code]) <= {column.code for column in form.columns}


def test_a_form_that_is_not_known_here_is_not_recounted():
    assert recounted("roll-of-the-march", [case_opened(), case_assigned()], []) == {}


def test_what_was_recorded_after_the_closing_does_not_count():
    rating = event(SubmissionRated(score=5), recorded=AFTER)
    facts = _facts(
        case_id("s1"),
        {
            "opening": [each.model_dump(mode="json") for each in (case_opened(), case_assigned())],
            "acted": [],
        },
        {"event": rating.model_dump(mode="json")},
    )

    assert "ratings" not in recount(Report("s-124"), END, [facts], ZONE)


def test_a_row_that_is_rated_alone_counts_nowhere():
    rated = event(SubmissionRated(score=5))
    tally = Tally(window())

    tally.add_case(CaseRow(case_id("s1"), {"rated": change(rated).value}))

    assert (tally.cases, tally.measures) == ({}, {})
