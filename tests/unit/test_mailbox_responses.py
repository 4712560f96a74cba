"""What IMAP servers say is read as RFC 3501 means it, and what is not IMAP ends in one error."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.sources.mailbox.responses import (
    PassedOver,
    Unreadable,
    attributes,
    folder_name,
    internal_date,
    is_status,
    number_set,
    quoted,
    read_response,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_a_number_before_the_word_is_told_apart():
    response = read_response(b"* 23 EXISTS")

    assert (response.word, response.number) == (b"EXISTS", 23)


def test_a_code_is_told_apart_from_the_text_for_people():
    response = read_response(b"* OK [UIDVALIDITY 3857529045] UIDs valid (for now")

    assert (response.word, response.code, response.code_value) == (
        b"OK",
        b"UIDVALIDITY",
        b"3857529045",
    )


def test_a_status_announces_no_literal():
    assert is_status(b"* OK the folder is named {5}")
    assert not is_status(b"* 1 FETCH (BODY[] {5}")


def test_literals_stand_where_they_were_announced():
    line = b'* 1 FETCH (UID 7 X "a \\"b\\" (c" BODY[] {5} FLAGS (\\Seen $Own))'

    read = attributes(read_response(line, [b"(\r\n) "]))

    assert read == {
        b"UID": b"7",
        b"X": b'a "b" (c',
        b"BODY[]": b"(\r\n) ",
        b"FLAGS": [b"\\Seen", b"$Own"],
    }


def test_a_literal_that_was_too_large_is_known_by_its_size():
    read = attributes(read_response(b"* 1 FETCH (BODY[] {9000})", [PassedOver(9000)]))

    assert read[b"BODY[]"] == PassedOver(9000)


@pytest.mark.parametrize(
    "line", [b"* 1 FETCH (UID 5", b"* LIST )(", b'* X "open', b"* " + b"(" * 99]
)
def test_what_is_not_imap_is_unreadable(line):
    with pytest.raises(Unreadable):
        read_response(line)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_unreadable(line):
    with suppress(Unreadable):
        read_response(line)


def test_a_date_is_read_in_its_own_zone():
    read = internal_date(b" 2-Mar-2026 09:15:00 +0700", NOON)

    assert read == datetime(2026, 3, 2, 2, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", [b"", b"31-Feb-2026 09:15:00 +0700", b"02-Xyz-2026 09:15:00 +0700"]
)
def test_a_date_that_cannot_be_read_is_the_other_one(text):
    assert internal_date(text, NOON) == NOON


def test_a_folder_with_diacritics_is_named_in_modified_utf_7():
    assert folder_name("Đã nhận & giữ") == b'"&ARAA4w- nh&Hq0-n &- gi&Hu8-"'


@pytest.mark.parametrize("text", ["a\r\nb", "a\0", "mật khẩu"])
def test_no_text_ends_a_command_early(text):
    with pytest.raises(ValueError, match="quoted"):
        quoted(text)


def test_neighbours_are_told_as_a_range():
    assert number_set([5, 1, 2, 3, 9]) == b"1:3,5,9"
