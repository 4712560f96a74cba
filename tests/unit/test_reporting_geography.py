"""Promises of figures told in the units of another day: nothing lost, nothing twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.domain.geography import (
    NotRestated,
    compared,
    restated,
    restated_figures,
)
from services.reporting.domain.lineage import Lineage, NotLater
from services.reporting.domain.revision import Closing, digest, reports_of
from services.reporting.domain.rollup import Tree, place, roll_up
from services.routing.domain.directory.lineage import Lineage as RoutingLineage
from tests.examples_reporting import (
    DAY,
    END,
    FORMS,
    LETTERS,
    directory,
    unit,
    window,
)
from tests.trees_reporting import NEW, NOW, OLD, THEN, directories, heir

WIDTH = len(LETTERS.columns)
CATEGORIES = st.sampled_from([None, "land", "schools", "roads"])


def letters(received):
    """So many open reflections of one signature, received and eligible."""
    figures = dict.fromkeys((c.code for c in LETTERS.columns), 0)
    figures |= dict.fromkeys(("1", "3", "9", "10", "13", "17", "18", "21"), received)
    return tuple(figures.values())


def published(there, received, period="2026-h1"):
    """Form 01/XLD of every unit of the period's last day."""
    tree = Tree.on(THEN, there)
    own = place({code: letters(number) for code, number in received.items()}, tree, LETTERS)
    closing = Closing(
        period=window(period).period,
        party="operator",
        command="order-1",
        correlation="order-1",
        sending="command:1",
        at=END,
        directory=1,
        rulebook=1,
        figures={LETTERS.code: own},
    )
    return reports_of(closing, [LETTERS], tree)


def own_of(reports):
    """Received letters in the units' own rows, those that are not nought."""
    told = {r.unit: next(row.cells[0] for row in r.rows if row.own) for r in reports}
    return {code: number for code, number in told.items() if number}


def total(rows):
    return tuple(map(sum, zip(*rows, strict=True)))


COUNTS = st.dictionaries(
    st.sampled_from(["province", *OLD, *NEW, "never-listed"]), st.integers(0, 9)
)


@given(directories(), COUNTS)
def test_totals_are_equal_in_both_geographies(there, received):
    before = published(there, received)

    after = restated(before, Lineage(there, NOW))

    own = {r.unit: next(row.cells for row in r.rows if row.own) for r in after}
    assert set(own) == set(Tree.on(NOW, there).units)
    assert total(own.values()) == letters(sum(received.values()))
    roots = [r.totals for r in after if Tree.on(NOW, there).parents[r.unit] is None]
    assert total(roots) == letters(sum(received.values()))


@given(directories(), COUNTS)
def test_a_parent_is_the_sum_of_its_children_in_both_geographies(there, received):
    before = published(there, received)
    for reports in (before, restated(before, Lineage(there, NOW))):
        by_unit = {report.unit: report for report in reports}
        for report in reports:
            own, *children = report.rows
            parts = [own.cells, *(by_unit[child.unit].totals for child in children)]
            assert report.totals == total(parts)
            assert LETTERS.broken(report.totals) is None


@given(directories(), COUNTS)
def test_the_same_day_is_the_same_geography(there, received):
    before = published(there, received)

    after = restated(before, Lineage(there, THEN))

    assert [(r.unit, r.rows, r.totals) for r in after] == [
        (r.unit, r.rows, r.totals) for r in before
    ]


@given(directories(), st.sampled_from(OLD), st.sampled_from(["land", "schools", "roads"]))
def test_reporting_and_routing_resolve_alike(there, code, category):
    reporting, routing = Lineage(there, NOW), RoutingLineage(there.units)
    whole = routing.resolve(code, THEN, NOW)
    part = routing.resolve(code, THEN, NOW, category)

    assert reporting.heirs(code, THEN) == whole
    if len(part) == 1 and all(any(not s.categories for s in u.successors) for u in splits(there)):
        assert reporting.place(code, THEN, category) == part[0]


def splits(there):
    return [each for each in there.units if len(each.successors) > 1]


@given(directories(), st.sampled_from([*OLD, *NEW, "never-listed"]), CATEGORIES)
def test_every_unit_has_one_place_in_force_and_above_all_that_go_on(there, code, category):
    lineage = Lineage(there, NOW)

    at = lineage.place(code, THEN, category)

    assert at in lineage.tree.units
    for each in lineage.heirs(code, THEN, category or ""):
        line = [each]
        while lineage.tree.parents[line[-1]] is not None:
            line.append(lineage.tree.parents[line[-1]])
        assert at in line


ENDED = {"valid_to": THEN + DAY}
BEGUN = {"valid_from": THEN + DAY}


def lineage(*units):
    return Lineage(directory(units=(unit("province", level=1), *units)), NOW)


def test_a_merged_unit_counts_at_its_successor():
    on = lineage(
        unit("ward", "province", successors=(heir("city"),), **ENDED),
        unit("commune", "province", successors=(heir("city"),), **ENDED),
        unit("city", "province", **BEGUN),
    )

    before = published(on_directory(on), {"ward": 2, "commune": 3, "province": 1})
    assert own_of(restated(before, on)) == {"city": 5, "province": 1}


def on_directory(on):
    units = [each for versions in on._versions.values() for each in versions]
    return directory(units=tuple(units))


