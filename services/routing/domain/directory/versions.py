"""Entries of one code, told apart by their dates."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import TypeVar

from shared.contracts.directory import Dated

Entry = TypeVar("Entry", bound=Dated)
Versions = Mapping[str, tuple[Entry, ...]]


def grouped(entries: Iterable[Entry], key: Callable[[Entry], str | None]) -> Versions[Entry]:
    """Entries under their key, the earliest first; those without a key are left out."""
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        name = key(entry)
        if name is not None:
            groups[name].append(entry)
    return {
        name: tuple(sorted(group, key=lambda entry: (entry.valid_from, entry.valid_to or date.max)))
        for name, group in groups.items()
    }


def in_force(versions: Versions[Entry], code: str, on: date) -> Entry | None:
    """Where two versions overlap, the one that began last holds."""
    holding = (entry for entry in reversed(versions.get(code, ())) if entry.in_force(on))
    return next(holding, None)


def nearest(versions: tuple[Entry, ...], on: date) -> Entry | None:
    """The version in force, else the last one begun before the day, else the first to come."""
    begun = [entry for entry in versions if entry.valid_from <= on]
    holding = next((entry for entry in reversed(begun) if entry.in_force(on)), None)
    if holding is not None:
        return holding
    if begun:
        return begun[-1]
    return versions[0] if versions else None
