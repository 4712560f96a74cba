"""One record of an exchange, whichever form it was written in, and how its values are read."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

MOST_CHARACTERS = 150
"""Of an id or a number; what Asterisk keeps of an id (AST_MAX_UNIQUEID)."""

FIRST_YEAR, LAST_YEAR = 1990, 2200
"""Outside of these a time is a slip, and near the ends of the calendar it has no UTC."""

_EPOCH = re.compile(r"(\d{9,10})(?:\.(\d{1,9}))?", re.ASCII)
_WRITTEN = re.compile(
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)
_NEVER = re.compile(r"[0\s:.-]*", re.ASCII)
_SECONDS = re.compile(r"\d{1,7}", re.ASCII)
_NO_NUMBER = frozenset({"", "anonymous", "unknown", "<unknown>"})
_START_EXTENSION = "s"


class Step(StrEnum):
    """What a record says of a channel; a call's times are taken from these alone."""

    BEGAN = "began"
    BRIDGED = "bridged"
    HUNG_UP = "hung-up"
    GONE = "gone"
    CLOSED = "closed"
    SUMMED_UP = "summed-up"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class CallRecord:
    """Times are UTC, or without a zone when the exchange wrote none.

    `uniqueid` is the channel's, `linkedid` the call's; None if this form does not tell it.
    `answered` (only if somebody spoke), `ended` and `peer` are of sums alone, whose `at` is
    their start. Names of channels may hold numbers that were dialled: like the numbers, they
    never show in a `repr`.
    """

    step: Step
    at: datetime
    uniqueid: str
    linkedid: str | None
    channel: str = field(default="", repr=False)
    caller: str | None = field(default=None, repr=False)
    called: str | None = field(default=None, repr=False)
    peer: str = field(default="", repr=False)
    answered: datetime | None = None
    ended: datetime | None = None


@dataclass(frozen=True, slots=True)
class BrokenRecord:
    """A record that could not be read: where it stands, from 1, and the rule that it breaks.

    Rules: `columns`, `header`, `id`, `length`, `number`, `quotes`, `shape`, `time`.
    """

    line: int
    rule: str


class Unreadable(Exception):
    """A record breaks a rule; says which, and never what stood there."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


def instant(written: str) -> datetime:
    """A time as exchanges write it: seconds since 1970, or ISO 8601 with or without a zone."""
    text = written.strip()
    if epoch := _EPOCH.fullmatch(text):
        microseconds = int((epoch[2] or "0")[:6].ljust(6, "0"))
        at = datetime.fromtimestamp(int(epoch[1]), UTC) + timedelta(microseconds=microseconds)
    else:
        at = _calendar(text)
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise Unreadable("time")
    return at.astimezone(UTC) if at.tzinfo else at


def _calendar(text: str) -> datetime:
    if not _WRITTEN.fullmatch(text):
        raise Unreadable("time")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise Unreadable("time") from None  # the message quotes the value


def instant_if_any(written: str) -> datetime | None:
    """None for blanks and for a time of zeros: it has not happened."""
    return None if _NEVER.fullmatch(written) else instant(written)


def seconds(written: str) -> timedelta:
    """A whole number of seconds, below four months."""
    if not _SECONDS.fullmatch(written.strip()):
        raise Unreadable("time")
    return timedelta(seconds=int(written))


def identifier(written: str) -> str:
    """The id of a channel, which every record has."""
    text = written.strip()
    if not text or len(text) > MOST_CHARACTERS or not text.isprintable():
        raise Unreadable("id")
    return text


def identifier_if_any(written: str) -> str | None:
    """The id of a call; None if the form left it out."""
    return identifier(written) if written.strip() else None


def number(written: str) -> str | None:
    """The caller's number as the exchange wrote it; None if it was withheld."""
    text = written.strip()
    if len(text) > MOST_CHARACTERS or not text.isprintable():
        raise Unreadable("number")
    return None if text.lower() in _NO_NUMBER else text


def dialled(written: str) -> str | None:
    """The number that was called; a dialplan's start is none."""
    return None if written.strip() == _START_EXTENSION else number(written)
