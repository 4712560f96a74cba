"""Promises of what is unsealed: to one person, once, on a ground of law, if a second one agrees."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.routing.domain.command import Refusal
from services.routing.domain.decision import Act, Decision
from services.routing.domain.due import next_look, tick
from services.routing.domain.lifecycle import CaseState, Unsealed
from services.routing.domain.opening import open_case
from services.routing.domain.orders import decide
from services.routing.domain.unsealing import Scene, decide_unsealing, shown
from shared.contracts.directory import Holding, Recusal, Relation
from shared.contracts.order import (
    CaseAmend,
    CaseAskUnsealing,
    CaseConfirmUnsealing,
    CaseRefuseUnsealing,
)
from shared.contracts.rulebook import ConflictMethod, UnsealingRule
from shared.contracts.vocabulary import Concern, Kind, Unseals
from tests.examples_routing import (
    BODIES,
    CONFLICT,
    LONG_AGO,
    NOON,
    REGULATION,
    TODAY,
    ZONE,
    label,
    rulebook,
    rules_in_force,
    submission_received,
)
from tests.examples_routing import body as a_body
from tests.examples_routing import index as directory_index

DAY = timedelta(days=1)
CITED = "Quyết định số 12/QĐ-MTTQ"
LEAD, SUPERIOR, BESIDE = "ward-front", "province-front", "inspectorate"


def ground(code: str = "who-spoke", unseals: Unseals = Unseals.IDENTITY, **more) -> UnsealingRule:
    cited = {"citation": REGULATION, "issued": LONG_AGO, "effective_from": LONG_AGO}
    return UnsealingRule(code=code, label=label(code), unseals=unseals, **{**cited, **more})


GROUNDS = (ground(), ground("superior-looks", Unseals.CASE))


def the_rules(*, grounds=GROUNDS, methods=(ConflictMethod.ACCUSED_SITS_IN_BODY,), **places):
    conflicts = tuple(
        CONFLICT.model_copy(update={"code": method.value, "method": method}) for method in methods
    )
    book = rulebook(unsealings=grounds, conflicts=conflicts)
    return rules_in_force(rulebook=book, directory=directory_index(**places))


RULES = the_rules()
CASE = open_case(submission_received(), RULES, ZONE, NOON).state


def ask(ground: str = "who-spoke", person: str = "cb-1", **more) -> CaseAskUnsealing:
    return CaseAskUnsealing(ground=ground, person=person, citation=CITED, **more)


def confirm(number: int = 1, person: str = "kt-1", **more) -> CaseConfirmUnsealing:
    return CaseConfirmUnsealing(number=number, person=person, **more)


def refuse(number: int = 1, person: str = "kt-1") -> CaseRefuseUnsealing:
    return CaseRefuseUnsealing(number=number, person=person)


def ordered(state: CaseState, party: str, order, *, rules=RULES, days=0) -> Decision | Refusal:
    at = NOON + days * DAY
    return decide_unsealing(state, order, Act(party, at, at), rules, ZONE)


def after(state: CaseState, *orders, **more) -> CaseState:
    for party, order in orders:
        found = ordered(state, party, order, **more)
        assert isinstance(found, Decision), found
        state = found.after
    return state


def refused(state: CaseState, party: str, order, **more) -> str:
    found = ordered(state, party, order, **more)
    assert isinstance(found, Refusal)
    return found.problem


ASKED = after(CASE, (LEAD, ask()))
AGREED = after(ASKED, (SUPERIOR, confirm()))


def seen(state: CaseState, body: str = LEAD, person: str | None = "cb-1", *, rules=RULES, days=0):
    return Scene(state, rules, TODAY + days * DAY).may_see(1, body, person)


class TestAsking:
    def test_nothing_is_shown_until_somebody_agrees(self):
        assert seen(ASKED) is None
        assert seen(AGREED) is not None

    def test_it_is_announced_with_its_ground_and_no_word_of_anybody(self):
        [(said, _)] = ordered(CASE, LEAD, ask()).said

        assert (said.law, said.ground, said.citation) == (REGULATION, "who-spoke", CITED)
        assert (said.body, said.person, said.until) == (LEAD, "cb-1", TODAY + DAY)

    def test_each_is_numbered_within_the_case(self):
        two = after(ASKED, (LEAD, ask(person="cb-2")))

        assert [each.number for each in two.unsealings] == [1, 2]
        assert two.version == CASE.version + 2

    @pytest.mark.parametrize(
        "grounds",
        [
            (),
            (ground(effective_from=TODAY + DAY),),
            (ground(effective_to=TODAY),),
            (ground(kinds=(Kind.COMPLAINT,)),),
        ],
    )
    def test_a_ground_that_does_not_hold_today_is_none(self, grounds):
        assert refused(CASE, LEAD, ask(), rules=the_rules(grounds=grounds)) == "no-ground"

    def test_who_does_not_hold_the_case_is_not_told_who_spoke(self):
        assert refused(CASE, SUPERIOR, ask()) == "not-a-holder"

    def test_a_superior_looks_at_a_case_of_others(self):
        asked = after(CASE, (SUPERIOR, ask("superior-looks")))

        assert asked.unsealings[0].unseals is Unseals.CASE

    @pytest.mark.parametrize("party", [LEAD, BESIDE])
    def test_only_a_superior_does(self, party):
        assert refused(CASE, party, ask("superior-looks")) == "not-a-superior"

    def test_one_beside_the_lead_is_no_superior(self):
        rules = the_rules(bodies=(*BODIES, a_body("ward-board", "ward")))

        assert refused(CASE, "ward-board", ask("superior-looks"), rules=rules) == "not-a-superior"

    def test_a_body_that_is_not_there_asks_nothing(self):
        assert refused(CASE, "nobody", ask()) == "not-a-body"

    def test_a_refusal_cites_the_rule(self):
        found = ordered(CASE, SUPERIOR, ask())

        assert found.problems[0].advice.startswith(REGULATION)

    def test_an_older_version_is_refused(self):
        assert refused(CASE, LEAD, ask(version=CASE.version - 1)) == "version-conflict"


class TestTheSecondPerson:
    def test_a_person_of_another_body_agrees(self):
        [(said, _)] = ordered(ASKED, SUPERIOR, confirm()).said

        assert (said.body, said.person) == (LEAD, "cb-1")
        assert (said.second_body, said.second_person) == (SUPERIOR, "kt-1")

    def test_nobody_is_both(self):
        assert refused(ASKED, SUPERIOR, confirm(person="cb-1")) == "same-person"

    def test_another_of_the_same_body_is_not_enough(self):
        assert refused(ASKED, LEAD, confirm(person="cb-2")) == "same-body"

    def test_unless_the_ground_says_so(self):
        rules = the_rules(grounds=(ground(same_body=True),))
        asked = after(CASE, (LEAD, ask()), rules=rules)

        assert refused(asked, LEAD, confirm(person="cb-1"), rules=rules) == "same-person"
        assert after(asked, (LEAD, confirm(person="cb-2")), rules=rules).unsealings[0].standing == (
            Unsealed.CONFIRMED
        )

    def test_who_refuses_ends_it(self):
        ended = after(ASKED, (SUPERIOR, refuse()))

        assert refused(ended, SUPERIOR, confirm()) == "unsealing-over"
        assert seen(ended) is None

    def test_who_asked_cannot_refuse_for_others(self):
        assert refused(ASKED, LEAD, refuse(person="cb-2")) == "same-body"

    @pytest.mark.parametrize("number", [2, 99])
    def test_what_nobody_asked_cannot_be_agreed_to(self, number):
        assert refused(ASKED, SUPERIOR, confirm(number)) == "unknown-unsealing"

    def test_it_is_agreed_to_once(self):
        assert refused(AGREED, SUPERIOR, confirm()) == "unsealing-over"
        assert refused(AGREED, SUPERIOR, refuse()) == "unsealing-over"

    def test_a_ground_that_ended_meanwhile_is_none(self):
        rules = the_rules(grounds=())

        assert refused(ASKED, SUPERIOR, confirm(), rules=rules) == "ground-gone"


class TestTheConcerned:
    def test_a_concerned_body_neither_asks_nor_agrees(self):
        rules = the_rules(
            methods=(ConflictMethod.RECUSED,),
            recusals=tuple(Recusal(body=b, reason="QĐ", unit="ward") for b in (LEAD, BESIDE)),
        )

        assert refused(CASE, LEAD, ask(), rules=rules) == "concerned"
        assert refused(ASKED, BESIDE, confirm(), rules=rules) == "concerned"
        assert refused(ASKED, BESIDE, refuse(), rules=rules) == "concerned"

    def test_who_asked_is_weighed_again_when_the_second_agrees(self):
        recused = (Recusal(body=LEAD, reason="QĐ", unit="ward"),)
        rules = the_rules(methods=(ConflictMethod.RECUSED,), recusals=recused)

        assert refused(ASKED, SUPERIOR, confirm(), rules=rules) == "asker-may-not"

    def test_and_when_it_is_shown(self):
        recused = (Recusal(body=LEAD, reason="QĐ", unit="ward"),)
        rules = the_rules(methods=(ConflictMethod.RECUSED,), recusals=recused)

        assert seen(AGREED, rules=rules) is None

    def test_the_accused_neither_asks_nor_agrees(self):
        assert refused(CASE, LEAD, ask(person="p1")) == "person-concerned"
        assert refused(ASKED, SUPERIOR, confirm(person="p1")) == "person-concerned"
        assert refused(ASKED, SUPERIOR, refuse(person="p1")) == "person-concerned"

    def test_nor_whoever_is_close_to_them(self):
        close = (Relation(persons=("p1", "kt-1"), declared="Kê khai"),)
        rules = the_rules(methods=(ConflictMethod.DECLARED_RELATION,), relations=close)

        assert refused(ASKED, SUPERIOR, confirm(), rules=rules) == "person-concerned"
        assert isinstance(ordered(ASKED, SUPERIOR, confirm("1", "kt-2"), rules=rules), Decision)

    def test_nor_whoever_is_their_deputy(self):
        held = (
            Holding(person="p1", office="ward-chair"),
            Holding(person="kt-1", office="ward-deputy"),
        )
        rules = the_rules(methods=(ConflictMethod.DEPUTY_OF_ACCUSED,), holdings=held)
        matter = CASE.matter.naming((Concern(office="ward-chair"),))
        asked = after(replace(CASE, matter=matter), (LEAD, ask()), rules=rules)

        assert refused(asked, SUPERIOR, confirm(), rules=rules) == "person-concerned"

    @pytest.mark.parametrize("state", [ASKED, AGREED])
    def test_of_whom_it_concerns_later_nobody_agreed(self, state):
        amend = CaseAmend(concerns=(Concern(office="ward-deputy"),))
        more = decide(state, amend, Act(LEAD, NOON, NOON), RULES, ZONE).after

        assert refused(more, SUPERIOR, confirm()) in {"case-amended", "unsealing-over"}
        assert seen(more) is None


class TestTheTerm:
    def test_the_last_day_is_the_one_that_the_rulebook_gives(self):
        rules = the_rules(grounds=(ground(confirm_days=3),))
        asked = after(CASE, (LEAD, ask()), rules=rules)

        assert isinstance(ordered(asked, SUPERIOR, confirm(), rules=rules, days=3), Decision)
        assert refused(asked, SUPERIOR, confirm(), rules=rules, days=4) == "unsealing-lapsed"

    def test_the_day_after_it_is_announced_as_over(self):
        fired = tick(replace(ASKED, clocks=()), RULES, ZONE, NOON + 2 * DAY)

        [event] = fired.events
        assert event.type == "case.unsealing-lapsed.v1"
        assert event.time.astimezone(ZONE).isoformat() == "2026-03-12T00:00:00+07:00"
        assert refused(fired.after, SUPERIOR, confirm()) == "unsealing-lapsed"
        assert tick(fired.after, RULES, ZONE, NOON + 3 * DAY).events == ()

    def test_it_is_looked_at_on_that_day(self):
        closed = replace(ASKED, clocks=(), weighed=replace(ASKED.weighed, until=None))

        assert next_look(closed) == TODAY + 2 * DAY
        assert next_look(replace(closed, unsealings=AGREED.unsealings)) is None

    def test_what_was_agreed_is_read_until_its_last_day(self):
        assert seen(AGREED, days=1) is not None
        assert seen(AGREED, days=2) is None


class TestShowing:
    @pytest.mark.parametrize(
        ("body", "person"), [(LEAD, "cb-2"), (LEAD, None), (SUPERIOR, "cb-1"), (SUPERIOR, "kt-1")]
    )
    def test_nobody_is_shown_it_but_who_asked(self, body, person):
        assert seen(AGREED, body, person) is None

    def test_it_is_shown_once(self):
        once, said = shown(AGREED, seen(AGREED))

        assert said.version == AGREED.version + 1
        assert seen(once) is None

    def test_a_ground_that_ended_shows_nothing(self):
        assert seen(AGREED, rules=the_rules(grounds=())) is None
