"""A last day moves only by a restatement that says from where, to where and why.

A reader that knows nothing but the events keeps every term beside routing, through whatever
bodies order, days pass and rules change; the two never differ.
"""

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.routing.domain.calendar import WorkingDays
from services.routing.domain.clocks import Clock, Standing, restated
from services.routing.domain.decision import Act, Decision
from services.routing.domain.due import tick
from services.routing.domain.lifecycle import CaseState, Stage
from services.routing.domain.opening import open_case
from services.routing.domain.orders import decide
from shared.contracts import (
    CaseAccept,
    CaseAmend,
    CaseConclude,
    CaseDecline,
    CaseExtend,
    CasePause,
    CaseReopen,
    CaseResume,
    CaseTransfer,
    ClockPaused,
    ClockRestated,
    ClockStarted,
)
from shared.contracts.case import CaseEvent, Ground, Restating
from shared.contracts.rulebook import DayKind, Holiday
from shared.contracts.vocabulary import Concern, Outcome
from tests.examples_routing import (
    BODIES as SEATED,
)
from tests.examples_routing import (
    REGULATION,
    TODAY,
    ZONE,
    calendar,
    clock_rule,
    index,
    label,
    rulebook,
    rules_in_force,
    submission_received,
)

CODES = ("answer", "again", "acknowledge")
BODIES = ("ward-front", "province-front", "inspectorate", "nobody")
BY_RULES = {Restating.CALENDAR, Restating.RULEBOOK}


def book(answer: int = 12, acknowledge: int = 5, again: int = 9):
    """`longest` leaves room: terms may be extended and paused over and over."""
    free: dict[str, Any] = {"longest": 60, "may_pause": True, "warn_before": 2}
    return rulebook(
        clocks=(
            clock_rule("answer", days=answer, **free),
            clock_rule("acknowledge", starts="received", stops="accepted", days=acknowledge),
            clock_rule(
                "again",
                starts="accepted",
                days=again,
                day_kind=DayKind.CALENDAR,
                roll=True,
                **free,
            ),
        )
    )


class Reader:
    """Terms as the events alone tell them: by code, each with the last one last."""

    def __init__(self) -> None:
        self.terms: dict[str, list[Any]] = {}
        self.paused: dict[str, bool] = {}
        self.version = 0

    def hear(self, data: CaseEvent) -> None:
        assert data.version == self.version + 1
        self.version = data.version
        match data:
            case ClockStarted():
                self.terms.setdefault(data.clock, []).append(data.due)
                self.paused[data.clock] = False
            case ClockRestated():
                assert self.terms[data.clock][-1] == data.due_before
                self.terms[data.clock][-1] = data.due
                assert self.paused[data.clock] == (data.why is Restating.PAUSE)
                self.paused[data.clock] = False
            case ClockPaused():
                assert not self.paused[data.clock]
                self.paused[data.clock] = True


