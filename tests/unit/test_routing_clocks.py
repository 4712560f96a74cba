"""Promises of the legal clocks."""

from datetime import UTC, date, datetime

from services.routing.domain.calendar import WorkingDays
from services.routing.domain.clocks import all_met, clocks_at_opening
from shared.contracts.rulebook import ClockRule, DayKind
from shared.contracts.vocabulary import Kind
from tests.examples_routing import NOON, REGULATION, ZONE, calendar, clock_rule, rulebook


def clocks(*rules: ClockRule, kind: Kind = Kind.REFLECTION, received: datetime = NOON):
    working_days = WorkingDays(calendar())
    return clocks_at_opening(kind, received, rulebook(clocks=rules), working_days, ZONE)


def test_a_clock_names_its_rule():
    [clock] = clocks(clock_rule())

    assert (clock.code, clock.citation, clock.stops) == ("answer", REGULATION, "concluded")


def test_working_days_are_counted_from_the_day_after():
    [clock] = clocks(clock_rule(days=3))

    assert (clock.started, clock.due) == (NOON, date(2026, 3, 13))


def test_calendar_days_are_counted_from_the_day_after():
    [clock] = clocks(clock_rule(days=10, day_kind=DayKind.CALENDAR))

    assert clock.due == date(2026, 3, 20)


def test_the_day_of_the_start_is_the_local_one():
    late = datetime(2026, 3, 10, 17, 30, tzinfo=UTC)  # half past midnight of the 11th

    [clock] = clocks(clock_rule(days=1), received=late)

    assert clock.due == date(2026, 3, 12)


def test_several_clocks_run_in_the_order_of_the_rulebook():
    found = clocks(clock_rule("b"), clock_rule("a", starts="received"))

    assert [clock.code for clock in found] == ["b", "a"]


def test_a_clock_runs_for_its_kinds_only():
    rule = clock_rule(kinds=(Kind.COMPLAINT,))

    assert clocks(rule) == ()
    assert len(clocks(rule, kind=Kind.COMPLAINT)) == 1


def test_a_rule_not_yet_in_force_on_the_day_of_receipt_starts_nothing():
    assert clocks(clock_rule(effective_from=date(2026, 3, 11))) == ()


def test_of_two_rules_with_one_code_the_first_holds():
    [clock] = clocks(clock_rule(days=1), clock_rule(days=2))

    assert clock.due == date(2026, 3, 11)


def test_what_starts_later_does_not_run_yet():
    assert clocks(clock_rule(starts="concluded")) == ()


def test_a_clock_that_leaves_the_calendar_says_so():
    [clock] = clocks(clock_rule(days=20), received=datetime(2026, 12, 25, tzinfo=UTC))

    assert not clock.covered


class TestInTime:
    # Due on 11 March; its local midnight is 17:00 UTC of that day.
    running = clocks(clock_rule(days=1))

    def test_is_an_answer_before_the_midnight_of_the_last_day(self):
        assert all_met(self.running, "concluded", datetime(2026, 3, 11, 16, 59, tzinfo=UTC), ZONE)

    def test_is_not_an_answer_at_that_midnight(self):
        assert not all_met(self.running, "concluded", datetime(2026, 3, 11, 17, tzinfo=UTC), ZONE)

    def test_regards_only_the_clocks_that_it_stops(self):
        late = datetime(2026, 5, 1, tzinfo=UTC)

        assert all_met(self.running, "accepted", late, ZONE)
