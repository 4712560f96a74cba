"""Goes through files and folders, and tells by name and content how each is read."""

import mailbox
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from pathlib import Path

import orjson

from deploy.items import calls
from deploy.items.item import REFUSED, Item, Problem
from deploy.items.mapping import Mapping
from deploy.items.rows import XLSX, Table
from deploy.items.tables import MOST_BYTES
from shared.contracts import FormSubmitted, MailboxMessageArrived

TYPE = re.compile(r"^[a-z-]+\.[a-z-]+\.v\d+$")
AGENCY = re.compile(r"/agencies/[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
MAIL, MBOX, EVENTS, CSV = ".eml", ".mbox", ".jsonl", ".csv"
KNOWN_SUFFIXES = (MAIL, MBOX, EVENTS, CSV, XLSX)
"""Taken from a folder whatever is in them; `.json` and `.yaml` only if they record calls."""

LOOKED_AT = 1_000
HEADER = re.compile(rb"\s*(?:From |[!-9;-~]{1,100}[ \t]*:)")
"""How a mail begins (RFC 5322, 2.2); what is named .eml is one whatever is in it."""

UNKNOWN = Problem(
    "not-recognised",
    "Name a mail .eml, a table .csv or .xlsx, events .jsonl, an exchange's records .csv (CDR), "
    ".json (CEL) or .yaml (AMI).",
)


class UnknownAgency(Exception):
    """It cannot be told whose item this is."""


class Reader:
    """Finds the items in files. `agencies` are those that the directory knows.

    `mapping` says what tables are; a table without one must be a register of letters. With
    `otherwise`, where no directory is at hand, an event's own word is taken for whose it is, and
    what names nobody is that agency's.
    """

    def __init__(
        self,
        agencies: Iterable[str],
        agency: str | None,
        now: datetime,
        *,
        mapping: Mapping | None = None,
        otherwise: str | None = None,
    ) -> None:
        self._agencies, self._agency, self._now = frozenset(agencies), agency, now
        self._mapping, self._otherwise = mapping, otherwise
        self.passed_over: list[Path] = []
        """Files in folders that are none of what is read, and records that tell of no call."""

    def items(self, path: Path) -> Iterator[Item]:
        """Every item below a path, in the order of its files' names."""
        if _is_maildir(path):
            for message in sorted(path.glob("cur/*")) + sorted(path.glob("new/*")):
                yield self._mail(message, message.read_bytes())
        elif path.is_dir():
            for child in sorted(path.iterdir()):
                if child.is_dir() or self._is_known(child):
                    yield from self.items(child)
                else:
                    self.passed_over.append(child)
        else:
            yield from self._file(path)

    def _file(self, path: Path) -> Iterator[Item]:
        suffix = path.suffix.lower()
        if suffix == MBOX:
            yield from self._mbox(path)
        elif suffix == EVENTS:
            for number, line in enumerate(path.read_bytes().splitlines(), 1):
                if line.strip():
                    yield self._event(path, line, number)
        elif self._records_calls(path):
            found = list(calls.call_items(path, path.read_bytes(), self._whose(path, None)))
            if not found:
                self.passed_over.append(path)
            yield from found
        elif suffix in (CSV, XLSX):
            table = Table(path, self._whose(path, None), self._mapping, self._now)
            yield from table.items()
        elif suffix in calls.SUFFIXES:
            yield self._unknown(path)
        else:
            raw = path.read_bytes()
            is_mail = suffix == MAIL or HEADER.match(raw[:LOOKED_AT])
            yield self._mail(path, raw) if is_mail else self._unknown(path)

    def _unknown(self, path: Path) -> Item:
        agency = self._whose(path, None)
        return Item(str(path), agency, MailboxMessageArrived.TYPE, b"", REFUSED, (UNKNOWN,))

    def _is_known(self, path: Path) -> bool:
        return path.suffix.lower() in KNOWN_SUFFIXES or self._records_calls(path)

    def _records_calls(self, path: Path) -> bool:
        suffix = path.suffix.lower()
        if suffix not in calls.SUFFIXES or (suffix == CSV and self._mapping is not None):
            return False
        return path.stat().st_size <= MOST_BYTES and calls.are_calls(suffix, path.read_bytes())

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
        if isinstance(source, str):
            named = source.removeprefix("/agencies/")
            if named in self._agencies or (self._otherwise and AGENCY.fullmatch(source)):
                return named
        for part in reversed(path.parts):
            if part in self._agencies:
                return part
        if self._otherwise:
            return self._otherwise
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
