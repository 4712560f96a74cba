"""Mails made to do harm: each is small to write down, and large or slow for a careless reader."""

import struct
from base64 import b64encode
from collections.abc import Callable
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

from tests.examples_intake import mail

MEGABYTE = 1024 * 1024


def nested(depth: int, boundary: bytes = b"boundary=b%d", leaf: bytes = b"") -> bytes:
    """Multiparts within one another, none of which is closed."""
    body = b"".join(
        b"--b%d\r\nContent-Type: multipart/mixed; " % (i - 1) + boundary % i + b"\r\n\r\n"
        for i in range(1, depth)
    )
    return mail(body + leaf, headers=(b"Content-Type: multipart/mixed; " + boundary % 0,))


def parts(count: int, boundary: str, header: str = "", name: str = "z") -> bytes:
    return mail(
        f"--{name}\r\n{header}\r\nx\r\n" * count,
        headers=(f"Content-Type: multipart/x; {boundary}",),
    )


def attached(content: bytes, kind: str, name: str = "") -> bytes:
    """A mail with one file and the text `Kèm theo.`"""
    said = f'; name="{name}"' if name else ""
    return mail(
        f"--z\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nKèm theo.\r\n--z\r\n"
        f"Content-Type: {kind}{said}\r\nContent-Disposition: attachment\r\n"
        f"Content-Transfer-Encoding: base64\r\n\r\n{b64encode(content).decode()}\r\n--z--\r\n",
        headers=("Content-Type: multipart/mixed; boundary=z",),
    )


def zipped(content: bytes, levels: int = 1) -> bytes:
    for _ in range(levels):
        archive = BytesIO()
        with ZipFile(archive, "w", ZIP_DEFLATED) as writer:
            writer.writestr("a", content)
        content = archive.getvalue()
    return content


def tnef(*objects: tuple[int, int, bytes]) -> bytes:
    """`winmail.dat` of level, name and content of each object; checksums are left out."""
    return struct.pack("<IH", 0x223E9F78, 1) + b"".join(
        struct.pack("<BHHI", level, name, 0, len(content)) + content + b"\0\0"
        for level, name, content in objects
    )


def mapi(*properties: tuple[int, int, bytes]) -> bytes:
    return struct.pack("<I", len(properties)) + b"".join(
        struct.pack("<HH", kind, name) + content for kind, name, content in properties
    )


RENDERING, TITLE, DATA, PROPERTIES, CODEPAGE = 0x9002, 0x8010, 0x800F, 0x9005, 0x9007

BEYOND_A_CAP = {
    "size": lambda: b"a" * (25 * MEGABYTE + 1),
    "lines": lambda: mail(b"\n" * 600_001),
    "header-block": lambda: b"X: aaaaaaaa\r\n" * 30_000,
    "lines of a header": lambda: b"X: aaaaaaaa\r\n" * 1_600_000,
    "header": lambda: mail(subject="a" * 70_000),
    "header-block folded": lambda: mail(subject="a\r\n " * 80_000),
    "encoded-words": lambda: mail(subject="\r\n ".join(["=?utf-8?q?a?="] * 501)),
    "header encoded words": lambda: mail(subject="\r\n ".join(["=?utf-8?q?a?="] * 16_000)),
    "addresses": lambda: mail(headers=("Cc: " + ",".join(["a@b.vn"] * 1_001),)),
    "header addresses": lambda: mail(headers=("To: " + ",".join(["a@b.vn"] * 32_000),)),
    "addresses literal": lambda: mail(sender="[" * 60_000),
    "comment-depth": lambda: mail(sender="(" * 2_000 + "a@b.vn"),
    "parameters": lambda: mail(headers=("Content-Type: text/plain; " + '";' * 10_000,)),
    "header-block parameters": lambda: mail(headers=("Content-Type: a/b" + "; a=b" * 65_536,)),
    "parameters length": lambda: mail(headers=("Content-Type: a/b; a=" + "b" * 40_000,)),
    "parameters carriage returns": lambda: mail(headers=("Content-Type: a/b" + "\r ;a=b" * 201,)),
    "parts": lambda: parts(100_000, "boundary=z"),
    "parts encoded boundary": lambda: parts(1_001, "boundary*=''z"),
    "parts bracketed boundary": lambda: parts(1_001, "boundary=<z>"),
    "parts boundary with a blank": lambda: parts(1_001, 'boundary="z "'),
    "parts boundary with a quote": lambda: parts(1_001, 'boundary=z"q', name='z"q'),
    "parts boundary with a comment": lambda: parts(1_001, "boundary=z (c)", name="z (c)"),
    "parts boundary set apart": lambda: parts(1_001, "boundary\x1f=z"),
    "parts multiparts": lambda: nested(201),
    "parts of a deep mail": lambda: nested(3_000),
    "depth": lambda: nested(51),
    "depth encoded boundaries": lambda: nested(150, b"boundary*=us-ascii''b%d"),
    "depth mails": lambda: mail("Content-Type: message/rfc822\r\n\r\n" * 51),
    "depth of many lines": lambda: nested(50, leaf=b"\n" * 500_000),
    "attachments": lambda: parts(101, "boundary=z", "Content-Disposition: attachment\r\n"),
    "continuations": lambda: mail(
        headers=("Content-Type: text/plain; " + "; ".join(f"n*{i}=a" for i in range(101)),)
    ),
    "parameters continued": lambda: mail(
        headers=("Content-Type: text/plain; " + "; ".join(f"n*{i}=a" for i in range(5_000)),)
    ),
    "header of a part": lambda: parts(2, "boundary=z", "X: " + "a" * 70_000 + "\r\n"),
    "parameters of a part": lambda: parts(
        2, "boundary=z", "Content-Type: a/b" + ";a=b" * 300 + "\r\n"
    ),
    "parameters of a part behind an unknown boundary": lambda: parts(
        2, "boundary*=''z", "Content-Type: a/b" + ";a=b" * 300 + "\r\n"
    ),
    "parameters together": lambda: parts(
        100, "boundary=z", "Content-Type: a/b" + ";a=b" * 40 + "\r\n"
    ),
    "encoded-words of an attached mail": lambda: mail(
        "Subject: " + "\r\n ".join(["=?utf-8?q?a?="] * 501) + "\r\n\r\nx",
        headers=("Content-Type: message/rfc822",),
    ),
}
"""By the cap that each goes beyond."""

