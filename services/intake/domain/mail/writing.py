"""Composes the mails that go out: no field of theirs can become a header or a recipient.

Subjects and names are put into encoded words here (RFC 2047), blanks and all: CPython leaves
blanks between the words, where whoever reads the mail must drop them.
"""

import re
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from enum import StrEnum

from services.intake.domain.receipt import shown

LOOP = "X-Langnghe-Loop"
"""Names the mailbox that wrote; a mail that comes back to it is one of ours."""

LINE_CHARACTERS, WORD_CHARACTERS = 76, 75
"""Of a line with an encoded word, and of the word (RFC 2047, section 2)."""
MOST_CHARACTERS = 2_000
"""Of a subject or name; the rest is left out."""
MOST_ADDRESS, MOST_LOCAL, MOST_LABEL, MOST_ID = 254, 64, 63, 250

_WORD_FRAME = len("=?utf-8?b??=")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_PLAIN_WORDS = re.compile(r"[!-~]+(?: [!-~]+)*")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?P<local>{_ATOM}(?:\.{_ATOM})*)@(?P<domain>{_LABEL}(?:\.{_LABEL})*)")
_MESSAGE_ID = re.compile(r"<[!-;=?A-Z^-~\[\]]+@[!-;=?A-Z^-~\[\]]+>")


class NotAnAddress(ValueError):
    """It is not one plain address; the text never quotes it."""


class Automatic(StrEnum):
    """What kind of automatic mail it is (RFC 3834, section 5)."""

    REPLIED = "auto-replied"
    GENERATED = "auto-generated"


