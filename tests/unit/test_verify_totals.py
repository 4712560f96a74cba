"""`verify` counts both editions again: what is shown must be true, what is withheld is not told."""

import pytest

from deploy.verify.seen import Seen
from deploy.verify.totals import totals
from shared.contracts.report import Edition
from tests.examples_reporting import START, directory_published, rulebook_published
from tests.examples_reporting import case_opened as opened
from tests.examples_reporting import submission_received as received
from tests.reporting_in_memory import Reporting
from tests.unit.test_reporting_handlers import close

FORM = "01-xld"


@pytest.fixture
async def seen():
    """A letter, a period that was closed, and its reports in both editions."""
    rules = [
        event.model_copy(update={"recordedtime": START})
        for event in (directory_published(), rulebook_published())
    ]
    letters = [received("s1"), opened("s1")]
    reporting = Reporting()
    await reporting.keep_rules(rules)
    await reporting.keep_rows(letters)
    await reporting.take([close()])
    internal = [event for event in reporting.out if event.type == "report.published.v1"]
    public = [_public(event) for event in internal]
    return Seen(
        events={event.id: event for event in (*rules, *letters)},
        reports={event.id: event for event in (*internal, *public)},
    )


def _public(event, **changed):
    """Every figure of a letter is withheld; the noughts are shown."""
    report = event.data

    def shown(cells):
        return tuple(None if cell else cell for cell in cells)

    rows = tuple(row.model_copy(update={"cells": shown(row.cells)}) for row in report.rows)
    edition = {"edition": Edition.PUBLIC, "threshold": 10, "rows": rows}
    data = report.model_copy(update={**edition, "totals": shown(report.totals), **changed})
    return event.model_copy(update={"id": f"public-{event.id}", "data": data})


def put(seen, edition, **changed):
    """Change one report of the edition; answers its name."""
    event = next(
        each
        for each in seen.reports.values()
        if each.data.edition is edition and each.data.form == FORM and len(each.data.rows) == 1
    )
    data = event.data.model_copy(update=changed)
    seen.reports[event.id] = event.model_copy(update={"data": data})
    return event.subject


def own_row(seen, edition, figure):
    """The changes by which a report's first own cell says this figure, and its total as well."""
    event = next(
        each
        for each in seen.reports.values()
        if each.data.edition is edition and each.data.form == FORM and len(each.data.rows) == 1
    )
    [row] = event.data.rows
    cells = (figure, *row.cells[1:])
    return {"rows": (row.model_copy(update={"cells": cells}),), "totals": cells}


def found(seen):
    return [str(finding) for finding in totals(seen)]


async def test_two_true_editions_are_no_finding(seen):
    assert found(seen) == []


async def test_a_public_figure_that_is_not_the_logs_is_one(seen):
    subject = put(seen, Edition.PUBLIC, **own_row(seen, Edition.PUBLIC, 77))

    assert f"totals: public report {subject} revision 1 says 77 in column 1, the log" in str(
        found(seen)
    )


async def test_an_internal_figure_that_is_withheld_is_one(seen):
    put(seen, Edition.INTERNAL, **own_row(seen, Edition.INTERNAL, None))

    assert any("says None in column 1" in each for each in found(seen))


@pytest.mark.parametrize("edition", Edition)
async def test_shown_rows_that_do_not_add_up_are_one(seen, edition):
    row = own_row(seen, edition, 0)
    subject = put(seen, edition, **{**row, "totals": (5, *row["totals"][1:])})

    assert any(f"report {subject} revision 1 does not add up" in each for each in found(seen))


async def test_neither_edition_of_a_closing_with_events_under_way_is_counted(seen):
    for edition in Edition:
        put(seen, edition, **own_row(seen, edition, 77))
    for key, event in seen.reports.items():
        if event.data.edition is Edition.INTERNAL:
            data = event.data.model_copy(update={"in_flight": 3})
            seen.reports[key] = event.model_copy(update={"data": data})

    assert not any("the log" in each for each in found(seen))
