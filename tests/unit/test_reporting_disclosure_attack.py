"""The attacker finds all that published tables give away, and nothing that they do not."""

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.reporting.domain.disclosure import (
    Contradiction,
    How,
    Knowledge,
    NoThreshold,
    attack,
)
from shared.contracts.report import Edition
from tests.brute import ranges
from tests.examples_disclosure import H1, NEXT, STOCK, STOCKS, Shape, reports, stock

NOTHING = Knowledge()
FLAT = {"root": None, "a": "root", "b": "root", "c": "root"}
TWO = Shape("two", ("all", "x", "y"), ("all = x + y",))
BOUNDED = Shape("bounded", ("all", "x", "y", "late"), ("all = x + y", "late <= y"))


def withholding(internal, hidden, threshold=3):
    """The public edition that withholds just these: unit, own, column."""
    public = []
    for report in internal:
        codes = [column.code for column in report.columns]
        single = all(row.own for row in report.rows)

        def cells(unit, own, figures, codes=codes, single=single):
            return tuple(
                None if (unit, own and not single, code) in hidden else figure
                for code, figure in zip(codes, figures, strict=True)
            )

        rows = tuple(
            row.model_copy(update={"cells": cells(row.unit, row.own, row.cells)})
            for row in report.rows
        )
        update = {
            "rows": rows,
            "totals": cells(report.unit, False, report.totals),
            "edition": Edition.PUBLIC,
            "threshold": threshold,
        }
        public.append(report.model_copy(update=update))
    return tuple(public)


def flat(rows, form=TWO):
    """A root without figures of its own, above these."""
    own = {"root": (0,) * len(form.columns), **rows}
    return reports(form, own, {"root": None} | dict.fromkeys(rows, "root"))


SOME = flat({"a": (12, 2, 10), "b": (30, 20, 10), "c": (14, 11, 3)})


def found_in(public, **more):
    return {
        (each.how, each.unit, each.own, each.column, each.least, each.greatest)
        for each in attack(public, NOTHING, **more)
    }


def test_a_figure_alone_in_its_row_is_worked_out():
    public = withholding(SOME, {("a", False, "x")})

    assert (How.EXACT, "a", False, "x", 2, 2) in found_in(public)


def test_a_figure_alone_in_its_column_is_worked_out():
    bare = Shape("bare", ("x",))
    public = withholding(flat({"a": (2,), "b": (20,), "c": (11,)}, bare), {("a", False, "x")})

    assert found_in(public) == {(How.EXACT, "a", False, "x", 2, 2)}


def test_a_square_of_large_figures_is_not_worked_out():
    square = {(unit, False, column) for unit in "bc" for column in "xy"}

    internal = flat({"a": (22, 12, 10), "b": (30, 20, 10), "c": (14, 11, 3)})

    assert not found_in(withholding(internal, square, threshold=3))


def test_a_square_of_small_figures_is_narrow():
    public = withholding(
        flat({"a": (12, 2, 10), "b": (30, 29, 1), "c": (14, 11, 3)}),
        {(unit, False, column) for unit in "bc" for column in "xy"},
        threshold=5,
    )

    narrow = found_in(public)

    assert (How.NARROW, "b", False, "y", 0, 4) in narrow


def test_a_figure_is_bounded_by_one_that_it_is_at_most():
    internal = flat({"a": (12, 10, 2, 1), "b": (30, 28, 2, 2), "c": (9, 5, 4, 3)}, BOUNDED)
    public = withholding(internal, {("a", False, "late"), ("b", False, "late")}, threshold=3)

    assert (How.NARROW, "a", False, "late", 1, 2) in found_in(public)


def test_several_equations_together_give_what_none_gives_alone():
    form = Shape("chain", ("n", "a", "b", "c", "d"), ("n = a + b = c + d",))
    own = {"u": (20, 2, 18, 5, 15)}
    internal = reports(form, own, {"u": None})
    public = withholding(internal, {("u", False, "n"), ("u", False, "a")})

    assert found_in(public) == {(How.EXACT, "u", False, "a", 2, 2)}


def test_a_figure_that_another_form_says_again_is_worked_out():
    one, two = Shape("one", ("x", "y")), Shape("two", ("z",))
    parents = {"u": None}
    public = withholding(reports(one, {"u": (2, 40)}, parents), {("u", False, "x")})
    public += withholding(reports(two, {"u": (42,)}, parents), set())
    linked = Knowledge(links=("two.z = one.x + one.y",))

    assert not attack(public, NOTHING)
    assert [(r.how, r.least) for r in attack(public, linked)] == [(How.EXACT, 2)]


def test_a_unit_two_levels_below_is_worked_out_through_the_level_between():
    parents = {"root": None, "m": "root", "n": "root", "a": "m", "b": "m"}
    bare = Shape("bare", ("x",))
    own = {"root": (0,), "m": (0,), "n": (50,), "a": (2,), "b": (30,)}
    public = withholding(reports(bare, own, parents), {("m", False, "x"), ("a", False, "x")})

    assert (How.EXACT, "a", False, "x", 2, 2) in found_in(public)


def test_a_small_figure_that_is_shown_is_found():
    assert (How.SHOWN, "a", False, "x", 2, 2) in found_in(withholding(SOME, set(), threshold=3))


def test_an_exempt_column_is_no_secret():
    exempt = Knowledge(exempt=frozenset({"two.all", "two.x", "two.y"}))

    assert not attack(withholding(SOME, set()), exempt)


