"""Promises of the conflict rules: nobody judges their own matter, nor that of those close."""

from datetime import date, timedelta

from services.routing.domain.conflict import excluded
from shared.contracts.case import Exclusion
from shared.contracts.directory import Holding, OfficeRank, Recusal, Relation
from shared.contracts.rulebook import ConflictMethod, ConflictRule
from shared.contracts.vocabulary import Concern
from tests.examples_routing import (
    BODIES,
    CONFLICT,
    OFFICES,
    TODAY,
    body,
    index,
    matter,
    office,
    rulebook,
    unit,
)

ACTED = date(2026, 1, 5)


def found_by(rule: ConflictRule, *offices: str, about=None, **more):
    """What one rule alone excludes from a matter about these offices."""
    about = about or {}
    said = matter(
        **{"concerns": tuple(Concern(office=o) for o in offices), "acted": ACTED, **about}
    )
    return excluded(said, index(**more), rulebook(conflicts=(rule,)), TODAY)


def excluded_codes(*offices: str, **more):
    return [exclusion.body for exclusion in found_by(CONFLICT, *offices, **more)]


def test_a_body_is_excluded_when_the_named_office_sits_in_it():
    found = found_by(CONFLICT, "ward-chair")

    assert found == (Exclusion(body="ward-front", rule="sits-in-body", office="ward-chair"),)


def test_a_body_is_excluded_when_the_holder_sits_in_it_by_another_office():
    holdings = (
        Holding(person="p1", office="school-head"),
        Holding(person="p1", office="ward-chair"),
    )

    found = found_by(CONFLICT, "school-head", holdings=holdings)

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
    assert excluded_codes() == []


def test_an_office_that_the_directory_does_not_list_still_excludes_where_it_sits():
    bodies = (body("ward-front", "ward", members=("unlisted",)),)

    assert excluded_codes("unlisted", bodies=bodies) == ["ward-front"]


def test_a_rule_that_is_not_in_force_excludes_nobody():
    ended = CONFLICT.model_copy(update={"effective_to": TODAY})

    found = found_by(ended, "ward-chair")

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
    about = matter(concerns=(Concern(office="ward-chair"),), acted=ACTED)

    found = excluded(about, directory, rulebook(conflicts=(CONFLICT, second)), TODAY)

    assert [(e.body, e.rule, e.office) for e in found] == [
        ("a", "sits-in-body", "ward-deputy"),
        ("b", "sits-in-body", "ward-chair"),
    ]


def by(method: ConflictMethod, **more) -> ConflictRule:
    return CONFLICT.model_copy(update={"code": method.value, "method": method, **more})


MOVED = ACTED + timedelta(days=10)


class TestSitsInBody:
    def test_every_person_named_counts(self):
        assert excluded_codes("ward-chair", "province-chair") == ["province-front", "ward-front"]

    def test_a_head_is_concerned_as_a_member_is(self):
        bodies = (body("a", "ward", members=("school-head", "ward-chair")),)

        assert excluded_codes("school-head", bodies=bodies) == ["a"]

    def test_who_moved_when_the_unit_was_renamed_stays_concerned(self):
        """The office of the old name ended with its unit; the holder sits under the new name."""
        units = (
            unit("old-ward", level=2, valid_to=MOVED, aliases=("Phường cũ",)),
            unit("new-ward", level=2, valid_from=MOVED, aliases=("Phường cũ",)),
        )
        offices = (
            office("old-chair", "old-ward", valid_to=MOVED),
            office("new-chair", "new-ward", valid_from=MOVED),
        )
        holdings = (
            Holding(person="p1", office="old-chair", valid_to=MOVED),
            Holding(person="p1", office="new-chair", valid_from=MOVED),
        )
        bodies = (body("front", "new-ward", members=("new-chair",)),)
        there = {"units": units, "offices": offices, "holdings": holdings, "bodies": bodies}

        assert excluded_codes("old-chair", **there) == ["front"]

    def test_a_rule_for_other_kinds_of_bodies_keeps_nobody_away(self):
        rule = by(ConflictMethod.ACCUSED_SITS_IN_BODY, body_kinds=("trade-union",))
        ours = by(ConflictMethod.ACCUSED_SITS_IN_BODY, body_kinds=("trade-union", "front"))

        assert found_by(rule, "ward-chair") == ()
        assert [e.body for e in found_by(ours, "ward-chair")] == ["ward-front"]


