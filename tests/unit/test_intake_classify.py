"""Kind, category, object and eligibility follow from the rules in force, and from words alone."""

from datetime import date

import pytest

from services.intake.domain.classify import Classifier, Stated
from shared.contracts.directory import Holding, Person
from shared.contracts.rulebook import CategoryRule, KindRule
from shared.contracts.vocabulary import Concern, Kind, Signatures
from tests.examples_intake import (
    REGULATION,
    circumstances,
    cited,
    directory,
    label,
    office,
    rulebook,
    unit,
)


def classify(words, *, rules=None, places=None, **more):
    classifier = Classifier(rules or rulebook(), places or directory())
    return classifier.classify(words, **circumstances(**more))


class TestKind:
    def test_the_first_rule_that_fits_decides(self):
        said = classify("Đơn khiếu nại và tố cáo")

        assert said.kind == Kind.DENUNCIATION
        assert "to-cao" in said.decided_by

    @pytest.mark.parametrize("words", ["TỐ CÁO", "to cao", "tô\u0301 ca\u0301o", "…tố  cáo!"])
    def test_every_writing_of_a_word_fits(self, words):
        assert classify(words).kind == Kind.DENUNCIATION

    def test_a_part_of_a_word_does_not_fit(self):
        assert classify("ôtố cáoq").kind == Kind.REFLECTION

    def test_a_stated_kind_wins(self):
        said = classify("tố cáo", stated=Stated(kind=Kind.PETITION))

        assert said.kind == Kind.PETITION
        assert said.decided_by == ()


class TestCategory:
    def test_most_hits_decide(self):
        assert classify("thái độ, chậm, hẹn lại").category == "duty"

    def test_the_order_decides_between_equals(self):
        assert classify("thái độ, chậm").category == "duty"

    def test_no_hit_is_the_default(self):
        assert classify("xin chào").category == "other"

    def test_a_stated_category_wins_if_the_rulebook_knows_it(self):
        assert classify("chậm", stated=Stated(category="culture")).category == "culture"
        assert classify("chậm", stated=Stated(category="unheard-of")).category == "duty"


class TestObject:
    def test_a_title_with_its_unit_names_the_office(self):
        said = classify("Chủ tịch Ủy ban nhân dân phường An Thái không tiếp công dân")

        assert said.concerns == Concern(unit="an-thai", office="chu-tich-an-thai")

    def test_the_longest_name_wins(self):
        said = classify("Giám đốc ngành y, và Giám đốc Sở Xây dựng đã ký")

        assert said.concerns.office == "giam-doc-xay-dung"

    def test_a_title_of_several_means_the_one_of_the_receiving_unit(self):
        assert classify("Giám đốc", unit="so-y-te").concerns.office == "giam-doc-y-te"
        assert classify("Giám đốc", unit="an-thai").concerns == Concern(unit="an-thai")

    def test_a_title_with_another_name_of_its_unit_names_the_office(self):
        places = directory(
            offices=(
                office("chu-tich-an-thai", "Chủ tịch", "an-thai"),
                office("chu-tich-van-xuan", "Chủ tịch", "van-xuan"),
            )
        )

        said = classify("Chủ tịch P. An Thái", places=places, unit="van-xuan")

        assert said.concerns.office == "chu-tich-an-thai"

    def test_a_title_that_begins_others_says_nothing_outside_its_unit(self):
        places = directory(
            offices=(
                office("giam-doc-y-te", "Giám đốc", "so-y-te"),
                office("giam-doc-xay-dung", "Giám đốc Sở Xây dựng", "so-xay-dung"),
            )
        )

        inside = classify("Giám đốc", places=places, unit="so-y-te")
        outside = classify("Giám đốc", places=places, unit="an-thai")

        assert inside.concerns.office == "giam-doc-y-te"
        assert outside.concerns == Concern(unit="an-thai")

    @pytest.mark.parametrize("deputy", ["Phó Giám đốc Sở Y tế", "phó giám đốc, Sở Y tế"])
    def test_a_deputy_is_not_taken_for_the_head(self, deputy):
        assert classify(deputy, unit="so-y-te").concerns == Concern(unit="so-y-te")

    def test_a_unit_is_named_where_no_office_is(self):
        assert classify("Cán bộ của P. An Thái", unit="van-xuan").concerns == Concern(
            unit="an-thai"
        )

    def test_what_names_nothing_concerns_the_receiving_unit(self):
        assert classify("Xin chào", unit="so-y-te").concerns == Concern(unit="so-y-te")

    def test_a_stated_object_wins_if_the_directory_knows_it(self):
        words = "Chủ tịch Ủy ban nhân dân phường An Thái"

        known = classify(words, stated=Stated(concerns=Concern(office="giam-doc-y-te")))
        unknown = classify(words, stated=Stated(concerns=Concern(unit="x", office="y")))

        assert known.concerns == Concern(unit="so-y-te", office="giam-doc-y-te")
        assert unknown.concerns.office == "chu-tich-an-thai"

    def test_the_name_of_a_person_names_nobody(self):
        places = directory(
            persons=(Person(code="p1", name="Nguyễn Văn A"),),
            holdings=(Holding(person="p1", office="chu-tich-an-thai"),),
        )

        assert classify("Nguyễn Văn A", places=places, unit="so-y-te").concerns.office is None


