"""Promises of competence: somebody leads, and never one whom the matter concerns."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain.competence import NO_RULE, Matter, assign
from services.routing.domain.directory import DirectoryIndex
from shared.contracts.case import Basis
from shared.contracts.directory import Directory, Holding, Jurisdiction
from shared.contracts.vocabulary import Concern, Kind
from tests.examples_routing import (
    COMPETENCE,
    REGULATION,
    TODAY,
    body,
    index,
    label,
    matter,
    office,
    rulebook,
    unit,
)


def assigned(matter=None, rulebook=None, **directory):
    return assign(
        matter or example_matter(), index(**directory), rulebook or example_rules(), TODAY
    )


example_matter, example_rules = matter, rulebook


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
        found = assigned(matter(unit="school", concerns=Concern(office="ward-deputy")))

        assert (found.lead, found.basis) == ("ward-front", Basis.SAME_LEVEL)

    def test_the_unit_of_the_office_goes_before_the_named_unit(self):
        concerns = Concern(office="province-chair", unit="school")
        found = assigned(matter(concerns=concerns), bodies=(body("a", "province"),))

        assert found.basis is Basis.SAME_LEVEL

    def test_the_named_unit_goes_before_the_receiving_unit(self):
        found = assigned(matter(unit="school", concerns=Concern(unit="ward")))

        assert (found.lead, found.basis) == ("ward-front", Basis.SAME_LEVEL)

    @pytest.mark.parametrize("concerns", [Concern(), Concern(unit="gone"), Concern(office="gone")])
    def test_what_the_directory_does_not_list_is_passed_over(self, concerns):
        found = assigned(matter(unit="ward", concerns=concerns))

        assert (found.lead, found.basis) == ("ward-front", Basis.SAME_LEVEL)

    def test_a_body_no_longer_in_force_does_not_lead(self):
        found = assigned(bodies=(body("a", "school", valid_to=TODAY), body("b", "ward")))

        assert found.lead == "b"


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


class TestConflict:
    concerns = Concern(office="ward-chair")

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
        found = assigned(rulebook=rules, bodies=bodies, fallback_body="desk")

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

    def test_leads_in_plain_view_where_every_body_is_concerned(self):
        bodies = (body("desk", "province", members=("school-head",)),)

        found = assigned(bodies=bodies, fallback_body="desk")

        assert (found.lead, found.basis) == ("desk", Basis.FALLBACK)
        assert [exclusion.body for exclusion in found.excluded] == ["desk"]

    def test_takes_what_concerns_a_unit_that_nobody_lists(self):
        found = assigned(matter(unit="nowhere", concerns=Concern()))

        assert (found.lead, found.within_competence) == ("province-front", False)


class TestWithinCompetence:
    def test_is_a_lead_above_the_receiving_unit(self):
        assert assigned().within_competence

    def test_is_not_a_lead_below_or_beside_it(self):
        bodies = (body("a", "school"), body("b", "clinic"))

        found = assigned(matter(unit="clinic"), bodies=bodies)

        assert (found.lead, found.within_competence) == ("a", False)


# Properties over generated trees

KINDS = st.sampled_from(Kind)
CATEGORIES = st.sampled_from(["ethics", "finance", "discipline"])


@st.composite
def directories(draw: st.DrawFn) -> Directory:
    """A tree of up to twelve units, with bodies, offices and people strewn over it."""
    size = draw(st.integers(1, 12))
    units = [unit("u0", level=1)]
    for number in range(1, size):
        parent = units[draw(st.integers(0, number - 1))]
        units.append(unit(f"u{number}", parent.code, min(parent.level + 1, 6)))
    unit_codes = st.sampled_from([entry.code for entry in units])
    offices = [office(f"o{n}", draw(unit_codes)) for n in range(draw(st.integers(1, 8)))]
    office_codes = st.sampled_from([entry.code for entry in offices])
    days = st.sampled_from([TODAY + timedelta(days=n) for n in (-400, -1, 0, 1)])
    holdings = [
        Holding(
            person=f"p{draw(st.integers(0, 3))}",
            office=draw(office_codes),
            valid_from=draw(days),
            valid_to=draw(st.none() | days),
        )
        for _ in range(draw(st.integers(0, 10)))
    ]
    jurisdictions = st.builds(
        Jurisdiction,
        unit=unit_codes,
        categories=st.lists(CATEGORIES, max_size=2).map(tuple),
        kinds=st.lists(KINDS, max_size=2).map(tuple),
    )
    bodies = [
        body(
            f"b{number}",
            draw(unit_codes),
            jurisdictions=tuple(draw(st.lists(jurisdictions, max_size=2))),
            members=tuple(draw(st.lists(office_codes, max_size=4))),
            valid_to=draw(st.none() | days),
        )
        for number in range(draw(st.integers(1, 8)))
    ]
    return Directory(
        title=label("Ngẫu nhiên"),
        units=tuple(units),
        bodies=tuple(bodies),
        offices=tuple(offices),
        holdings=tuple(holdings),
        fallback_body=draw(st.sampled_from([*(entry.code for entry in bodies), "unlisted-desk"])),
    )


@st.composite
def matters(draw: st.DrawFn) -> Matter:
    unit_codes = st.sampled_from([f"u{n}" for n in range(13)])
    return Matter(
        kind=draw(KINDS),
        category=draw(CATEGORIES),
        unit=draw(unit_codes),
        concerns=Concern(
            unit=draw(st.none() | unit_codes),
            office=draw(st.none() | st.sampled_from([f"o{n}" for n in range(9)])),
        ),
        acted=TODAY - timedelta(days=draw(st.integers(0, 500))),
    )


@given(directories(), matters())
def test_a_concerned_body_never_leads_while_a_clean_one_exists(there, about):
    found = assign(about, DirectoryIndex(there), rulebook(), TODAY)
    concerned = {exclusion.body for exclusion in found.excluded}
    clean = {entry.code for entry in there.bodies if entry.in_force(TODAY)} - concerned

    assert found.lead not in concerned or not clean


@given(directories(), matters())
def test_no_matter_is_left_unassigned(there, about):
    found = assign(about, DirectoryIndex(there), rulebook(), TODAY)
    bodies = {entry.code for entry in there.bodies if entry.in_force(TODAY)}

    assert found.lead in {*bodies, there.fallback_body}


@given(directories(), matters(), st.randoms(use_true_random=False))
def test_the_order_of_the_directory_never_decides(there, about, random):
    shuffled = {
        name: tuple(random.sample(getattr(there, name), k=len(getattr(there, name))))
        for name in ("units", "bodies", "offices", "holdings")
    }
    other = there.model_copy(update=shuffled)

    first = assign(about, DirectoryIndex(there), rulebook(), TODAY)
    second = assign(about, DirectoryIndex(other), rulebook(), TODAY)

    assert first == second


@given(directories(), matters())
def test_whoever_holds_the_named_office_sits_in_no_lead_body(there, about):
    """Told without the index: straight from the rows of the directory."""
    found = assign(about, DirectoryIndex(there), rulebook(), TODAY)
    [lead] = [b for b in there.bodies if b.code == found.lead] or [None]
    persons = {
        holding.person
        for holding in there.holdings
        if holding.office == about.concerns.office
        and (holding.in_force(TODAY) or holding.in_force(about.acted))
    }
    offices = {about.concerns.office} | {
        holding.office
        for holding in there.holdings
        if holding.person in persons and holding.valid_from <= TODAY
    }

    everybody_sits = all(
        offices & set(entry.members) for entry in there.bodies if entry.in_force(TODAY)
    )

    assert lead is None or everybody_sits or not offices & set(lead.members)