class TermsOfACase(RuleBasedStateMachine):
    @initialize()
    def opened(self) -> None:
        self.today = TODAY
        self.rules = rules_in_force(rulebook=book())
        self.books = {self.rules.rulebook_version: self.rules.rulebook}
        self.tables = {self.rules.calendar_version: self.rules.working_days}
        self.reader = Reader()
        case = open_case(submission_received(), self.rules, ZONE, self.now)
        for event in case.events:
            self.reader.hear(event.data)
        self.state: CaseState = case.state

    @property
    def now(self) -> datetime:
        return datetime.combine(self.today, time(15), ZONE)

    @rule(days=st.integers(1, 6))
    def days_pass(self, days: int) -> None:
        self.today += timedelta(days=days)
        self.sweep()

    @rule()
    def sweep(self) -> None:
        fired = tick(self.state, self.rules, ZONE, self.now)
        for event in fired.events:
            self.reader.hear(event.data)
            if isinstance(event.data, ClockRestated):
                assert event.data.why in BY_RULES
                assert event.data.due != event.data.due_before
        self.state = fired.after

    @rule(
        off=st.sets(st.integers(-10, 40), max_size=6),
        swapped=st.sets(st.integers(-10, 40), max_size=2),
    )
    def a_new_calendar(self, off: set[int], swapped: set[int]) -> None:
        days = [self.today + timedelta(days=n) for n in sorted(off)]
        table = calendar(
            holidays=tuple(Holiday(day=day, name=label("Nghỉ")) for day in days),
            swapped=tuple(self.today + timedelta(days=n) for n in sorted(swapped)),
        )
        version = self.rules.calendar_version + 1
        self.tables[version] = WorkingDays(table)
        self.rules = replace(
            self.rules, working_days=self.tables[version], calendar_version=version
        )

    @rule(answer=st.integers(3, 30), acknowledge=st.integers(1, 10), again=st.integers(3, 30))
    def a_new_rulebook(self, answer: int, acknowledge: int, again: int) -> None:
        version = self.rules.rulebook_version + 1
        self.books[version] = book(answer, acknowledge, again)
        self.rules = replace(self.rules, rulebook=self.books[version], rulebook_version=version)

    @rule(gone=st.sampled_from([None, "inspectorate", "ward-front"]))
    def a_new_directory(self, gone: str | None) -> None:
        bodies = tuple(b for b in SEATED if b.code != gone)
        self.rules = replace(
            self.rules,
            directory=index(bodies=bodies),
            directory_version=self.rules.directory_version + 1,
        )

    @rule()
    def accept(self) -> None:
        self.order(CaseAccept())

    @rule()
    def conclude_or_reopen(self) -> None:
        if self.state.stage is Stage.CONCLUDED:
            self.order(CaseReopen(citation=REGULATION))
        else:
            self.order(CaseConclude(outcome=Outcome.RIGHT))

    @rule()
    def decline(self) -> None:
        self.order(CaseDecline(ground=Ground.NOT_COMPETENT, citation=REGULATION))

    @rule(to=st.sampled_from(BODIES))
    def transfer(self, to: str) -> None:
        self.order(CaseTransfer(to=to, citation=REGULATION))

    @rule(office=st.sampled_from(["ward-chair", "ward-deputy", "province-chair"]))
    def amend(self, office: str) -> None:
        self.order(CaseAmend(concerns=(Concern(office=office),)))

    @rule(code=st.sampled_from(CODES), days=st.integers(1, 5))
    def extend(self, code: str, days: int) -> None:
        self.order(CaseExtend(clock=code, days=days, citation=REGULATION), Restating.EXTENSION)

    @rule(code=st.sampled_from(CODES))
    def pause_or_resume(self, code: str) -> None:
        if any(clock.code == code and clock.paused for clock in self.state.clocks):
            self.resume(code)
        else:
            self.pause(code)

    def pause(self, code: str) -> None:
        self.order(CasePause(clock=code, citation=REGULATION))

    def resume(self, code: str) -> None:
        self.order(CaseResume(clock=code), Restating.PAUSE)

    def order(self, order: Any, may_restate: Restating | None = None) -> None:
        """An order about a term first tells of what no sweep has come to."""
        self.sweep()
        act = Act(self.state.lead, self.now, self.now)
        found = decide(self.state, order, act, self.rules, ZONE)
        if isinstance(found, Decision):
            for data, _ in found.said:
                self.reader.hear(data)
                if isinstance(data, ClockRestated):
                    assert may_restate is not None
                    assert data.why in {may_restate, Restating.CALENDAR, Restating.RULEBOOK}
            self.state = found.after

    @invariant()
    def what_is_kept_is_what_was_said(self) -> None:
        kept: dict[str, list[Any]] = {}
        for clock in self.state.clocks:
            kept.setdefault(clock.code, []).append(clock.due)
        assert kept == self.reader.terms
        assert self.state.version == self.reader.version

    @invariant()
    def a_term_stands_still_only_where_its_pause_was_said(self) -> None:
        last = {clock.code: clock for clock in self.state.clocks}
        paused = {code for code, clock in last.items() if clock.paused}
        assert paused == {code for code, still in self.reader.paused.items() if still}

    @invariant()
    def a_last_day_is_the_one_that_its_versions_count(self) -> None:
        for clock in self.state.clocks:
            if clock.standing is Standing.RUNNING and not clock.paused:
                assert self.counted(clock) == clock.due

    def counted(self, clock: Clock) -> Any:
        versions = clock.counted
        return restated(
            clock, self.books[versions.rulebook], self.tables[versions.calendar], versions, ZONE
        ).due


TestTermsOfACase = TermsOfACase.TestCase
TestTermsOfACase.settings = settings(max_examples=300, stateful_step_count=40)


class TestBeforeTheNextSweep:
    """What new rules and the end of a term do to an order that comes before they were told of."""

    @pytest.fixture
    def terms(self):
        terms = TermsOfACase()
        terms.opened()
        terms.accept()
        terms.sweep = lambda: None
        return terms

    def test_an_extension_names_the_calendar_that_it_counts_by(self, terms):
        terms.a_new_calendar({3, 4, 5}, set())
        terms.extend("answer", 2)

        terms.a_last_day_is_the_one_that_its_versions_count()

    def test_the_end_of_a_pause_names_the_calendar_that_it_counts_by(self, terms):
        terms.pause("answer")
        terms.a_new_calendar({3, 4, 5}, set())
        terms.resume("answer")

        terms.a_last_day_is_the_one_that_its_versions_count()

    @pytest.mark.parametrize("code", ["answer", "again"])
    def test_a_term_whose_last_day_is_over_is_not_extended(self, terms, code):
        before = {clock.code: clock.due for clock in terms.state.clocks}
        terms.today += timedelta(days=40)
        terms.extend(code, 5)

        assert {clock.code: clock.due for clock in terms.state.clocks} == before
