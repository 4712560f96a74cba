"""What a mail holds: the text that is read, what is attached, and the digest of it all."""

import re
from dataclasses import dataclass, field
from email.message import Message
from hashlib import sha256

from services.intake.domain import html
from services.intake.domain.charset import Decoded, decode
from services.intake.domain.mail import caps, kinds, tnef
from services.intake.domain.mail.headers import TRUNCATED, first, parameter, to_bytes
from services.intake.domain.mail.names import kept_name

MOST_CHARACTERS = 200_000
"""Of the text; the rest stays in the raw mail."""

MOST_BYTES_OF_TEXT = 4 * 1024 * 1024
"""Of one part that is read as text: enough for all that is kept, with its markup."""

TYPE_MISMATCH, UNREADABLE_TNEF = "type-mismatch", "unreadable-tnef"

_SOFT_BREAK = re.compile(r" \r?\n")


@dataclass(frozen=True, slots=True)
class Attachment:
    """`name` is data, never a path: what `names.shown_name` makes of it may be shown.

    `size` in bytes and `sha256` are of the decoded content; of an attached mail, of what its
    parts hold together. `found_type` is what the first bytes show, empty if nothing known.
    `within` names the attached mail or `winmail.dat` in which it came; empty for the mail itself.
    Archives are never opened.
    """

    name: str
    content_type: str
    size: int
    sha256: str
    found_type: str = ""
    within: str = ""


@dataclass(slots=True)
class Flags:
    """What had to be guessed, in the order in which it was met."""

    said: list[str] = field(default_factory=list)

    def of(self, decoded: Decoded) -> str:
        self.said += decoded.flags
        return decoded.text


@dataclass(slots=True)
class Content:
    """Filled by `read`. `digest` does not see how the content was encoded on its way."""

    flags: Flags
    text: str = ""
    attachments: list[Attachment] = field(default_factory=list)
    _plain: list[Message] = field(default_factory=list)
    _pages: list[Message] = field(default_factory=list)
    _hidden: list[tnef.Unpacked] = field(default_factory=list)
    _digests: list[bytes] = field(default_factory=list)
    _size: int = 0
    _mails: int = 0

    @property
    def digest(self) -> str:
        return sha256(b"".join(self._digests)).hexdigest()

    def read(self, message: Message) -> None:
        self._walk(message, "")
        if len(self.attachments) > caps.MOST_ATTACHMENTS:
            self.flags.said.append(TRUNCATED)
            del self.attachments[caps.MOST_ATTACHMENTS :]
        self.text = self._first_text()

    def _walk(self, message: Message, within: str) -> None:
        """Through all parts that hold content, in order.

        A multipart in which no part was found is one of them: it holds what its program made of
        it. What is attached to an attached mail counts too.
        """
        payload = message.get_payload()
        if not isinstance(payload, list):
            self._leaf(message, within)
            return
        parts = [part for part in payload if isinstance(part, Message)]
        if message.get_content_type() in ("message/rfc822", "message/global"):
            self._mail(message, parts, within)
        else:
            for part in parts:
                self._walk(part, within)

    def _mail(self, message: Message, parts: list[Message], within: str) -> None:
        self._mails += 1
        name = self._kept_name(message) or f"message-{self._mails}.eml"
        place, digests, size = len(self.attachments), len(self._digests), self._size
        for part in parts:
            self._walk(part, name)
        self.attachments.insert(
            place,
            Attachment(
                name=name,
                content_type=message.get_content_type(),
                size=self._size - size,
                sha256=sha256(b"".join(self._digests[digests:])).hexdigest(),
                found_type="message/rfc822",
                within=within,
            ),
        )

    def _leaf(self, part: Message, within: str) -> None:
        content = _bytes(part)
        is_text = part.get_content_maintype() in ("text", "multipart")
        same = content.translate(None, b" \t\r\n") if is_text else content
        self._digests.append(sha256(same).digest())
        self._size += len(content)
        if not is_text or _is_attached(part):
            self._attach(part, content, within)
        elif part.get_content_type() == "text/html":
            self._pages.append(part)
        elif part.get_content_type() != "text/calendar":
            self._plain.append(part)

    def _attach(self, part: Message, content: bytes, within: str) -> None:
        said = self.flags.of(decode(to_bytes(part.get_content_type()[:255])))
        name = self._kept_name(part)
        found = self._add(name, said, content, within)
        if found == kinds.TNEF:
            self._unpack(name or "winmail.dat", content)

    def _add(self, name: str, said: str, content: bytes, within: str) -> str:
        found = kinds.found_type(content)
        if kinds.disagree(said, found):
            self.flags.said.append(TYPE_MISMATCH)
        digest = sha256(content).hexdigest()
        self.attachments.append(Attachment(name, said, len(content), digest, found, within))
        return found

    def _unpack(self, container: str, content: bytes) -> None:
        try:
            unpacked = tnef.unpack(content)
        except tnef.Unreadable:
            self.flags.said.append(UNREADABLE_TNEF)
            return
        self._hidden.append(unpacked)
        for name, inner in unpacked.files:
            self._add(self._kept(Decoded(name)), "", inner, container)

    def _kept_name(self, part: Message) -> str:
        return self._kept(_name(part) or Decoded(""))

    def _kept(self, name: Decoded) -> str:
        kept, whole = kept_name(self.flags.of(name))
        if not whole:
            self.flags.said.append(TRUNCATED)
        return kept

    def _first_text(self) -> str:
        """The first that says something: of the plain parts, else of the pages."""
        for part in self._plain:
            decoded = _text(part)
            if decoded.text.strip():
                return self._cut(_flowed(part, self.flags.of(decoded)))
        for part in self._pages:
            decoded = _text(part)
            if decoded.text.strip():
                return self._page(self.flags.of(decoded))
        for unpacked in self._hidden:
            if unpacked.text.strip():
                return self._cut(unpacked.text)
            if unpacked.page.strip():
                return self._page(unpacked.page)
        return ""

    def _page(self, page: str) -> str:
        text, whole = html.to_text(page)
        if not whole:
            self.flags.said.append(TRUNCATED)
        return self._cut(text)

    def _cut(self, text: str) -> str:
        if len(text) > MOST_CHARACTERS:
            self.flags.said.append(TRUNCATED)
        return text[:MOST_CHARACTERS]


def _is_attached(part: Message) -> bool:
    disposition = (first(part, "content-disposition") or "").strip().lower()
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
