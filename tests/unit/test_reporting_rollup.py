"""Promises of the roll-up: every row has one place in the tree, and parents add up."""

import pytest

from services.reporting.domain.forms import DoesNotFoot
from services.reporting.domain.rollup import NoUnitInForce, Tree, place, roll_up
from tests.examples_reporting import DAY, LAST_DAY, LETTERS, directory, unit

WIDTH = len(LETTERS.columns)


def tree(*units):
    return Tree.on(LAST_DAY, directory(units=units) if units else directory())


def letters(received):
    """A row with so many open reflections of one signature, received and eligible."""
    figures = dict.fromkeys((c.code for c in LETTERS.columns), 0)
    figures |= dict.fromkeys(("1", "3", "9", "10", "13", "17", "18", "21"), received)
    return tuple(figures.values())


def tables(own, on=None):
    on = on or tree()
    placed = place({code: letters(n) for code, n in own.items()}, on, LETTERS)
    return {table.unit: table for table in roll_up(LETTERS, placed, on)}


def test_units_are_told_from_below_upwards():
    assert tree().bottom_up == ("school", "commune", "ward", "province")


def test_the_order_is_the_directorys_own_whatever_way_it_is_written():
    assert tree(*reversed(directory().units)).bottom_up == tree().bottom_up


def test_a_leaf_has_its_own_row_alone():
    table = tables({"school": 3})["school"]

    assert [(row.unit, row.own) for row in table.rows] == [("school", True)]
    assert table.totals == letters(3)


def test_a_parent_has_its_own_row_and_one_for_each_child():
    table = tables({"province": 1, "ward": 2, "school": 3, "commune": 4})["province"]

    assert [(row.unit, row.own, row.cells) for row in table.rows] == [
        ("province", True, letters(1)),
        ("commune", False, letters(4)),
        ("ward", False, letters(5)),
    ]
    assert table.totals == letters(10)


def test_a_unit_without_any_row_is_reported_with_noughts():
    assert tables({})["commune"].totals == (0,) * WIDTH


def test_a_unit_no_longer_in_force_counts_at_its_nearest_ancestor_that_is():
    gone = {"valid_to": LAST_DAY}
    on = tree(unit("province"), unit("ward", "province", **gone), unit("school", "ward", **gone))

    assert tables({"school": 3, "ward": 1}, on)["province"].rows[0].cells == letters(4)


def test_a_child_of_a_unit_no_longer_in_force_hangs_on_the_nearest_that_is():
    gone = {"valid_to": LAST_DAY}
    on = tree(unit("province"), unit("ward", "province", **gone), unit("school", "ward"))

    assert on.parents == {"province": None, "school": "province"}


def test_of_a_code_used_twice_the_unit_in_force_counts():
    on = tree(
        unit("province"),
        unit("ward", "province"),
        unit("school", "ward", valid_to=LAST_DAY),
        unit("school", "province", valid_from=LAST_DAY),
    )

    assert on.parents["school"] == "province"


def test_a_unit_that_came_later_counts_where_it_will_hang():
    on = tree(
        unit("province"),
        unit("ward", "province"),
        unit("school", "ward", valid_from=LAST_DAY + DAY),
    )

    assert on.place("school") == "ward"


@pytest.mark.parametrize(
    "stray", [(), (unit("stray", valid_to=LAST_DAY),)], ids=["unknown", "gone root"]
)
def test_what_hangs_nowhere_counts_at_the_root(stray):
    on = tree(unit("province"), unit("ward", "province"), *stray)

    assert on.place("stray") == "province"


def test_a_circle_of_dissolved_units_counts_at_the_root():
    gone = {"valid_to": LAST_DAY}
    on = tree(unit("province"), unit("a", "b", **gone), unit("b", "a", **gone))

    assert on.place("a") == "province"


def test_units_that_are_their_own_ancestors_are_an_error():
    with pytest.raises(ValueError, match="its own ancestor"):
        tree(unit("a", "b"), unit("b", "a"))


def test_a_day_without_any_unit_is_an_error():
    with pytest.raises(NoUnitInForce):
        tree(unit("province", valid_from=LAST_DAY + DAY))


def test_a_table_that_does_not_foot_is_never_returned():
    on = tree()
    own = place({"ward": (1, *[0] * (WIDTH - 1))}, on, LETTERS)

    with pytest.raises(DoesNotFoot) as caught:
        roll_up(LETTERS, own, on, lambda unit, _identity: f"a case of {unit}")
    assert (caught.value.unit, caught.value.case) == ("ward", "a case of ward")
    assert caught.value.identity == "1 = 2 + 3 + 4 + 5 + 6 + 7"
    assert caught.value.figures["1"] == 1
