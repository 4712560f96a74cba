"""What is attached is listed as it is: by its own bytes, under a name that is data, never opened."""

import struct
import unicodedata
from base64 import b64encode
from contextlib import suppress
from hashlib import sha256
from unittest.mock import patch
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.mail import read_mail, shown_name
from services.intake.domain.mail.kinds import found_type
from services.intake.domain.mail.tnef import MOST_OBJECTS, Unreadable, unpack
from tests.examples_intake import mail
from tests.examples_mail import (
    CODEPAGE,
    DATA,
    PROPERTIES,
    RENDERING,
    TITLE,
    attached,
    mapi,
    tnef,
    zipped,
)

PDF = b"%PDF-1.7\n"
SEPARATORS = set('/\\:*?"<>|\u2044\u2215\uff0f\uff3c')
DEVICES = [
    "CON",
    "con.txt",
    "PRN",
    "aux.",
    "NUL",
    "nul.tar.gz",
    "COM1",
    "lpt9.pdf",
    "COM¹",
    "CON .txt",
]
WICKED = [
    "../../etc/passwd", "..", ".", "...", "/etc/passwd", r"C:\con.txt", r"..\..\win.ini",
    "\\\\host\\share", "%2e%2e%2fpasswd", "%2E%2E/a", "%252e%252e%252f", "%00.pdf", "a%0d%0ab.txt",
    "file:///etc/passwd", "a\u202efdp.exe", "\u2066a\u2069.pdf", "\u200bfoo\u200d.pdf", "don\u0301.pdf",
    unicodedata.normalize("NFD", "Đơn tố cáo.pdf"), "Ｃ：＼ａ", "a\uff0fb", "a\u2215b", "~", "~/.ssh/id",
    ".htaccess", "-rf", " lead.txt", "trail.txt ", "trail.", "a\tb", "a\x0bb", "a\x7fb", "a\x85b",
    "a\u2028b", "$(id).txt", "`id`", "a;b", "a|b", "a&b", "<script>.html", "a'b", "CLOCK$", "CONIN$",
    "a" * 5_000 + ".pdf", "ệ" * 2_000 + ".pdf", "a." + "b" * 5_000, "\u0301" * 300, "😀" * 100,
    "desktop.ini", "thumbs.db:stream", "a::$DATA", "\ufeffa.pdf", "\u00a0", "\u3000", "a" * 255, "ệ" * 85,
    *DEVICES,
]  # fmt: skip
NAMES = [*WICKED, *(f"{w}{s}" for w in WICKED for s in (".pdf", "/a", "\u202e", "ế"))]


def encoded(name: str) -> bytes:
    disposition = f"Content-Disposition: attachment; filename*=UTF-8''{quote(name, safe='')}"
    return mail(headers=("Content-Type: text/plain", disposition))


class TestNames:
    def test_there_are_enough_of_them(self):
        assert len(NAMES) >= 300

    @pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
    def test_a_wicked_name_is_kept_as_data(self, name):
        read = read_mail(encoded(name))

        composed = unicodedata.normalize("NFC", name).removeprefix("\ufeff")
        [kept] = [attachment.name for attachment in read.attachments] or [""]
        assert len(kept.encode()) <= 255
        assert composed.replace("\u034f", "").startswith(kept.replace("\u034f", "")) or read.flags
        if len(composed.encode()) <= 255 and kept != composed:
            assert "\u034f" in kept  # too many marks on one letter
        assert len(composed.encode()) <= 255 or "truncated" in read.flags

    @pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
    def test_a_shown_name_is_harmless(self, name):
        assert_harmless(shown_name(name))

    @given(st.text(max_size=400))
    def test_any_name_is_shown_harmlessly(self, name):
        assert_harmless(shown_name(name))

    def test_a_nul_in_a_name_is_flagged(self):
        read = read_mail(encoded("a\0b"))

        assert read.attachments[0].name == "a\ufffdb"
        assert "replacement-character" in read.flags

    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("Đơn tố cáo số 1.pdf", "Đơn tố cáo số 1.pdf"),
            ("Giảm 50%.pdf", "Giảm 50%.pdf"),
            ("../../etc/passwd", "_.._etc_passwd"),
            ("a\u202efdp.exe", "afdp.exe"),
            ("con.txt", "_con.txt"),
            ("%2e%2e%2fa", "_2e_2e_2fa"),
            ("", "tệp đính kèm"),
            ("\u200b", "tệp đính kèm"),
            ("a" * 300 + ".pdf", "a" * 251 + ".pdf"),
        ],
    )
    def test_a_name_is_shown_as_near_as_may_be(self, name, shown):
        assert shown_name(name) == shown


