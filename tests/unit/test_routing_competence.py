"""Promises of competence: somebody leads, and never one whom the matter concerns."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from services.routing.domain.competence import NO_RULE, assign
from shared.contracts.case import Basis
from shared.contracts.directory import Jurisdiction, OfficeRank, Successor
from shared.contracts.vocabulary import Concern, Kind
from tests.examples_routing import (
    COMPETENCE,
    REGULATION,
    TODAY,
    body,
    directory,
    index,
    matter,
    rulebook,
    unit,
)


def assigned(about=None, rules=None, load=None, **more):
    return assign(about or matter(), index(**more), rules or rulebook(), TODAY, load or {})


def named(*offices):
    return tuple(Concern(office=office) for office in offices)


class TestTheWayUp:
    def test_the_body_of_the_concerned_unit_leads(self):
        found = assigned(bodies=(body("a", "school"), body("b", "ward")))

        assert (found.lead, found.basis) == ("a", Basis.SAME_LEVEL)

    def test_a_unit_without_a_body_is_led_by_the_nearest_above(self):
        found = assigned()

        assert (found.lead, found.basis) == ("ward-front", Basis.HIGHER_LEVEL)

    def test_the_rule_that_named_the_lead_is_cited(self):
        found = assigned()

        assert (found.rule, found.citation) == ("same-level", REGULATION)

    def test_the_unit_of_the_office_goes_before_the_receiving_unit(self):
        found = assigned(matter(unit="school", concerns=(Concern(office="ward-deputy"),)))

        assert (found.lead, found.basis) == ("ward-front", Basis.SAME_LEVEL)

    def test_the_unit_of_the_office_goes_before_the_named_unit(self):
        concerns = (Concern(office="province-chair", unit="school"),)
        found = assigned(matter(concerns=concerns), bodies=(body("a", "province"),))

        assert found.basis is Basis.SAME_LEVEL

    def test_the_named_unit_goes_before_the_receiving_unit(self):
        found = assigned(matter(unit="school", concerns=(Concern(unit="ward"),)))

        assert (found.lead, found.basis) == ("ward-front", Basis.SAME_LEVEL)

    @pytest.mark.parametrize("concerns", [Concern(), Concern(unit="gone"), Concern(office="gone")])
    def test_what_the_directory_does_not_list_is_passed_over(self, concerns):
        found = assigned(matter(unit="ward", concerns=(concerns,)))

        assert (found.lead, found.basis) == ("ward-front", Basis.SAME_LEVEL)

    def test_a_body_no_longer_in_force_does_not_lead(self):
        found = assigned(bodies=(body("a", "school", valid_to=TODAY), body("b", "ward")))

        assert found.lead == "b"

    def test_a_matter_of_a_merged_unit_is_led_at_its_successor(self):
        units = (
            unit("province", level=1),
            unit("old", "province", valid_to=TODAY, successors=(Successor(unit="new"),)),
            unit("new", "province", valid_from=TODAY),
        )
        bodies = (body("new-front", "new"), body("province-front", "province"))
        found = assigned(
            matter(unit="old", acted=TODAY - timedelta(days=30)), units=units, bodies=bodies
        )

        assert (found.lead, found.basis) == ("new-front", Basis.SAME_LEVEL)

    def test_a_code_that_names_another_unit_by_now_is_read_as_of_its_day(self):
        units = (
            unit("province", level=1),
            unit("x", "province", valid_to=TODAY, successors=(Successor(unit="y"),)),
            unit("x", "province", valid_from=TODAY),
            unit("y", "province"),
        )
        bodies = (body("x-front", "x"), body("y-front", "y"))
        found = assigned(
            matter(unit="x", acted=TODAY - timedelta(days=30)), units=units, bodies=bodies
        )

        assert found.lead == "y-front"


class TestJurisdiction:
    def test_a_body_leads_only_within_its_unit(self):
        found = assigned(bodies=(body("a", "ward", within="clinic"), body("b", "province")))

        assert found.lead == "b"

    def test_a_body_leads_only_its_categories(self):
        narrow = (Jurisdiction(unit="ward", categories=("finance",)),)
        bodies = (body("a", "ward", jurisdictions=narrow), body("b", "province"))

        assert assigned(bodies=bodies).lead == "b"
        assert assigned(matter(category="finance"), bodies=bodies).lead == "a"

    def test_a_body_leads_only_its_kinds(self):
        narrow = (Jurisdiction(unit="ward", kinds=(Kind.DENUNCIATION,)),)
        bodies = (body("a", "ward", jurisdictions=narrow), body("b", "province"))

        assert assigned(bodies=bodies).lead == "b"
        assert assigned(matter(kind=Kind.DENUNCIATION), bodies=bodies).lead == "a"

    def test_of_equals_one_that_names_the_category_leads(self):
        named = (Jurisdiction(unit="ward", categories=("ethics",)),)
        bodies = (body("a", "ward"), body("z", "ward", jurisdictions=named))

        assert assigned(bodies=bodies).lead == "z"

    def test_of_equals_the_first_by_code_leads(self):
        assert assigned(bodies=(body("b", "ward"), body("a", "ward"))).lead == "a"

    def test_a_body_leads_only_offices_of_its_ranks(self):
        narrow = (Jurisdiction(unit="ward", ranks=(OfficeRank.DEPUTY,)),)
        bodies = (body("a", "ward", jurisdictions=narrow), body("b", "province"))

        def lead(*offices):
            return assigned(matter(concerns=named(*offices)), bodies=bodies).lead

        assert lead("ward-deputy") == "a"
        assert lead("ward-chair") == "b"
        assert lead("ward-deputy", "ward-chair") == "b"
        assert lead() == "b"


class TestLoad:
    bodies = (body("a", "ward"), body("b", "ward"), body("c", "ward"))

    def test_of_equals_the_one_with_fewest_open_cases_leads(self):
        found = assigned(load={"a": 5, "b": 3, "c": 4}, bodies=self.bodies)

        assert found.lead == "b"
        assert "ít vụ việc" in found.reasons[0].vi

    def test_a_body_without_a_count_has_no_open_case(self):
        assert assigned(load={"a": 1, "c": 1}, bodies=self.bodies).lead == "b"

    def test_with_equal_loads_the_code_decides(self):
        found = assigned(load={"a": 2, "b": 1, "c": 1}, bodies=self.bodies)

        assert found.lead == "b"

    def test_no_load_moves_a_case_away_from_its_level(self):
        bodies = (*self.bodies, body("d", "province"))

        assert assigned(load={"a": 9, "b": 9, "c": 9}, bodies=bodies).lead == "a"

    def test_no_load_puts_a_general_body_before_one_that_names_the_category(self):
        narrow = (Jurisdiction(unit="ward", categories=("ethics",)),)
        bodies = (body("a", "ward"), body("z", "ward", jurisdictions=narrow))

        assert assigned(load={"z": 9}, bodies=bodies).lead == "z"

    def test_is_no_reason_where_it_decided_nothing(self):
        found = assigned(load={"a": 1, "b": 1, "c": 1}, bodies=self.bodies)

        assert "ít vụ việc" not in found.reasons[0].vi


class TestSeveralConcerns:
    def test_are_led_from_the_nearest_unit_above_them_all(self):
        bodies = (body("s", "school"), body("c", "clinic"), body("w", "ward"))
        concerns = (Concern(unit="school"), Concern(unit="clinic"))

        found = assigned(matter(concerns=concerns), bodies=bodies)

        assert (found.lead, found.basis) == ("w", Basis.SAME_LEVEL)

    def test_are_led_from_the_highest_where_nothing_is_above_them_all(self):
        units = (unit("north", level=1), unit("south", level=1), unit("village", "south", 2))
        bodies = (body("n", "north"), body("v", "village"))
        concerns = (Concern(unit="village"), Concern(unit="north"))

        assert assigned(matter(concerns=concerns), units=units, bodies=bodies).lead == "n"

    def test_in_any_order_are_one_matter(self):
        concerns = (Concern(office="ward-chair"), Concern(office="school-head"))

        one = assigned(matter(concerns=concerns))

        assert one == assigned(matter(concerns=concerns[::-1]))


class TestConflict:
    concerns = (Concern(office="ward-chair"),)

    def test_a_concerned_body_is_passed_over(self):
        found = assigned(matter(concerns=self.concerns))

        assert (found.lead, found.basis) == ("province-front", Basis.CONFLICT)

    def test_the_decision_shows_who_was_passed_over(self):
        [exclusion] = assigned(matter(concerns=self.concerns)).excluded

        assert (exclusion.body, exclusion.office) == ("ward-front", "ward-chair")

    def test_an_equal_of_the_concerned_body_takes_over(self):
        bodies = (body("a", "ward", members=("ward-chair",)), body("b", "ward"))

        found = assigned(matter(concerns=self.concerns), bodies=bodies)

        assert (found.lead, found.basis) == ("b", Basis.CONFLICT)

    def test_a_concerned_body_that_would_not_have_led_is_no_reason(self):
        bodies = (body("a", "ward"), body("b", "ward", members=("ward-chair",)))

        found = assigned(matter(concerns=self.concerns), bodies=bodies)

        assert (found.lead, found.basis) == ("a", Basis.SAME_LEVEL)


class TestFallback:
    def test_leads_where_nobody_is_competent(self):
        bodies = (body("desk", "province", jurisdictions=()),)

        found = assigned(bodies=bodies, fallback_body="desk")

        assert (found.lead, found.basis) == ("desk", Basis.FALLBACK)

    def test_leads_where_no_rule_fits(self):
        rules = rulebook(
            competence=(COMPETENCE.model_copy(update={"kinds": (Kind.DENUNCIATION,)}),)
        )

        bodies = (body("a", "school"), body("desk", "province"))
        found = assigned(rules=rules, bodies=bodies, fallback_body="desk")

        assert (found.lead, found.basis) == ("desk", Basis.FALLBACK)
        assert (found.rule, found.citation) == (NO_RULE, "")

    def test_gives_way_when_it_is_concerned_itself(self):
        bodies = (
            body("desk", "province", members=("school-head",)),
            body("high", "province", within="clinic"),
            body("low", "ward", within="clinic"),
        )

        found = assigned(bodies=bodies, fallback_body="desk")

        assert (found.lead, found.basis) == ("high", Basis.FALLBACK)

    def test_gives_way_to_the_nearest_of_the_highest(self):
        units = (
            unit("north", level=1),
            unit("south", level=1),
            unit("school", "south", level=2),
        )
        bodies = (
            body("a-desk", "north", members=("school-head",)),
            body("b-far", "north", within="north"),
            body("c-near", "south", within="north"),
        )

        found = assigned(units=units, bodies=bodies, fallback_body="a-desk")

        assert found.lead == "c-near"

    def test_gives_way_when_it_is_no_longer_in_force(self):
        bodies = (
            body("desk", "province", jurisdictions=(), valid_to=TODAY),
            body("other", "clinic"),
        )

        assert assigned(bodies=bodies, fallback_body="desk").lead == "other"

    def test_is_outside_the_directory_where_every_body_is_concerned(self):
        bodies = (body("desk", "province", members=("school-head",)),)

        found = assigned(bodies=bodies, fallback_body="desk", outside_desk="above")

        assert (found.lead, found.basis, found.within_competence) == (
            "above",
            Basis.FALLBACK,
            False,
        )
        assert [exclusion.body for exclusion in found.excluded] == ["desk"]

    def test_outside_the_directory_is_never_a_body_of_it(self):
        with pytest.raises(ValidationError):
            directory(bodies=(body("above", "province"),), outside_desk="above")

    def test_takes_what_concerns_a_unit_that_nobody_lists(self):
        found = assigned(matter(unit="nowhere", concerns=(Concern(),)))

        assert (found.lead, found.within_competence) == ("province-front", False)


class TestWithinCompetence:
    def test_is_a_lead_above_the_receiving_unit(self):
        assert assigned().within_competence

    def test_is_not_a_lead_below_or_beside_it(self):
        bodies = (body("a", "school"), body("b", "clinic"))

        found = assigned(matter(unit="clinic"), bodies=bodies)

        assert (found.lead, found.within_competence) == ("a", False)
