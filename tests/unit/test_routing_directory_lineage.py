"""Promises of the directory about units that end: who goes on, and under which name."""

from datetime import date, timedelta

import pytest

from shared.contracts.directory import Recusal, Relation, Successor
from tests.examples_routing import TODAY, index, unit

MERGER = date(2025, 7, 1)
EVE = MERGER - timedelta(days=1)
SPLIT = date(2026, 1, 1)


def to(*codes: str, **categories: tuple[str, ...]) -> tuple[Successor, ...]:
    rest = tuple(Successor(unit=code) for code in codes)
    return (*rest, *(Successor(unit=u, categories=c) for u, c in categories.items()))


PROVINCE = unit("province", level=1)


class TestOneSuccessor:
    merged = index(
        units=(
            PROVINCE,
            unit("a", "province", 2, valid_to=MERGER, successors=to("ab")),
            unit("b", "province", 2, valid_to=MERGER, successors=to("ab")),
            unit("ab", "province", 2, valid_from=MERGER),
            unit("school", "a", 3),
        )
    )

    def test_goes_on_from_the_day_on(self):
        assert self.merged.successors("a", None, EVE) == ("a",)
        assert self.merged.successors("a", None, MERGER) == ("ab",)

    def test_takes_every_category(self):
        assert self.merged.successors("b", "ethics", MERGER) == ("ab",)

    def test_stands_in_the_way_up(self):
        assert self.merged.path("a", MERGER) == ("ab", "province")

    def test_is_the_parent_of_what_was_below(self):
        assert self.merged.path("school", MERGER) == ("school", "ab", "province")
        assert self.merged.below("ab", MERGER) == ("school",)

    def test_has_what_is_asked_below_the_ended(self):
        assert self.merged.below("b", MERGER) == ("school",)

    def test_has_nothing_of_it_before_the_day(self):
        assert self.merged.below("a", EVE) == ("school",)
        assert self.merged.below("b", EVE) == ()


class TestSeveralSuccessors:
    split = index(
        units=(
            PROVINCE,
            unit("a", "province", 2, valid_to=MERGER, successors=to("rest", land=("land",))),
            unit("rest", "province", 2, valid_from=MERGER),
            unit("land", "province", 2, valid_from=MERGER),
        )
    )

    def test_each_takes_its_categories(self):
        assert self.split.successors("a", "land", TODAY) == ("land",)

    def test_one_without_categories_takes_the_rest(self):
        assert self.split.successors("a", "ethics", TODAY) == ("rest",)

    def test_without_a_category_all_are_told(self):
        assert self.split.successors("a", None, TODAY) == ("land", "rest")

    def test_the_way_up_takes_the_one_of_the_category(self):
        assert self.split.path("a", TODAY, category="land") == ("land", "province")

    def test_the_way_up_begins_where_those_of_all_parts_meet(self):
        assert self.split.path("a", TODAY) == ("province",)

    def test_several_for_one_category_are_all_told(self):
        there = index(
            units=(
                unit("a", valid_to=MERGER, successors=to("c", "b")),
                unit("b", valid_from=MERGER),
                unit("c", valid_from=MERGER),
            )
        )

        assert there.successors("a", "ethics", TODAY) == ("b", "c")

    def test_what_no_part_takes_goes_to_the_parent(self):
        there = index(
            units=(
                PROVINCE,
                unit("a", "province", valid_to=MERGER, successors=to(land=("land",))),
                unit("land", "province", valid_from=MERGER),
            )
        )

        assert there.successors("a", "ethics", TODAY) == ("province",)


class TestChains:
    chain = index(
        units=(
            PROVINCE,
            unit("a", "province", valid_to=MERGER, successors=to("ab")),
            unit(
                "ab",
                "province",
                valid_from=MERGER,
                valid_to=SPLIT,
                successors=to("rest", land=("land",)),
            ),
            unit("rest", "province", valid_from=SPLIT),
            unit("land", "province", valid_from=SPLIT),
            unit("school", "a"),
        )
    )

    def test_merged_then_split_is_followed_to_the_day(self):
        days = (EVE, MERGER, SPLIT)

        assert [self.chain.successors("a", "land", day) for day in days] == [
            ("a",),
            ("ab",),
            ("land",),
        ]

    def test_a_category_is_kept_along_the_chain(self):
        assert self.chain.resolve("a", EVE, SPLIT, "ethics") == ("rest",)

    def test_a_circle_ends(self):
        there = index(
            units=(
                unit("a", valid_to=MERGER, successors=to("b")),
                unit("b", valid_to=MERGER, successors=to("a")),
            )
        )

        assert there.successors("a", None, TODAY) == ()
        assert there.path("a", TODAY) == ("a",)

    def test_a_circle_of_parts_and_parents_ends(self):
        there = index(
            units=(
                unit("s", valid_to=MERGER, successors=to("b", "c")),
                unit("b", "s", valid_from=MERGER),
                unit("c", "s", valid_from=MERGER),
            )
        )

        assert there.path("s", TODAY) == ()
        assert there.path("b", TODAY) == ("b",)

    def test_a_successor_that_is_not_listed_is_passed_over(self):
        there = index(units=(unit("a", valid_to=MERGER, successors=to("nowhere")),))

        assert there.successors("a", None, TODAY) == ()


