"""The directory, indexed: who sat where on which day.

Built once per version, in one pass; each question costs a few dictionary look-ups, so that a
directory of tens of thousands of units stays quick to ask.
No answer depends on the order in which the directory lists its entries.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import TypeVar

from shared.contracts.directory import Body, Dated, Directory, Office, Unit

Entry = TypeVar("Entry", bound=Dated)
Versions = Mapping[str, tuple[Entry, ...]]

LOWEST = 99
"""Level of a body whose unit the directory does not list: below everybody."""


class DirectoryIndex:
    """One version of the directory, asked as of a local day."""

    def __init__(self, directory: Directory) -> None:
        self.fallback_body = directory.fallback_body
        self._units = _grouped(directory.units, lambda unit: unit.code)
        self._children = _grouped(directory.units, lambda unit: unit.parent)
        self._offices = _grouped(directory.offices, lambda office: office.code)
        self._bodies = _grouped(directory.bodies, lambda body: body.code)
        self._holders = _grouped(directory.holdings, lambda holding: holding.office)
        self._held = _grouped(directory.holdings, lambda holding: holding.person)
        bodies = sorted(directory.bodies, key=lambda body: (body.code, body.valid_from))
        self._bodies_at: dict[str, list[Body]] = defaultdict(list)
        self._bodies_of_member: dict[str, list[Body]] = defaultdict(list)
        self._bodies_by_level: dict[int, list[Body]] = defaultdict(list)
        for body in bodies:
            self._bodies_at[body.unit].append(body)
            self._bodies_by_level[self.level(body.unit)].append(body)
            for member in set(body.members):
                self._bodies_of_member[member].append(body)

    def unit(self, code: str, on: date) -> Unit | None:
        return _in_force(self._units, code, on)

    def knows_unit(self, code: str) -> bool:
        """Whether the directory lists the unit for any day at all."""
        return code in self._units

    def level(self, unit: str) -> int:
        """The unit's latest level; 1 is the highest."""
        versions = self._units.get(unit, ())
        return versions[-1].level if versions else LOWEST

    def path(self, code: str, on: date) -> tuple[str, ...]:
        """The unit, its parent, and so on to the root; empty for a unit never listed.

        A unit that has been dissolved leads to the parent that it had last: what concerns it
        still finds somebody above. A circle in the directory ends where it would close.
        """
        found: dict[str, None] = {}
        step: str | None = code
        while step is not None and step not in found:
            unit = _nearest(self._units.get(step, ()), on)
            if unit is None:
                break
            found[step] = None
            step = unit.parent
        return tuple(found)

    def below(self, code: str, on: date) -> tuple[str, ...]:
        """Codes of the units in force under this one, at any depth; sorted, without itself."""
        found: set[str] = set()
        waiting = [code]
        while waiting:
            for child in self._children.get(waiting.pop(), ()):
                if child.in_force(on) and child.code not in found and child.code != code:
                    found.add(child.code)
                    waiting.append(child.code)
        return tuple(sorted(found))

    def body(self, code: str, on: date) -> Body | None:
        return _in_force(self._bodies, code, on)

    def bodies_at(self, unit: str, on: date) -> Iterator[Body]:
        """Bodies that sit at the unit itself, by code."""
        return (body for body in self._bodies_at.get(unit, ()) if body.in_force(on))

    def bodies_with_member(self, office: str, on: date) -> Iterator[Body]:
        """Bodies that the office heads or sits in, by code."""
        return (body for body in self._bodies_of_member.get(office, ()) if body.in_force(on))

    def bodies_by_level(self, on: date) -> Iterator[tuple[Body, ...]]:
        """Bodies of each level together, the highest level first; by code within a level."""
        for _, bodies in sorted(self._bodies_by_level.items()):
            yield tuple(body for body in bodies if body.in_force(on))

    def office(self, code: str, on: date) -> Office | None:
        """The office as it was on the day, or as it was last, or will be first."""
        return _nearest(self._offices.get(code, ()), on)

    def holders(self, office: str, on: date) -> frozenset[str]:
        """Codes of the persons who held the office on the day."""
        holdings = self._holders.get(office, ())
        return frozenset(holding.person for holding in holdings if holding.in_force(on))

    def offices_held(self, person: str, until: date) -> frozenset[str]:
        """Codes of every office that the person had held by the day, that day's included."""
        holdings = self._held.get(person, ())
        return frozenset(holding.office for holding in holdings if holding.valid_from <= until)


def _grouped(entries: Iterable[Entry], key: Callable[[Entry], str | None]) -> Versions[Entry]:
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


def _in_force(versions: Versions[Entry], code: str, on: date) -> Entry | None:
    """Where two versions overlap, the one that began last holds."""
    holding = (entry for entry in reversed(versions.get(code, ())) if entry.in_force(on))
    return next(holding, None)


def _nearest(versions: tuple[Entry, ...], on: date) -> Entry | None:
    """The version in force, else the last one begun before the day, else the first to come."""
    begun = [entry for entry in versions if entry.valid_from <= on]
    in_force = next((entry for entry in reversed(begun) if entry.in_force(on)), None)
    if in_force is not None:
        return in_force
    if begun:
        return begun[-1]
    return versions[0] if versions else None
