"""Promises of Form S-124, column by column."""

import pytest

from services.reporting.domain.change import change
from services.reporting.domain.forms import Tally
from services.reporting.domain.forms.tally import stopped_by_acceptance
from services.reporting.domain.row import ActivityRow, ChannelRow
from shared.contracts import SubmissionRated
from shared.contracts.activity import ActivityKind
from shared.contracts.vocabulary import Channel
from tests.examples_reporting import (
    AFTER,
    BEFORE,
    CLOCKS,
    DAY,
    END,
    LAST_DAY,
    START,
    SUPERVISION,
    WITHIN,
    activity_recorded,
    agency,
    case_accepted,
    case_concluded,
    case_joined,
    cases_counted,
    channel_announced,
    clock_started,
    count,
    directory,
    event,
    office,
    submission_received,
    supervision,
    window,
)

FIRST_DAY = window().period.first_day


def activities(*events):
    tally = Tally(window())
    for each in events:
        tally.add_activity(ActivityRow.of(change(each).value))
    return count(SUPERVISION, tally)


def register(*channels, unit="ward", **parts):
    tally = Tally(window())
    rows = [ChannelRow.of(change(each).value) for each in channels]
    tally.add_register(directory(**parts), rows)
    return count(SUPERVISION, tally, unit)


def cases(*events):
    return cases_counted(SUPERVISION, events)


class TestActivities:
    @pytest.mark.parametrize(
        ("kind", "column"),
        [
            (ActivityKind.DIRECT, "direct-activities"),
            (ActivityKind.INDIRECT, "indirect-activities"),
            (ActivityKind.DIALOGUE, "dialogues"),
        ],
    )
    def test_each_counts_under_its_kind(self, kind, column):
        assert activities(activity_recorded(kind=kind)) == {column: 1}

    def test_dialogues_add_up_what_was_said_in_them(self):
        one = activity_recorded(
            "d1",
            ActivityKind.DIALOGUE,
            participants=40,
            opinions_received=7,
            opinions_accepted=5,
        )
        other = activity_recorded("d2", ActivityKind.DIALOGUE, participants=2)

        assert activities(one, other) == {
            "dialogues": 2,
            "dialogue-participants": 42,
            "dialogue-opinions-received": 7,
            "dialogue-opinions-accepted": 5,
        }

    def test_participants_of_other_activities_are_no_participants_in_dialogues(self):
        counted = activities(activity_recorded(participants=9, opinions_received=9))

        assert counted == {"direct-activities": 1}

    @pytest.mark.parametrize(
        ("held", "counts"),
        [
            (FIRST_DAY - DAY, False),
            (FIRST_DAY, True),
            (LAST_DAY, True),
            (LAST_DAY + DAY, False),
        ],
    )
    def test_the_period_has_both_its_first_and_its_last_day(self, held, counts):
        assert bool(activities(activity_recorded(held=held))) is counts


class TestOfficials:
    def test_an_office_under_several_decisions_is_one_official(self):
        counted = register(
            offices=(office("chair", "ward"),),
            supervisions=(supervision("chair"), supervision("chair")),
        )

        assert counted == {"supervised-officials": 1}

    @pytest.mark.parametrize(
        ("dates", "counts"),
        [
            ({"valid_from": LAST_DAY}, True),
            ({"valid_from": LAST_DAY + DAY}, False),
            ({"valid_to": LAST_DAY + DAY}, True),
            ({"valid_to": LAST_DAY}, False),
        ],
    )
    def test_a_decision_counts_while_it_is_in_force_on_the_last_day(self, dates, counts):
        counted = register(
            offices=(office("chair", "ward"),), supervisions=(supervision("chair", **dates),)
        )

        assert bool(counted) is counts

    def test_an_official_counts_at_the_unit_of_the_office(self):
        parts = {"offices": (office("head", "school"),), "supervisions": (supervision("head"),)}

        assert register(**parts) == {}
        assert register(unit="school", **parts) == {"supervised-officials": 1}