class TestNoSuccessor:
    districts = index(
        units=(
            unit("old", level=1, valid_to=MERGER, successors=to("new")),
            unit("new", level=1, valid_from=MERGER),
            unit("district", "old", 2, valid_to=MERGER),
        )
    )

    def test_the_parent_goes_on_with_everything(self):
        assert self.districts.successors("district", "ethics", EVE) == ("district",)
        assert self.districts.successors("district", "ethics", MERGER) == ("new",)

    def test_the_parent_is_the_one_of_the_last_day_though_its_code_was_reused(self):
        there = index(
            units=(
                unit("old", level=1, valid_to=MERGER, successors=to("new")),
                unit("old", level=1, valid_from=MERGER),
                unit("new", level=1, valid_from=MERGER),
                unit("district", "old", 2, valid_to=MERGER),
            )
        )

        assert there.resolve("district", EVE, TODAY) == ("new",)

    def test_of_a_root_that_ended_nobody_goes_on(self):
        assert index(units=(unit("a", valid_to=MERGER),)).successors("a", None, TODAY) == ()

    def test_a_unit_never_listed_has_none(self):
        assert self.districts.resolve("nowhere", EVE, TODAY) == ()


class TestACodeGivenToAnotherUnit:
    """`00004` was one ward; on the day of the merger another unit got its code."""

    reused = index(
        units=(
            PROVINCE,
            unit("00004", "province", valid_to=MERGER, successors=to("00008")),
            unit("00004", "province", valid_from=MERGER),
            unit("00008", "province", valid_from=MERGER),
        )
    )

    @pytest.mark.parametrize(
        ("then", "found"), [(date(1945, 9, 2), "00008"), (EVE, "00008"), (MERGER, "00004")]
    )
    def test_is_told_apart_by_the_day(self, then, found):
        assert self.reused.resolve("00004", then, TODAY) == (found,)

    def test_the_way_up_asks_the_day_as_well(self):
        assert self.reused.path("00004", TODAY, then=EVE) == ("00008", "province")
        assert self.reused.path("00004", TODAY) == ("00004", "province")

    def test_the_later_unit_is_nobody_on_an_earlier_day(self):
        assert self.reused.resolve("00004", MERGER, EVE) == ()

    def test_among_its_successors_it_goes_on_with_a_part(self):
        there = index(
            units=(
                unit("00004", valid_to=MERGER, successors=to("00004", "00008")),
                unit("00004", valid_from=MERGER),
                unit("00008", valid_from=MERGER),
            )
        )

        assert there.resolve("00004", EVE, TODAY) == ("00004", "00008")

    def test_after_a_gap_it_is_another_unit(self):
        there = index(
            units=(
                PROVINCE,
                unit("a", "province", valid_to=MERGER),
                unit("a", "province", valid_from=SPLIT),
            )
        )

        assert there.resolve("a", EVE, TODAY) == ("province",)


class TestALaterVersion:
    moved = index(
        units=(
            unit("a", level=1),
            unit("b", level=1),
            unit("u", "a", valid_to=MERGER),
            unit("u", "b", valid_from=MERGER),
        )
    )

    def test_without_successors_is_the_same_unit(self):
        assert self.moved.resolve("u", EVE, TODAY) == ("u",)
        assert self.moved.path("u", TODAY, then=EVE) == ("u", "b")

    def test_was_the_same_unit_before(self):
        assert self.moved.resolve("u", TODAY, EVE) == ("u",)


def test_relations_are_told_of_both_on_their_days():
    there = index(
        relations=(
            Relation(persons=("p1", "p2"), declared="x", valid_to=MERGER),
            Relation(persons=("p3", "p1"), declared="x"),
        )
    )

    assert there.related_to("p1", EVE) == {"p2", "p3"}
    assert there.related_to("p1", MERGER) == {"p3"}
    assert there.related_to("p2", EVE) == {"p1"}
    assert there.related_to("nobody", EVE) == frozenset()


def test_recusals_are_those_of_the_body_on_the_day():
    first = Recusal(body="front", unit="school", reason="x", valid_to=MERGER)
    second = Recusal(body="front", person="p1", reason="x", valid_from=MERGER)
    there = index(recusals=(second, first))

    assert there.recusals_of("front", EVE) == (first,)
    assert there.recusals_of("front", MERGER) == (second,)
    assert there.recusals_of("other", MERGER) == ()
