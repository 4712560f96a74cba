"""Promises of clocks that fall due: each says what happened to it, once."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain.calendar import WorkingDays
from services.routing.domain.clocks import Standing, Versions, clocks_at_opening
from services.routing.domain.due import next_look, oldest_count, tick
from services.routing.domain.lifecycle import CaseState, Stage, Weighed
from shared.contracts.rulebook import ClockRule, DayKind, Holiday
from shared.contracts.vocabulary import Kind
from tests.examples_routing import (
    NOON,
    ZONE,
    calendar,
    clock_rule,
    label,
    matter,
    rulebook,
    rules_in_force,
)

DUE = date(2026, 3, 13)
"""A Friday: the third working day after the receipt."""
MIDNIGHT = datetime(2026, 3, 13, 17, tzinfo=UTC)
"""The local one that closes it."""
MINUTE = timedelta(minutes=1)
RULE = clock_rule(days=3, warn_before=2)
RULES = rules_in_force(rulebook=rulebook(clocks=(RULE,)))


def opened(*rules: ClockRule, **more) -> CaseState:
    versions = Versions(RULES.rulebook_version, RULES.calendar_version)
    clocks = clocks_at_opening(
        Kind.REFLECTION,
        NOON,
        rulebook(clocks=rules or (RULE,)),
        WorkingDays(calendar()),
        ZONE,
        versions=versions,
    )
    state = CaseState(
        case="case-1",
        affair="affair-1",
        lead="ward-front",
        stage=Stage.ASSIGNED,
        version=3,
        received=NOON,
        matter=matter(),
        clocks=clocks,
        weighed=Weighed(RULES.directory_version, RULES.rulebook_version),
    )
    return replace(state, **more)


def answered(state: CaseState, at: datetime) -> CaseState:
    """Accepted and concluded at one instant."""
    version = state.version + 2
    return replace(state, stage=Stage.CONCLUDED, accepted=at, concluded=at, version=version)


def off(*days: date):
    """The calendar's next version, with these days off too."""
    table = calendar()
    holidays = tuple(Holiday(day=day, name=label("Nghỉ")) for day in days)
    working = WorkingDays(calendar(holidays=(*table.holidays, *holidays)))
    return replace(RULES, working_days=working, calendar_version=8)


def said(state: CaseState, at: datetime, rules=RULES) -> list[str]:
    return [event.type for event in tick(state, rules, ZONE, at).events]


class TestFallingDue:
    def test_nothing_is_said_while_time_is_left(self):
        assert said(opened(), NOON + MINUTE) == []

    def test_a_term_that_ended_unanswered_was_missed(self):
        [event] = tick(opened(), RULES, ZONE, MIDNIGHT + MINUTE).events

        assert (event.type, event.time) == ("clock.missed.v1", MIDNIGHT)
        assert (event.data.clock, event.data.due, event.data.body) == ("answer", DUE, "ward-front")

    def test_the_last_moment_of_the_last_day_is_in_time(self):
        assert said(warned(), MIDNIGHT - timedelta(microseconds=1)) == []

    def test_a_term_is_missed_once(self):
        missed = tick(opened(), RULES, ZONE, MIDNIGHT).after

        assert said(missed, MIDNIGHT + timedelta(days=400)) == []

    def test_a_miss_has_one_id_whoever_finds_it_and_whenever(self):
        ids = {
            tick(opened(), RULES, ZONE, MIDNIGHT + n * MINUTE).events[0].id
            for n in range(0, 9999, 99)
        }

        assert len(ids) == 1

    def test_a_warning_comes_before_the_last_day(self):
        day = datetime(2026, 3, 10, 17, tzinfo=UTC)  # Wednesday's beginning, two days left

        assert said(opened(), day - MINUTE) == []
        [event] = tick(opened(), RULES, ZONE, day + MINUTE).events
        assert (event.type, event.time, event.data.due) == ("clock.warned.v1", day, DUE)

    def test_a_warning_is_given_once(self):
        assert said(warned(), NOON + timedelta(days=2)) == []

    def test_who_slept_over_the_last_day_does_not_warn_any_more(self):
        assert said(opened(), MIDNIGHT) == ["clock.missed.v1"]

    def test_several_clocks_take_versions_without_a_gap(self):
        state = opened(clock_rule("b", days=1), clock_rule("a", days=2), RULE)

        events = tick(state, RULES, ZONE, MIDNIGHT).events

        assert [event.data.version for event in events] == [4, 5, 6]
        assert tick(state, RULES, ZONE, MIDNIGHT).after.version == 6

    def test_what_is_said_belongs_to_the_case_and_its_affair(self):
        [event] = tick(opened(), RULES, ZONE, MIDNIGHT).events

        assert (event.subject, event.correlationid) == ("case-1", "affair-1")
        assert event.recordedtime == MIDNIGHT


