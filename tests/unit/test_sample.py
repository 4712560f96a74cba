"""The sample province: whole, sound, and the same bytes each time it is composed."""

from pathlib import Path

import pytest

from deploy.rules import RULE_FILES, Invalid, read_rules
from deploy.sample.compose import HERE, composed


@pytest.fixture(scope="module")
def directory():
    return read_rules(HERE / "directory.yaml", RULE_FILES["directory"])


@pytest.mark.parametrize("noun", RULE_FILES)
def test_rule_files_fit_their_contracts(noun):
    assert read_rules(HERE / f"{noun}.yaml", RULE_FILES[noun])


def test_the_feed_is_what_the_composer_writes():
    written = composed()

    assert {path: (HERE / path).read_bytes() for path in written} == written


def test_no_file_of_the_feed_is_there_that_the_composer_does_not_write():
    there = {str(p.relative_to(HERE)) for p in (HERE / "feed").rglob("*") if p.is_file()}

    assert there - composed().keys() == set()


def test_it_is_as_large_as_a_small_province(directory):
    assert len(directory.units) == 40
    assert {unit.level for unit in directory.units} == {1, 2, 3}
    assert len(directory.bodies) == 12
    assert len(directory.offices) >= 59
    assert len(directory.supervisions) == 16


def test_every_reference_resolves(directory):
    units = {unit.code for unit in directory.units}
    offices = {office.code for office in directory.offices}
    persons = {person.code for person in directory.persons}
    bodies = {body.code for body in directory.bodies}

    assert {u.parent for u in directory.units} - {None} <= units
    assert {a.unit for a in directory.agencies} | {o.unit for o in directory.offices} <= units
    assert {b.unit for b in directory.bodies} <= units
    assert {j.unit for b in directory.bodies for j in b.jurisdictions} <= units
    assert {m for b in directory.bodies for m in b.members} <= offices
    assert {h.office for h in directory.holdings} <= offices
    assert {h.person for h in directory.holdings} == persons
    assert {s.office for s in directory.supervisions} <= offices
    assert {s.body for s in directory.supervisions} | {directory.fallback_body} <= bodies


def test_every_agency_shows_a_mailbox_and_a_hotline(directory):
    assert all(len(agency.channels) == 2 for agency in directory.agencies)


def test_every_office_has_a_holder(directory):
    held = {holding.office for holding in directory.holdings}

    assert {office.code for office in directory.offices} == held


def test_a_broken_file_is_said_with_its_place(tmp_path: Path):
    file = tmp_path / "calendar.yaml"
    file.write_text("title: {vi: Lịch}\ncitation: x\nfirst_year: hai\n")

    with pytest.raises(Invalid) as caught:
        read_rules(file, RULE_FILES["calendar"])

    assert any("first_year" in line for line in caught.value.lines)
