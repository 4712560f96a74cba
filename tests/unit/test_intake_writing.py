"""Mails that go out: nothing that anybody wrote becomes a header, and every letter arrives."""

import itertools
import os
import re
import unicodedata
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.mail import read_mail
from services.intake.domain.mail.writing import (
    LOOP,
    Automatic,
    Language,
    NotAnAddress,
    acknowledgement,
    compose,
    plain,
)
from services.intake.domain.receipt import code_for, shown

TO, SENDER = "nguoi-gui@example.vn", "tiep-nhan@vanxuan.example.vn"
MESSAGE_ID, ANSWERED = "<bien-nhan-1@vanxuan.example.vn>", "<thu-1@example.vn>"
NOON = datetime(2026, 5, 11, 5, 0, tzinfo=UTC)
HEADERS = [
    *("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References"),
    *("Auto-Submitted", "X-Auto-Response-Suppress", LOOP),
    *("Content-Type", "Content-Transfer-Encoding", "MIME-Version"),
]
BREAKS = [
    *("\r\n", "\n", "\r", "\r\n\r\n", "\n\n", "\r\n ", "\x00\r\n", "\x0b", "\x0c", "\x1c"),
    *("\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\\r\\n", "%0d%0a", "=0D=0A", "嘊", "\r\r\n"),
]
INJECTED = [
    *("Bcc: x@evil.example", "To: x@evil.example", "Cc: x@evil.example", "Subject: y"),
    *("X-Evil: 1", "Content-Type: text/html", "From: x@evil.example", "\r\n<b>evil</b>"),
    *("=?utf-8?q?=0D=0ABcc:_x@evil.example?=", "x@evil.example, y@evil.example"),
]
PAYLOADS = [f"a{before}{header}" for before, header in itertools.product(BREAKS, INJECTED)]
VOWELS = "aăâeêioôơuưy"
vietnamese = st.text(
    st.sampled_from(
        "bcdđghklmnpqrstvx BCDĐGHKLMNPQRSTVX  ,.!?:;()-\"'0123456789"
        + VOWELS
        + "".join(chr(c) for c in range(0x1EA0, 0x1EFA))
        + "àáãèéìíòóõùúýĩũÀÁÃÈÉÌÍÒÓÕÙÚÝĂÂÊÔƠƯ\u0300\u0301\u0303\u0309\u0323"
    ),
    max_size=300,
)


def written(**more) -> bytes:
    fields = {
        "to": TO,
        "subject": "Đã nhận",
        "text": "Xin cảm ơn.",
        "message_id": MESSAGE_ID,
        "date": NOON,
        "sender": SENDER,
        "in_reply_to": ANSWERED,
    }
    return compose(**(fields | more))


def parsed(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=policy.default)


def field_lines(raw: bytes) -> list[str]:
    """The names of all lines that any reader may take for a header, however it breaks lines."""
    header, _, _ = raw.partition(b"\r\n\r\n")
    lines = re.split(rb"\r\n|\r|\n|\x0b|\x0c|\x1c|\x1d|\x1e|\x85", header)
    return [line.split(b":")[0].decode() for line in lines if not line.startswith(b" ")]


class TestInjection:
    def test_there_are_two_hundred_payloads(self):
        assert len(set(PAYLOADS)) == 200

    @pytest.mark.parametrize("field", ["subject", "text", "sender_name"])
    def test_words_never_become_a_header(self, field):
        for payload in PAYLOADS:
            raw = written(**{field: payload})

            assert field_lines(raw) == HEADERS
            assert parsed(raw).keys() == HEADERS
            assert [a.addr_spec for a in parsed(raw)["To"].addresses] == [TO]
            assert [a.addr_spec for a in parsed(raw)["From"].addresses] == [SENDER]

    @pytest.mark.parametrize("field", ["to", "sender"])
    def test_what_is_not_one_address_is_refused(self, field):
        for payload in [*PAYLOADS, *(f"{TO}{p}" for p in PAYLOADS)]:
            with pytest.raises(NotAnAddress) as refused:
                written(**{field: payload})

            assert "evil" not in str(refused.value)

    def test_what_is_not_one_message_id_is_refused(self):
        for payload in [*PAYLOADS, *(f"{MESSAGE_ID}{p}" for p in PAYLOADS)]:
            with pytest.raises(ValueError, match="not one id"):
                written(message_id=payload)

    def test_a_strangers_message_id_is_left_out_if_it_is_none(self):
        for payload in [*PAYLOADS, *(f"<a{p}@example.vn>" for p in PAYLOADS)]:
            raw = written(in_reply_to=payload)
            names = [n for n in HEADERS if n not in {"In-Reply-To", "References"}]

            assert field_lines(raw) == names

    @given(st.text(max_size=400), st.text(max_size=400), st.text(max_size=400))
    def test_any_words_leave_the_headers_as_they_are(self, subject, text, name):
        raw = written(subject=subject, text=text, sender_name=name)

        assert field_lines(raw) == HEADERS
        assert raw.isascii()
        assert max(map(len, raw.split(b"\r\n"))) <= 78
        assert b"\n" not in raw.replace(b"\r\n", b"")

    @pytest.mark.parametrize(
        "address",
        [
            *(
                "",
                "a",
                "a@",
                "@a",
                "a@b@c",
                "a b@c.vn",
                '"a b"@c.vn',
                "A <a@c.vn>",
                "a@c.vn,b@c.vn",
            ),
            *("a@c.vn;b@c.vn", "a..b@c.vn", ".a@c.vn", "a@-c.vn", "a@[127.0.0.1]", "à@c.vn"),
            *("a@c.vn ", " a@c.vn", "a@c.vn\n", "g:a@c.vn;", "a@c.vn(b)", "x" * 65 + "@c.vn"),
            *(
                "a@" + "x" * 64 + ".vn",
                "a@" + "x." * 130 + "vn",
                "<a@c.vn>",
                "@b:a@c.vn",
                "a@c..vn",
            ),
        ],
    )
    def test_an_address_is_one_plain_addr_spec(self, address):
        with pytest.raises(NotAnAddress):
            written(to=address)

    @pytest.mark.parametrize("address", ["a@c.vn", "a.b+c@sub.c.vn", "a_b-c@c-d.vn", "a@localhost"])
    def test_ordinary_addresses_are_taken(self, address):
        [to] = parsed(written(to=address))["To"].addresses

        assert to.addr_spec == address


