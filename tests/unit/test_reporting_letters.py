"""Promises of Form 01/XLD, column by column (Circular 01/2024/TT-TTCP)."""

import pytest

from shared.contracts.case import Referral
from shared.contracts.vocabulary import Kind, Signatures
from tests.examples_reporting import (
    AFTER,
    BEFORE,
    DAY,
    END,
    LETTERS,
    START,
    WITHIN,
    case_accepted,
    case_assigned,
    case_concluded,
    case_joined,
    case_opened,
    case_referred,
    case_reopened,
    cases_counted,
    submission_received,
)


def columns(*events, code="2026-h1"):
    """The columns that one case counts in."""
    figures = cases_counted(LETTERS, events, code)
    assert set(figures.values()) <= {1}
    return set(figures)


@pytest.mark.parametrize(
    ("received", "signatures", "column"),
    [
        (WITHIN, Signatures.SEVERAL, "2"),
        (WITHIN, Signatures.ONE, "3"),
        (WITHIN, Signatures.OTHER, "4"),
        (BEFORE, Signatures.SEVERAL, "5"),
        (BEFORE, Signatures.ONE, "6"),
        (BEFORE, Signatures.OTHER, "7"),
    ],
)
def test_1_to_7_tell_receipt_and_signatures(received, signatures, column):
    counted = columns(submission_received(time=received, signatures=signatures))

    assert counted & set("1234567") == {"1", column}


@pytest.mark.parametrize(
    ("received", "column"),
    [(START, "3"), (START - DAY / 86_400, "6"), (END - DAY / 86_400, "3")],
    ids=["at the start", "a second before", "a second before the end"],
)
def test_1_to_7_divide_at_local_midnight(received, column):
    assert column in columns(submission_received(time=received))


def test_1_to_7_leave_out_what_came_after_the_period():
    assert columns(submission_received(time=END)) == set()


def test_5_to_7_leave_out_what_was_concluded_before_the_period():
    counted = columns(
        submission_received(time=BEFORE - DAY), case_concluded(time=START - DAY / 86_400)
    )

    assert counted == set()


def test_5_to_7_carry_over_what_was_concluded_as_the_period_began():
    assert "6" in columns(submission_received(time=BEFORE), case_concluded(time=START))


def test_1_counts_a_case_that_only_routing_has_told():
    assert {"1", "3"} <= columns(case_opened())


def test_1_leaves_out_a_case_whose_receipt_nobody_has_told():
    assert columns(case_assigned(), case_accepted()) == set()


@pytest.mark.parametrize(("assigned", "handled"), [(WITHIN, True), (END, False)])
def test_8_counts_what_had_been_assigned_by_the_end(assigned, handled):
    counted = columns(submission_received(), case_assigned(time=assigned))

    assert ("8" in counted) is handled


def test_8_counts_ineligible_letters_and_9_to_26_do_not():
    counted = columns(
        submission_received(eligibility="stored-anonymous"),
        case_assigned(within=False),
        case_accepted(),
        case_concluded(),
    )

    assert counted == {"1", "3", "8"}


def test_9_and_10_count_eligible_letters_and_their_one_case():
    assert {"9", "10"} <= columns(submission_received())


@pytest.mark.parametrize(
    ("kind", "by_content", "within"),
    [
        (Kind.COMPLAINT, "11", "19"),
        (Kind.DENUNCIATION, "12", "20"),
        (Kind.PETITION, "13", "21"),
        (Kind.REFLECTION, "13", "21"),
    ],
)
def test_11_to_13_and_19_to_21_tell_the_kind(kind, by_content, within):
    counted = columns(submission_received(kind=kind), case_assigned())

    assert counted & {"11", "12", "13"} == {by_content}
    assert counted & {"18", "19", "20", "21"} == {"18", within}


@pytest.mark.parametrize(
    ("followed", "column"),
    [
        ((), "17"),
        ((case_assigned(),), "17"),
        ((case_accepted(),), "16"),
        ((case_accepted(), case_concluded()), "14"),
        ((case_accepted(), case_concluded(times=2)), "15"),
        ((case_accepted(), case_concluded(time=AFTER)), "16"),
        ((case_accepted(time=AFTER), case_concluded(time=AFTER)), "17"),
    ],
    ids=[
        "nothing followed",
        "assigned",
        "accepted",
        "settled once",
        "settled again",
        "settled after the end",
        "accepted after the end",
    ],
)
def test_14_to_17_tell_the_state_at_the_end(followed, column):
    counted = columns(submission_received(), *followed)

    assert counted & {"14", "15", "16", "17"} == {column}