class TestAnswers:
    def test_an_answer_in_time_met_the_term(self):
        at = MIDNIGHT - MINUTE
        [event] = tick(answered(opened(), at), RULES, ZONE, at + MINUTE * 5).events

        assert (event.type, event.time, event.data.told_late) == ("clock.met.v1", at, False)

    def test_an_answer_after_the_last_day_missed_it(self):
        assert said(answered(opened(), MIDNIGHT), MIDNIGHT + MINUTE) == ["clock.missed.v1"]

    def test_an_answer_told_after_the_miss_still_met_the_term(self):
        missed = tick(opened(), RULES, ZONE, MIDNIGHT).after

        [event] = tick(answered(missed, NOON), RULES, ZONE, MIDNIGHT + MINUTE).events

        assert (event.type, event.data.told_late) == ("clock.met.v1", True)

    def test_a_late_answer_to_a_missed_term_says_nothing_more(self):
        missed = tick(opened(), RULES, ZONE, MIDNIGHT).after
        late = tick(answered(missed, MIDNIGHT + MINUTE), RULES, ZONE, MIDNIGHT + 2 * MINUTE)

        assert late.events == ()
        assert late.after.clocks[0].standing is Standing.LATE
        assert next_look(late.after) is None

    def test_acceptance_stops_only_what_it_stops(self):
        state = opened(clock_rule("take-up", stops="accepted", days=2), RULE)
        accepted = replace(state, stage=Stage.ACCEPTED, accepted=NOON + MINUTE, version=4)

        events = tick(accepted, RULES, ZONE, NOON + 2 * MINUTE).events

        assert [(e.type, e.data.clock) for e in events] == [("clock.met.v1", "take-up")]

    def test_an_answered_case_is_not_restated(self):
        state = answered(opened(), NOON + MINUTE)

        assert said(state, NOON + 2 * MINUTE, off(DUE)) == ["clock.met.v1"]

    def test_answered_clocks_say_nothing_again(self):
        met = tick(answered(opened(), NOON), RULES, ZONE, NOON).after

        assert said(met, MIDNIGHT + MINUTE, off(DUE)) == []