class TestHeadsSuperior:
    rule = by(ConflictMethod.ACCUSED_HEADS_SUPERIOR)
    bodies = (body("w", "ward"), body("s", "school"), body("p", "province"))

    def codes(self, *offices, **more):
        found = found_by(self.rule, *offices, **{"bodies": self.bodies, **more})
        return [(exclusion.body, exclusion.office) for exclusion in found]

    def test_everything_at_or_below_the_headed_unit_is_excluded(self):
        assert self.codes("ward-chair") == [("s", "ward-chair"), ("w", "ward-chair")]

    def test_a_deputy_heads_nothing(self):
        assert self.codes("ward-deputy") == []

    def test_who_heads_it_by_another_office_counts(self):
        holdings = (
            Holding(person="p1", office="ward-deputy"),
            Holding(person="p1", office="school-head"),
        )

        assert self.codes("ward-deputy", holdings=holdings) == [("s", "school-head")]

    def test_who_became_head_since_counts(self):
        holdings = (
            Holding(person="p1", office="ward-deputy", valid_to=MOVED),
            Holding(person="p1", office="school-head", valid_from=MOVED),
        )

        assert self.codes("ward-deputy", holdings=holdings) == [("s", "school-head")]

    def test_who_headed_it_before_the_act_does_not_count(self):
        holdings = (
            Holding(person="p1", office="ward-deputy"),
            Holding(person="p1", office="school-head", valid_to=ACTED),
        )

        assert self.codes("ward-deputy", holdings=holdings) == []

    def test_the_head_of_a_body_heads_no_unit(self):
        offices = (office("front-chair", "ward", of_body="w"),)

        assert self.codes("front-chair", offices=offices) == []


class TestDeputies:
    rule = by(ConflictMethod.DEPUTY_OF_ACCUSED)

    def codes(self, *offices, **more):
        found = found_by(self.rule, *offices, **more)
        return [(exclusion.body, exclusion.office) for exclusion in found]

    def test_of_an_accused_head_exclude_the_body_in_which_they_sit(self):
        bodies = (body("a", "ward", members=("ward-deputy",)),)

        assert self.codes("ward-chair", bodies=bodies) == [("a", "ward-deputy")]

    def test_exclude_where_they_sit_by_another_office(self):
        bodies = (body("a", "ward", members=("union-chair",)),)
        holdings = (
            Holding(person="p2", office="ward-deputy"),
            Holding(person="p2", office="union-chair"),
        )

        found = self.codes("ward-chair", bodies=bodies, holdings=holdings)

        assert found == [("a", "union-chair")]

    def test_members_of_the_unit_depend_on_the_head_too(self):
        offices = (*OFFICES, office("clerk", "ward", OfficeRank.MEMBER))
        bodies = (body("a", "ward", members=("clerk",)),)

        assert self.codes("ward-chair", bodies=bodies, offices=offices) == [("a", "clerk")]

    def test_of_the_day_of_the_act_count_in_the_office_they_hold_today(self):
        bodies = (body("a", "province", members=("union-chair",)),)
        holdings = (
            Holding(person="p2", office="ward-deputy", valid_to=MOVED),
            Holding(person="p2", office="union-chair", valid_from=MOVED),
        )

        found = self.codes("ward-chair", bodies=bodies, holdings=holdings)

        assert found == [("a", "union-chair")]

    def test_of_a_deputy_there_are_none(self):
        bodies = (body("a", "ward", members=("ward-deputy", "clerk")),)
        offices = (*OFFICES, office("clerk", "ward", OfficeRank.MEMBER))

        assert self.codes("ward-deputy", bodies=bodies, offices=offices) == []

    def test_of_a_unit_are_not_the_deputies_of_the_body_that_sits_there(self):
        offices = (
            *OFFICES,
            office("front-chair", "ward", of_body="front"),
            office("front-deputy", "ward", OfficeRank.DEPUTY, of_body="front"),
        )
        bodies = (
            body("front", "ward", members=("front-chair", "front-deputy")),
            body("other", "ward", members=("front-deputy",)),
        )
        there = {"bodies": bodies, "offices": offices}

        assert self.codes("ward-chair", **there) == []
        assert [body for body, _ in self.codes("front-chair", **there)] == ["front", "other"]


