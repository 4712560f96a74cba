"""A public edition that could give figures away is told before it is published."""

import pytest

from tests.examples_lint import CITED, LABEL, SOUND, changed, findings

YEAR = {"code": "y", "label": LABEL, "first_day": "12-15", "last_day": "12-14", **CITED}
BOTH = changed(SOUND, "periods", "+", to=YEAR)


def public(rulebook, *periods):
    return rulebook | {"disclosure": [{"code": "public", "periods": list(periods), **CITED}]}


def tied_twice():
    """2 is a part of 1 and of 4."""
    column = {"code": "4", "label": LABEL, "counts": "cases where received or carried-over"}
    rules = changed(SOUND, "forms", 0, "columns", "+", to=column)
    return changed(rules, "forms", 0, "identities", to=["1 = 2 + 3", "2 <= 4"])


@pytest.mark.parametrize("periods", [("h1",), ("y",)])
def test_periods_that_do_not_overlap_are_sound(tmp_path, periods):
    assert findings(tmp_path, public(BOTH, *periods)) == []


@pytest.mark.parametrize(
    ("rulebook", "problem"),
    [
        (public(BOTH, "h1", "y"), "periods-overlap"),
        (public(BOTH, "q9"), "unknown-period"),
        (public(tied_twice(), "h1"), "cannot-be-protected"),
    ],
)
def test_what_could_give_figures_away_is_found(tmp_path, rulebook, problem):
    assert {finding.problem for finding in findings(tmp_path, rulebook)} == {problem}