def assert_harmless(shown: str) -> None:
    assert shown
    assert not set(shown) & SEPARATORS
    assert not any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for c in shown)
    assert shown == shown.strip(" .")
    assert len(shown.encode()) <= 255
    stem = shown.split(".", maxsplit=1)[0].strip().upper()
    assert stem not in {"CON", "PRN", "AUX", "NUL", "CLOCK$", "COM1", "LPT9", "COM¹", "CONIN$"}
    assert not any(escape in shown.lower() for escape in ("%2e", "%2f", "%5c", "%00", "%0d"))


CONTENTS = {
    "application/pdf": b"\n" + PDF,
    "image/png": b"\x89PNG\r\n\x1a\n\0",
    "image/jpeg": b"\xff\xd8\xff\xe0",
    "image/gif": b"GIF89a",
    "application/zip": zipped(b"a"),
    "application/gzip": b"\x1f\x8b\x08\0",
    "audio/wav": b"RIFF\0\0\0\0WAVE",
    "audio/ogg": b"OggS\0",
    "audio/mpeg": b"ID3\x04",
    "application/x-msdownload": b"MZ" + b"\0" * 126 + b"PE\0\0",
    "text/html": b"\xef\xbb\xbf \n<!DOCTYPE  html>",
    "text/x-shellscript": b"#!/bin/sh\n",
    "": b"Kinh gui",
}


class TestFoundType:
    @pytest.mark.parametrize("kind", CONTENTS)
    def test_content_shows_what_it_is(self, kind):
        assert found_type(CONTENTS[kind]) == kind

    @pytest.mark.parametrize("content", [b"", b"MZ is a name", b"RIFF", b"%PD", b"<b>", b"P"])
    def test_what_shows_nothing_is_nothing(self, content):
        assert found_type(content) == ""

    @pytest.mark.parametrize(
        "kind", ["text/html", "application/x-msdownload", "text/x-shellscript"]
    )
    def test_what_is_passed_off_as_something_else_is_flagged(self, kind):
        read = read_mail(attached(CONTENTS[kind], "application/pdf", "don.pdf"))

        assert "type-mismatch" in read.flags
        assert (read.attachments[0].content_type, read.attachments[0].found_type) == (
            "application/pdf",
            kind,
        )

    @pytest.mark.parametrize(
        ("said", "kind"),
        [
            ("application/pdf", "application/pdf"),
            ("application/octet-stream", "application/x-msdownload"),
            ("image/jpg", "image/jpeg"),
            (
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                "application/zip",
            ),
            ("application/msword", "application/zip"),
            ("audio/x-wav", "audio/wav"),
            ("application/pdf", ""),
        ],
    )
    def test_what_is_said_roughly_right_is_not_flagged(self, said, kind):
        assert read_mail(attached(CONTENTS[kind], said)).flags == ()


class TestMany:
    def test_the_first_hundred_are_listed(self):
        part = "--z\r\nContent-Type: image/png; name=a.png\r\n\r\nx\r\n"
        raw = mail(part * 101, headers=("Content-Type: multipart/mixed; boundary=z",))

        read = read_mail(raw)

        assert (len(read.attachments), read.flags) == (100, ("header-defect", "truncated"))


class TestArchives:
    @pytest.mark.parametrize(
        "content",
        [zipped(b"\0" * 1_000_000), zipped(b"a", 10), b"\x1f\x8b\x08" + b"\0" * 50],
        ids=["thousandfold", "nested", "gzip"],
    )
    def test_an_archive_is_kept_as_bytes(self, content):
        with (
            patch("zipfile.ZipFile", side_effect=SystemError("opened")),
            patch("zlib.decompressobj", side_effect=SystemError("opened")),
            patch("zlib.decompress", side_effect=SystemError("opened")),
        ):
            [attachment] = read_mail(attached(content, "application/zip", "a.zip")).attachments

        assert (attachment.size, attachment.sha256) == (len(content), sha256(content).hexdigest())


