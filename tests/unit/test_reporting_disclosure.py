"""The public edition: what is withheld, and that nobody can work it out."""

from dataclasses import replace
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.reporting.domain.disclosure import (
    How,
    Knowledge,
    NotAForest,
    TellsOfFew,
    attack,
    attacking,
    protect,
)
from services.reporting.domain.revision import digest
from shared.contracts.report import Cause, Change, Edition
from tests.brute import cells, ranges
from tests.examples_disclosure import (
    NEXT,
    PLAIN,
    SHAPES,
    STOCK,
    STOCKS,
    Shape,
    closing,
    reports,
    stock,
)
from tests.examples_reporting import FORMS

NOTHING = Knowledge()
KNOWN = Knowledge.of(FORMS)
ALONE = replace(KNOWN, stocks=())
"""Of periods that do not adjoin others."""

SLOW = [HealthCheck.too_slow]
PARENTS = {"root": None, "m": "root", "n": "root", "a": "m", "b": "m", "c": "m", "d": "n", "e": "n"}
OWN = {
    "root": (0, 0, 0, 0),
    "m": (31, 11, 20, 0),
    "n": (57, 13, 22, 22),
    "a": (44, 3, 20, 21),
    "b": (52, 12, 20, 20),
    "c": (64, 22, 21, 21),
    "d": (65, 14, 25, 26),
    "e": (8, 0, 5, 3),
}
INTERNAL = reports(PLAIN, OWN, PARENTS)


def public(internal=INTERNAL, threshold=5, knowledge=NOTHING, issued=()):
    return protect(internal, threshold, knowledge, issued).reports


def of_unit(published, unit, own=False):
    """Figures of a unit's own row or of its total, by column."""
    [report] = [report for report in published if report.unit == unit]
    figures = report.rows[0].cells if own else report.totals
    return dict(zip((column.code for column in report.columns), figures, strict=True))


def flat(form=PLAIN, **own):
    return reports(
        form, {"root": (0,) * len(form.columns), **own}, {"root": None} | dict.fromkeys(own, "root")
    )


def test_a_small_figure_is_withheld_with_one_that_would_tell_it():
    """a = 3, b = 20, c = 21: of three parts the one that most rows can show stays."""
    shown = of_unit(public(), "a")

    assert (shown["all"], shown["a"], shown["b"], shown["c"]) == (44, None, 20, None)


def test_a_nought_is_published_where_many_are_counted():
    shown = public(flat(u=(70, 30, 20, 20), v=(44, 20, 24, 0)))

    assert of_unit(shown, "v")["c"] == 0


def test_a_nought_is_withheld_where_few_are_counted():
    assert of_unit(public(threshold=10), "e") == dict.fromkeys(PLAIN.columns)


def test_one_row_is_never_hidden_alone():
    shown = public(flat(u=(3, 3, 0, 0), v=(50, 20, 30, 0), w=(60, 30, 30, 0)))

    assert of_unit(shown, "v")["all"] is None
    assert of_unit(shown, "w")["all"] == 60


def test_what_is_left_of_a_part_is_large_enough():
    """The one with a small part hides it together with the smallest that has enough of it."""
    shown = public(flat(u=(30, 2, 28, 0), v=(60, 20, 40, 0), w=(50, 25, 25, 0), z=(20, 0, 20, 0)))

    assert {u: of_unit(shown, u)["a"] for u in "uvwz"} == {"u": None, "v": 20, "w": None, "z": 0}


def test_below_a_hidden_row_nothing_is_published():
    own = {"root": (0, 0, 0, 0), "m": (0, 0, 0, 0), "x": (4, 4, 0, 0), "y": (60, 30, 30, 0)}
    own |= {"n": (80, 40, 40, 0), "o": (70, 40, 30, 0), "p": (2, 0, 2, 0)}
    parents = {"root": None, "m": "root", "n": "root", "o": "root", "p": "root", "x": "m", "y": "m"}

    shown = public(reports(PLAIN, own, parents))

    assert of_unit(shown, "m")["all"] is None
    assert set(of_unit(shown, "y").values()) == {None}


def test_a_rest_that_nobody_prints_is_protected_too():
    form = Shape("late", ("all", "late"), ("late <= all",))

    shown = public(flat(form, u=(30, 28), v=(60, 50), w=(50, 20)))

    assert of_unit(shown, "u") == {"all": 30, "late": None}


def test_what_is_published_is_true():
    true, shown = cells(INTERNAL), cells(public())

    assert any(figure is not None for figure in shown.values())
    assert all(figure in {None, true[place]} for place, figure in shown.items())


