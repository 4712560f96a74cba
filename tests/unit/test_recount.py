"""Two programs that share no code count alike, whatever was lived through and however told."""

import asyncio
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.recount import COUNTED, Log, World, recount
from services.reporting.domain.change import change
from services.reporting.domain.forms import Tally
from services.reporting.domain.row import CaseRow
from shared.contracts import SubmissionRated
from shared.contracts.case import case_id
from shared.runtime.streams import CONSUMERS
from tests.examples_reporting import (
    AFTER,
    END,
    FORMS,
    LAST_DAY,
    START,
    ZONE,
    case_assigned,
    case_opened,
    close,
    directory_published,
    event,
    revise,
    rulebook_published,
    window,
)
from tests.histories_reporting import CLOSED, THERE, histories
from tests.reporting_in_memory import Reporting
from tests.unit.test_reporting_count import asked

HEARD = CONSUMERS["reporting-rows"].subjects
UNITS = ("province", "ward", "commune", "school")
BELOW = {"province": ("ward", "commune"), "ward": ("school",), "commune": (), "school": ()}


def world(events):
    return World(Log.of(events), THERE, frozenset({"take-up"}), ZONE)


async def begun():
    service = Reporting()
    there = directory_published()
    data = there.data.model_copy(update={"directory": THERE})
    rules = [there.model_copy(update={"data": data}), rulebook_published()]
    await service.keep_rules([e.model_copy(update={"recordedtime": START}) for e in rules])
    return service


async def published(order):
    """What reporting says of a history at each closing, told in this order as it is recorded."""
    service, told = await begun(), []
    order = [event for event in order if event.type in HEARD]
    for number, at in enumerate(CLOSED):
        late = [e for e in order if e.recordedtime <= at and e not in told]
        told += late
        for start in range(0, len(late), 3):
            await service.keep_rows(late[start : start + 3])
        await service.keep_rows(late[:2])  # again
        service.at = at
        sending = revise(command=f"r{number}", sequence=number) if number else close()
        await service.take([sending])
    await service.keep_rows([e for e in order if e not in told])
    return service


def whole(report, known, log):
    """The cells of the unit itself and of all below it."""
    own = recount(report, known, log)
    cells = {code: own.get(code, 0) for code in COUNTED[report.form]}
    for child in BELOW[report.unit]:
        below = whole(report.model_copy(update={"unit": child}), known, log)
        cells = {code: figure + below[code] for code, figure in cells.items()}
    return cells


def differences(report, known, log):
    """Every cell that the other program counts otherwise."""
    codes = [column.code for column in report.columns]
    expected = {code: figure for code, figure in recount(report, known, log).items() if figure}
    found = []
    for row in report.rows:
        if not row.own:
            expected = whole(report.model_copy(update={"unit": row.unit}), known, log)
        cells = dict(zip(codes, row.cells, strict=True))
        found += [
            (report.form, report.unit, row.unit, code, cells[code], expected.get(code, 0))
            for code in codes
            if cells[code] != expected.get(code, 0)
        ]
    totals = dict(zip(codes, report.totals, strict=True))
    return found + [
        (report.form, report.unit, "total", code, totals[code], figure)
        for code, figure in whole(report, known, log).items()
        if totals[code] != figure
    ]


SLOW = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@SLOW
@given(st.data())
def test_every_cell_of_every_revision_is_that_of_the_other_program(data):
    events = data.draw(histories())
    order = data.draw(st.permutations(events))

    service = asyncio.run(published(order))

    log = world(events)
    assert len(service.out) >= len(UNITS) * len(FORMS)
    for each in service.out:
        assert differences(each.data, each.time, log) == []


@settings(SLOW, max_examples=20)
@given(histories(), st.dates(date(2025, 12, 15), LAST_DAY), st.sampled_from(CLOSED))
def test_so_is_any_figure_of_any_day_as_it_was_known(events, day, known):
    async def told():
        service = await begun()
        await service.keep_rows([event for event in events if event.type in HEARD])
        more = {"as_of": str(day), "known": str(known), "at": CLOSED[-1]}
        return [
            (await asked(service, form=form.code, unit=unit, **more)).counted
            for form in FORMS
            for unit in UNITS
        ]

    log = world(events)
    for counted in asyncio.run(told()):
        own = recount(counted, known, log)
        codes = [column.code for column in counted.columns]
        assert dict(zip(codes, counted.rows[0].cells, strict=True)) == {
            code: own.get(code, 0) for code in codes
        }


def test_each_column_of_each_form_of_the_pack_is_recounted():
    assert {code: set(columns) for code, columns in COUNTED.items()} == {
        form.code: {column.code for column in form.columns} for form in FORMS
    }


class Report:
    unit = "ward"
    period = window().period

    def __init__(self, form):
        self.form = form


def test_a_form_that_is_not_known_here_is_not_recounted():
    log = world([case_opened(), case_assigned()])

    assert recount(Report("roll-of-the-march"), AFTER, log) == {}


@pytest.mark.parametrize(("known", "ratings"), [(END, 0), (AFTER, 1)])
def test_what_was_recorded_after_the_closing_does_not_count(known, ratings):
    rating = event(SubmissionRated(score=5), recorded=AFTER)
    log = world([case_opened(), case_assigned(), rating])

    assert recount(Report("s-124"), known, log).get("ratings", 0) == ratings


def test_a_row_that_is_rated_alone_counts_nowhere():
    rated = event(SubmissionRated(score=5))
    tally = Tally(window())

    tally.add_case(CaseRow(case_id("s1"), {"rated": change(rated).value}))

    assert (tally.cases, tally.measures) == ({}, {})
