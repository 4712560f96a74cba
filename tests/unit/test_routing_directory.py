"""Promises of the directory's index."""

from collections.abc import Iterable
from datetime import date

from shared.contracts.directory import Body, Holding, OfficeRank
from tests.examples_routing import TODAY, UNITS, body, index, office, unit

MERGER = date(2025, 7, 1)
"""On this day the districts ended and many communes' codes passed to other units."""


class TestPath:
    def test_leads_from_the_unit_to_the_root(self):
        assert index().path("school", TODAY) == ("school", "ward", "province")

    def test_of_an_unknown_unit_is_empty(self):
        assert index().path("nowhere", TODAY) == ()

    def test_follows_the_parent_of_the_day(self):
        units = (
            unit("province", level=1),
            unit("district", "province", 2, valid_to=MERGER),
            unit("commune", "district", 3, valid_to=MERGER),
            unit("commune", "province", 2, valid_from=MERGER),
        )
        directory = index(units=units)

        assert directory.path("commune", date(2025, 6, 30)) == ("commune", "district", "province")
        assert directory.path("commune", MERGER) == ("commune", "province")

    def test_of_a_dissolved_unit_leads_to_its_last_parent(self):
        units = (
            unit("province", level=1),
            unit("district", "province", 2, valid_to=MERGER),
            unit("commune", "district", 3, valid_to=MERGER),
        )

        assert index(units=units).path("commune", TODAY) == ("commune", "district", "province")

    def test_ends_where_a_circle_would_close(self):
        units = (unit("a", "b"), unit("b", "c"), unit("c", "a"))

        assert index(units=units).path("a", TODAY) == ("a", "b", "c")

    def test_ends_below_a_parent_that_is_not_listed(self):
        assert index(units=(unit("a", "gone"),)).path("a", TODAY) == ("a",)


class TestUnits:
    def test_a_code_names_the_unit_of_the_day(self):
        units = (unit("26104", level=4, valid_to=MERGER), unit("26104", level=2, valid_from=MERGER))
        directory = index(units=units)

        assert [directory.unit("26104", day).level for day in (date(2025, 6, 30), MERGER)] == [4, 2]

    def test_below_are_all_units_at_any_depth(self):
        assert index().below("province", TODAY) == ("clinic", "school", "ward")

    def test_below_leaves_out_what_has_been_dissolved(self):
        units = (*UNITS, unit("old-school", "ward", valid_to=MERGER))

        assert index(units=units).below("ward", TODAY) == ("clinic", "school")

    def test_below_ends_in_a_circle_of_units(self):
        units = (unit("a", "b"), unit("b", "a"))

        assert index(units=units).below("a", TODAY) == ("b",)


class TestBodies:
    def test_at_a_unit_stand_by_code(self):
        bodies = (body("b", "ward"), body("a", "ward"), body("c", "school"))

        assert codes(index(bodies=bodies).bodies_at("ward", TODAY)) == ["a", "b"]

    def test_that_are_no_longer_in_force_are_left_out(self):
        bodies = (body("a", "ward", valid_to=TODAY, members=("ward-chair",)),)
        directory = index(bodies=bodies)

        assert codes(directory.bodies_at("ward", TODAY)) == []
        assert codes(directory.bodies_with_member("ward-chair", TODAY)) == []

    def test_are_found_by_a_member_office(self):
        assert codes(index().bodies_with_member("ward-chair", TODAY)) == ["ward-front"]

    def test_come_by_level_from_the_top(self):
        levels = [codes(bodies) for bodies in index().bodies_by_level(TODAY)]

        assert levels == [["inspectorate", "province-front"], ["ward-front"]]

    def test_of_an_unlisted_unit_come_last(self):
        bodies = (body("a", "nowhere"), body("b", "school"))
        levels = [codes(found) for found in index(bodies=bodies).bodies_by_level(TODAY)]

        assert levels == [["b"], ["a"]]


class TestHolders:
    holdings = (
        Holding(person="p1", office="ward-chair", valid_to=MERGER),
        Holding(person="p2", office="ward-chair", valid_from=MERGER),
        Holding(person="p1", office="school-head", valid_from=MERGER),
    )

    def test_are_those_of_the_day(self):
        directory = index(holdings=self.holdings)

        assert directory.holders("ward-chair", date(2025, 6, 30)) == {"p1"}
        assert directory.holders("ward-chair", MERGER) == {"p2"}

    def test_of_an_office_that_nobody_holds_are_none(self):
        assert index(holdings=self.holdings).holders("ward-deputy", TODAY) == frozenset()

    def test_keep_every_office_that_they_held(self):
        assert index(holdings=self.holdings).offices_held("p1", until=TODAY) == {
            "ward-chair",
            "school-head",
        }

    def test_do_not_hold_yet_what_begins_later(self):
        held = index(holdings=self.holdings).offices_held("p1", until=date(2025, 6, 30))

        assert held == {"ward-chair"}


def test_an_office_is_the_one_of_the_day_or_the_last():
    offices = (
        office("chair", "ward", valid_to=MERGER),
        office("deputy", "ward", OfficeRank.DEPUTY),
    )
    directory = index(offices=offices)

    assert directory.office("chair", TODAY).unit == "ward"
    assert directory.office("nobody", TODAY) is None


def test_tens_of_thousands_of_units_are_indexed():
    units = [unit("root", level=1)]
    units += [unit(f"u{n}", f"u{n // 10}" if n >= 10 else "root", 6) for n in range(1, 30_000)]
    bodies = [body(f"b{n}", f"u{n}") for n in range(1, 30_000)]
    directory = index(units=tuple(units), bodies=tuple(bodies))

    assert directory.path("u29999", TODAY) == ("u29999", "u2999", "u299", "u29", "u2", "root")
    assert len(directory.below("root", TODAY)) == 29_999


def codes(bodies: Iterable[Body]) -> list[str]:
    return [found.code for found in bodies]
