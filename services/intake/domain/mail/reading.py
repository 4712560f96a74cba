"""From the bytes of a mail to what intake keeps of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import MessageError
from email.message import Message
from email.parser import BytesFeedParser
from email.policy import Compat32
from hashlib import sha256

from services.intake.domain import html
from services.intake.domain.charset import Decoded, decode
from services.intake.domain.mail import caps
from services.intake.domain.mail.headers import (
    DEFECT,
    TRUNCATED,
    addresses,
    date_of,
    parameter,
    text_of,
    to_bytes,
)

MULTIPLE_FROM, NO_FROM, UNPARSABLE = "multiple-from", "no-from", "unparsable"
MOST_CHARACTERS = 200_000
"""Of the text; the rest stays in the raw mail."""

MOST_BYTES_OF_TEXT = 4 * 1024 * 1024
"""Of one part that is read as text: enough for all that is kept, with its markup."""

PIECE = 64 * 1024

_MESSAGE_ID = re.compile(r"<[^<>\s]+>")
_NOBODY_FIRST = re.compile(r"[^<@]*<\s*>")
_NO_SENDER = ("<>", "<mailer-daemon@", "<postmaster@")
_SOFT_BREAK = re.compile(r" \r?\n")
_FOLD = re.compile(r"[\r\n]+(?=[ \t])")


@dataclass(frozen=True, slots=True)
class Attachment:
    """`name` is data, never a path; `sha256` is of the decoded content."""

    name: str
    content_type: str
    size: int
    sha256: str


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
    attachments: tuple[Attachment, ...] = ()
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    automatic: bool = False
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


@dataclass(slots=True)
class _Flags:
    said: list[str] = field(default_factory=list)

    def of(self, decoded: Decoded) -> str:
        self.said += decoded.flags
        return decoded.text


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
        return Mail(text=text.text, flags=(UNPARSABLE, *text.flags))


def _parse(raw: bytes) -> Message:
    """In pieces: CPython's way with the whole takes four times the memory of a large mail."""
    parser: BytesFeedParser[Message] = BytesFeedParser(policy=_Plain())
    for start in range(0, len(raw), PIECE):
        parser.feed(raw[start : start + PIECE])
    return parser.close()


def _read(message: Message) -> Mail:
    flags = _Flags()
    if message.defects:
        flags.said.append(DEFECT)
    author_name, author = _author(message, flags)
    text, attachments, digest = _content(message, flags)
    return Mail(
        from_address=author,
        from_name=author_name,
        to=tuple(address for _, address in addresses(_all(message, "to"))),
        subject=flags.of(text_of(_one(message, "subject") or "")),
        message_id=_message_id(_one(message, "message-id"), flags),
        date=date_of(_one(message, "date")),
        text=text,
        attachments=attachments,
        in_reply_to=_message_id(_one(message, "in-reply-to"), flags),
        references=_references(_one(message, "references") or "", flags),
        automatic=_automatic(message),
        digest=digest,
        flags=tuple(dict.fromkeys(flags.said)),
    )


def _author(message: Message, flags: _Flags) -> tuple[str, str | None]:
    """The first author; where it is not plain who that is, a flag says so."""
    lines = _all(message, "from")
    authors = addresses(lines[:1])
    if len(lines) > 1 or len(authors) > 1 or any("," in line for line in lines if not authors):
        flags.said.append(MULTIPLE_FROM)
    if not authors or _NOBODY_FIRST.match(lines[0]):
        flags.said.append(NO_FROM)
        return "", None
    name, address = authors[0]
    return flags.of(name), address


def _all(message: Message, name: str) -> list[str]:
    return [str(value) for value in message.get_all(name, [])]


def _one(message: Message, name: str) -> str | None:
    values = _all(message, name)
    return values[0] if values else None


def _message_id(value: str | None, flags: _Flags) -> str | None:
    if not value:
        return None
    found = _MESSAGE_ID.search(value)
    return (
        flags.of(decode(to_bytes(found.group()[:998])) if found else text_of(value))[:998] or None
    )


def _references(value: str, flags: _Flags) -> tuple[str, ...]:
    return tuple(flags.of(decode(to_bytes(i[:998]))) for i in _MESSAGE_ID.findall(value)[:100])