def test_figures_that_do_not_add_up_are_refused():
    broken = list(withholding(SOME, {("a", False, "x")}))
    broken[0] = broken[0].model_copy(update={"totals": (56, 33, 5)})

    with pytest.raises(Contradiction):
        attack(broken, NOTHING)


def test_a_report_without_a_threshold_is_refused():
    with pytest.raises(NoThreshold):
        attack(SOME, NOTHING)


class TestTwoIssues:
    LONGER = H1.model_copy(update={"code": "2026-9m", "last_day": date(2026, 9, 14)})

    def two(self, before, now):
        bare = Shape("bare", ("x",))
        parents = {"root": None, "a": "root", "b": "root"}
        first = reports(bare, {"root": (0,), "a": (before[0],), "b": (before[1],)}, parents)
        later = reports(bare, {"root": (0,), "a": (now[0],), "b": (now[1],)}, parents, self.LONGER)
        return first, later

    def test_a_small_difference_is_found(self):
        first, later = self.two((50, 60), (52, 90))

        found = attack(withholding(first, set()) + withholding(later, set()), NOTHING)

        assert [(r.how, r.unit, r.least, r.issues) for r in found] == [
            (How.DIFFERENCE, "a", 2, ("2026-h1/1", "2026-9m/1"))
        ]

    def test_no_difference_is_none(self):
        first, later = self.two((50, 60), (50, 90))

        assert not attack(withholding(first, set()) + withholding(later, set()), NOTHING)

    def test_a_small_difference_of_what_is_left_is_found(self):
        """Both show the total and b; a and c, which both withhold, have grown by two."""
        bare = Shape("bare", ("x",))
        own = {"root": (0,), "a": (50,), "b": (60,), "c": (30,)}
        hidden = {(unit, False, "x") for unit in "ac"}
        first = withholding(reports(bare, own, FLAT), hidden)
        now = {**own, "a": (52,), "b": (90,)}
        later = withholding(reports(bare, now, FLAT, self.LONGER), hidden)

        found = attack([*first, *later], NOTHING)

        assert [(r.how, r.unit, r.least) for r in found] == [(How.DIFFERENCE, "root", 2)]

    def test_a_stock_that_the_next_period_tells_is_known(self):
        """t, open and done of a are withheld; what a carried over next year tells all three."""
        own = {"root": stock(0, 0, 0, 0), "a": stock(20, 10, 2, 9), "b": stock(30, 20, 8, 9)}
        now = {"root": stock(0, 0, 0, 0), "a": stock(2, 40, 9, 9), "b": stock(8, 40, 9, 9)}
        parents = {"root": None, "a": "root", "b": "root"}
        hidden = {(unit, False, c) for unit in "ab" for c in STOCK.columns}
        first = withholding(reports(STOCK, own, parents), hidden)
        told = {each for each in hidden if each[2] != "old"}
        later = withholding(reports(STOCK, now, parents, NEXT), told)

        assert (How.EXACT, "a", "open", 2) in {
            (each.how, each.unit, each.column, each.least)
            for each in attack([*first, *later], STOCKS)
        }
        assert "open" not in {e.column for e in attack([*first, *later], NOTHING)}

    def test_periods_apart_are_not_compared(self):
        first, _ = self.two((50, 60), (52, 90))
        apart = H1.model_copy(
            update={
                "code": "2027-h1",
                "first_day": date(2026, 12, 15),
                "last_day": date(2027, 6, 14),
            }
        )
        later = [
            report.model_copy(update={"period": apart}) for report in self.two((52, 62), (0, 0))[0]
        ]

        assert not attack(withholding(first, set()) + withholding(later, set()), NOTHING)


def is_fine(least, greatest, k):
    """What is certain, and could have been published."""
    return least == greatest and (least == 0 or least >= k)


TINY = st.integers(0, 4)


@st.composite
def published(draw):
    """A small tree, a small form, and a few cells withheld."""
    form = draw(st.sampled_from([TWO, BOUNDED, Shape("bare", ("x",))]))
    parents = draw(
        st.sampled_from(
            [
                {"root": None, "a": "root", "b": "root"},
                FLAT,
                {"root": None, "m": "root", "a": "m", "b": "m"},
            ]
        )
    )
    own = {}
    for unit in parents:
        x, y = draw(TINY), draw(TINY)
        late = draw(st.integers(0, y))
        own[unit] = {"two": (x + y, x, y), "bounded": (x + y, x, y, late), "bare": (x,)}[form.code]
    internal = reports(form, own, parents)
    places = sorted(
        {
            (unit, is_own, code)
            for unit in parents
            for is_own in ((False, True) if unit in set(parents.values()) else (False,))
            for code in form.columns
        }
    )
    hidden = draw(st.sets(st.sampled_from(places), min_size=1, max_size=6))
    return withholding(internal, hidden, threshold=draw(st.integers(2, 6)))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(published())
def test_the_attacker_finds_what_trying_everything_finds(public):
    k, most = public[0].threshold, 30
    expected = {
        (place[1], place[2], place[3]): bounds
        for place, bounds in ranges(public, most).items()
        if bounds[1] - bounds[0] < k and bounds[1] < most and not is_fine(*bounds, k)
    }
    found = {
        (each.unit, each.own, each.column): (each.least, each.greatest)
        for each in attack(public, NOTHING)
        if each.how in {How.EXACT, How.NARROW} and " - " not in each.column
    }

    assert found == expected
