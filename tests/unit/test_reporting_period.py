"""Promises of periods: which days they have, and the instants that bound them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.reporting.domain.period import resolve
from shared.contracts.directory import Label
from tests.examples_reporting import END, PERIODS, START, period_rule, window


def days(code, *rules):
    period = resolve(code, rules or PERIODS)
    return period and (period.first_day, period.last_day)


def test_a_period_that_wraps_begins_in_the_year_before():
    assert days("2026-h1") == (date(2025, 12, 15), date(2026, 6, 14))


def test_a_period_that_does_not_wrap_stays_in_its_year():
    rule = period_rule("q2", "04-01", "06-30")

    assert days("2026-q2", rule) == (date(2026, 4, 1), date(2026, 6, 30))


def test_the_year_reaches_from_december_to_december():
    assert days("2026-y") == (date(2025, 12, 15), date(2026, 12, 14))


@pytest.mark.parametrize(("year", "last"), [(2027, 28), (2028, 29)])
def test_the_last_of_february_is_the_last_there_is(year, last):
    rule = period_rule("jf", "01-01", "02-29")

    assert days(f"{year}-jf", rule) == (date(year, 1, 1), date(year, 2, last))


@pytest.mark.parametrize(
    "code",
    ["2026-h2", "0000-h1", "0001-h1", "9999-h1", "1944-h1", "2026", "-h1", "٢٠٢٦-h1"],
    ids=["code", "year 0", "year 1", "year 9999", "before all", "no code", "no year", "script"],
)
def test_what_no_rule_knows_is_no_period(code):
    assert resolve(code, PERIODS) is None


def test_a_rule_counts_from_the_day_it_takes_effect():
    rule = period_rule("h1", "12-15", "06-14", effective_from=date(2026, 6, 15))

    assert days("2026-h1", rule) is None
    assert days("2027-h1", rule) is not None


def test_of_two_rules_in_force_the_later_one_counts():
    old = period_rule("h1", "12-15", "06-14")
    new = period_rule("h1", "01-01", "06-30", effective_from=date(2026, 1, 1))

    assert days("2026-h1", new, old) == days("2026-h1", old, new)
    assert days("2026-h1", old, new) == (date(2026, 1, 1), date(2026, 6, 30))


@pytest.mark.parametrize(
    ("named", "said"),
    [
        (Label(vi="6 tháng đầu năm", en="First six months"), "6 tháng đầu năm 2026"),
        (Label(vi="Năm", en="Year"), "Năm 2026"),
        (Label(vi="Quý I", en="First quarter"), "Quý I năm 2026"),
    ],
)
def test_the_label_says_the_year_once(named, said):
    period = resolve("2026-h1", [period_rule("h1", "12-15", "06-14", label=named)])

    assert period is not None
    assert period.label == Label(vi=said, en=f"{named.en} 2026")


def test_a_window_lies_between_local_midnights():
    assert (window().start, window().end) == (START, END)


def test_a_window_has_its_start_and_not_its_end():
    instant = timedelta(microseconds=1)

    assert window().was_over(START - instant)
    assert not window().was_over(START)
    assert window().has_seen(END - instant)
    assert not window().has_seen(END)


def test_what_never_happened_is_neither_seen_nor_over():
    assert not window().has_seen(None)
    assert not window().was_over(None)


def test_one_year_ends_where_the_next_begins():
    assert window("2026-y").end == window("2027-y").start == datetime(2026, 12, 14, 17, tzinfo=UTC)
