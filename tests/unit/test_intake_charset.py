"""Text comes out of bytes in whichever Vietnamese code they are, or a flag says that it may not."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.charset import (
    _TCVN,
    _VISCII,
    GUESSED,
    REPLACED,
    UNDECODABLE,
    decode,
)
from services.intake.domain.fold import fold, tokens

SENTENCE = "Người dân đã phản ánh với cơ quan về thái độ của cán bộ phường."


def encoded(text: str, table: tuple[str, ...]) -> bytes:
    return bytes(table.index(letter) for letter in text)


def in_1258(text: str) -> bytes:
    """The code keeps circumflex, breve and horn in its letters, and tones behind them."""
    written = ""
    for letter in text:
        bare, *marks = unicodedata.normalize("NFD", letter)
        tones = [mark for mark in marks if mark in "\u0300\u0301\u0303\u0309\u0323"]
        shape = "".join(mark for mark in marks if mark not in tones)
        written += unicodedata.normalize("NFC", bare + shape) + "".join(tones)
    return written.encode("cp1258")


CODED = {
    "windows-1258": in_1258(SENTENCE),
    "TCVN5712-1": encoded(SENTENCE, _TCVN),
    "VISCII": encoded(SENTENCE, _VISCII),
}


@pytest.mark.parametrize("name", CODED)
def test_a_declared_vietnamese_code_is_read_exactly(name):
    assert decode(CODED[name], name) == decode(SENTENCE.encode(), "utf-8")


@pytest.mark.parametrize("name", CODED)
@pytest.mark.parametrize("declared", [None, "us-ascii", "iso-8859-1", "x-unknown"])
def test_an_undeclared_vietnamese_code_is_guessed_by_its_letters(name, declared):
    decoded = decode(CODED[name], declared)

    assert decoded.text == SENTENCE
    assert decoded.flags == (GUESSED,)


def test_vni_is_guessed_by_its_letters():
    text = "Tôi phản ánh với cán bộ của phường"
    raw = "Toâi phaûn aùnh vôùi caùn boä cuûa phöôøng".encode("cp1252")

    assert decode(raw).text == text
    assert decode(raw).flags == (GUESSED,)


@pytest.mark.parametrize("table", [_TCVN, _VISCII], ids=["tcvn", "viscii"])
def test_every_vietnamese_letter_has_its_place_in_the_old_tables(table):
    tones = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
    letters = {unicodedata.normalize("NFC", v + t) for v in "aăâeêioôơuưy" for t in tones} | {"đ"}

    assert len(table) == 256
    assert letters <= set(table)
    assert {letter.upper() for letter in letters} <= set(table)


def test_utf8_is_believed_before_what_is_declared_by_habit():
    assert decode(SENTENCE.encode(), "us-ascii").text == SENTENCE
    assert decode(SENTENCE.encode(), "us-ascii").flags == (GUESSED,)
    assert decode(SENTENCE.encode(), None).flags == ()


@pytest.mark.parametrize("declared", ["utf-8", None, "us-ascii"])
@pytest.mark.parametrize("raw", [SENTENCE.encode() + b"\xe1\xbb", b"\xff" + SENTENCE.encode()])
def test_a_stray_byte_costs_no_more_than_its_letter(raw, declared):
    decoded = decode(raw, declared)

    assert decoded.text.strip("\ufffd") == SENTENCE
    assert {UNDECODABLE, REPLACED} <= set(decoded.flags)


def test_decomposed_letters_are_composed():
    assert decode(unicodedata.normalize("NFD", SENTENCE).encode(), "utf-8").text == SENTENCE


def test_western_text_stays_western():
    assert decode("Grüße aus Köln".encode("latin-1"), "iso-8859-1").text == "Grüße aus Köln"


def test_what_no_code_explains_is_flagged():
    assert UNDECODABLE in decode(b"\xff\xfe\x80\x81\x9d", "x-nothing").flags


@pytest.mark.parametrize("name", ["punycode", "rot13", "hex", "unicode_escape", "\0", "x" * 5000])
def test_codecs_that_are_not_for_mail_are_not_used(name):
    assert decode(b"abc\\u0041-\xe9", name).flags


@given(st.binary(), st.one_of(st.none(), st.text(), st.sampled_from(["utf-16", "utf-7", "vni"])))
def test_any_bytes_give_clean_text(raw, declared):
    decoded = decode(raw, declared)

    decoded.text.encode("utf-8")  # no lone surrogate
    assert "\0" not in decoded.text
    assert unicodedata.is_normalized("NFC", decoded.text)
    assert "\ufffd" not in decoded.text or REPLACED in decoded.flags


@given(st.text())
def test_folding_twice_is_folding_once(text):
    assert fold(fold(text)) == fold(text)


def test_folding_makes_writings_of_one_word_equal():
    decomposed = unicodedata.normalize("NFD", "Đường  LỐI")

    assert fold(decomposed) == fold("duong loi") == "duong loi"
    assert tokens("P. An Thái, 12/3") == ["p", "an", "thai", "12", "3"]
