"""Promises of the timeline of offices: the cases of the Law on Denunciations 2018, Art. 12."""

from datetime import date

import pytest

from services.routing.domain.competence import assign
from shared.contracts.case import Basis
from shared.contracts.directory import Holding, OfficeRank
from shared.contracts.rulebook import CooperationMethod
from shared.contracts.vocabulary import Concern
from tests.examples_routing import (
    COMPETENCE,
    TODAY,
    body,
    index,
    matter,
    office,
    rulebook,
    unit,
)

ACTED = date(2025, 1, 5)
MOVED = date(2025, 6, 1)

# Two cities under a province; each city has a ward, each unit a body of its own.
UNITS = (
    unit("province", level=1),
    unit("east", "province", 2),
    unit("west", "province", 2),
    unit("east-ward", "east", 3),
    unit("west-ward", "west", 3),
)
OFFICES = tuple(
    office(f"{place.code}-{rank.value}", place.code, rank) for place in UNITS for rank in OfficeRank
)
BODIES = tuple(body(f"{place.code}-front", place.code) for place in UNITS)
TIMELINE = rulebook(
    competence=(COMPETENCE.model_copy(update={"cooperation": CooperationMethod.OFFICE_TIMELINE}),),
    conflicts=(),
)


def moved(*careers, rules=TIMELINE, **more):
    """The assignment of a matter about the first office of each career, by the second of today."""
    holdings = []
    for number, (old, new) in enumerate(careers):
        holdings.append(Holding(person=f"p{number}", office=old, valid_to=MOVED))
        if new is not None:
            holdings.append(Holding(person=f"p{number}", office=new, valid_from=MOVED))
    there = index(
        **{"units": UNITS, "offices": OFFICES, "bodies": BODIES, "holdings": holdings, **more}
    )
    concerns = tuple(Concern(office=old) for old, _ in careers)
    about = matter(unit="east-ward", concerns=concerns, acted=ACTED)
    return assign(about, there, rules, TODAY)


TABLE = [
    # Equal elsewhere: above the old one leads, above the new one co-operates.
    ("east-ward-head", "west-ward-head", "east-front", ["west-front"]),
    ("east-ward-deputy", "west-ward-deputy", "east-front", ["west-front"]),
    ("east-head", "west-head", "province-front", []),  # one superior for both
    # Became head: above the current one leads, the old one co-operates.
    ("east-ward-deputy", "west-ward-head", "west-front", ["east-ward-front"]),
    ("east-ward-head", "west-head", "province-front", ["east-ward-front"]),
    ("east-ward-deputy", "east-ward-head", "east-front", []),  # in the same unit
    # Promoted otherwise: the current one leads, the old one co-operates.
    ("east-ward-head", "west-deputy", "west-front", ["east-ward-front"]),
    ("east-ward-member", "east-deputy", "east-front", ["east-ward-front"]),
    ("east-ward-member", "east-ward-deputy", "east-ward-front", []),  # in the same unit
    # Otherwise: the old one leads.
    ("east-head", "west-ward-head", "east-front", []),
    ("east-ward-head", "west-ward-deputy", "east-ward-front", []),
    ("east-ward-head", "east-ward-deputy", "east-ward-front", []),
    ("east-ward-head", None, "east-ward-front", []),
]


@pytest.mark.parametrize(("old", "new", "lead", "beside"), TABLE)
def test_lead_and_cooperating_follow_the_office_held_then_and_now(old, new, lead, beside):
    found = moved((old, new))

    assert (found.lead, list(found.cooperating)) == (lead, beside)


@pytest.mark.parametrize(("old", "new", "lead", "beside"), TABLE)
def test_the_move_and_every_body_have_their_reason(old, new, lead, beside):
    found = moved((old, new))

    assert len(found.reasons) == 2 + len(beside)
    assert {(reason.rule, reason.citation) for reason in found.reasons} == {
        (found.rule, found.citation)
    }


def test_who_still_holds_the_office_has_not_moved():
    holdings = (
        Holding(person="p1", office="east-ward-head"),
        Holding(person="p1", office="west-head", valid_from=MOVED),
    )

    found = moved(("east-ward-head", None), holdings=holdings)

    assert (found.lead, found.basis) == ("east-ward-front", Basis.SAME_LEVEL)
    assert len(found.reasons) == 1


def test_of_several_offices_of_today_the_highest_counts():
    holdings = (
        Holding(person="p1", office="east-ward-head", valid_to=MOVED),
        Holding(person="p1", office="east-ward-deputy", valid_from=MOVED),
        Holding(person="p1", office="west-head", valid_from=MOVED),
    )

    assert moved(("east-ward-head", None), holdings=holdings).lead == "province-front"


def test_without_a_rule_on_cooperation_the_old_unit_leads_alone():
    found = moved(("east-ward-head", "west-ward-head"), rules=rulebook(conflicts=()))

    assert (found.lead, found.cooperating) == ("east-ward-front", ())


def test_above_the_root_the_fallback_body_leads():
    bodies = (*BODIES, body("desk", "province", jurisdictions=()))

    found = moved(("east-head", "province-head"), bodies=bodies, fallback_body="desk")

    assert (found.lead, found.basis) == ("desk", Basis.FALLBACK)
    assert found.cooperating == ("east-front",)


def test_an_excluded_body_does_not_cooperate_either():
    bodies = tuple(
        entry.model_copy(update={"members": ("west-ward-head",)})
        if entry.code == "west-front"
        else entry
        for entry in BODIES
    )
    rules = TIMELINE.model_copy(update={"conflicts": rulebook().conflicts})

    found = moved(("east-ward-head", "west-ward-head"), rules=rules, bodies=bodies)

    assert (found.lead, found.cooperating) == ("east-front", ("province-front",))
    [exclusion] = found.excluded
    assert "Ủy ban" not in exclusion.reason.vi
    assert exclusion.reason.vi.startswith("west-front không được tham gia")


def test_several_accused_are_led_from_above_the_starts_of_all():
    found = moved(("east-ward-head", "west-ward-head"), ("west-ward-head", None))

    assert (found.lead, found.cooperating) == ("province-front", ("west-front",))
