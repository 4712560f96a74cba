"""Promises of what a body may order: handed on, never to a concerned body; terms only by rule."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.routing.domain.clocks import Clock, Standing
from services.routing.domain.command import CaseOrder, Refusal
from services.routing.domain.decision import Act, Decision
from services.routing.domain.due import tick
from services.routing.domain.lifecycle import CaseState, Stage
from services.routing.domain.opening import open_case
from services.routing.domain.orders import decide
from services.routing.domain.reassessing import may_touch
from services.routing.domain.rules import RulesInForce
from shared.contracts.case import Assigning, Basis, Following, Ground, Referral
from shared.contracts.directory import Holding
from shared.contracts.order import (
    CaseAccept,
    CaseAmend,
    CaseConclude,
    CaseDecline,
    CaseExtend,
    CaseFollowUp,
    CasePause,
    CaseRecommend,
    CaseRefer,
    CaseReopen,
    CaseResume,
    CaseTransfer,
)
from shared.contracts.rulebook import DayKind, EscalationRule
from shared.contracts.vocabulary import Concern, Outcome
from tests.examples_routing import (
    BODIES,
    LONG_AGO,
    NOON,
    OFFICES,
    REGULATION,
    TODAY,
    ZONE,
    body,
    clock_rule,
    index,
    label,
    rulebook,
    rules_in_force,
    submission_received,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CITED = "Điều 12 Luật Tố cáo 2018"
DECLINE = CaseDecline(ground=Ground.NOT_COMPETENT, citation=CITED)
SETTLE = clock_rule("settle", starts="accepted", days=30, day_kind=DayKind.CALENDAR, longest=60)
CLOCKS = (
    clock_rule(longest=30, may_pause=True),
    clock_rule("acknowledge", starts="received", stops="accepted", days=10),
    SETTLE,
)
HELD = tuple(Holding(person=f"p-{o.code}", office=o.code) for o in OFFICES)
DESK = body("desk", "province", jurisdictions=())
WARD_HEAD = Concern(office="ward-chair")


def escalation(clock: str = "acknowledge", **more) -> EscalationRule:
    cited = {"citation": REGULATION, "issued": LONG_AGO, "effective_from": LONG_AGO}
    return EscalationRule(code=f"up-{clock}", label=label("Lên cấp"), clock=clock, **cited, **more)


def rules(**more) -> RulesInForce:
    """Two bodies above the school: the ward's Front, then the province's; the desk beside it."""
    content = {"bodies": (*BODIES, DESK), "holdings": HELD, "fallback_body": "desk", **more}
    book = content.pop("rulebook", rulebook(clocks=CLOCKS))
    version = content.pop("directory_version", 3)
    return rules_in_force(directory=index(**content), directory_version=version, rulebook=book)


RULES = rules()


def opened() -> CaseState:
    return open_case(submission_received(), RULES, ZONE, NOON + HOUR).state


def act(
    state: CaseState, order: CaseOrder, *, party: str = "", at=NOON + 2 * HOUR, there=RULES
) -> Decision | Refusal:
    return decide(state, order, Act(party or state.lead, at, at), there, ZONE)


def after(state: CaseState, *orders: CaseOrder, **more) -> CaseState:
    for order in orders:
        found = act(state, order, **more)
        assert isinstance(found, Decision), found
        state = found.after
    return state


def refused(*arguments, **more) -> str:
    found = act(*arguments, **more)
    assert isinstance(found, Refusal)
    return found.problem


def types(found: Decision) -> list[str]:
    return [data.TYPE for data, _ in found.said]


class TestDecline:
    def test_goes_to_the_next_competent_body(self):
        found = act(opened(), DECLINE)

        assert types(found) == ["case.declined.v1", "case.assigned.v1"]
        assigned = found.said[1][0]
        assert (assigned.lead, assigned.lead_before) == ("province-front", "ward-front")
        assert (assigned.why, assigned.basis) == (Assigning.DECLINE, Basis.HIGHER_LEVEL)

    def test_never_comes_back_to_who_declined(self):
        state = after(opened(), DECLINE, DECLINE)

        assert state.lead == "desk"
        assert state.past == ("ward-front", "province-front")

    def test_of_the_named_desk_is_refused(self):
        assert refused(after(opened(), DECLINE, DECLINE), DECLINE) == "last-desk"

    def test_of_an_accepted_case_is_refused(self):
        assert refused(after(opened(), CaseAccept()), DECLINE) == "already-accepted"

    def test_moves_no_last_day(self):
        before = opened()

        assert after(before, DECLINE).clocks == before.clocks


class TestTransfer:
    def test_names_the_new_lead_who_has_not_accepted_yet(self):
        state = after(opened(), CaseAccept(), CaseTransfer(to="province-front", citation=CITED))

        assert (state.lead, state.stage, state.accepted) == (
            "province-front",
            Stage.ASSIGNED,
            None,
        )

    def test_tells_of_a_term_that_the_first_acceptance_met(self):
        accepted = after(opened(), CaseAccept())

        found = act(accepted, CaseTransfer(to="province-front", citation=CITED))

        assert types(found) == ["clock.met.v1", "case.assigned.v1"]

    def test_to_a_concerned_body_is_refused_with_the_rule(self):
        state = after(opened(), CaseAmend(concerns=(Concern(office="province-chair"),)))

        found = act(state, CaseTransfer(to="province-front", citation=CITED))

        assert found.problem == "receiver-concerned"
        assert REGULATION in found.problems[0].advice

    @pytest.mark.parametrize("to", ["inspectorate", "nobody"])
    def test_to_who_is_not_competent_is_refused(self, to):
        transfer = CaseTransfer(to=to, citation=CITED)

        assert refused(opened(), transfer) == "receiver-not-competent"

    def test_to_itself_is_refused(self):
        transfer = CaseTransfer(to="ward-front", citation=CITED)

        assert refused(opened(), transfer) == "leads-already"


class TestAmend:
    def test_an_accused_named_later_moves_the_case_and_both_are_recorded(self):
        found = act(opened(), CaseAmend(concerns=(WARD_HEAD,)))

        assert types(found) == ["case.amended.v1", "case.assigned.v1"]
        assert found.after.lead == "province-front"
        assert found.said[1][0].why is Assigning.CONCERNS
        assert "ward-front" in {e.body for e in found.said[1][0].excluded}

    def test_the_body_that_led_may_not_touch_it_any_more(self):
        state = after(opened(), CaseAmend(concerns=(WARD_HEAD,)))

        assert not may_touch("ward-front", state, RULES, TODAY)
        assert refused(state, CaseAccept(), party="ward-front") == "not-lead"

    def test_whom_it_does_not_touch_keeps_it(self):
        amend = CaseAmend(concerns=(Concern(unit="clinic"),))

        assert types(act(opened(), amend)) == ["case.amended.v1"]

    def test_a_co_operating_body_that_is_concerned_leaves(self):
        state = replace(opened(), lead="province-front", cooperating=("ward-front",))

        moved = after(state, CaseAmend(concerns=(WARD_HEAD,)))

        assert moved.bodies == ("province-front",)

    def test_what_the_directory_does_not_know_is_refused(self):
        amend = CaseAmend(concerns=(WARD_HEAD, Concern(office="nobody")))

        found = act(opened(), amend)

        assert found.problems[0].field == "/data/concerns/1"

    def test_what_is_named_already_is_refused(self):
        amend = CaseAmend(concerns=(Concern(office="school-head"),))

        assert refused(opened(), amend) == "named-already"


class TestTerms:
    def test_acceptance_starts_the_terms_that_begin_with_it(self):
        found = act(opened(), CaseAccept())

        assert types(found) == ["case.accepted.v1", "clock.started.v1"]
        assert found.said[1][0].due == date(2026, 4, 9)

    def test_a_second_acceptance_starts_none_again(self):
        state = after(opened(), CaseAccept(), CaseTransfer(to="province-front", citation=CITED))

        assert types(act(state, CaseAccept())) == ["case.accepted.v1"]

    def test_an_extension_says_both_days_and_why(self):
        before = clock(opened())

        found = act(opened(), CaseExtend(clock="answer", days=10, citation=CITED))

        [(restated, _)] = found.said
        assert (restated.why, restated.due_before) == ("extension", before.due)
        assert restated.due == clock(found.after).due > before.due

    def test_an_extension_past_the_longest_is_refused_with_the_citation(self):
        found = act(opened(), CaseExtend(clock="answer", days=11, citation=CITED))

        assert found.problem == "beyond-longest"
        assert REGULATION in found.problems[0].advice

    def test_a_pause_gives_back_the_days_that_it_took(self):
        paused = after(opened(), CasePause(clock="answer", citation=CITED))

        found = act(paused, CaseResume(clock="answer"), at=NOON + 7 * DAY)

        assert [d.TYPE for d, _ in found.said] == ["clock.restated.v1"]
        # Four working days: the 11th, 12th, 13th and 16th of March.
        assert (clock(opened()).due, clock(found.after).due) == (
            date(2026, 4, 7),
            date(2026, 4, 13),
        )

    def test_a_term_without_pause_runs_through(self):
        pause = CasePause(clock="acknowledge", citation=CITED)

        assert refused(opened(), pause) == "no-pause"

    def test_a_term_that_is_none_is_refused(self):
        assert refused(opened(), CaseResume(clock="nothing")) == "unknown-clock"


def clock(state: CaseState, code: str = "answer") -> Clock:
    return next(c for c in state.clocks if c.code == code)


class TestReopen:
    def concluded(self) -> CaseState:
        return after(opened(), CaseAccept(), CaseConclude(outcome=Outcome.WRONG))

    def test_takes_the_case_up_again(self):
        state = after(self.concluded(), CaseReopen(citation=CITED))

        assert (state.stage, state.concluded, state.settled) == (Stage.ACCEPTED, None, 1)

    def test_what_was_kept_stays_kept(self):
        state = after(self.concluded(), CaseReopen(citation=CITED))

        ended = [c.standing for c in state.clocks if c.code == "answer"]
        assert ended == [Standing.MET]

    def test_the_terms_of_acceptance_begin_anew(self):
        state = after(self.concluded(), CaseReopen(citation=CITED), at=NOON + 2 * HOUR)

        settling = [c.standing for c in state.clocks if c.code == "settle"]
        assert settling == [Standing.MET, Standing.RUNNING]

    def test_the_next_answer_is_the_second(self):
        found = act(
            after(self.concluded(), CaseReopen(citation=CITED)),
            CaseConclude(outcome=Outcome.RIGHT),
        )

        assert found.said[0][0].times == 2

    def test_of_an_open_case_is_refused(self):
        assert refused(opened(), CaseReopen(citation=CITED)) == "not-concluded"


class TestRefer:
    REFER = CaseRefer(way=Referral.GUIDED, citation=CITED)

    def test_closes_the_case_without_settling_it(self):
        found = act(opened(), self.REFER)

        assert types(found) == ["case.referred.v1"]
        assert (found.after.open, found.after.settled) == (False, 0)

    def test_a_case_that_is_over_is_not_referred(self):
        assert refused(after(opened(), self.REFER), self.REFER) == "already-concluded"

    def test_may_be_taken_up_again(self):
        assert after(opened(), self.REFER, CaseReopen(citation=CITED)).open


class TestRecommend:
    RECOMMEND = CaseRecommend(unit="school", citation=CITED)

    def test_each_has_its_number(self):
        state = after(opened(), CaseAccept(), self.RECOMMEND)

        assert act(state, self.RECOMMEND).said[0][0].number == 2

    def test_is_followed_up_after_the_case_was_concluded(self):
        state = after(opened(), CaseAccept(), self.RECOMMEND, CaseConclude(outcome=Outcome.RIGHT))

        found = act(state, CaseFollowUp(number=1, following=Following.CARRIED_OUT))

        assert types(found) == ["case.followed-up.v1"]

    def test_one_that_was_not_given_is_not_followed_up(self):
        follow = CaseFollowUp(number=1, following=Following.REFUSED)

        assert refused(opened(), follow) == "unknown-recommendation"

    def test_to_nobody_is_refused(self):
        state = after(opened(), CaseAccept())

        assert refused(state, CaseRecommend(unit="x", citation=CITED)) == "not-in-directory"


class TestByItself:
    LATE = NOON + 40 * DAY

    def escalating(self, **more) -> RulesInForce:
        return rules(rulebook=rulebook(clocks=CLOCKS, escalations=(escalation(**more),)))

    def test_a_case_that_nobody_accepts_goes_up_the_ladder(self):
        fired = tick(opened(), self.escalating(takes_over=True), ZONE, self.LATE)

        assert fired.after.lead == "province-front"
        assert fired.events[-1].data.why is Assigning.ESCALATION
        assert fired.events[-1].data.lead_before == "ward-front"

    def test_past_anyone_who_is_excluded(self):
        state = opened()
        state = replace(state, matter=state.matter.naming([Concern(office="province-chair")]))

        fired = tick(state, self.escalating(takes_over=True), ZONE, self.LATE)

        assert fired.after.lead == "desk"

    def test_not_for_what_was_done_late_before_anybody_looked(self):
        accepted = after(opened(), CaseAccept(), at=NOON + 30 * DAY)

        fired = tick(accepted, self.escalating(takes_over=True), ZONE, self.LATE)

        assert "clock.missed.v1" in [event.type for event in fired.events]
        assert fired.after.lead == "ward-front"

    def test_though_another_term_was_ordered_about_before_anybody_looked(self):
        there = self.escalating(takes_over=True)
        extend = CaseExtend(clock="answer", days=5, citation=CITED)
        extended = after(opened(), extend, at=NOON + 20 * DAY, there=there)

        assert tick(extended, there, ZONE, self.LATE).after.lead == "province-front"

    def test_never_sideways(self):
        beside = body("ward-people", "ward")
        there = rules(
            bodies=(*BODIES, DESK, beside),
            rulebook=rulebook(clocks=CLOCKS, escalations=(escalation(takes_over=True),)),
        )

        assert tick(opened(), there, ZONE, self.LATE).after.lead == "province-front"

    def test_behind_the_highest_body_stands_the_desk(self):
        state = after(opened(), CaseTransfer(to="province-front", citation=CITED))

        assert tick(state, self.escalating(takes_over=True), ZONE, self.LATE).after.lead == "desk"

    def test_one_who_only_urges_stands_beside_the_lead(self):
        fired = tick(opened(), self.escalating(), ZONE, self.LATE)

        assert fired.after.bodies == ("ward-front", "province-front")

    def test_once(self):
        there = self.escalating(takes_over=True)
        fired = tick(opened(), there, ZONE, self.LATE)

        assert tick(fired.after, there, ZONE, self.LATE + DAY).events == ()

    def test_a_case_follows_a_new_directory(self):
        gone = tuple(b for b in BODIES if b.code != "ward-front")
        there = rules(bodies=(*gone, DESK), directory_version=4)

        fired = tick(opened(), there, ZONE, NOON + HOUR)

        [event] = fired.events
        assert (event.data.lead, event.data.why) == ("province-front", Assigning.RULES)
        assert fired.after.clocks == opened().clocks

    def test_a_case_stays_where_the_new_directory_lets_it(self):
        fired = tick(opened(), rules(directory_version=4), ZONE, NOON + HOUR)

        assert fired.events == ()
        assert fired.after.weighed.directory == 4

    def test_an_office_taken_on_a_later_day_moves_the_case_on_that_day(self):
        taken = Holding(person="p-school-head", office="ward-chair", valid_from=TODAY + DAY)
        there = rules(holdings=(*HELD, taken))
        state = open_case(submission_received(), there, ZONE, NOON + HOUR).state

        assert state.lead == "ward-front"
        assert tick(state, there, ZONE, NOON + HOUR).events == ()
        [event] = tick(state, there, ZONE, NOON + DAY).events
        assert event.data.lead == "province-front"

    def test_a_concluded_case_stays_with_its_body(self):
        state = after(opened(), CaseAccept(), CaseConclude(outcome=Outcome.WRONG))
        gone = tuple(b for b in BODIES if b.code != "ward-front")
        there = rules(bodies=(*gone, DESK), directory_version=4)

        assert tick(state, there, ZONE, NOON + 3 * HOUR).after.lead == "ward-front"


class TestConcernedLead:
    def test_a_lead_that_became_concerned_orders_nothing(self):
        held = (*HELD, Holding(person="p-school-head", office="ward-chair"))
        there = rules(holdings=held, directory_version=4)

        found = act(opened(), CaseAccept(), there=there)

        assert found.problem == "concerned"
        assert REGULATION in found.problems[0].advice