class TestNewRules:
    def test_a_new_calendar_moves_a_running_term_visibly(self):
        fired = tick(opened(), off(DUE), ZONE, NOON + MINUTE)

        [event] = fired.events
        assert event.type == "clock.restated.v1"
        assert (event.data.due_before, event.data.due) == (DUE, date(2026, 3, 16))
        assert (event.data.why, event.data.calendar_before, event.data.calendar) == (
            "calendar",
            7,
            8,
        )
        assert fired.after.clocks[0].due == event.data.due

    def test_a_new_calendar_that_counts_the_same_says_nothing(self):
        fired = tick(opened(), off(date(2026, 12, 1)), ZONE, NOON + MINUTE)

        assert fired.events == ()
        assert fired.after.clocks[0].counted == Versions(5, 8)

    def test_a_missed_term_stays_missed_under_any_calendar(self):
        missed = tick(opened(), RULES, ZONE, MIDNIGHT).after

        assert said(missed, MIDNIGHT + MINUTE, off(DUE)) == []

    def test_a_calendar_that_came_while_nobody_looked_saves_the_term(self):
        assert said(warned(), MIDNIGHT + MINUTE, off(DUE)) == [
            "clock.restated.v1",
            "clock.warned.v1",
        ]

    def test_a_new_rulebook_moves_a_running_term_visibly(self):
        new = replace(RULES, rulebook=rulebook(clocks=(clock_rule(days=4),)), rulebook_version=6)

        [event] = tick(opened(), new, ZONE, NOON).events

        assert (event.type, event.data.why) == ("clock.restated.v1", "rulebook")

    def test_a_rule_that_is_gone_leaves_its_clocks_as_they_began(self):
        new = replace(RULES, rulebook=rulebook(clocks=()), rulebook_version=6)

        assert said(opened(), NOON, new) == []

    def test_a_rule_that_begins_later_moves_no_earlier_term(self):
        rules = (
            replace_rule(effective_to=date(2026, 3, 11)),
            replace_rule(days=9, effective_from=date(2026, 3, 11)),
        )
        new = replace(RULES, rulebook=rulebook(clocks=rules), rulebook_version=6)

        assert said(opened(), NOON, new) == []

    def test_a_term_beyond_the_last_year_stays_as_it_was(self):
        rule = replace_rule(days=9_999_999, day_kind=DayKind.CALENDAR)
        new = replace(RULES, rulebook=rulebook(clocks=(rule,)), rulebook_version=6)

        fired = tick(opened(), new, ZONE, NOON)

        assert fired.after.clocks[0].due == DUE

    @given(st.lists(st.sampled_from([DUE - timedelta(days=n) for n in range(-9, 4)]), unique=True))
    def test_no_last_day_moves_without_a_restatement(self, days):
        fired = tick(opened(), off(*days), ZONE, NOON + MINUTE)

        moved = fired.after.clocks[0].due != DUE
        assert moved == any(event.type == "clock.restated.v1" for event in fired.events)


class TestLooking:
    def test_is_first_for_the_warning(self):
        assert next_look(opened()) == date(2026, 3, 11)

    def test_is_then_on_the_day_after_the_last(self):
        assert next_look(warned()) == DUE + timedelta(days=1)

    def test_is_at_once_when_an_act_has_stopped_a_clock(self):
        assert next_look(answered(opened(), NOON)) == date.min

    def test_is_never_again_when_all_is_settled(self):
        met = tick(answered(opened(), NOON), RULES, ZONE, NOON).after

        assert (next_look(met), oldest_count(met)) == (None, None)

    def test_finds_a_clock_by_the_oldest_rules_it_was_counted_with(self):
        state = opened()
        older = replace(state.clocks[0], counted=Versions(2, 9))

        assert oldest_count(replace(state, clocks=(*state.clocks, older))) == Versions(2, 7)

    @given(
        st.integers(0, 40_000),
        st.none() | st.integers(0, 40_000),
        st.sampled_from(["Asia/Ho_Chi_Minh", "UTC", "Pacific/Kiritimati", "America/New_York"]),
    )
    def test_never_misses_what_has_something_to_say(self, minutes, answer, zone):
        state = opened() if answer is None else answered(opened(), NOON + answer * MINUTE)
        at, zone = NOON + minutes * MINUTE, ZoneInfo(zone)
        look = next_look(state)

        if tick(state, RULES, zone, at).events:
            assert look is not None
            assert look <= at.astimezone(zone).date()

    @given(st.integers(0, 40_000), st.none() | st.integers(0, 40_000))
    def test_a_case_looked_at_twice_says_nothing_twice(self, minutes, answer):
        state = opened() if answer is None else answered(opened(), NOON + answer * MINUTE)
        at = NOON + minutes * MINUTE

        after = tick(state, RULES, ZONE, at).after

        assert said(after, at) == []


@pytest.mark.parametrize("year", [1976, 2000, 2026, 2030, 2100])
def test_the_zone_has_no_summer_time(year):
    offsets = {datetime(year, month, 1, tzinfo=ZONE).utcoffset() for month in range(1, 13)}

    assert offsets == {timedelta(hours=7)}


def replace_rule(**more) -> ClockRule:
    return clock_rule(**{"days": 3, "warn_before": 2, **more})


def warned() -> CaseState:
    return tick(opened(), RULES, ZONE, NOON + timedelta(days=1)).after