def _automatic(message: Message) -> bool:
    """Whether a machine answered: RFC 3834, RFC 3464, and what came before them."""
    submitted = (_one(message, "auto-submitted") or "no").strip().lower()
    precedence = (_one(message, "precedence") or "").strip().lower()
    return (
        not submitted.startswith("no")
        or precedence in ("auto_reply", "bulk", "junk", "list")
        or message.get_content_type() == "multipart/report"
        or any(name in message for name in ("x-failed-recipients", "x-autoreply", "x-autorespond"))
        or (_one(message, "return-path") or "").strip().lower().startswith(_NO_SENDER)
    )


def _content(message: Message, flags: _Flags) -> tuple[str, tuple[Attachment, ...], str]:
    """The first text that says something, what is attached, and the digest of it all.

    What is attached to an attached mail counts too.
    """
    plain: list[Message] = []
    pages: list[Message] = []
    attachments: list[Attachment] = []
    digest = sha256()
    for part in _leaves(message):
        content = _bytes(part)
        is_text = part.get_content_maintype() in ("text", "multipart")
        same = content.translate(None, b" \t\r\n") if is_text else content
        digest.update(sha256(same).digest())
        if not is_text or _is_attached(part):
            attachments.append(_attachment(part, content, flags))
        elif part.get_content_type() == "text/html":
            pages.append(part)
        elif part.get_content_type() != "text/calendar":
            plain.append(part)
    if len(attachments) > caps.MOST_ATTACHMENTS:
        flags.said.append(TRUNCATED)
    kept = tuple(attachments[: caps.MOST_ATTACHMENTS])
    for part in (*plain, *pages):
        decoded = _text(part)
        if decoded.text.strip():
            text = flags.of(decoded)
            read = html.to_text(text) if part in pages else _flowed(part, text)
            if len(read) > MOST_CHARACTERS or (part in pages and len(text) > html.MOST_CHARACTERS):
                flags.said.append(TRUNCATED)
            return read[:MOST_CHARACTERS], kept, digest.hexdigest()
    return "", kept, digest.hexdigest()


def _leaves(message: Message) -> Iterator[Message]:
    """Parts that hold content, in order.

    A multipart in which no part was found is one of them: it holds what its program made of it.
    """
    if not message.is_multipart():
        yield message
        return
    for part in message.get_payload():
        if isinstance(part, Message):
            yield from _leaves(part)


def _is_attached(part: Message) -> bool:
    disposition = (_one(part, "content-disposition") or "").strip().lower()
    return disposition.startswith("attachment") or _name(part) is not None


def _name(part: Message) -> Decoded | None:
    """Not the empty name: who names nothing has attached nothing."""
    for header, name in (("content-disposition", "filename"), ("content-type", "name")):
        found = parameter(part, header, name)
        if found is not None and found.text:
            return found
    return None


def _setting(part: Message, name: str) -> str | None:
    found = parameter(part, "content-type", name)
    return found.text if found else None


def _bytes(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _text(part: Message) -> Decoded:
    content, charset = _bytes(part), _setting(part, "charset")
    if len(content) <= MOST_BYTES_OF_TEXT:
        return decode(content, charset)
    decoded = decode(_beginning(content, charset), charset)
    return Decoded(decoded.text, (*decoded.flags, TRUNCATED))


def _beginning(content: bytes, charset: str | None) -> bytes:
    """Up to the last blank before the bound, so that no letter is cut."""
    end = MOST_BYTES_OF_TEXT
    if not (charset or "").lower().startswith(("utf-16", "utf-32")):
        end = max(content.rfind(b"\n", 0, end), content.rfind(b" ", 0, end)) + 1 or end
    return content[:end]


def _flowed(part: Message, text: str) -> str:
    """Lines that RFC 3676 cut, put together again."""
    if (_setting(part, "format") or "").lower() != "flowed":
        return text
    delete = (_setting(part, "delsp") or "").lower() == "yes"
    return _SOFT_BREAK.sub("" if delete else " ", text)


def _attachment(part: Message, content: bytes, flags: _Flags) -> Attachment:
    return Attachment(
        name=flags.of(_name(part) or Decoded(""))[:255],
        content_type=flags.of(decode(to_bytes(part.get_content_type()[:255]))),
        size=len(content),
        sha256=sha256(content).hexdigest(),
    )
