"""Promises of the reasons: whole sentences in two languages, of labels and never of persons."""

from datetime import date

import pytest

from services.routing.domain import reasons
from services.routing.domain.competence import assign
from shared.contracts.case import Basis
from shared.contracts.directory import Holding, Label, Person, Recusal, Relation
from shared.contracts.rulebook import ConflictMethod, CooperationMethod
from shared.contracts.vocabulary import Concern
from tests.examples_routing import (
    COMPETENCE,
    CONFLICT,
    OFFICES,
    REGULATION,
    TODAY,
    UNITS,
    body,
    index,
    matter,
    rulebook,
)

WARD_FRONT = Label(
    vi="Ủy ban Mặt trận Tổ quốc phường Sen Trắng", en="Fatherland Front of Sen Trắng Ward"
)
WARD = Label(vi="Phường Sen Trắng", en="Sen Trắng Ward")
CHAIR = Label(vi="Chủ tịch Ủy ban nhân dân phường", en="Chair of the Ward")

NAMED = {
    "units": tuple(u.model_copy(update={"name": WARD}) if u.code == "ward" else u for u in UNITS),
    "offices": tuple(
        o.model_copy(update={"title": CHAIR}) if o.code == "ward-chair" else o for o in OFFICES
    ),
    "bodies": (
        body("ward-front", "ward").model_copy(update={"name": WARD_FRONT}),
        body("province-front", "province"),
    ),
    "persons": (Person(code="p1", name="Nguyễn Thị Bí Mật"),),
}


def decided(rules=None, about=None, **more):
    return assign(about or matter(), index(**{**NAMED, **more}), rules or rulebook(), TODAY)


def about(office: str):
    return matter(concerns=(Concern(office=office),))


def test_the_body_of_the_same_level_is_told_as_such():
    [reason] = decided(about=about("ward-chair")).reasons

    assert reason.vi == (
        "Ủy ban Mặt trận Tổ quốc phường Sen Trắng cùng cấp với đơn vị được phản ánh là"
        f" Phường Sen Trắng và có thẩm quyền, theo {REGULATION}."
    )
    assert reason.en == (
        "Fatherland Front of Sen Trắng Ward is at the level of Sen Trắng Ward, the unit concerned,"
        f" and is competent, under {REGULATION}."
    )
    assert (reason.rule, reason.citation) == ("same-level", REGULATION)


def test_a_higher_body_is_told_as_the_nearest():
    [reason] = decided().reasons

    assert reason.vi == (
        "Ủy ban Mặt trận Tổ quốc phường Sen Trắng là tổ chức giám sát gần nhất có thẩm quyền ở"
        f" cấp trên của school, theo {REGULATION}."
    )


EVERY_RULE = tuple(
    CONFLICT.model_copy(update={"code": method.value, "method": method, "citation": f"Điều {n}"})
    for n, method in enumerate(ConflictMethod, start=1)
)
SITTING = NAMED["bodies"][0].model_copy(update={"members": ("ward-chair",)})
BOTH = (Holding(person="p1", office="school-head"), Holding(person="p2", office="ward-chair"))
CLOSE = Relation(persons=("p1", "p2"), declared="Bản kê khai")
OF_ONE = {
    ConflictMethod.ACCUSED_SITS_IN_BODY: ("ward-chair", {"bodies": (SITTING,)}, "đứng đầu hoặc"),
    ConflictMethod.ACCUSED_HEADS_SUPERIOR: ("ward-chair", {}, "đứng đầu đơn vị"),
    ConflictMethod.DEPUTY_OF_ACCUSED: (
        "ward-chair",
        {"bodies": (SITTING.model_copy(update={"members": ("ward-deputy",)}),)},
        "cấp phó hoặc cấp dưới",
    ),
    ConflictMethod.DECLARED_RELATION: (
        "school-head",
        {"bodies": (SITTING,), "holdings": BOTH, "relations": (CLOSE,)},
        "quan hệ thân thích",
    ),
    ConflictMethod.RECUSED: (
        "ward-chair",
        {"recusals": (Recusal(body="ward-front", office="ward-chair", reason="Số 7"),)},
        "tự từ chối",
    ),
    ConflictMethod.AUTHOR_BODY: ("ward-chair", {}, "chính tổ chức này gửi đơn"),
}


@pytest.mark.parametrize("rule", EVERY_RULE, ids=lambda rule: rule.code)
def test_each_rule_of_conflict_says_why_a_body_was_passed_over(rule):
    office, there, words = OF_ONE[rule.method]
    said = matter(concerns=(Concern(office=office),), author="ward-front")

    found = decided(rulebook(conflicts=(rule,)), said, fallback_body="ward-front", **there)

    reason = next(e.reason for e in found.excluded if e.body == "ward-front")
    assert reason is not None
    assert reason.vi.startswith("Ủy ban Mặt trận Tổ quốc phường Sen Trắng không")
    assert words in reason.vi
    assert (reason.rule, reason.citation) == (rule.code, rule.citation)
    assert "Bí Mật" not in repr(found)
    assert "p1" not in repr(found)


def test_a_body_that_would_not_have_led_is_excluded_without_words():
    bodies = (*NAMED["bodies"], body("z", "province", members=("school-head",), within="clinic"))

    found = decided(bodies=bodies)

    assert [(e.body, e.reason) for e in found.excluded] == [("z", None)]


def test_a_passed_over_body_is_the_reason_of_the_next_one():
    found = decided(about=about("ward-chair"), bodies=(SITTING, NAMED["bodies"][1]))

    assert found.basis is Basis.CONFLICT
    assert "do xung đột lợi ích; province-front là" in found.reasons[0].vi


@pytest.mark.parametrize(
    ("bodies", "words"),
    [
        ((body("desk", "clinic"),), "desk là đầu mối dự phòng"),
        (
            (body("desk", "ward", members=("ward-chair",)), body("other", "clinic")),
            "other chủ trì vì là tổ chức cấp cao nhất",
        ),
        ((body("desk", "ward", members=("ward-chair",)),), "ngoài danh bạ (outside-desk)"),
    ],
)
def test_each_last_resort_is_told(bodies, words):
    found = decided(about=about("ward-chair"), bodies=bodies, fallback_body="desk")

    assert words in found.reasons[0].vi


def test_without_a_rule_nothing_is_cited():
    [reason] = decided(rulebook(competence=())).reasons

    assert (reason.rule, reason.citation) == ("no-competence-rule", "")
    assert "theo" not in reason.vi


def test_what_the_directory_does_not_name_is_told_by_its_code():
    units = (*UNITS[:3],)
    past = COMPETENCE.model_copy(update={"cooperation": CooperationMethod.OFFICE_TIMELINE})
    said = matter(unit="ward", concerns=(Concern(office="gone"),), acted=date(2020, 1, 1))

    found = decided(rulebook(competence=(past,)), said, units=units)

    assert found.lead == "ward-front"


TEMPLATES = [
    template
    for table in (
        reasons.LEAD,
        reasons.RESORT,
        reasons.COURSE,
        reasons.BESIDE,
        reasons.EXCLUDED,
    )
    for template in table.values()
]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.en[:30])
def test_every_sentence_exists_in_both_languages_and_ends(template):
    assert template.vi.endswith(".")
    assert template.en.endswith(".")
    assert template.vi != template.en
    assert "{unit}" not in template.vi or "{unit}" in template.en


def test_every_method_of_conflict_has_its_sentence():
    assert set(reasons.EXCLUDED) == set(ConflictMethod)