def test_the_public_edition_says_what_it_is():
    first = public()[0]

    assert (first.edition, first.threshold, first.digest) == (Edition.PUBLIC, 5, digest(first))


def test_causes_and_changes_stay_inside():
    told = INTERNAL[0].model_copy(
        update={
            "changes": (Change(column="a", before=1, now=2),),
            "causes": (Cause(event="e", about="concluded"),),
            "in_flight": 3,
        }
    )

    first = public([told, *INTERNAL[1:]])[0]

    assert (first.changes, first.causes, first.in_flight) == ((), (), 0)


def test_an_exempt_column_is_published_whatever_it_says():
    exempt = Knowledge(exempt=frozenset(f"plain.{column}" for column in PLAIN.columns))

    assert cells(public(knowledge=exempt)) == cells(INTERNAL)


def test_an_amount_is_as_secret_as_the_number_of_its_cases():
    form = Shape("amounts", ("cases", "money"))
    internal = flat(form, a=(3, 720_000), b=(60, 0), c=(55, 81_000), d=(40, 500))
    knowledge = Knowledge(amounts={"amounts.money": "amounts.cases"})

    shown = public(internal, knowledge=knowledge)

    assert {u: of_unit(shown, u)["money"] for u in "abc"} == {"a": None, "b": 0, "c": 81_000}
    assert not attack(shown, knowledge)


def test_a_form_whose_uppermost_total_is_small_has_no_public_edition():
    shown = protect(reports(PLAIN, {"u": (3, 1, 1, 1)}, {"u": None}), 5, NOTHING)

    assert (shown.reports, shown.without) == ((), ("plain",))


def test_no_reports_have_no_public_edition():
    assert public([]) == ()


@pytest.mark.parametrize(
    ("identities", "knowledge"),
    [
        (("all = a + b", "c = b + d"), NOTHING),
        (("all = a + b",), Knowledge(exempt=frozenset({"odd.a"}))),
        ((), Knowledge(amounts={"odd.d": ""})),
    ],
)
def test_a_form_that_is_no_forest_is_refused(identities, knowledge):
    form = Shape("odd", ("all", "a", "b", "c", "d"), identities)

    with pytest.raises(NotAForest):
        public(reports(form, {"u": (9, 9, 0, 0, 0)}, {"u": None}), knowledge=knowledge)


class TestRevisions:
    def again(self, changes):
        return reports(PLAIN, {**OWN, **changes}, PARENTS, revision=2)

    def test_one_that_tells_of_few_waits(self):
        with pytest.raises(TellsOfFew):
            public(self.again({"b": (54, 12, 22, 20)}), issued=public())

    def test_one_that_tells_of_few_by_what_is_left_waits(self):
        """The total grows by 12 and b by 10, so that two came to those that are withheld."""
        bare = Shape("bare", ("x",))
        first = public(flat(bare, a=(6,), b=(40,), c=(60,), d=(9,)), 10)
        now = flat(bare, a=(8,), b=(50,), c=(60,), d=(9,))

        with pytest.raises(TellsOfFew):
            public([r.model_copy(update={"revision": 2}) for r in now], 10, issued=first)

    def test_one_with_other_units_waits(self):
        units = {**PARENTS, "f": "n"}
        now = reports(PLAIN, {**OWN, "f": (60, 20, 20, 20)}, units, revision=2)

        with pytest.raises(TellsOfFew):
            public(now, issued=public())

    def test_one_that_tells_of_many_does_not(self):
        first = public()
        second = public(self.again({"b": (72, 22, 30, 20)}), issued=first)

        assert of_unit(second, "b")["all"] == 72
        assert not attack([*first, *second], NOTHING)

    def test_what_was_withheld_stays_withheld(self):
        first = public()
        second = public(self.again({"a": (61, 20, 20, 21)}), issued=first)

        before, after = cells(first), cells(second)
        assert all(after[place] is None for place, figure in before.items() if figure is None)
        assert not attack([*first, *second], NOTHING)