class TestDeclaredRelation:
    rule = by(ConflictMethod.DECLARED_RELATION)
    holdings = (
        Holding(person="p1", office="school-head"),
        Holding(person="p2", office="ward-chair"),
    )

    def found(self, *persons, **more):
        relation = Relation(persons=persons, declared="Bản kê khai năm 2025", **more)
        return found_by(self.rule, "school-head", holdings=self.holdings, relations=(relation,))

    def test_excludes_where_the_related_person_sits(self):
        assert [e.body for e in self.found("p1", "p2")] == ["ward-front"]

    def test_holds_whoever_of_the_two_declared_it(self):
        assert [e.body for e in self.found("p2", "p1")] == ["ward-front"]

    def test_never_tells_by_which_office_the_related_one_sits_there(self):
        assert [e.office for e in self.found("p1", "p2")] == [None]

    def test_of_others_excludes_nobody(self):
        assert self.found("p2", "p3") == ()

    def test_that_ended_before_the_act_excludes_nobody(self):
        assert self.found("p1", "p2", valid_to=ACTED) == ()


class TestRecused:
    rule = by(ConflictMethod.RECUSED)

    def codes(self, *offices, about=None, holdings=None, **recusal):
        said = Recusal(body="ward-front", reason="Quyết định số 7", **recusal)
        more = {} if holdings is None else {"holdings": holdings}
        found = found_by(self.rule, *offices, about=about, recusals=(said,), **more)
        return [exclusion.body for exclusion in found]

    def test_from_an_office(self):
        assert self.codes("school-head", office="school-head") == ["ward-front"]

    def test_from_a_person_in_whatever_office(self):
        assert self.codes("school-head", person="p1") == ["ward-front"]

    def test_from_a_unit(self):
        assert self.codes("school-head", unit="school") == ["ward-front"]

    def test_from_a_unit_is_from_what_lies_within(self):
        assert self.codes("school-head", unit="ward") == ["ward-front"]

    def test_from_a_unit_is_not_from_what_lies_above(self):
        assert self.codes("ward-chair", unit="school") == []

    def test_from_a_unit_that_is_named_without_an_office(self):
        about = {"concerns": (Concern(unit="clinic"),)}

        assert self.codes(about=about, unit="clinic") == ["ward-front"]

    def test_from_a_unit_whose_channel_brought_what_names_nobody(self):
        assert self.codes(unit="school") == ["ward-front"]

    def test_from_an_office_that_the_accused_held_before(self):
        holdings = (
            Holding(person="p1", office="school-head"),
            Holding(person="p1", office="clinic-head", valid_to=ACTED),
        )

        assert self.codes("school-head", office="clinic-head", holdings=holdings) == ["ward-front"]

    def test_that_has_ended_keeps_nobody_away(self):
        assert self.codes("school-head", office="school-head", valid_to=TODAY) == []

    def test_of_a_body_that_is_not_listed_excludes_nobody(self):
        gone = Recusal(body="gone", office="school-head", reason="Quyết định số 7")

        assert found_by(self.rule, "school-head", recusals=(gone,)) == ()


class TestAuthor:
    rule = by(ConflictMethod.AUTHOR_BODY)

    def test_is_excluded_from_what_it_wrote(self):
        found = found_by(self.rule, about={"author": "ward-front"})

        assert [exclusion.body for exclusion in found] == ["ward-front"]

    def test_is_nobody_where_no_body_wrote(self):
        assert found_by(self.rule, "school-head", bodies=BODIES) == ()
