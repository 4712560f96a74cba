"""A row that a period sees counts as the row does: what the database groups is what is counted."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.domain.alike import as_seen
from services.reporting.domain.forms import Tally
from shared.contracts import SubmissionRated
from shared.contracts.case import Referral
from shared.contracts.vocabulary import Kind, Outcome, Signatures
from tests.examples_reporting import (
    LAST_DAY,
    case_accepted,
    case_assigned,
    case_concluded,
    case_joined,
    case_opened,
    case_referred,
    case_reopened,
    case_rows,
    clock_started,
    event,
    submission_received,
    window,
)
from tests.figures_reporting import lives
from tests.unit.test_reporting_properties import FIRST, INSTANTS, SECOND, UNITS

STOPPED = frozenset({"take-up"})
WINDOWS = (FIRST, SECOND, window())
VERSIONS = st.integers(2, 6)
TERMS = st.sampled_from([LAST_DAY - timedelta(days=1), LAST_DAY, LAST_DAY + timedelta(days=1)])
CLOCKS = st.sampled_from(["answer", "take-up"])


@st.composite
def _one_event(draw, submission):
    at, version = draw(INSTANTS), draw(VERSIONS)
    said = {
        "unit": draw(UNITS),
        "kind": draw(st.sampled_from(Kind)),
        "signatures": draw(st.sampled_from(Signatures)),
        "eligibility": draw(st.sampled_from(["eligible", "stored-anonymous"])),
    }
    assigned = case_assigned(submission, at, version=version, within=draw(st.booleans()))
    concluded = case_concluded(
        submission,
        at,
        version=version,
        in_time=draw(st.booleans()),
        times=draw(st.integers(1, 2)),
        outcome=draw(st.sampled_from(Outcome)),
        recovered=draw(st.sampled_from([0, 15_000_000])),
        sanctions=draw(st.integers(0, 2)),
    )
    accepted = assigned.data.model_copy(update={"accepted": True})
    every = [
        submission_received(submission, at, **said),
        case_opened(submission, at, **said),
        assigned,
        assigned.model_copy(update={"data": accepted}),
        clock_started(submission, draw(TERMS), clock=draw(CLOCKS), version=version),
        case_accepted(submission, at, version),
        case_joined(submission, at, version),
        concluded,
        case_referred(draw(st.sampled_from(Referral)), submission, version),
        case_reopened(submission, version=version),
        event(SubmissionRated(score=draw(st.integers(1, 5))), at, about=submission),
    ]
    return draw(st.sampled_from(every))


@st.composite
def pieces(draw):
    """Events of a few cases, any of them, whether routing would let them happen or not."""
    names = draw(st.lists(st.sampled_from(["s1", "s2", "s3"]), min_size=1, max_size=16))
    return [draw(_one_event(name)) for name in names]


def counted(period, rows):
    """By rows and how many each stands for."""
    tally = Tally(period, STOPPED)
    for row, count in rows:
        tally.add_case(row, count)
    return tally


@given(pieces())
def test_a_row_as_a_period_sees_it_counts_the_same(told):
    rows = case_rows(told)
    for period in WINDOWS:
        plain = counted(period, [(row, 1) for row in rows])
        seen = counted(period, [(as_seen(row, period), 1) for row in rows])
        assert (seen.cases, seen.measures) == (plain.cases, plain.measures)


def test_every_life_counts_the_same_as_its_period_sees_it():
    for name, row in lives():
        for period in WINDOWS:
            plain, seen = (counted(period, [(r, 1)]) for r in (row, as_seen(row, period)))
            assert seen.cases == plain.cases, name


@given(pieces(), st.integers(2, 5))
def test_a_row_that_stands_for_several_counts_as_often(told, count):
    rows = case_rows(told)
    for period in WINDOWS:
        together = counted(period, [(row, count) for row in rows])
        apart = counted(period, [(row, 1) for row in rows for _ in range(count)])
        assert (together.cases, together.measures) == (apart.cases, apart.measures)


def test_of_many_cases_a_period_sees_few_kinds():
    told = [submission_received(f"s{n}", FIRST.start + timedelta(minutes=n)) for n in range(50)]

    seen = {repr(as_seen(row, FIRST).facets) for row in case_rows(told)}
    assert len(seen) == 1
