"""One item as it will be sent, or what keeps it from being sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

REFUSED, MISSED = "refused", "missed"
"""Fates that are decided before anything is sent: it cannot be read; nobody spoke."""

ID_DIGITS = 32


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something cannot be sent. Never quotes what stands there: it may name people."""

    rule: str
    advice: str
    field: str = ""
    """JSON pointer into the event that was tried, e.g. `/data/kind`."""
    row: int | None = None
    """As a spreadsheet counts: the first row of the file is 1."""
    column: str = ""

    def __str__(self) -> str:
        place = [f"row {self.row}"] if self.row is not None else []
        place += [f"column “{self.column}”"] if self.column else []
        place += [self.field] if self.field and not self.column else []
        return f"{', '.join(place)} ({self.rule}): {self.advice}".lstrip()


@dataclass(frozen=True, slots=True)
class Item:
    """One item; `path` names its place for the person who reads the answer.

    One that has a `fate` already is told and not sent.
    """

    path: str
    agency: str
    type: str
    body: bytes
    fate: str | None = None
    problems: tuple[Problem, ...] = ()
    flags: tuple[str, ...] = ()
    """What had to be guessed while it was read, e.g. `charset-guessed`."""
    call: Mapping[str, Any] | None = None
    """A call as its exchange recorded it, without numbers."""

    @property
    def place(self) -> str:
        """The path for showing: what in a file's name is no text reads `?`."""
        return self.path.encode("utf-8", "replace").decode()


def item_id(prefix: str, parts: Sequence[str]) -> str:
    """The same parts, the same id; each with its length, so that no two lists read the same."""
    digest = sha256()
    for part in parts:
        content = part.encode("utf-8", "surrogatepass")
        digest.update(len(content).to_bytes(4, "big") + content)
    return f"{prefix}-{digest.hexdigest()[:ID_DIGITS]}"
