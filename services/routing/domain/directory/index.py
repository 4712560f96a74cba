"""The directory, indexed: who sat where on which day.

Built once per version, in one pass; each question costs a few dictionary look-ups, so that a
directory of tens of thousands of units stays quick to ask.
No answer depends on the order in which the directory lists its entries.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache, partial

from services.routing.domain.directory.lineage import DAY, Identity, Lineage, identity
from services.routing.domain.directory.versions import grouped, in_force, nearest
from shared.contracts.directory import Body, Directory, Office, Recusal, Relation, Unit

PATHS = 16_384
"""Ways up that are remembered; a country has some 3,400 units."""
LOWEST = 99
"""Level of a body whose unit the directory does not list: below everybody."""


class DirectoryIndex:
    """One version of the directory, asked as of a local day."""

    def __init__(self, directory: Directory) -> None:
        self.fallback_body = directory.fallback_body
        self._lineage = Lineage(directory.units)
        self._units = self._lineage.units
        self._children = grouped(directory.units, lambda unit: unit.parent)
        self._offices = grouped(directory.offices, lambda office: office.code)
        self._bodies = grouped(directory.bodies, lambda body: body.code)
        self._holders = grouped(directory.holdings, lambda holding: holding.office)
        self._held = grouped(directory.holdings, lambda holding: holding.person)
        self._recusals = grouped(directory.recusals, lambda recusal: recusal.body)
        self._related: dict[str, list[Relation]] = defaultdict(list)
        for relation in directory.relations:
            for person in set(relation.persons):
                self._related[person].append(relation)
        self.outside_desk = directory.outside_desk
        self._staff = grouped(directory.offices, _command)
        self._paths = lru_cache(PATHS)(partial(self._way, split=frozenset()))
        self._within: dict[date, dict[str, list[str]]] = {}
        bodies = sorted(directory.bodies, key=lambda body: (body.code, body.valid_from))
        self._bodies_at: dict[str, list[Body]] = defaultdict(list)
        self._bodies_of_member: dict[str, list[Body]] = defaultdict(list)
        self._bodies_by_level: dict[int, list[Body]] = defaultdict(list)
        for body in bodies:
            self._bodies_at[body.unit].append(body)
            self._bodies_by_level[self.level(body.unit)].append(body)
            for member in set(body.members):
                self._bodies_of_member[member].append(body)

        dated = (
            *directory.units,
            *directory.offices,
            *directory.bodies,
            *directory.holdings,
            *directory.relations,
            *directory.recusals,
        )
        bounds = {day for entry in dated for day in (entry.valid_from, entry.valid_to) if day}
        self._bounds = sorted(bounds)

    def next_change(self, after: date) -> date | None:
        """The first later day from which on the directory may answer otherwise."""
        place = bisect_right(self._bounds, after)
        return self._bounds[place] if place < len(self._bounds) else None

    def unit(self, code: str, on: date) -> Unit | None:
        return in_force(self._units, code, on)

    def knows_unit(self, code: str) -> bool:
        """Whether the directory lists the unit for any day at all."""
        return code in self._units

    def level(self, unit: str) -> int:
        """The unit's latest level; 1 is the highest."""
        versions = self._units.get(unit, ())
        return versions[-1].level if versions else LOWEST

    def resolve(
        self, code: str, then: date, on: date, category: str | None = None
    ) -> tuple[str, ...]:
        """Codes of the units in force on `on` that go on with what `code` meant on `then`.

        A code alone names nobody: on another day it may be another unit's. `then` is any day of
        the unit's life, its first one as well. Several codes, sorted: the unit was split and the
        category, if one is given, does not tell its parts apart. None: nobody goes on.
        """
        return self._lineage.resolve(code, then, on, category)

    def successors(self, unit: str, category: str | None, on: date) -> tuple[str, ...]:
        """Who goes on, on the day, with matters of a category of the unit last under this code.

        The unit itself as long as it is in force; else as `resolve` says.
        """
        return self._lineage.resolve(unit, on, on, category)

    def path(
        self, code: str, on: date, *, then: date | None = None, category: str | None = None
    ) -> tuple[str, ...]:
        """The unit, its parent, and so on to the root; empty for a unit never listed.

        `then` is the day on which the code was written down, `on` unless given: what the code
        meant on that day counts. Where a unit has ended, its successor stands in its place; where
        it was split and the category does not tell the parts apart, the way goes on where the
        ways up of all of them meet. One dissolved without a successor leads to the parent that
        it had last: what concerns it still finds somebody above. A circle ends where it would
        close.
        """
        return self._paths(code, then or on, on, category)

    def _way(
        self, code: str, then: date, on: date, category: str | None, split: frozenset[Identity]
    ) -> tuple[str, ...]:
        """The way up; `split`: units whose parts are being followed, so that a circle ends."""
        found: dict[str, None] = {}
        step: str | None = code
        while step is not None:
            named = self._lineage.meant(step, then)
            if named is None or identity(named) in split:
                break
            parts = self._lineage.landings(named, on, category) or (named,)
            if len(parts) > 1:
                within = split | {identity(named)}
                first, *others = (
                    self._way(part.code, part.valid_from, on, category, within) for part in parts
                )
                shared = set(first).intersection(*others)
                return (*found, *(above for above in first if above in shared - found.keys()))
            [unit] = parts
            if unit.code in found:
                break
            found[unit.code] = None
            step, then = unit.parent, _last_day(unit, on)
        return tuple(found)

    def below(self, code: str, on: date) -> tuple[str, ...]:
        """Codes of the units in force under this one, at any depth; sorted, without itself.

        Under a unit is also what names as its parent one that this unit succeeded. Asked of a
        unit that has ended, it tells what is under its successors.
        """
        tops = self._seats(code, on) or (code,)
        found: set[str] = set()
        waiting = list(tops)
        while waiting:
            for child in self._children_of(waiting.pop(), on):
                if child not in found and child not in tops:
                    found.add(child)
                    waiting.append(child)
        return tuple(sorted(found))

    def _children_of(self, code: str, on: date) -> Iterator[str]:
        for parent in self._lineage.predecessors(code):
            if parent == code or self._seats(parent, on) == (code,):
                for child in self._children.get(parent, ()):
                    if child.in_force(on):
                        yield child.code

    def _seats(self, code: str, on: date) -> tuple[str, ...]:
        """The unit last under this code, or the named ones that stand in its place on the day."""
        unit = self._lineage.meant(code, on)
        return tuple(part.code for part in self._lineage.landings(unit, on)) if unit else ()

    def body(self, code: str, on: date) -> Body | None:
        return in_force(self._bodies, code, on)

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
        return nearest(self._offices.get(code, ()), on)

    def holders(self, office: str, on: date) -> frozenset[str]:
        """Codes of the persons who held the office on the day."""
        holdings = self._holders.get(office, ())
        return frozenset(holding.person for holding in holdings if holding.in_force(on))

    def offices_held(self, person: str, until: date) -> frozenset[str]:
        """Codes of every office that the person had held by the day, that day's included."""
        holdings = self._held.get(person, ())
        return frozenset(holding.office for holding in holdings if holding.valid_from <= until)

    def offices_held_on(self, person: str, on: date) -> frozenset[str]:
        """Codes of the offices that the person held on the day itself."""
        return frozenset(h.office for h in self._held.get(person, ()) if h.in_force(on))

    def under_one_command(self, office: Office, on: date) -> tuple[Office, ...]:
        """Offices of the same body, or of the same unit; this one among them, by code.

        A body's own offices stand outside the unit at which the body sits.
        """
        staff = self._staff.get(_command(office), ())
        return tuple(
            sorted((o for o in staff if o.in_force(on)), key=lambda o: (o.code, o.valid_from))
        )

    def related_to(self, person: str, on: date) -> frozenset[str]:
        """Codes of the persons declared close to this one on the day; without itself."""
        relations = self._related.get(person, ())
        close = {code for known in relations if known.in_force(on) for code in known.persons}
        return frozenset(close - {person})

    def recusals_of(self, body: str, on: date) -> tuple[Recusal, ...]:
        """What the body stays away from on the day, the first declared first."""
        recusals = self._recusals.get(body, ())
        return tuple(recusal for recusal in recusals if recusal.in_force(on))

    def bodies_within(self, unit: str, on: date) -> Iterable[str]:
        """Codes of the bodies that sit at the unit or anywhere below it.

        The first question of a day goes through every body; only the latest day is remembered.
        """
        if on not in self._within:
            within: dict[str, list[str]] = defaultdict(list)
            for bodies in self.bodies_by_level(on):
                for body in bodies:
                    for above in self.path(body.unit, on):
                        within[above].append(body.code)
            self._within = {on: dict(within)}
        return self._within[on].get(unit, ())

    def recusals_in_force(self, on: date) -> Iterator[Recusal]:
        """Of every body, by its code."""
        return (
            recusal for body in sorted(self._recusals) for recusal in self.recusals_of(body, on)
        )


def _command(office: Office) -> str:
    """Key of those under one head; the slash keeps a body from a unit of the same code."""
    return f"body/{office.of_body}" if office.of_body else f"unit/{office.unit}"


def _last_day(unit: Unit, on: date) -> date:
    """The last day of the unit's life up to `on`: on it, what it names as parent was meant."""
    return on if unit.valid_to is None or on < unit.valid_to else unit.valid_to - DAY