class TestTwoPeriods:
    UNITS: ClassVar = {"root": None} | dict.fromkeys("abcd", "root")

    def both(self, first, second):
        zero = {"root": stock(0, 0, 0, 0)}
        one = reports(STOCK, zero | first, self.UNITS)
        other = reports(STOCK, zero | second, self.UNITS, NEXT)
        before = public(one, 10, STOCKS)
        return before, public(other, 10, STOCKS, before)

    FIRST: ClassVar = {
        "a": stock(2, 30, 12, 16),
        "b": stock(12, 30, 14, 20),
        "c": stock(40, 40, 13, 20),
        "d": stock(50, 50, 20, 20),
    }

    def test_a_stock_that_was_told_leaves_enough_untold(self):
        """a and b were hidden; if b is shown now, what a had is 12, and all else is known."""
        second = {
            "a": stock(12, 30, 12, 16),
            "b": stock(14, 30, 14, 20),
            "c": stock(13, 40, 13, 20),
            "d": stock(20, 50, 20, 20),
        }

        before, now = self.both(self.FIRST, second)

        assert not attack([*before, *now], STOCKS)

    def test_the_small_stock_of_one_that_was_hidden_is_not_told_by_the_others(self):
        first = {**self.FIRST, "a": stock(2, 30, 2, 16)}
        second = {
            "a": stock(2, 30, 12, 16),
            "b": stock(14, 30, 14, 20),
            "c": stock(13, 40, 13, 20),
            "d": stock(20, 50, 20, 20),
        }

        before, now = self.both(first, second)

        assert of_unit(now, "b")["t"] is None
        assert not attack([*before, *now], STOCKS)

    def test_a_stock_that_is_part_of_a_part_is_withheld(self):
        columns = ("all", "t", "u", "old", "new", "done", "open")
        form = Shape("far", columns, ("all = t + u", "t = old + new = done + open"))
        known = Knowledge(stocks=(("far.old", "far.open"),))
        internal = flat(form, a=(90, 50, 40, 20, 30, 25, 25), b=(90, 50, 40, 20, 30, 25, 25))

        assert of_unit(public(internal, 10), "a")["old"] == 20
        assert of_unit(public(internal, 10, known), "a")["old"] is None

    def test_a_stock_that_came_late_is_not_shown_beside_the_other(self):
        second = {
            "a": stock(12, 30, 12, 16),
            "b": stock(14, 30, 14, 20),
            "c": stock(13, 40, 13, 20),
            "d": stock(22, 50, 20, 20),
        }

        before, now = self.both(self.FIRST, second)

        assert before
        assert now == ()


FIGURE = st.one_of(st.integers(0, 3), st.integers(0, 12), st.integers(0, 60))
DEEP = Shape(
    "deep",
    ("t", "a", "b", "x", "y", "z", "p", "q", "late"),
    ("t = a + b = x + y + z", "x = p + q", "late <= y"),
)


def deep(dice, figure=FIGURE):
    p, q, y, z = (dice(figure) for _ in range(4))
    t = p + q + y + z
    a = dice(st.integers(0, t))
    return t, a, t - a, p + q, y, z, p, q, dice(st.integers(0, y))


@st.composite
def trees(draw, most=7):
    parents = {"u0": None}
    for n in range(1, draw(st.integers(1, most))):
        parents[f"u{n}"] = f"u{draw(st.integers(0, n - 1))}"
    return parents


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(trees(), st.data(), st.integers(2, 10))
def test_whatever_the_figures_nothing_can_be_worked_out(parents, data, threshold):
    internal = reports(DEEP, {unit: deep(data.draw) for unit in parents}, parents)

    shown = public(internal, threshold)

    assert not attack(shown, NOTHING)
    true = cells(internal)
    assert all(figure in {None, true[place]} for place, figure in cells(shown).items())


@settings(max_examples=30, deadline=None, suppress_health_check=SLOW)
@given(trees(3), st.data())
def test_trying_everything_finds_no_narrow_range(parents, data):
    two = Shape("two", ("all", "x", "y"), ("all = x + y",))
    own = {
        u: (x + y, x, y)
        for u in parents
        for x, y in [data.draw(st.tuples(*[st.integers(0, 5)] * 2))]
    }
    shown = public(reports(two, own, parents), 3)
    if sum(figure is None for figure in cells(shown).values()) > 6:
        return

    assert all(
        high - low >= 3 or (low == high and (low == 0 or low >= 3))
        for low, high in ranges(shown, 30).values()
    )


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(trees(5), st.data())
def test_whatever_is_corrected_nothing_follows_from_both_issues(parents, data):
    own = {unit: deep(data.draw) for unit in parents}
    changed = {u: deep(data.draw) if data.draw(st.booleans()) else own[u] for u in parents}
    first = public(reports(DEEP, own, parents), 4)
    try:
        second = public(reports(DEEP, changed, parents, revision=2), 4, issued=first)
    except TellsOfFew:
        return

    assert not attack([*first, *second], NOTHING)


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(trees(6), st.data())
def test_whatever_is_carried_over_nothing_follows_from_two_periods(parents, data):
    def figures(old):
        new = data.draw(FIGURE)
        t = old + new
        return stock(old, new, data.draw(st.integers(0, t)), data.draw(st.integers(0, t)))

    own = {unit: figures(data.draw(FIGURE)) for unit in parents}
    following = {unit: figures(own[unit][4]) for unit in parents}
    first = public(reports(STOCK, own, parents), 4, STOCKS)

    second = public(reports(STOCK, following, parents, NEXT), 4, STOCKS, first)

    assert not attack([*first, *second], STOCKS)