class Language(StrEnum):
    VIETNAMESE = "vi"
    ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail says."""

    subject: str
    text: str


class _Ready:
    """A header whose value is folded already; the policy writes it as it stands."""

    def __init__(self, name: str, value: str) -> None:
        self.name, self._value = name, value

    def fold(self, *, policy: EmailPolicy) -> str:
        return f"{self.name}: {self._value}{policy.linesep}"


def compose(
    to: str,
    subject: str,
    text: str,
    *,
    message_id: str,
    date: datetime,
    sender: str,
    sender_name: str = "",
    in_reply_to: str | None = None,
    automatic: Automatic = Automatic.REPLIED,
) -> bytes:
    """One mail to one recipient, ready for SMTP, seven-bit and with CRLF.

    `to` and `sender` must each be one plain addr-spec (ASCII dot-atom, RFC 5322, section 3.4.1),
    else `NotAnAddress`; `message_id` and `date` must be one id and carry a zone, else
    `ValueError`. `in_reply_to` comes from a stranger's mail: what is no id is left out. Control
    characters and line or paragraph separators in the words become a blank each run.
    Send it with an empty reverse-path (RFC 3834, section 3.3), so that no bounce is answered.
    """
    recipient, author = _address(to), _address(sender)
    if not _is_id(message_id):
        raise ValueError("the message id is not one id")
    if date.tzinfo is None:
        raise ValueError("the date carries no zone")
    message = EmailMessage(policy=SMTP)
    _put(message, "From", _mailbox(sender_name, author))
    _put(message, "To", recipient)
    _put(message, "Subject", _words(subject, len("Subject: ")))
    _put(message, "Date", format_datetime(date))
    _put(message, "Message-ID", message_id)
    if in_reply_to is not None and _is_id(in_reply_to):
        _put(message, "In-Reply-To", in_reply_to)
        _put(message, "References", in_reply_to)
    _put(message, "Auto-Submitted", automatic)
    # No `Precedence`: RFC 3834 gives it no meaning, and "bulk" is held back as advertising.
    _put(message, "X-Auto-Response-Suppress", "OOF, AutoReply")
    _put(message, LOOP, author)
    message.set_content(_body(text), charset="utf-8", cte="base64")
    return message.as_bytes()


def acknowledgement(code: str, language: Language, *, page: str) -> Letter:
    """Thanks, what happens next, and the receipt code; nothing of what was said.

    `page` is the address where the code tells how far the matter is.
    """
    written = _ACKNOWLEDGEMENTS[language]
    return Letter(written.subject, written.text.format(code=shown(code), page=page))


def plain(words: str) -> str:
    """One line as it will be read: without controls, separators, and blanks at its ends."""
    return _SURROGATE.sub("\ufffd", _UNSAFE.sub(" ", words[:MOST_CHARACTERS])).strip()


def _put(message: EmailMessage, name: str, value: str) -> None:
    message[name] = _Ready(name, value)


def _address(written: str) -> str:
    match = _ADDRESS.fullmatch(written)
    if (
        match is None
        or len(written) > MOST_ADDRESS
        or len(match["local"]) > MOST_LOCAL
        or any(len(label) > MOST_LABEL for label in match["domain"].split("."))
    ):
        raise NotAnAddress("not one plain address")
    return written


def _is_id(written: str) -> bool:
    return len(written) <= MOST_ID and _MESSAGE_ID.fullmatch(written) is not None


def _mailbox(name: str, address: str) -> str:
    """On a line of its own after a long name, so that no line is too long."""
    words = _words(name, len("From: "), always=True)
    return f"{words}\r\n <{address}>" if words else address


def _words(written: str, taken: int, *, always: bool = False) -> str:
    """The value of a header, folded; `taken` characters of its first line are in use.

    Plain short ASCII stays as it is, unless `always`: a name in encoded words needs no quoting.
    """
    line = plain(written)
    if not line or (
        not always
        and len(line) + taken <= LINE_CHARACTERS
        and _PLAIN_WORDS.fullmatch(line)
        and "=?" not in line
    ):
        return line
    words, content, room = [], b"", _room(LINE_CHARACTERS - taken)
    for character in line:  # never within a character (RFC 2047, section 5)
        encoded = character.encode()
        if len(content) + len(encoded) > room:
            words.append(content)
            content, room = b"", _room(WORD_CHARACTERS)
        content += encoded
    words.append(content)
    return "\r\n ".join(f"=?utf-8?b?{b64encode(word).decode()}?=" for word in words)


def _room(characters: int) -> int:
    """How many bytes fit into an encoded word of so many characters."""
    return (characters - _WORD_FRAME) // 4 * 3


def _body(text: str) -> str:
    lines = (_SURROGATE.sub("\ufffd", _UNSAFE.sub(" ", line)) for line in text.splitlines())
    return "\n".join(line.rstrip() for line in lines) + "\n"


_ACKNOWLEDGEMENTS = {
    Language.VIETNAMESE: Letter(
        subject="Đã nhận được ý kiến của quý vị",
        text="""\
Kính gửi quý vị,

Chúng tôi đã nhận được ý kiến của quý vị và xin chân thành cảm ơn.

Ý kiến sẽ được chuyển đến cơ quan giám sát có thẩm quyền để xem xét. \
Danh tính của quý vị được giữ kín và được lưu tách riêng với nội dung ý kiến.

Mã biên nhận của quý vị là:

    {code}

Để biết ý kiến được xử lý đến đâu, xin nhập mã này tại:

    {page}

Xin ghi lại mã, giữ kín và không gửi cho bất kỳ ai: người nào có mã cũng xem được kết quả xử lý.

Thư này được gửi tự động và không nhắc lại nội dung ý kiến để bảo vệ quý vị.
""",
    ),
    Language.ENGLISH: Letter(
        subject="We have received what you sent us",
        text="""\
Dear Sir or Madam,

We have received what you sent us, and thank you for it.

It will be passed to the supervisory body in charge, which will look into it. \
Who you are is kept confidential, and apart from what you said.

Your receipt code is:

    {code}

To see how far the matter is, enter this code at:

    {page}

Please write the code down, keep it to yourself and do not send it to anybody: \
whoever has it can see the outcome.

This mail was sent automatically. To protect you, it does not repeat what you said.
""",
    ),
}
