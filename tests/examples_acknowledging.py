"""Mails whose every field tries to become a header, a recipient or a command of ours."""

from collections.abc import Iterator
from itertools import product

from tests.examples_intake import mail

EVIL = "x@evil.example"
BREAKS = ("\r\n", "\n", "\r", "\x00\r\n", "\x0b", "\x85", "\u2028", "=0D=0A", "%0d%0a", "\r\n ")
INJECTED = (
    f"Bcc: {EVIL}",
    f"To: {EVIL}",
    f"RCPT TO:<{EVIL}>",
    f"\r\n.\r\nMAIL FROM:<{EVIL}>",
    f"=?utf-8?q?=0D=0ABcc:_{EVIL}?=",
)
PAYLOADS = tuple(f"a{gap}{injected}" for gap, injected in product(BREAKS, INJECTED))

TEXT = "Content-Type: text/plain; charset=utf-8"


def hostile_mails() -> Iterator[bytes]:
    """Two of each payload: the first says plainly who wrote it, the second does not."""
    for n, payload in enumerate(PAYLOADS):
        headers = (f"Reply-To: {EVIL}", f"Return-Path: <{EVIL}>", f"Cc: {payload}", TEXT)
        for sender in (
            f"Dân <dan-{n}@example.vn>",
            f'"{payload}" <dan-{n}{payload}@example.vn>',
        ):
            yield mail(
                f"Hồ sơ {n} bị hẹn lại.",
                message_id=f"<{n}{payload}@example.vn>",
                subject=payload,
                sender=sender,
                headers=headers,
            )