@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
@given(trees(), st.data(), st.integers(2, 6))
def test_one_row_beside_the_others_shows_what_the_whole_table_shows(parents, data, threshold):
    """Tables that hide whole branches, safe or not: the quick way is held to the whole."""
    small = st.integers(0, 9)
    internal = reports(DEEP, {unit: deep(data.draw, small) for unit in parents}, parents)
    shown = protect(internal, 1, NOTHING).reports
    steps = [set("t"), set("ab"), set("xyz"), set("pq"), {"late"}]
    above = [None, 0, 0, 2, 2]
    hidden = set()
    for unit, parent in parents.items():
        for own in (False, True):
            for number in range(len(steps)):
                over = (parent if not own else unit, False, number)
                inherits = over in hidden or (unit, own, above[number]) in hidden
                if inherits or data.draw(st.integers(0, 2)) == 0:
                    hidden.add((unit, own, number))
    public_ = withheld(shown, {(u, o, c) for u, o, n in hidden for c in steps[n]}, threshold)

    quick = attack(public_, NOTHING)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attacking, "sheet_of", lambda *_: None)
        assert set(quick) == set(attack(public_, NOTHING))


def withheld(internal, hidden, threshold):
    """Without these: unit, own, column."""
    found = []
    for report in internal:
        single = all(row.own for row in report.rows)

        def cells_of(unit, own, figures, report=report, single=single):
            codes = [column.code for column in report.columns]
            return tuple(
                None if (unit, own and not single, code) in hidden else figure
                for code, figure in zip(codes, figures, strict=True)
            )

        rows = tuple(
            r.model_copy(update={"cells": cells_of(r.unit, r.own, r.cells)}) for r in report.rows
        )
        totals = cells_of(report.unit, False, report.totals)
        update = {"rows": rows, "totals": totals, "threshold": threshold}
        found.append(report.model_copy(update=update))
    return tuple(found)


def test_an_amount_of_a_row_without_cases_keeps_no_table_from_the_quick_way(monkeypatch):
    """Its nought is told wherever the cases are known to be none, though the total withholds it."""
    shown = public(closing(3, 6, 60, 40), 10, KNOWN)
    monkeypatch.setattr(attacking.Equations, "ranges", lambda *_: pytest.fail("as a whole"))

    assert not attack(shown, KNOWN)


@pytest.mark.parametrize("threshold", [5, 10])
@pytest.mark.parametrize("knowledge", [KNOWN, ALONE])
def test_the_statutory_forms_of_a_small_province_can_be_protected(threshold, knowledge):
    shown = public(closing(3, 3, 12, 40), threshold, knowledge)

    assert not attack(shown, KNOWN)
    assert {report.form for report in shown} >= {"01-xld", "s-124"}
    assert any(f is not None for place, f in cells(shown).items() if place[3] == "9")


def test_small_figures_alone_can_be_worked_out():
    """That the attacker finds something where only the small figures are withheld."""
    internal = closing(3, 3, 12, 40)
    small = {
        (unit, own is True, column)
        for (_, unit, own, column), figure in cells(internal).items()
        if 0 < figure < 5
    }

    found = {each.how for each in attack(withheld(internal, small, 5), KNOWN)}

    assert found >= {How.EXACT, How.NARROW}


def test_a_column_that_counts_agencies_is_always_published():
    shown = cells(public(closing(3, 3, 12, 40), 10, KNOWN))

    exempt = {place for place in shown if f"{place[0]}.{place[3]}" in KNOWN.exempt}
    assert exempt
    assert all(shown[place] is not None for place in exempt)


def test_the_forms_of_the_rulebook_are_a_forest():
    assert {shape.code for shape in SHAPES} == {form.code for form in FORMS}
    assert KNOWN.stocks == (("s-124.carried-over", "s-124.open"), ("03-kqgq.2", "03-kqgq.10"))