class TestEligibility:
    def test_nothing_against_it_is_eligible(self):
        said = classify("tố cáo Giám đốc Sở Y tế", signatures=Signatures.OTHER)

        assert (said.eligibility, said.citation) == ("eligible", None)

    def test_a_ground_fires_when_all_its_conditions_fit(self):
        said = classify("tố cáo", signatures=Signatures.OTHER)

        assert said.eligibility == "stored-anonymous"
        assert said.citation == "Luật Tố cáo 2018, Điều 25"
        assert said.decided_by == ("to-cao", "stored-anonymous")

    @pytest.mark.parametrize(
        "other", [{"signatures": Signatures.ONE}, {"stated": Stated(kind=Kind.COMPLAINT)}]
    )
    def test_a_ground_with_one_condition_unmet_does_not_fire(self, other):
        said = classify("tố cáo", **({"signatures": Signatures.OTHER} | other))

        assert said.eligibility == "eligible"

    def test_the_first_ground_decides(self):
        said = classify("tố cáo", signatures=Signatures.OTHER, readable=False)

        assert (said.eligibility, said.citation) == ("stored-unreadable", REGULATION)


class TestTime:
    RULES = rulebook(
        kinds=(
            KindRule(
                **cited("old", kind=Kind.PETITION, keywords=("đơn",), effective_to=date(2026, 1, 1))
            ),
            KindRule(
                **cited("new", kind=Kind.COMPLAINT, keywords=("đơn",))
                | {"effective_from": date(2026, 1, 1)}
            ),
        ),
        categories=(
            CategoryRule(
                **cited("gone", label=label("x"), keywords=("đơn",), effective_to=date(2026, 1, 1))
            ),
        ),
    )
    PLACES = directory(
        units=(
            unit("huyen-cu", "Huyện Cũ", valid_to=date(2025, 7, 1)),
            unit("xa-moi", "Huyện Cũ", valid_from=date(2025, 7, 1)),
        ),
        offices=(office("truong-cu", "Trưởng phòng", "huyen-cu", valid_to=date(2025, 7, 1)),),
    )

    @pytest.mark.parametrize(
        ("day", "kind", "category"),
        [(date(2025, 12, 31), Kind.PETITION, "gone"), (date(2026, 1, 1), Kind.COMPLAINT, "other")],
    )
    def test_a_rule_holds_on_its_days_alone(self, day, kind, category):
        said = classify("đơn", rules=self.RULES, on=day)

        assert (said.kind, said.category) == (kind, category)

    @pytest.mark.parametrize(
        ("day", "concerns"),
        [
            (date(2025, 6, 30), Concern(unit="huyen-cu", office="truong-cu")),
            (date(2025, 7, 1), Concern(unit="xa-moi")),
        ],
    )
    def test_a_name_means_who_bears_it_that_day(self, day, concerns):
        assert classify("Trưởng phòng Huyện Cũ", places=self.PLACES, on=day).concerns == concerns
