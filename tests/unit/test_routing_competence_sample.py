"""Promises of the sample province's rules: each of them decides a matter there."""

from datetime import date

import pytest

from deploy.rules import RULE_FILES, read_rules
from deploy.sample.compose import HERE
from services.routing.domain.competence import Assignment, assign
from services.routing.domain.directory import DirectoryIndex
from services.routing.domain.matter import Matter
from shared.contracts.directory import Directory
from shared.contracts.rulebook import Rulebook
from shared.contracts.vocabulary import Concern, Kind

DAY = date(2026, 3, 10)


def decided(office: str | None, *, unit: str = "tinh", **more) -> Assignment:
    there = read_rules(HERE / "directory.yaml", RULE_FILES["directory"])
    rules = read_rules(HERE / "rulebook.yaml", RULE_FILES["rulebook"])
    assert isinstance(there, Directory)
    assert isinstance(rules, Rulebook)
    concerns = (Concern(office=office),) if office else (Concern(unit=unit),)
    said = {"kind": Kind.REFLECTION, "category": "ethics", "unit": unit, "acted": DAY, **more}
    return assign(Matter(concerns=concerns, **said), DirectoryIndex(there), rules, DAY)


def rules_by_body(found: Assignment) -> dict[str, str]:
    return {exclusion.body: exclusion.rule for exclusion in found.excluded}


@pytest.mark.parametrize(
    ("office", "body", "rule", "lead"),
    [
        ("pct-ubnd-xa-may-ngan", "ubmttq-may-ngan", "accused-in-body", "ubmttq-tinh"),
        ("gd-so-xay-dung", "cd-so-xay-dung", "accused-heads-superior", "ubmttq-tinh"),
        ("ct-ubnd-xa-suoi-biec", "ubmttq-suoi-biec", "deputy-of-accused", "ubmttq-tinh"),
        ("pct-ubnd-phuong-sen-trang", "ubmttq-sen-trang", "declared-relation", "ubmttq-tinh"),
    ],
)
def test_an_accused_is_kept_from_those_close(office, body, rule, lead):
    found = decided(office)

    assert rules_by_body(found)[body] == rule
    assert found.lead == lead
    assert "do xung đột lợi ích" in found.reasons[0].vi


def test_a_body_that_recused_itself_stays_away():
    found = decided("tr-thu-vien-tinh", category="lifestyle")

    assert rules_by_body(found) == {"hccb-tinh": "recused"}
    assert found.lead == "ubmttq-tinh"


def test_the_author_stays_away():
    found = decided(None, unit="so-y-te", author="ttnd-so-y-te")

    assert rules_by_body(found) == {"ttnd-so-y-te": "author-body"}
    assert found.lead == "ubmttq-tinh"


def test_the_front_of_the_province_still_supervises_its_chair():
    found = decided("ct-ubnd-tinh")

    assert found.lead == "ubmttq-tinh"
    assert set(rules_by_body(found).values()) <= {"accused-heads-superior", "deputy-of-accused"}


def test_a_denunciation_follows_the_office_held_then_and_now():
    found = decided("pgd-so-nong-nghiep", kind=Kind.DENUNCIATION, acted=date(2022, 6, 1))

    assert found.rule == "denunciation-by-office"
    assert "không còn giữ chức vụ khi đó" in found.reasons[0].vi