WITHIN_THE_CAPS: dict[str, Callable[[], bytes]] = {
    "author of one long word": lambda: mail(sender="a" * 60_000),
    "author of dots": lambda: mail(sender="." * 60_000),
    "author of at signs": lambda: mail(sender="a@" * 30_000 + "<"),
    "receivers that are groups": lambda: mail(
        headers=("To: " + "\\:<" * 20_000,) * 4,
    ),
    "marks on one letter": lambda: mail("a" + "\u0301\u0323" * 200_000),
    "marks beyond the first plane": lambda: mail("a" + "\U0001d165\u0323" * 100_000),
    "marks in a subject": lambda: mail(subject="a" + "\u0301\u0323" * 14_000),
    "page of nested tags": lambda: mail(
        "<b>" * 1_000_000 + "x" * 7 * MEGABYTE, headers=("Content-Type: text/html",)
    ),
    "page of ends": lambda: mail("</b>" * 250_000, headers=("Content-Type: text/html",)),
    "page hidden in itself": lambda: mail(
        "<template>" * 50_000 + "</title>" * 60_000, headers=("Content-Type: text/html",)
    ),
    "page of open comments": lambda: mail("<!--" * 250_000, headers=("Content-Type: text/html",)),
    "page of open attributes": lambda: mail(
        "<a b='" * 160_000, headers=("Content-Type: text/html",)
    ),
    "one long line of base64": lambda: attached(b"\0" * 12 * MEGABYTE, "application/pdf"),
    "lines that look like boundaries": lambda: mail(
        "--y\r\n" * 400_000, headers=("Content-Type: multipart/x; boundary=z",)
    ),
    "boundaries in a large mail": lambda: mail(
        b"".join(b"boundary=n%d\r\n--n%d--\r\n" % (i, i) for i in range(199))
        + (b"x" * 78 + b"\r\n") * 200_000,
        headers=("Content-Type: multipart/x; boundary=z",),
    ),
    "parts without an end of their header": lambda: parts(999, "boundary=z", "X: y\r\n" * 40),
    "words that begin and do not end": lambda: mail(subject="=?" * 400 + "=?utf-8?q?" * 90),
    "quotations that are never introduced": lambda: mail(("On " + "a 1 " * 240 + "\r\n") * 2_000),
    "colons that introduce nothing": lambda: mail("From: a\r\n" * 200_000),
    "charsets that nobody knows": lambda: parts(
        900, "boundary=z", "Content-Type: text/html; charset=x-unknown\r\n"
    ),
    "uuencoded without end": lambda: mail(
        "begin 666 a\n" + "M" + "a" * 60 + "\n" * 500_000,
        headers=("Content-Transfer-Encoding: x-uuencode",),
    ),
    "archive of a thousand times its size": lambda: attached(
        zipped(b"\0" * 8 * MEGABYTE), "application/zip", "a.zip"
    ),
    "archive in an archive, ten times": lambda: attached(
        zipped(b"\0" * MEGABYTE, 10), "application/zip", "a.zip"
    ),
    "winmail of many objects": lambda: attached(
        tnef(*[(2, 0x9999, b"")] * 100_000), "application/ms-tnef", "winmail.dat"
    ),
    "winmail of endless values": lambda: attached(
        tnef(
            (2, RENDERING, b"a"),
            (2, PROPERTIES, mapi((0x1002, 0x3001, struct.pack("<I", 2**32 - 1)))),
        ),
        "application/ms-tnef",
        "winmail.dat",
    ),
}