def test_18_counts_a_letter_within_competence():
    counted = columns(submission_received(), case_assigned(within=True))

    assert counted & {"18", "22"} == {"18"}


def test_22_and_24_count_a_forwarded_letter():
    counted = columns(submission_received(), case_assigned(within=False))

    assert counted & {"18", "22", "23", "24", "25", "26"} == {"22", "24"}


@pytest.mark.parametrize("events", [(), (case_assigned(time=AFTER, within=False),)])
def test_18_counts_a_letter_that_nobody_had_been_given_by_the_end(events):
    counted = columns(submission_received(), *events)

    assert counted & {"18", "22"} == {"18"}


@pytest.mark.parametrize(("concluded", "replied"), [(WITHIN, True), (AFTER, False)])
def test_26_counts_forwarded_letters_answered_by_the_end(concluded, replied):
    counted = columns(
        submission_received(), case_assigned(within=False), case_concluded(time=concluded)
    )

    assert ("26" in counted) is replied


def test_26_leaves_out_answers_to_letters_that_were_not_forwarded():
    assert "26" not in columns(submission_received(), case_assigned(), case_concluded())


def test_the_form_has_the_columns_of_the_circular_in_their_order():
    assert [column.code for column in LETTERS.columns] == [str(n) for n in range(1, 27)]


def test_the_circulars_identities_are_checked():
    stated = {identity.text for identity in LETTERS.identities}

    assert stated >= {
        "1 = 2 + 3 + 4 + 5 + 6 + 7",
        "9 = 11 + 12 + 13 = 14 + 15 + 16 + 17 = 18 + 22",
        "18 = 19 + 20 + 21",
        "22 = 23 + 24 + 25",
    }


TAKEN_UP = (submission_received(), case_assigned(), case_accepted())
ANSWERED_ONCE = (*TAKEN_UP, case_concluded())


def test_16_counts_a_case_that_was_taken_up_again():
    counted = columns(*ANSWERED_ONCE, case_reopened(version=6))

    assert counted & {"14", "15", "16", "17"} == {"16"}


def test_15_counts_its_second_answer():
    again = case_concluded(version=7, times=2)

    assert "15" in columns(*ANSWERED_ONCE, case_reopened(version=6), again)


@pytest.mark.parametrize(
    ("way", "column"),
    [(Referral.GUIDED, "23"), (Referral.FORWARDED, "24"), (Referral.URGED, "25")],
)
def test_22_to_25_count_what_belongs_outside_by_its_way(way, column):
    counted = columns(*TAKEN_UP, case_referred(way))

    assert counted & {"14", "15", "16", "17"} == {"17"}
    assert counted & {"18", "22", "23", "24", "25", "26"} == {"22", column}


class TestDuplicates:
    def test_a_joined_one_counts_as_a_letter_that_came_in_and_as_nothing_else(self):
        counted = columns(
            submission_received(), case_opened(), case_assigned(), case_accepted(), case_joined()
        )

        assert counted == {"1", "3", "8"}

    def test_one_that_was_joined_after_the_period_counts_as_it_was_then(self):
        counted = columns(submission_received(), case_assigned(), case_joined(time=END))

        assert {"9", "10", "17"} <= counted

    def test_one_that_was_joined_before_the_period_is_not_carried_over(self):
        came = submission_received(time=BEFORE - DAY)

        assert columns(came, case_joined(time=BEFORE)) == set()
        assert {"1", "6"} <= columns(came, case_joined(time=START))

    def test_one_that_was_taken_up_again_is_a_letter_like_any_other(self):
        counted = columns(
            submission_received(), case_assigned(), case_joined(), case_reopened(version=6)
        )

        assert {"9", "10"} <= counted

    def test_one_that_was_joined_again_is_a_duplicate_again(self):
        again = (case_joined(), case_reopened(version=6), case_joined(version=7))

        assert columns(submission_received(), case_assigned(), *again) == {"1", "3", "8"}


class TestParts:
    def test_a_part_counts_by_its_own_kind_as_a_letter_of_its_own(self):
        whole = submission_received()
        part = case_opened("part", kind=Kind.DENUNCIATION)

        figures = cases_counted(LETTERS, [whole, case_opened(), part])

        assert (figures["1"], figures["9"], figures["12"], figures["13"]) == (2, 2, 1, 1)
