"""Promises of a report beside that of the year before."""

from datetime import date
from decimal import Decimal

import pytest

from services.reporting.domain.forms.comparison import NotComparable, compare, year_before
from shared.contracts import ReportPublished
from shared.contracts.report import Column, Edition, Period
from tests.examples_reporting import label


def report(year=2026, **figures):
    more = {key: figures.pop(key) for key in ("form", "unit", "edition") if key in figures}
    return ReportPublished(
        **{"form": "f", "unit": "ward", "edition": Edition.INTERNAL, **more},
        period=Period(
            code=f"{year}-h1",
            label=label("6 tháng"),
            first_day=date(year - 1, 12, 15),
            last_day=date(year, 6, 14),
        ),
        revision=1,
        title=label("f"),
        citation="Điều 1",
        columns=tuple(Column(code=code, label=label(code)) for code in figures),
        rows=(),
        totals=tuple(figures.values()),
        identities=(),
        digest="",
        directory=1,
        rulebook=1,
    )


def compared(now, before):
    [found] = compare(report(a=now), report(2025, a=before))
    return found.difference, found.percent


@pytest.mark.parametrize(
    ("now", "before", "difference", "percent"),
    [
        (15, 12, 3, "25.0"),
        (12, 15, -3, "-20.0"),
        (7, 7, 0, "0.0"),
        (0, 4, -4, "-100.0"),
        (1, 3, -2, "-66.7"),
        (2001, 2000, 1, "0.1"),  # 0.05 is rounded up
    ],
)
def test_a_difference_is_told_in_numbers_and_in_per_cent(now, before, difference, percent):
    assert compared(now, before) == (difference, Decimal(percent))


def test_of_nothing_there_is_no_per_cent():
    assert compared(4, 0) == (4, None)


@pytest.mark.parametrize(("now", "before"), [(None, 3), (3, None), (None, None)])
def test_a_withheld_figure_is_compared_with_nothing(now, before):
    assert compared(now, before) == (None, None)


def test_columns_meet_by_their_codes():
    found = compare(report(b=5, c=1), report(2025, a=7, b=4))

    assert [(each.column, each.difference) for each in found] == [("b", 1), ("c", None)]


@pytest.mark.parametrize("other", [{"form": "g"}, {"unit": "x"}, {"edition": Edition.PUBLIC}])
def test_only_one_form_of_one_unit_in_one_edition_is_compared(other):
    with pytest.raises(NotComparable, match=next(iter(other))):
        compare(report(a=1), report(2025, a=1, **other))


def test_the_same_period_of_the_year_before_is_named():
    assert year_before("2026-h1") == "2025-h1"
