"""Promises of the conflict rule: nobody judges their own matter."""

from datetime import date, timedelta

from services.routing.domain.conflict import excluded
from shared.contracts.case import Exclusion
from shared.contracts.directory import Holding
from tests.examples_routing import CONFLICT, TODAY, body, index, rulebook

ACTED = date(2026, 1, 5)


def excluded_codes(office: str | None, **more):
    found = excluded(office, ACTED, index(**more), rulebook(), TODAY)
    return [exclusion.body for exclusion in found]


def test_a_body_is_excluded_when_the_named_office_sits_in_it():
    found = excluded("ward-chair", ACTED, index(), rulebook(), TODAY)

    assert found == (Exclusion(body="ward-front", rule="sits-in-body", office="ward-chair"),)


def test_a_body_is_excluded_when_the_holder_sits_in_it_by_another_office():
    holdings = (
        Holding(person="p1", office="school-head"),
        Holding(person="p1", office="ward-chair"),
    )

    found = excluded("school-head", ACTED, index(holdings=holdings), rulebook(), TODAY)

    assert found == (Exclusion(body="ward-front", rule="sits-in-body", office="ward-chair"),)


def test_the_holder_of_the_day_of_the_act_is_concerned_after_moving_on():
    moved = ACTED + timedelta(days=10)
    holdings = (
        Holding(person="p1", office="school-head", valid_to=moved),
        Holding(person="p1", office="province-chair", valid_from=moved),
        Holding(person="p2", office="school-head", valid_from=moved),
    )

    assert excluded_codes("school-head", holdings=holdings) == ["province-front"]


def test_the_holder_of_today_is_concerned():
    holdings = (
        Holding(person="p1", office="school-head", valid_to=TODAY),
        Holding(person="p2", office="school-head", valid_from=TODAY),
        Holding(person="p2", office="ward-chair", valid_to=ACTED),
    )

    assert excluded_codes("school-head", holdings=holdings) == ["ward-front"]


def test_a_holder_of_neither_day_is_not_concerned():
    holdings = (
        Holding(person="p1", office="school-head", valid_to=date(2020, 1, 1)),
        Holding(person="p1", office="ward-chair"),
    )

    assert excluded_codes("school-head", holdings=holdings) == []


def test_an_office_not_taken_up_yet_excludes_nobody():
    holdings = (
        Holding(person="p1", office="school-head"),
        Holding(person="p1", office="ward-chair", valid_from=TODAY + timedelta(days=1)),
    )

    assert excluded_codes("school-head", holdings=holdings) == []


def test_who_names_no_office_excludes_nobody():
    assert excluded_codes(None) == []


def test_an_office_that_the_directory_does_not_list_still_excludes_where_it_sits():
    bodies = (body("ward-front", "ward", members=("unlisted",)),)

    assert excluded_codes("unlisted", bodies=bodies) == ["ward-front"]


def test_a_rule_that_is_not_in_force_excludes_nobody():
    ended = CONFLICT.model_copy(update={"effective_to": TODAY})

    found = excluded("ward-chair", ACTED, index(), rulebook(conflicts=(ended,)), TODAY)

    assert found == ()


def test_each_body_is_named_once_under_the_first_rule():
    second = CONFLICT.model_copy(update={"code": "again"})
    bodies = (
        body("b", "ward", members=("ward-deputy", "ward-chair")),
        body("a", "ward", members=("ward-deputy",)),
    )
    holdings = (
        Holding(person="p1", office="ward-chair"),
        Holding(person="p1", office="ward-deputy"),
    )
    directory = index(bodies=bodies, holdings=holdings)

    found = excluded("ward-chair", ACTED, directory, rulebook(conflicts=(CONFLICT, second)), TODAY)

    assert [(e.body, e.rule, e.office) for e in found] == [
        ("a", "sits-in-body", "ward-deputy"),
        ("b", "sits-in-body", "ward-chair"),
    ]