class TestChannels:
    def test_an_agency_with_nothing_announced_is_an_agency(self):
        assert register(agencies=(agency("a1", "ward"),)) == {"agencies": 1}

    def test_one_channel_is_not_both(self):
        counted = register(channel_announced(), agencies=(agency("a1", "ward"),))

        assert counted == {"agencies": 1, "agencies-with-mailbox": 1}

    def test_mailbox_and_hotline_are_both(self):
        counted = register(
            channel_announced(),
            channel_announced(channel=Channel.HOTLINE),
            agencies=(agency("a1", "ward"),),
        )

        assert counted == {
            "agencies": 1,
            "agencies-with-mailbox": 1,
            "agencies-with-hotline": 1,
            "agencies-with-both": 1,
        }

    def test_channels_of_two_agencies_are_not_both(self):
        counted = register(
            channel_announced("a1"),
            channel_announced("a2", channel=Channel.HOTLINE),
            agencies=(agency("a1", "ward"), agency("a2", "ward")),
        )

        assert "agencies-with-both" not in counted

    def test_a_channel_announced_after_the_period_does_not_count(self):
        late = channel_announced(published=LAST_DAY + DAY)

        assert register(late, agencies=(agency("a1", "ward"),)) == {"agencies": 1}

    def test_a_channel_announced_again_still_counts_from_the_first_day(self):
        counted = register(
            channel_announced(published=LAST_DAY + DAY),
            channel_announced(published=LAST_DAY),
            agencies=(agency("a1", "ward"),),
        )

        assert counted["agencies-with-mailbox"] == 1

    def test_an_agency_that_is_gone_by_the_last_day_does_not_count(self):
        assert register(agencies=(agency("a1", "ward", valid_to=LAST_DAY),)) == {}


class TestOpinions:
    def test_an_open_one_of_the_period(self):
        assert cases(submission_received()) == {"received": 1, "open": 1}

    def test_an_open_one_from_before(self):
        assert cases(submission_received(time=BEFORE)) == {"carried-over": 1, "open": 1}

    @pytest.mark.parametrize(
        ("in_time", "column"), [(True, "answered-in-time"), (False, "answered-late")]
    )
    def test_an_answer_is_in_time_or_late(self, in_time, column):
        counted = cases(submission_received(), case_concluded(in_time=in_time))

        assert counted == {"received": 1, column: 1}

    def test_an_answer_after_the_period_is_none(self):
        counted = cases(submission_received(), case_concluded(time=AFTER))

        assert counted == {"received": 1, "open": 1}

    def test_ineligible_ones_count_too(self):
        assert cases(submission_received(eligibility="stored-anonymous"))["received"] == 1

    @pytest.mark.parametrize(("due", "overdue"), [(LAST_DAY, 1), (LAST_DAY + DAY, 0)])
    def test_a_term_is_over_at_the_midnight_of_its_last_day(self, due, overdue):
        counted = cases(submission_received(), clock_started(due=due))

        assert counted.get("overdue", 0) == overdue

    def test_one_that_was_answered_is_not_overdue(self):
        late = clock_started(due=LAST_DAY - DAY)

        assert "overdue" not in cases(submission_received(), late, case_concluded(in_time=False))

    @pytest.mark.parametrize(("accepted", "overdue"), [(WITHIN, 0), (AFTER, 1)])
    def test_acceptance_stops_the_clocks_that_the_rulebook_says(self, accepted, overdue):
        counted = cases(
            submission_received(),
            clock_started(clock="take-up", due=LAST_DAY - DAY),
            case_accepted(time=accepted),
        )

        assert counted.get("overdue", 0) == overdue

    def test_acceptance_does_not_stop_the_clock_of_the_answer(self):
        counted = cases(submission_received(), clock_started(due=LAST_DAY), case_accepted())

        assert counted["overdue"] == 1

    def test_the_rulebook_says_which_clocks_acceptance_stops(self):
        assert stopped_by_acceptance(CLOCKS) == {"take-up"}

    def test_a_duplicate_that_was_joined_is_neither_open_nor_answered(self):
        late = clock_started(due=LAST_DAY - DAY)

        counted = cases(submission_received(), late, case_joined())

        assert counted == {"received": 1, "joined": 1}


class TestRatings:
    def rated(self, score, time=WITHIN, received=BEFORE):
        answered = case_concluded(time=BEFORE)
        rating = event(SubmissionRated(score=score), time)
        counted = cases(submission_received(time=received), answered, rating)
        return counted.get("ratings", 0), counted.get("satisfied", 0)

    @pytest.mark.parametrize(("score", "satisfied"), [(1, 0), (3, 0), (4, 1), (5, 1)])
    def test_four_and_five_are_satisfied(self, score, satisfied):
        assert self.rated(score) == (1, satisfied)

    @pytest.mark.parametrize(
        ("time", "counts"),
        [(START - DAY / 86_400, 0), (START, 1), (END - DAY / 86_400, 1), (END, 0)],
    )
    def test_a_rating_counts_in_the_period_in_which_it_was_given(self, time, counts):
        assert self.rated(5, time) == (counts, counts)

    def test_a_rating_counts_though_its_case_was_over_before_the_period(self):
        counted = cases(
            submission_received(time=BEFORE - DAY),
            case_concluded(time=BEFORE),
            event(SubmissionRated(score=5)),
        )

        assert counted == {"ratings": 1, "satisfied": 1}
