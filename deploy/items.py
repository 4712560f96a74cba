"""Finds the items in files: mails, mail boxes, and CloudEvents one a line.

A mail's id is derived from its bytes and an event brings its own, so that a file may be sent
again without harm.
"""

import mailbox
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from pathlib import Path

import orjson

from shared.contracts import FormSubmitted, MailboxMessageArrived

TYPE = re.compile(r"^[a-z-]+\.[a-z-]+\.v\d+$")
MAIL, MBOX, EVENTS = ".eml", ".mbox", ".jsonl"
KNOWN_SUFFIXES = (MAIL, MBOX, EVENTS)


class UnknownAgency(Exception):
    """It cannot be told whose item this is."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item as it will be sent; `path` names its place for the person who reads the answer."""

    path: str
    agency: str
    type: str
    body: bytes


class Reader:
    """Finds the items in files. `agencies` are those that the directory knows."""

    def __init__(self, agencies: Iterable[str], agency: str | None, now: datetime) -> None:
        self._agencies, self._agency, self._now = frozenset(agencies), agency, now

    def items(self, path: Path) -> Iterator[Item]:
        """Every item below a path, in the order of its files' names."""
        if _is_maildir(path):
            for message in sorted(path.glob("cur/*")) + sorted(path.glob("new/*")):
                yield self._mail(message, message.read_bytes())
        elif path.is_dir():
            for child in sorted(path.iterdir()):
                if child.is_dir() or child.suffix in KNOWN_SUFFIXES:
                    yield from self.items(child)
        elif path.suffix == MBOX:
            yield from self._mbox(path)
        elif path.suffix == EVENTS:
            for number, line in enumerate(path.read_bytes().splitlines(), 1):
                if line.strip():
                    yield self._event(path, line, number)
        else:
            yield self._mail(path, path.read_bytes())

    def _mbox(self, path: Path) -> Iterator[Item]:
        box = mailbox.mbox(path, create=False)
        for number, key in enumerate(box.keys(), 1):
            yield self._mail(path, box.get_bytes(key), f"#{number}")

    def _mail(self, path: Path, raw: bytes, part: str = "") -> Item:
        agency = self._whose(path, None)
        event = {
            "specversion": "1.0",
            "id": mail_item_id(raw),
            "source": f"/agencies/{agency}",
            "type": MailboxMessageArrived.TYPE,
            "time": arrival_time(raw, self._now).isoformat(),
            "datacontenttype": "application/json",
            "data": {"raw": b64encode(raw).decode()},
        }
        return Item(f"{path}{part}", agency, MailboxMessageArrived.TYPE, orjson.dumps(event))

    def _event(self, path: Path, line: bytes, number: int) -> Item:
        try:
            read = orjson.loads(line)
        except orjson.JSONDecodeError:
            read = {}
        found = read.get("type") if isinstance(read, dict) else None
        # What has no usable type is sent all the same: intake keeps it and answers.
        kind = found if isinstance(found, str) and TYPE.match(found) else FormSubmitted.TYPE
        source = read.get("source") if isinstance(read, dict) else None
        return Item(f"{path}:{number}", self._whose(path, source), kind, line)

    def _whose(self, path: Path, source: object) -> str:
        if self._agency:
            return self._agency
        if isinstance(source, str) and source.removeprefix("/agencies/") in self._agencies:
            return source.removeprefix("/agencies/")
        for part in reversed(path.parts):
            if part in self._agencies:
                return part
        raise UnknownAgency(f"{path}: whose is it? Name the agency with --agency.")


def mail_item_id(raw: bytes) -> str:
    """The id under which a mail is fed: the same bytes, the same id."""
    return "mail-" + sha256(raw).hexdigest()[:32]


def arrival_time(raw: bytes, now: datetime) -> datetime:
    """The mail's own date, where it has a usable one that is not to come; else now."""
    found = re.search(rb"^date:[ \t]*([^\r\n]{1,100})", raw[:65536], re.IGNORECASE | re.MULTILINE)
    if found is None:
        return now
    try:
        date = parsedate_to_datetime(found.group(1).decode("ascii", "replace"))
        return min(date if date.tzinfo else date.replace(tzinfo=UTC), now)
    except (ValueError, OverflowError, TypeError):
        return now


def _is_maildir(path: Path) -> bool:
    return (path / "cur").is_dir() and (path / "new").is_dir()
