"""A row that a period sees counts as the row does: what the database groups is what is counted."""

from datetime import timedelta
from functools import partial
from itertools import count, product

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.domain.alike import as_seen
from services.reporting.domain.forms import Tally
from shared.contracts import SubmissionRated
from shared.contracts.case import Referral
from shared.contracts.vocabulary import Kind, Outcome, Signatures
from tests.examples_reporting import (
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
EDGES = tuple(sorted({at for period in WINDOWS for at in (period.start, period.end)}))
MILLISECOND = timedelta(milliseconds=1)
VERSIONS = st.integers(2, 6)
TERMS = st.sampled_from(
    [period.period.last_day + timedelta(days=days) for period in WINDOWS for days in (-1, 0, 1)]
)
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


def every_side():
    """Cases that lie on each side of each boundary: of instants, of terms, of versions."""
    numbers = count()
    edges = [at + shift for at in EDGES for shift in (-MILLISECOND, timedelta(0))]
    for at in edges:
        yield submission_received(f"s{next(numbers)}", at)
        yield case_opened(f"s{next(numbers)}", at)
        for make in (case_assigned, case_accepted, case_joined, case_concluded, _rated):
            name = f"s{next(numbers)}"
            yield from (submission_received(name, EDGES[0]), make(name, at))
    for period, days, clock in product(WINDOWS, (-1, 0, 1), ("answer", "take-up")):
        name, due = f"s{next(numbers)}", period.period.last_day + timedelta(days=days)
        yield from (submission_received(name, EDGES[0]), clock_started(name, due, clock=clock))
    pairs = ((case_assigned, case_accepted), (case_joined, case_concluded))
    for (first, second), version in product(pairs, (2, 3, 4)):
        name = f"s{next(numbers)}"
        yield submission_received(name, EDGES[0])
        yield from (first(name, version=3), second(name, version=version))
    for period in WINDOWS:  # what came after the period took the place of what it sees
        name, due = f"s{next(numbers)}", period.period.last_day
        yield submission_received(name, EDGES[0])
        yield clock_started(name, due, time=period.start, version=3)
        yield clock_started(name, due + timedelta(days=9), time=period.end, version=4)
    ends = [partial(case_referred, way) for way in Referral]
    ends += [partial(case_concluded, **{each: 2}) for each in ("times", "recovered", "sanctions")]
    for end in ends:
        name = f"s{next(numbers)}"
        yield from (submission_received(name, EDGES[0]), end(name))


def _rated(name, at):
    return event(SubmissionRated(score=5), at, about=name)


def counted(period, rows):
    """By rows and how many each stands for."""
    tally = Tally(period, STOPPED)
    for row, cases in rows:
        tally.add_case(row, cases)
    return tally


def kinds_by_facets(kinds):
    """How many cases are of each kind, and the least of them."""
    found = {}
    for row, cases in kinds:
        facets = frozenset(
            (place, each.version, each.time, frozenset(each.data.items()))
            for place, each in row.facets.items()
        )
        before, case = found.get(facets, (0, row.case))
        found[facets] = before + cases, min(case, row.case)
    return found


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


def test_on_each_side_of_each_boundary_a_row_counts_as_it_is_seen():
    for row, period in product(case_rows(every_side()), WINDOWS):
        plain, seen = (counted(period, [(each, 1)]) for each in (row, as_seen(row, period)))
        assert (seen.cases, seen.measures) == (plain.cases, plain.measures), row


@given(pieces(), st.integers(2, 5))
def test_a_row_that_stands_for_several_counts_as_often(told, several):
    rows = case_rows(told)
    for period in WINDOWS:
        together = counted(period, [(row, several) for row in rows])
        apart = counted(period, [(row, 1) for row in rows for _ in range(several)])
        assert (together.cases, together.measures) == (apart.cases, apart.measures)


def test_of_many_cases_a_period_sees_few_kinds():
    told = [submission_received(f"s{n}", FIRST.start + timedelta(minutes=n)) for n in range(50)]

    seen = {repr(as_seen(row, FIRST).facets) for row in case_rows(told)}
    assert len(seen) == 1