class TestAttachedMail:
    def test_it_is_listed_before_what_came_in_it(self):
        inner = attached(PDF, "application/pdf", "don.pdf").decode()
        raw = mail(inner, headers=("Content-Type: message/rfc822",))

        read = read_mail(raw)

        assert [(a.name, a.within, a.found_type) for a in read.attachments] == [
            ("message-1.eml", "", "message/rfc822"),
            ("don.pdf", "message-1.eml", "application/pdf"),
        ]
        assert read.text.strip() == "Kèm theo."

    def test_it_keeps_the_name_that_it_was_given(self):
        headers = ('Content-Type: message/rfc822; name="thư.eml"',)

        assert (
            read_mail(mail("Subject: a\r\n\r\nb", headers=headers)).attachments[0].name == "thư.eml"
        )

    def test_its_hash_is_of_what_its_parts_hold(self):
        def hashed(inner: bytes) -> str:
            [attachment] = read_mail(
                mail(inner, headers=("Content-Type: message/rfc822",))
            ).attachments
            return attachment.sha256

        assert hashed(mail("Một")) == hashed(mail("Một", subject="khác"))
        assert hashed(mail("Một")) != hashed(mail("Hai"))


WINMAIL = tnef(
    (1, CODEPAGE, struct.pack("<II", 1258, 0)),
    (2, RENDERING, b"\0" * 14),
    (2, TITLE, "Tệp.pdf".encode("cp1258", "replace") + b"\0"),
    (2, DATA, PDF),
    (2, RENDERING, b"\0" * 14),
    (2, DATA, b"#!/bin/sh"),
    (
        2,
        PROPERTIES,
        mapi((0x1F, 0x3707, struct.pack("<II", 1, 20) + "Đơn số 2.\0".encode("utf-16-le"))),
    ),
)


class TestWinmail:
    def test_what_is_hidden_in_it_is_listed(self):
        read = read_mail(attached(WINMAIL, "application/ms-tnef", "winmail.dat"))

        assert [(a.name, a.within, a.size, a.found_type) for a in read.attachments] == [
            ("winmail.dat", "", len(WINMAIL), "application/ms-tnef"),
            ("T?p.pdf", "winmail.dat", len(PDF), "application/pdf"),
            ("Đơn số 2.", "winmail.dat", 9, "text/x-shellscript"),
        ]
        assert read.attachments[1].sha256 == sha256(PDF).hexdigest()

    def test_it_is_known_by_its_bytes(self):
        read = read_mail(attached(WINMAIL, "application/octet-stream", "a.bin"))

        assert [a.within for a in read.attachments] == ["", "a.bin", "a.bin"]

    def test_its_text_is_read_where_the_mail_has_none(self):
        hidden = tnef((1, CODEPAGE, struct.pack("<II", 1258, 0)), (1, 0x800C, b"Kinh gui\0"))
        raw = mail(
            b64encode(hidden),
            headers=("Content-Type: application/ms-tnef", "Content-Transfer-Encoding: base64"),
        )

        assert read_mail(raw).text == "Kinh gui"

    @pytest.mark.parametrize(
        "content",
        [
            b"\x78\x9f\x3e\x22",
            tnef(*[(2, 0x9999, b"")] * (MOST_OBJECTS + 1)),
            tnef((1, CODEPAGE, b"abc")),
        ],
        ids=["cut", "endless", "broken"],
    )
    def test_what_cannot_be_read_is_flagged(self, content):
        read = read_mail(attached(content, "application/ms-tnef", "winmail.dat"))

        assert "unreadable-tnef" in read.flags
        assert read.text.strip() == "Kèm theo."

    @given(st.binary(max_size=200), st.integers(0, len(WINMAIL)))
    def test_any_bytes_are_read_or_unreadable(self, noise, place):
        with suppress(Unreadable):
            unpack(WINMAIL[:place] + noise + WINMAIL[place:])
