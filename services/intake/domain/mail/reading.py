"""From the bytes of a mail to what intake keeps of it."""

import re
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.message import Message
from email.parser import BytesFeedParser
from email.policy import Compat32

from services.intake.domain.charset import decode
from services.intake.domain.mail import automatic, caps, history
from services.intake.domain.mail.content import MOST_CHARACTERS, Attachment, Content, Flags
from services.intake.domain.mail.headers import (
    DEFECT,
    addresses,
    all_of,
    date_of,
    first,
    text_of,
    to_bytes,
)

MULTIPLE_FROM, NO_FROM, UNPARSABLE = "multiple-from", "no-from", "unparsable"
PIECE = 64 * 1024

_MESSAGE_ID = re.compile(r"<[^<>\s]+>")
_NOBODY_FIRST = re.compile(r"[^<@]*<\s*>")
_FOLD = re.compile(r"(?<![\r\n])[\r\n]+(?=[ \t])")


@dataclass(frozen=True, slots=True)
class Mail:
    """What a mail says. `text` is the first text found, NFC; `flags` what had to be guessed."""

    from_address: str | None = None
    from_name: str = ""
    to: tuple[str, ...] = ()
    subject: str = ""
    message_id: str | None = None
    date: datetime | None = None
    text: str = ""
    said: str = ""
    """The text without quoted history and signature; empty only if the text is."""

    attachments: tuple[Attachment, ...] = ()
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    automatic: str = ""
    """Why no person is taken to have written it: see `automatic.reason`; empty for a person."""

    digest: str = ""
    """Of what all parts hold, however it was encoded and cut into lines on the way.

    Empty if nothing was parsed.
    """
    flags: tuple[str, ...] = ()


class _Plain(Compat32):
    """Headers unfolded, and raw bytes left as they are, so that nothing is lost or raised."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, _FOLD.sub("", value)

    def header_fetch_parse(self, name: str, value: str) -> str:
        del name
        return value


def read_mail(raw: bytes) -> Mail:
    """Read any bytes as a mail; what cannot be read is left empty and flagged, never raised."""
    cap = caps.exceeded(raw)
    if cap is not None:
        return Mail(flags=(f"refused-{cap}",))
    try:
        return _read(_parse(raw))
    except (
        *(MessageError, ValueError, LookupError, TypeError, AttributeError),
        *(ArithmeticError, AssertionError, RecursionError),
    ):  # CPython's parser has raised most of these on real mails.
        text = decode(raw[:MOST_CHARACTERS])
        return Mail(text=text.text, said=text.text, flags=(UNPARSABLE, *text.flags))


def _parse(raw: bytes) -> Message:
    """In pieces: CPython's way with the whole takes four times the memory of a large mail."""
    parser: BytesFeedParser[Message] = BytesFeedParser(policy=_Plain())
    for start in range(0, len(raw), PIECE):
        parser.feed(raw[start : start + PIECE])
    return parser.close()


def _read(message: Message) -> Mail:
    flags = Flags()
    if message.defects:
        flags.said.append(DEFECT)
    author_name, author = _author(message, flags)
    content = Content(flags)
    content.read(message)
    subject = flags.of(text_of(first(message, "subject") or ""))
    return Mail(
        from_address=author,
        from_name=author_name,
        to=tuple(address for _, address in addresses(all_of(message, "to"))),
        subject=subject,
        message_id=_message_id(first(message, "message-id"), flags),
        date=date_of(first(message, "date")),
        text=content.text,
        said=history.said(content.text, subject),
        attachments=tuple(content.attachments),
        in_reply_to=_message_id(first(message, "in-reply-to"), flags),
        references=_references(first(message, "references") or "", flags),
        automatic=automatic.reason(message),
        digest=content.digest,
        flags=tuple(dict.fromkeys(flags.said)),
    )


def _author(message: Message, flags: Flags) -> tuple[str, str | None]:
    """The first author; where it is not plain who that is, a flag says so."""
    lines = all_of(message, "from")
    authors = addresses(lines[:1])
    if len(lines) > 1 or len(authors) > 1 or any("," in line for line in lines if not authors):
        flags.said.append(MULTIPLE_FROM)
    if not authors or _NOBODY_FIRST.match(lines[0]):
        flags.said.append(NO_FROM)
        return "", None
    name, address = authors[0]
    return flags.of(name), address


def _message_id(value: str | None, flags: Flags) -> str | None:
    if not value:
        return None
    found = _MESSAGE_ID.search(value)
    return (
        flags.of(decode(to_bytes(found.group()[:998])) if found else text_of(value))[:998] or None
    )


def _references(value: str, flags: Flags) -> tuple[str, ...]:
    return tuple(flags.of(decode(to_bytes(i[:998]))) for i in _MESSAGE_ID.findall(value)[:100])
