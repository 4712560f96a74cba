"""What a new version of the directory changes against the one in force, by code.

Nobody's name is told: persons and what they hold stand under their codes.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shared.contracts.directory import Directory

MOST_SHOWN = 20
"""Codes of one kind of change."""


class How(StrEnum):
    ADDED = "added"
    ENDED = "ended"
    """Its last version closed, or gone from the directory."""
    RENAMED = "renamed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to all entries of one kind; `codes` are sorted."""

    part: str
    how: How
    codes: tuple[str, ...]

    def in_words(self) -> str:
        first = ", ".join(self.codes[:MOST_SHOWN])
        more = len(self.codes) - MOST_SHOWN
        rest = f" and {more} more" if more > 0 else ""
        return f"{self.part} {self.how}: {len(self.codes)}: {first}{rest}"

    def as_json(self) -> dict[str, Any]:
        return {
            "part": self.part,
            "how": self.how,
            "count": len(self.codes),
            "first": list(self.codes[:MOST_SHOWN]),
        }


def changes(before: Directory | None, after: Directory) -> tuple[Change, ...]:
    """Part by part; against nothing everything is added."""
    found = []
    for part in Directory.model_fields:
        old, new = getattr(before, part, None), getattr(after, part)
        if isinstance(new, tuple):
            fates: dict[How, list[str]] = defaultdict(list)
            former, now = _by_code(old or ()), _by_code(new)
            for code in sorted(former.keys() | now.keys()):
                how = _how(former.get(code, ()), now.get(code, ()))
                if how is not None:
                    fates[how].append(code)
            found += [Change(part, how, tuple(fates[how])) for how in How if how in fates]
        elif before is not None and old != new:
            found.append(Change(part, How.CHANGED, (part,)))
    return tuple(found)


def _how(old: tuple[Any, ...], new: tuple[Any, ...]) -> How | None:
    if old == new:
        return None
    if not old:
        return How.ADDED
    if not new:
        return How.ENDED
    last, now = old[-1], new[-1]
    if getattr(last, "valid_to", None) is None and getattr(now, "valid_to", None) is not None:
        return How.ENDED
    if _name(last) != _name(now):
        return How.RENAMED
    return How.CHANGED


def _name(entry: Any) -> Any:  # noqa: ANN401 - a label of a unit, or a person's name
    return getattr(entry, "name", None) or getattr(entry, "title", None)


def _by_code(entries: Iterable[Any]) -> Mapping[str, tuple[Any, ...]]:
    groups: dict[str, list[Any]] = defaultdict(list)
    for entry in entries:
        groups[_code(entry)].append(entry)
    return {
        code: tuple(sorted(group, key=lambda entry: str(getattr(entry, "valid_from", ""))))
        for code, group in groups.items()
    }


def _code(entry: Any) -> str:  # noqa: ANN401 - any part of a directory
    """The entry's own code, else those of whom it ties together."""
    own = getattr(entry, "code", None)
    if own is not None:
        return str(own)
    names = ("person", "office", "body", "unit")
    tied = getattr(entry, "persons", None) or [getattr(entry, name, None) for name in names]
    return "/".join(code for code in tied if code)
