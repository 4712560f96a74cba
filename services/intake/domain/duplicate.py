"""The keys under which an item is known for ever, so that the second sending is told apart.

Each is a keyed hash: who reads the database cannot ask whether a certain number or message came.
"""

import re
from dataclasses import dataclass
from datetime import timedelta, timezone
from hashlib import blake2b, sha256
from itertools import islice

from services.intake.domain.fold import fold
from services.intake.domain.mail import Mail
from shared.contracts import (
    HotlineCallLogged,
    IngressData,
    LetterRegistered,
    MailboxMessageArrived,
)
from shared.contracts.envelope import Event

DIGEST_BYTES = 16
MOST_ANSWERED = 20
"""Of the mails that one names as answered; the nearest count."""
REGISTER_ZONE = timezone(timedelta(hours=7))
"""Where the days of a register begin. Not a setting: another zone would forget what is known."""

_ADDED_ON_THE_WAY = re.compile(
    rb"^(?:received|x-received|return-path|delivered-to|x-original-to|envelope-to|received-spf|"
    rb"authentication-results|arc-[a-z-]+|x-spam-[a-z-]+|x-virus-[a-z-]+|x-uidl?|status|x-status):"
    rb"[^\n]*\n(?:[ \t][^\n]*\n)*",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Thread:
    """Where a mail stands among others; every member is a keyed hash."""

    own: tuple[str, ...] = ()
    """The mail's own Message-ID."""
    answers: tuple[str, ...] = ()
    """The mails that it answers, the nearest first."""
    sender: str | None = None


def thread_of(agency: str, mail: Mail | None, *, key: bytes) -> Thread:
    """What tells whether a mail goes on with an earlier one, by In-Reply-To and References."""
    if mail is None:
        return Thread()
    answered = dict.fromkeys(filter(None, (mail.in_reply_to, *reversed(mail.references))))
    sender = (mail.from_address or "").strip().lower()
    return Thread(
        own=(_key(key, "thread", agency, mail.message_id),) if mail.message_id else (),
        answers=tuple(_key(key, "thread", agency, one) for one in islice(answered, MOST_ANSWERED)),
        sender=_key(key, "sender", agency, sender) if sender else None,
    )


def item_key(agency: str, item: str, *, key: bytes) -> str:
    """Stands for an agency's item where everybody reads: an id may name somebody all the same."""
    return _key(key, "item", agency, item)


def thread_key(agency: str, message_id: str, *, key: bytes) -> str:
    """The fingerprint under which a mail of ours is known to those who answer it."""
    return _key(key, "thread", agency, message_id)


def keys_of(
    agency: str, event: Event[IngressData], mail: Mail | None, *, key: bytes
) -> tuple[str, ...]:
    """Every key of an agency's item; two items that share one are the same item.

    A call is its exchange's id, a letter its number in the register and the day it was entered,
    a mail its Message-ID together with what it says: the same id with another text is another
    mail. A mail without an id is known by its author, moment and words, without a date by all of
    its bytes but those added on its way. One mail to two agencies is each agency's own.
    """
    keys = [_key(key, "event", agency, event.id)]
    match event.data:
        case MailboxMessageArrived() if mail is not None:
            keys.append(_key(key, "mail", agency, *_mail_parts(mail, event.data.raw)))
        case HotlineCallLogged() as call:
            return call_keys(agency, event.id, call, key=key).all()
        case LetterRegistered() as letter:
            day = event.time.astimezone(REGISTER_ZONE).date().isoformat()
            keys.append(_key(key, "letter", agency, day, letter.register_number.strip()))
    return tuple(keys)


@dataclass(frozen=True, slots=True)
class CallKeys:
    """`note` is the call together with what was written down: the same note twice is one."""

    event: str
    call: str
    note: str

    def all(self) -> tuple[str, ...]:
        return (self.event, self.call, self.note)


def call_key(agency: str, exchange_id: str, *, key: bytes) -> str:
    """What a call is known by, whoever tells of it."""
    return _key(key, "call", agency, exchange_id)


def call_keys(agency: str, item: str, call: HotlineCallLogged, *, key: bytes) -> CallKeys:
    exchange_id = call.call.strip()
    return CallKeys(
        event=_key(key, "event", agency, item),
        call=call_key(agency, exchange_id, key=key),
        note=_key(key, "note", agency, exchange_id, fold(call.note)),
    )


def _mail_parts(mail: Mail, raw: bytes) -> tuple[str, ...]:
    if not mail.digest:  # nothing was read: only the bytes tell
        return ("raw", sha256(_as_written(raw)).hexdigest())
    if mail.message_id:
        return ("id", mail.message_id, mail.digest)
    if mail.date is None:  # too little is left to tell two strangers' mails apart
        return ("written", sha256(_as_written(raw)).hexdigest())
    return ("said", mail.from_address or "", mail.date.isoformat(), mail.subject, mail.digest)


def _as_written(raw: bytes) -> bytes:
    """The mail without the lines that servers add on its way."""
    header, blank, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    return _ADDED_ON_THE_WAY.sub(b"", header + b"\n") + blank + body


def _key(key: bytes, *parts: str) -> str:
    """Each part with its length before it, so that no two lists of parts read the same."""
    digest = blake2b(key=key, digest_size=DIGEST_BYTES)
    for part in parts:
        content = part.encode("utf-8", "surrogatepass")
        digest.update(len(content).to_bytes(4, "big") + content)
    return digest.hexdigest()
