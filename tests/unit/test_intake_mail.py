"""Any bytes are read as a mail: what they say is found, what had to be guessed is flagged."""

import unicodedata
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from email.parser import BytesFeedParser
from hashlib import sha256
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.domain.html import MOST_TAGS, to_text
from services.intake.domain.mail import read_mail
from services.intake.domain.mail.content import MOST_CHARACTERS
from tests.examples_intake import mail
from tests.examples_mail import BEYOND_A_CAP, WITHIN_THE_CAPS, nested

PDF = (
    "--b1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nXem tệp.\r\n"
    "--b1\r\nContent-Type: application/pdf; name=don.pdf\r\n"
    "Content-Disposition: attachment; filename*=UTF-8''%C4%90%C6%A1n%20s%E1%BB%91%201.pdf\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n--b1--\r\n"
)
MIXED = ("MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="b1"')


class TestReadMail:
    def test_the_plain_facts_are_read(self):
        read = read_mail(mail(headers=("In-Reply-To: <a@b>", "References: <x@b>\r\n <a@b>")))

        assert (read.from_name, read.from_address) == ("Trần Thị B", "tranthib@example.vn")
        assert read.to == ("hopthu@anthai.example.vn",)
        assert read.subject == "Phản ánh"
        assert read.message_id == "<thu-1@example.vn>"
        assert read.date == datetime(2026, 5, 11, 1, 42, 10, tzinfo=UTC)
        assert read.text.strip() == "Hồ sơ bị hẹn lại lần thứ ba."
        assert (read.in_reply_to, read.references) == ("<a@b>", ("<x@b>", "<a@b>"))
        assert read.flags == ()

    def test_a_subject_cut_within_a_letter_is_put_together(self):
        subject = "=?utf-8?q?Ph=E1=BA?=\r\n =?utf-8?q?=A3n?= =?utf-8?b?IMOhbmg=?="

        assert read_mail(mail(subject=subject)).subject == "Phản ánh"

    def test_an_attachment_is_known_by_its_name_size_and_hash(self):
        read = read_mail(mail(PDF, headers=MIXED))

        [attachment] = read.attachments
        assert attachment.name == "Đơn số 1.pdf"
        assert attachment.content_type == "application/pdf"
        assert (attachment.size, attachment.sha256) == (4, sha256(b"%PDF").hexdigest())
        assert read.text.strip() == "Xem tệp."

    def test_a_boundary_cut_by_a_fold_is_found(self):
        body = "--a b\r\nContent-Type: text/plain\r\n\r\nXin chao\r\n--a b--\r\n"

        read = read_mail(mail(body, headers=('Content-Type: multipart/mixed; boundary="a\r\n b"',)))

        assert read.text == "Xin chao"

    def test_html_is_read_where_there_is_no_plain_text(self):
        page = "<style>p{}</style><p>Thái&nbsp;độ</p><div>không <b>đúng</b> mực</div>"

        read = read_mail(mail(page, headers=("Content-Type: text/html; charset=utf-8",)))

        assert read.text == "Thái độ\nkhông đúng mực"

    def test_two_authors_are_flagged(self):
        assert "multiple-from" in read_mail(mail(headers=("From: other@example.vn",))).flags
        assert "multiple-from" in read_mail(mail(sender="a@example.vn, b@example.vn")).flags

    @pytest.mark.parametrize("sender", ["", "(a@example.vn)", "nobody", '"B" <>, c@example.vn'])
    def test_an_author_who_cannot_be_told_is_none(self, sender):
        read = read_mail(mail(sender=sender))

        assert read.from_address is None
        assert "no-from" in read.flags

    def test_raw_bytes_in_a_name_are_decoded_or_flagged(self):
        read = read_mail(mail(sender=b"\xff\xfe\x81 <a@example.vn>"))

        assert read.from_address == "a@example.vn"
        assert read.flags

    def test_the_digest_does_not_see_how_a_mail_was_carried(self):
        plain = mail("Thái độ", headers=("Content-Type: text/plain; charset=utf-8",))
        carried = mail(
            "Th=C3=A1i =C4=91=E1=BB=99",
            headers=("Received: by x", "Content-Transfer-Encoding: quoted-printable"),
        ).replace(b"\r\n", b"\n")

        assert read_mail(plain).digest == read_mail(carried).digest
        assert read_mail(plain).digest != read_mail(mail("Thái đ")).digest

    def test_the_digest_does_not_see_where_lines_were_cut(self):
        assert read_mail(mail("a b c")).digest == read_mail(mail("a \r\nb c \r\n")).digest

    @pytest.mark.parametrize("words", ["ạ ", "ạ hẹn lại, hồ sơ chậm\n", "ạ"])
    def test_a_text_without_end_is_read_from_its_beginning(self, words):
        text = words * 200_000

        read = read_mail(mail(text * 2))

        assert read.text == text[:MOST_CHARACTERS]
        assert "truncated" in read.flags


@pytest.mark.parametrize("cap", BEYOND_A_CAP)
def test_a_mail_beyond_a_cap_is_refused_before_it_is_parsed(cap):
    with patch.object(BytesFeedParser, "feed", side_effect=SystemError("parsed")):
        read = read_mail(BEYOND_A_CAP[cap]())

    assert read.flags == (f"refused-{cap.split()[0]}",)
    assert read.text == read.digest == ""


def test_many_multiparts_side_by_side_are_no_depth():
    one = "--z\r\nContent-Type: multipart/x; boundary=y{0}\r\n\r\n--y{0}\r\n\r\nhi\r\n--y{0}--\r\n"
    raw = mail(
        "".join(one.format(i) for i in range(60)),
        headers=("Content-Type: multipart/x; boundary=z",),
    )

    assert read_mail(raw).text == "hi"


def test_text_beyond_measure_is_cut_and_flagged():
    read = read_mail(mail("a" * 300_000))

    assert len(read.text) == 200_000
    assert read.flags == ("truncated",)


def every_string(value):
    match value:
        case str():
            yield value
        case tuple():
            for item in value:
                yield from every_string(item)
        case _ if is_dataclass(value):
            for field in fields(value):
                yield from every_string(getattr(value, field.name))


def assert_clean(raw: bytes) -> None:
    read = read_mail(raw)
    for string in every_string(read):
        string.encode("utf-8")
        assert "\0" not in string
        assert "\ufffd" not in string or read.flags
    assert unicodedata.is_normalized("NFC", read.subject)
    assert bool(read.said) == bool(read.text)
    assert all(len(attachment.name.encode()) <= 255 for attachment in read.attachments)


@given(st.binary(max_size=2_000))
def test_any_bytes_are_read(raw):
    assert_clean(raw)


HEADERS = ["From", "To", "Subject", "Date", "Message-ID", "References", "In-Reply-To"]
HEADERS += ["Auto-Submitted", "Return-Path", "Content-Type", "Content-Disposition"]
HEADERS += ["Content-Transfer-Encoding"]
PIECES = b"=?utf-8?q? =?utf-7?b? ?= multipart/mixed;boundary= text/plain;charset= b1".split()
PIECES += b"message/rfc822 utf-16 idna name*0*= filename*= '' \" < > @ , ( [ : ;".split()
PIECES += b"base64 quoted-printable x-uuencode a@b.vn %ff 99999999999999999999".split()
PIECES += [b"\xff", b"\0", b"\xed\xa0\x80", b"\r\n ", b" ", b"Mon, 1 Jan 0000"]
HEADER = st.tuples(st.sampled_from(HEADERS), st.lists(st.sampled_from(PIECES), max_size=8)).map(
    lambda drawn: drawn[0].encode() + b": " + b"".join(drawn[1])
)


@given(
    st.lists(HEADER, max_size=6), st.lists(st.sampled_from([*PIECES, b"\r\n--b1\r\n"]), max_size=8)
)
@settings(max_examples=300)
def test_any_headers_are_read(headers, body):
    assert_clean(b"\r\n".join((*headers, b"", b"".join(body))))


@given(
    st.sampled_from([mail(PDF, headers=MIXED), mail(), nested(5)]),
    st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=6)), max_size=6),
)
@settings(max_examples=200)
def test_a_mutated_mail_is_read(raw, changes):
    for place, content in changes:
        at = int(place * len(raw))
        raw = raw[:at] + content + raw[at + len(content) :]

    assert_clean(raw)


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<head><title>t</title><body>a<br>b", "a\nb"),
        ("<p>a <!-- <p>hidden</p> --> b</p>", "a b"),
        ("<!--[if mso]><i>x</i><![endif]-->a<![if !mso]>b<![endif]>", "ab"),
        ("<script>if (a < b) alert(1)</script>c", "c"),
        ("1 < 2 &amp; 3 > 2", "1 < 2 & 3 > 2"),
        ("<!-- never closed <b>c</b>", "never closed c"),
        ("<img src='data:image/png;base64,QUJD'>d", "d"),
    ],
)
def test_a_page_is_read_as_a_person_reads_it(page, text):
    assert to_text(page) == (text, True)


