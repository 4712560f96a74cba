"""Whom an acknowledgement may go to, how often, and by what it is known.

In doubt nobody is answered: an address may be forged, and whoever owns it never wrote to us.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b

from services.intake.domain.mail import Mail
from services.intake.domain.mail.reading import MULTIPLE_FROM, NO_FROM
from services.intake.domain.mail.writing import (
    Language,
    Letter,
    acknowledgement,
)

MOST_AGE = timedelta(days=7)
"""Of a mail when it is taken in: an old mailbox that is read for the first time is not answered."""
APART, DAY = timedelta(hours=1), timedelta(days=1)
MOST_A_DAY = 10
"""Acknowledgements to one sender, at least `APART`."""

_DOUBTFUL = frozenset({MULTIPLE_FROM, NO_FROM})
_NOBODY = re.compile(
    r"(?:mailer-daemon|no[._-]?reply|do[._-]?not[._-]?reply|owner-.*|.*-request)@", re.IGNORECASE
)
"""RFC 3834, section 2, names those of daemons and lists; the others say it themselves."""
_DIGEST_BYTES = 16
_BETWEEN_LANGUAGES = "\n* * *\n\n"


class Never(StrEnum):
    """Why a submission's mail is not acknowledged, for good."""

    ERASED = "erased"
    NO_MAILBOX = "no-mailbox"
    """Its agency publishes no mailbox from which it could be answered."""
    OWN_MAILBOX = "own-mailbox"
    """It came from a mailbox of the directory: we would write to ourselves."""
    NOT_AN_ADDRESS = "not-an-address"
    TOO_OFTEN = "too-often"
    REFUSED = "refused"
    """By the mail server, for good."""
    TOO_LATE = "too-late"


@dataclass(frozen=True, slots=True)
class Given:
    """An acknowledgement that went to a sender, or was about to; `name` is its fingerprint."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """A submission whose mail is to be acknowledged; `received` is when it was kept."""

    submission: str
    agency: str
    received: datetime


def may_acknowledge(mail: Mail, *, arrived: datetime, recorded: datetime) -> bool:
    """Whether a person seems to have written it, lately, and says plainly from where."""
    return (
        mail.from_address is not None
        and not mail.automatic
        and not _DOUBTFUL.intersection(mail.flags)
        and not _NOBODY.fullmatch(mail.from_address.rpartition("@")[0] + "@")
        and recorded - min(arrived, mail.date or arrived) <= MOST_AGE
    )


def admit(given: Sequence[Given], name: str, at: datetime) -> tuple[Given, ...] | None:
    """A sender's acknowledgements of the last day together with this one; None: one too many.

    One that was admitted before and may not have gone out is admitted anew, not counted twice.
    """
    others = [one for one in given if one.name != name and at - one.at < DAY]
    if len(others) >= MOST_A_DAY or any(at - one.at < APART for one in others):
        return None
    return (*others, Given(name, at))


def message_id(submission: str, mailbox: str, key: bytes) -> str:
    """The Message-ID of its acknowledgement: the same each time.

    Keyed, for mail servers write down ids beside recipients: a submission's own id there would
    say who sent in what.
    """
    return f"<{_hash(b'langnghe ack id', submission, key)}@{mailbox.rpartition('@')[2]}>"


def recipient_key(address: str, key: bytes) -> str:
    """By what a sender is counted, at whichever agency and with whichever tag (`an+tag@…`)."""
    local, _, domain = address.lower().rpartition("@")
    return _hash(b"langnghe ack to", f"{local.partition('+')[0]}@{domain}", key)


def letter(code: str, page: str) -> Letter:
    """Vietnamese, with English below."""
    vietnamese, english = (acknowledgement(code, language, page=page) for language in Language)
    return Letter(vietnamese.subject, vietnamese.text + _BETWEEN_LANGUAGES + english.text)


def _hash(use: bytes, content: str, key: bytes) -> str:
    hashed = blake2b(content.encode(), key=key, person=use, digest_size=_DIGEST_BYTES)
    return hashed.hexdigest()
