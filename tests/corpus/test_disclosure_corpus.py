"""Real casework told as reports: nothing about a few people comes out, in one issue or in many.

The casework is cut by place, kind of complaint and time, into tables as wide and as thin as the
forms are; each cut is protected, and attacked with everything that was published of it.
"""

import csv
import json
import re
from collections import Counter
from datetime import date, timedelta

import pytest

from services.reporting.domain.disclosure import How, Knowledge, attack, protect
from shared.contracts.directory import Label
from shared.contracts.report import Edition, Period
from tests.corpus.folders import beside
from tests.examples_disclosure import Shape, cells_of, reports

pytestmark = [pytest.mark.corpus, pytest.mark.timeout(900)]

REQUESTS = beside("service-requests")
CASEWORK = REQUESTS / "nyc-council-constituent-casework.csv"

KNOWN = Knowledge()
THRESHOLDS = (5, 10)


def code(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "none"


def load():
    """Day, borough, council member's office, kind."""
    with CASEWORK.open(encoding="utf-8-sig", newline="") as file:
        return [
            (
                date.fromisoformat(row["opendate"][:10]),
                code(row["borough"]),
                code(row["account"]),
                code(row["complaint_type"]),
            )
            for row in csv.DictReader(file)
        ]


ROWS = load()
KINDS = tuple(sorted({kind for *_, kind in ROWS}))
FORM = Shape("casework", ("all", *KINDS), (f"all = {' + '.join(KINDS)}",))
EVER = Period(
    code="2000-all",
    label=Label(vi="tất cả"),
    first_day=min(row[0] for row in ROWS),
    last_day=max(row[0] for row in ROWS),
)
PLACES = {row[1:3] for row in ROWS}
BOROUGHS = {"city": None} | dict.fromkeys(sorted({b for b, _ in PLACES}), "city")
OFFICES = {"city": None} | dict.fromkeys(sorted({o for _, o in PLACES}), "city")
BOTH = BOROUGHS | {f"{b}-{o}": b for b, o in sorted(PLACES)}
CUTS = {
    "borough": (BOROUGHS, lambda row: row[1]),
    "office": (OFFICES, lambda row: row[2]),
    "borough and office": (BOTH, lambda row: f"{row[1]}-{row[2]}"),
}


def months():
    """Every calendar month with a case, as a period."""
    for year, month in sorted({(row[0].year, row[0].month) for row in ROWS}):
        first = date(year, month, 1)
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        yield Period(
            code=f"{year}-m{month}", label=Label(vi="tháng"), first_day=first, last_day=last
        )


def told(cut, period=EVER):
    parents, place = CUTS[cut]
    counts = Counter(
        (place(row), row[3]) for row in ROWS if period.first_day <= row[0] <= period.last_day
    )
    own = {}
    for unit in parents:
        figures = [counts[unit, kind] for kind in KINDS]
        own[unit] = (sum(figures), *figures)
    return reports(FORM, own, parents, period)


def small_only(internal, threshold):
    """What a publisher might do who knows no better: leave out the small figures, and no more."""
    public = []
    for report in internal:

        def cells(figures):
            few = figures[0] < threshold
            return tuple(None if 0 < c < threshold or (few and not c) else c for c in figures)

        rows = tuple(r.model_copy(update={"cells": cells(r.cells)}) for r in report.rows)
        public.append(
            report.model_copy(
                update={
                    "rows": rows,
                    "totals": cells(report.totals),
                    "edition": Edition.PUBLIC,
                    "threshold": threshold,
                }
            )
        )
    return public


def shown_small(published, threshold):
    return [
        place
        for place, figure in cells_of(published).items()
        if figure is not None and 0 < figure < threshold
    ]


def test_the_casework_is_the_one_that_was_counted():
    expected = json.loads((REQUESTS / "EXPECTED_AGGREGATES.json").read_text())["casework"]

    assert len(ROWS) == expected["rows"]
    offices = {code(key): count for key, count in expected["by_account"].items()}
    assert Counter(row[2] for row in ROWS) == offices


@pytest.mark.parametrize("threshold", THRESHOLDS)
@pytest.mark.parametrize("cut", CUTS)
def test_one_table_gives_nothing_away(cut, threshold):
    internal = told(cut)

    public = protect(internal, threshold, KNOWN).reports

    assert not shown_small(public, threshold)
    assert not attack(public, KNOWN)
    true, shown = cells_of(internal), cells_of(public)
    small = sum(0 < figure < threshold for figure in true.values()) / len(true)
    out = sum(figure is not None for figure in shown.values()) / len(true)
    print(f"{cut}, k = {threshold}: {small:.1%} are small, {out:.1%} are shown")


@pytest.mark.parametrize("threshold", THRESHOLDS)
@pytest.mark.parametrize("cut", CUTS)
def test_small_figures_alone_can_be_worked_out(cut, threshold):
    found = Counter(each.how for each in attack(small_only(told(cut), threshold), KNOWN))

    print(f"{cut}, k = {threshold}, small figures only: {dict(found)}")
    assert found[How.EXACT] + found[How.NARROW]


@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_every_month_by_borough_and_kind_gives_nothing_away(threshold):
    months_ = [told("borough", month) for month in months()]
    issued = [protect(month, threshold, KNOWN).reports for month in months_]

    shown = [report for month in issued for report in month]
    assert not shown_small(shown, threshold)
    assert not attack(shown, KNOWN)
    small = {
        (month[0].period.code, place)
        for month in months_
        for place, figure in cells_of(month).items()
        if place[2] is None and place[1] != "city" and 0 < figure < threshold
    }
    whole = sum(len(cells_of(month)) for month in months_)
    out = sum(figure is not None for month in issued for figure in cells_of(month).values())
    print(
        f"{len(months_)} months, k = {threshold}: {len(small)} small figures of boroughs, "
        f"none of them shown or narrower than {threshold}; {out / whole:.1%} of all are shown"
    )


@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_every_month_with_small_figures_alone_withheld_gives_some_away(threshold):
    naive = [each for month in months() for each in small_only(told("borough", month), threshold)]

    found = Counter(each.how for each in attack(naive, KNOWN))

    print(f"k = {threshold}, every month, small figures only: {dict(found)}")
    assert found[How.EXACT] + found[How.NARROW]


def cumulative(cut):
    """Every month, counted from the first day of its year."""
    for month in months():
        first = date(month.first_day.year, 1, 1)
        yield told(cut, month.model_copy(update={"first_day": first}))


@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_a_cumulative_series_would_give_the_months_away(threshold):
    """Each safe by itself: why periods that overlap have no public edition (see the edition)."""
    naive = [each for m in cumulative("borough") for each in protect(m, threshold, KNOWN).reports]

    found = Counter(each.how for each in attack(naive, KNOWN))

    print(f"cumulative, k = {threshold}: {dict(found)}")
    assert found[How.DIFFERENCE]
    assert not found[How.EXACT] + found[How.NARROW] + found[How.SHOWN]