SPLIT = (
    unit(
        "office",
        "province",
        successors=(heir("land-office", ("land",)), heir("home-office")),
        **ENDED,
    ),
    unit("land-office", "province", **BEGUN),
    unit("home-office", "province", **BEGUN),
)


@pytest.mark.parametrize(
    ("category", "at"),
    [("land", "land-office"), ("schools", "home-office"), (None, "home-office")],
)
def test_a_unit_split_by_function_counts_at_the_one_named_for_it_else_at_the_rest(category, at):
    assert lineage(*SPLIT).place("office", THEN, category) == at


def test_a_unit_split_without_functions_counts_at_the_nearest_above_all_parts():
    on = lineage(
        unit("district", "province"),
        unit("ward", "province", successors=(heir("north"), heir("south")), **ENDED),
        unit("north", "district", **BEGUN),
        unit("south", "district", **BEGUN),
    )

    assert on.place("ward", THEN) == "district"


def test_a_dissolved_unit_counts_at_the_unit_above_it():
    assert lineage(unit("ward", "province", **ENDED)).place("ward", THEN) == "province"


def test_a_code_that_means_another_unit_now_does_not_take_the_figures():
    on = lineage(
        unit("ward", "province", successors=(heir("city"),), **ENDED),
        unit("ward", "province", valid_from=THEN + 2 * DAY),
        unit("city", "province", **BEGUN),
    )

    assert on.place("ward", THEN) == "city"
    assert on.place("ward", THEN + 2 * DAY) == "ward"


def test_successors_that_name_one_another_in_a_circle_end_at_the_root():
    on = lineage(
        unit("a", "province", successors=(heir("b"),), **ENDED),
        unit("b", "province", successors=(heir("a"),), **ENDED),
    )

    assert on.place("a", THEN) == "province"


def test_figures_are_never_told_in_the_units_of_an_earlier_day():
    on = Lineage(directory(), THEN - DAY)

    with pytest.raises(NotLater):
        restated_figures({"ward": letters(1)}, THEN, on, WIDTH)


def test_the_newest_revision_counts():
    first = published(directory(), {"ward": 1})
    [ward] = [r for r in published(directory(), {"ward": 4}) if r.unit == "ward"]
    [whole] = [r for r in published(directory(), {"ward": 4}) if r.unit == "province"]
    second = [report.model_copy(update={"revision": 2}) for report in (ward, whole)]

    assert own_of(restated([*second, *first], Lineage(directory(), NOW))) == {"ward": 4}


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda reports: [], "no report"),
        (lambda reports: reports[1:], "1 reports are missing, first school"),
        (lambda reports: [*reports, reports[0].model_copy(update={"form": "f"})], "several forms"),
        (lambda reports: [withheld(reports[0]), *reports[1:]], "school withholds"),
        (lambda reports: [*reports[:-1], shifted(reports[-1])], "not the sum"),
    ],
    ids=["none", "one missing", "two forms", "withheld", "other totals"],
)
def test_reports_that_are_not_whole_are_refused(spoil, why):
    reports = list(published(directory(), {"school": 3}))

    with pytest.raises(NotRestated, match=why):
        restated(spoil(reports), Lineage(directory(), NOW))


def withheld(report):
    [own] = report.rows
    cells = (None, *own.cells[1:])
    return report.model_copy(update={"rows": (own.model_copy(update={"cells": cells}),)})


def shifted(report):
    return report.model_copy(update={"totals": (report.totals[0] + 1, *report.totals[1:])})


def test_what_is_told_anew_says_no_cause_and_has_its_own_digest():
    for report in restated(published(directory(), {"school": 3}), Lineage(directory(), NOW)):
        assert report.digest == digest(report)
        assert (report.changes, report.causes) == ((), ())


def test_last_year_stands_beside_this_year_in_this_years_units():
    on = lineage(
        unit("ward", "province", successors=(heir("city"),), **ENDED),
        unit("commune", "province", successors=(heir("city"),), **ENDED),
        unit("city", "province", **BEGUN),
    )
    before = published(on_directory(on), {"ward": 2, "commune": 3})
    tree = on.tree
    own = place({"city": letters(9)}, tree, LETTERS)
    [now] = [t for t in roll_up(LETTERS, own, tree) if t.unit == "city"]
    report = before[0].model_copy(update={"unit": "city", "rows": now.rows, "totals": now.totals})

    difference = compared(report, before, on)[0]

    assert (difference.now, difference.before, difference.difference) == (9, 5, 4)


def test_every_form_of_the_pack_can_be_told_anew():
    tree = Tree.on(THEN, directory())
    for form in FORMS:
        closing = Closing(
            period=window().period,
            party="operator",
            command="order-1",
            correlation="order-1",
            sending="command:1",
            at=END,
            directory=1,
            rulebook=1,
            figures={form.code: place({}, tree, form)},
        )
        reports = reports_of(closing, [form], tree)
        assert len(restated(reports, Lineage(directory(), NOW))) == len(reports)


def test_parts_under_several_roots_count_at_the_first_root():
    on = lineage(
        unit("elsewhere", level=1),
        unit("ward", "elsewhere", successors=(heir("north"), heir("south")), **ENDED),
        unit("north", "province", **BEGUN),
        unit("south", "elsewhere", **BEGUN),
    )

    assert on.place("ward", THEN) == on.tree.bottom_up[-1]