@pytest.mark.parametrize("piece", ["<a ", "<a/", "<a a='", "<!--", "<![CDATA[>", "</", "<!", "&#"])
def test_what_is_left_open_again_and_again_costs_no_more(piece):
    to_text(piece * 200_000)  # would take hours if each were looked up to the end


@pytest.mark.parametrize("tag", ["<i>", "</i>"])
def test_a_page_of_tags_is_read_up_to_a_bound(tag):
    assert to_text("a" + tag * MOST_TAGS + "b") == ("ab", True)
    assert to_text("a" + tag * (MOST_TAGS + 1) + "b") == ("a", False)


ENDLESS = "winmail of endless values"
"""Ends by the limits of the process in which mails are parsed, and not before."""


@pytest.mark.parametrize("name", sorted(WITHIN_THE_CAPS.keys() - {ENDLESS}))
def test_what_no_cap_refuses_costs_no_more_than_its_length(name):
    read_mail(WITHIN_THE_CAPS[name]())  # most would take minutes if the square of it were taken


def test_marks_beyond_what_one_letter_bears_are_kept_apart():
    marks = "\u0301\u0323" * 40

    text = read_mail(mail("a" + marks)).text

    assert text.count("\u0301") == 40
    assert text.count("\u034f") == 2


def test_marks_that_people_write_are_left_alone():
    assert read_mail(mail(unicodedata.normalize("NFD", "Phường Trúc Xanh ệ"))).text.strip() == (
        "Phường Trúc Xanh ệ"
    )
