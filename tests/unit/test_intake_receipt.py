"""Receipt codes: derived, hard to guess, easy to read aloud, and forgiving of how they are typed."""

import math
from collections import Counter
from unittest.mock import patch

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.intake.domain import receipt
from services.intake.domain.receipt import (
    DERIVED_DIGITS,
    DIGITS,
    code_for,
    lookup_hash,
    read_code,
    shown,
    slow_hash,
)

KEY, PEPPER = b"k" * 32, b"p" * 32
CODE = code_for("submission-1", KEY)

codes = st.text(max_size=60).map(lambda submission: code_for(submission, KEY))


def guess(number: int) -> str:
    """A well-formed code, as an attacker makes them who knows all but the key."""
    return code_for(str(number), b"another key")


class TestCodeFor:
    def test_it_has_twenty_seven_digits(self):
        assert len(CODE) == DIGITS == 27
        assert CODE.isdecimal()

    def test_it_has_at_least_eighty_bits(self):
        assert math.log2(10**DERIVED_DIGITS) >= 80

    def test_it_is_the_same_each_time(self):
        assert code_for("submission-1", KEY) == CODE

    def test_without_the_key_it_cannot_be_told(self):
        assert code_for("submission-1", b"x" * 32) != CODE

    def test_ten_thousand_submissions_have_ten_thousand_codes(self):
        assert len({code_for(str(n), KEY) for n in range(10_000)}) == 10_000

    def test_every_digit_is_as_likely_in_every_place(self):
        drawn = [code_for(str(n), KEY) for n in range(10_000)]

        for place in range(DERIVED_DIGITS):
            counts = Counter(code[place] for code in drawn)
            deviations = sum((counts[digit] - 1_000) ** 2 / 1_000 for digit in "0123456789")
            assert deviations < 40  # chi-square, 9 degrees: 1 in 10^5; the codes never change

    @given(codes)
    def test_it_reads_back(self, code):
        assert read_code(code) == code


class TestReadCode:
    @given(codes, st.integers(0, DIGITS - 1), st.integers(1, 9))
    def test_every_wrong_digit_is_caught(self, code, place, by):
        wrong = code[:place] + str((int(code[place]) + by) % 10) + code[place + 1 :]

        assert read_code(wrong) is None

    @given(codes, st.integers(0, DIGITS - 1), st.integers(0, DIGITS - 1))
    def test_any_two_digits_that_changed_places_are_caught(self, code, one, other):
        assume(code[one] != code[other])
        digits = list(code)
        digits[one], digits[other] = digits[other], digits[one]

        assert read_code("".join(digits)) is None

    @given(codes, st.data())
    def test_a_digit_more_or_less_is_caught(self, code, data):
        place = data.draw(st.integers(0, DIGITS - 1))
        more = code[:place] + data.draw(st.sampled_from("0123456789")) + code[place:]

        assert read_code(more) is None
        assert read_code(code[:place] + code[place + 1 :]) is None

    @pytest.mark.parametrize(
        "between", [" ", "-", ".", "\u00a0", "–", "—", " - ", "\t", "\n", "．"]
    )
    def test_it_is_read_in_any_groups(self, between):
        assert read_code(shown(CODE).replace(" ", between)) == CODE

    def test_blanks_around_it_do_not_matter(self):
        assert read_code(f"  {shown(CODE)}\r\n") == CODE

    @pytest.mark.parametrize("zero", ["０", "٠", "०"])
    def test_it_is_read_in_other_digits(self, zero):
        typed = CODE.translate({ord("0") + n: ord(zero) + n for n in range(10)})

        assert read_code(typed) == CODE

    @pytest.mark.parametrize("typed", ["", " ", "abc", "²" * 27, "0" * 27, "1" * 10_000, "-" * 27])
    def test_what_is_no_code_is_none(self, typed):
        assert read_code(typed) is None

    @given(st.text(max_size=300))
    def test_any_text_has_an_answer(self, typed):
        assert read_code(typed) is None or len(read_code(typed)) == DIGITS


class TestShown:
    def test_it_is_nine_groups_of_three(self):
        assert [len(group) for group in shown(CODE).split(" ")] == [3] * 9
        assert shown(CODE).replace(" ", "") == CODE


class TestHashes:
    def test_a_code_is_found_by_its_hash_however_it_is_typed(self):
        kept = slow_hash(CODE, PEPPER)

        assert lookup_hash(shown(CODE).replace(" ", "-"), PEPPER) == kept

    def test_another_pepper_gives_another_hash(self):
        assert slow_hash(CODE, b"q" * 32) != slow_hash(CODE, PEPPER)

    def test_the_hash_is_that_of_the_profile(self):
        """Recorded: a change of parameters would forget every receipt."""
        assert slow_hash("1" * 27, b"p" * 32).hex() == (
            "05ba3af69d64e39ed4b8e3499145894134761339698669de8748c0b1a6df9121"
        )

    @pytest.mark.parametrize(
        "typed",
        [CODE, guess(1), "0" * 27, "không phải mã", "", "9" * 5_000],
        ids=["right", "unknown", "wrong check digits", "words", "nothing", "too long"],
    )
    def test_every_question_costs_one_slow_hash_of_the_same_length(self, typed):
        with patch.object(receipt, "hash_secret_raw", return_value=b"") as hashed:
            lookup_hash(typed, PEPPER)

        [call] = hashed.call_args_list
        assert len(call.args[0]) == DIGITS

    def test_what_is_no_code_is_never_found(self):
        kept = {code_for(str(n), KEY) for n in range(10_000)}

        assert receipt._NEVER_A_CODE not in kept
        assert read_code(receipt._NEVER_A_CODE) is None


class TestGuessing:
    """T-23. A slow hash is a function of the code, so it is found only if the code is."""

    def test_a_hundred_thousand_guesses_find_none_of_ten_thousand_codes(self):
        given_out = {code_for(str(n), KEY) for n in range(10_000)}

        assert not given_out & {guess(n) for n in range(100_000)}

    def test_guesses_at_the_hashes_find_none(self):
        kept = {slow_hash(code_for(str(n), KEY), PEPPER) for n in range(20)}

        assert not kept & {lookup_hash(guess(n), PEPPER) for n in range(40)}