class TestSubjects:
    def test_a_short_plain_subject_stays_readable(self):
        assert b"Subject: Receipt 12\r\n" in written(subject="Receipt 12")

    @given(vietnamese)
    def test_every_vietnamese_subject_survives(self, subject):
        raw = written(subject=subject)

        assert parsed(raw)["Subject"] == plain(subject)
        assert read_mail(raw).subject == nfc(plain(subject))
        assert str(make_header(decode_header(_compat(raw)))) == plain(subject)

    @given(st.text(max_size=300))
    def test_every_subject_survives(self, subject):
        raw = written(subject=subject)

        assert str(make_header(decode_header(_compat(raw)))) == plain(subject)

    @given(vietnamese)
    def test_every_name_survives(self, name):
        read = read_mail(written(sender_name=name))

        assert (read.from_name or "", read.from_address) == (nfc(plain(name)), SENDER)

    @given(vietnamese)
    def test_no_letter_is_cut_in_two(self, subject):
        raw = written(subject=subject)

        for word in re.findall(rb"=\?utf-8\?b\?[^?]*\?=", raw):
            [(content, _)] = decode_header(word.decode())
            content.decode("utf-8", "strict")
            assert len(word) <= 75

    def test_no_line_with_an_encoded_word_is_longer_than_allowed(self):
        raw = written(subject="Ừ " * 500, sender_name="Ờ " * 500)

        assert max(len(line) for line in raw.split(b"\r\n") if b"=?" in line) <= 76

    @pytest.mark.corpus
    def test_every_string_of_a_real_catalogue_survives(self):
        folder = os.environ.get("LANGNGHE_CORPUS")
        catalogue = Path(folder or "") / "../vn-text/doj-complaint-form-en-vi.json"
        if not folder or not catalogue.exists():
            pytest.skip("LANGNGHE_CORPUS names no folder with a catalogue beside it")
        strings = [" ".join(vi.split()) for _, vi in orjson.loads(catalogue.read_bytes())]

        survived = [s for s in strings if parsed(written(subject=s))["Subject"] == s]
        read = [s for s in strings if read_mail(written(subject=s)).subject == nfc(s)]

        assert len([s for s in strings if not s.isascii() and len(s) >= 16]) == 187
        assert survived == strings
        assert read == strings


class TestCompose:
    def test_it_says_that_it_answers_by_itself(self):
        message = parsed(written())

        assert message["Auto-Submitted"] == "auto-replied"
        assert message[LOOP] == SENDER
        assert message["In-Reply-To"] == message["References"] == ANSWERED

    def test_what_answers_nothing_says_so(self):
        message = parsed(written(in_reply_to=None, automatic=Automatic.GENERATED))

        assert message["Auto-Submitted"] == "auto-generated"
        assert "In-Reply-To" not in message

    def test_the_text_arrives(self):
        text = "Kính gửi quý vị,\n\n    123 456\n.\nFrom đây\n"

        assert parsed(written(text=text)).get_content().replace("\r\n", "\n") == text

    def test_the_same_mail_has_the_same_bytes(self):
        assert written() == written()

    def test_a_date_without_a_zone_is_refused(self):
        with pytest.raises(ValueError, match="zone"):
            written(date=NOON.replace(tzinfo=None))


class TestAcknowledgement:
    CODE = code_for("submission-1", b"k" * 32)
    PAGE = "https://gopy.vanxuan.example.vn/bien-nhan"

    @pytest.mark.parametrize("language", Language)
    def test_it_has_the_code_in_groups(self, language):
        assert (
            f"\n    {shown(self.CODE)}\n"
            in acknowledgement(self.CODE, language, page=self.PAGE).text
        )

    @pytest.mark.parametrize("language", Language)
    def test_it_says_where_to_look(self, language):
        assert self.PAGE in acknowledgement(self.CODE, language, page=self.PAGE).text

    @pytest.mark.parametrize(
        ("language", "warning"),
        [
            (Language.VIETNAMESE, "không gửi cho bất kỳ ai"),
            (Language.ENGLISH, "do not send it to anybody"),
        ],
    )
    def test_it_warns_not_to_give_the_code_away(self, language, warning):
        assert warning in acknowledgement(self.CODE, language, page=self.PAGE).text

    @pytest.mark.parametrize("language", Language)
    def test_it_arrives_as_written(self, language):
        letter = acknowledgement(self.CODE, language, page=self.PAGE)
        read = read_mail(written(subject=letter.subject, text=letter.text))

        assert read.subject == letter.subject
        assert read.text.replace("\r\n", "\n").strip() == letter.text.strip()


def nfc(words: str) -> str:
    """As intake's own reading has them."""
    return unicodedata.normalize("NFC", words)


def _compat(raw: bytes) -> str:
    """The subject's bytes, unfolded as RFC 5322, section 2.2.3 says."""
    value = message_from_bytes(raw)["Subject"]
    return value.replace("\r\n", "").replace("\n", "")
