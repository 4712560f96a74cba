"""Which unit of one day goes on with what a unit of another day was.

A unit is named by its code **and** its first day: when it has ended, its code may be given to
another one. What becomes of it then:

* it names successors: they go on, each with the categories it is named for; one named without
  categories takes the rest. What stands under the old code later is another unit, unless the
  code is among the successors;
* it names none, and another version of its code begins on the day it ends: the same unit,
  renamed or moved;
* neither: its parent goes on with everything.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta

from services.routing.domain.directory.versions import Versions, grouped, in_force, nearest
from shared.contracts.directory import Successor, Unit

DAY = timedelta(days=1)

Identity = tuple[str, date]
"""A unit's code and the first day of the version."""


class Lineage:
    """Units by code, and the way from each version to what followed it."""

    def __init__(self, units: Iterable[Unit]) -> None:
        self.units: Versions[Unit] = grouped(units, lambda unit: unit.code)
        self._succeeded: dict[str, set[str]] = defaultdict(set)
        for versions in self.units.values():
            for unit in versions:
                for successor in unit.successors:
                    self._succeeded[successor.unit].add(unit.code)

    def meant(self, code: str, then: date) -> Unit | None:
        """The unit that the code meant on the day, or lately before it, or first after it."""
        return nearest(self.units.get(code, ()), then)

    def resolve(
        self, code: str, then: date, on: date, category: str | None = None
    ) -> tuple[str, ...]:
        """Codes of the units in force on `on` that go on with what `code` meant on `then`.

        Several, by code: it was split, and the category does not tell its parts apart. None: it
        was never listed, ended without anybody to go on, or is not begun on `on`.
        """
        unit = self.meant(code, then)
        if unit is None:
            return ()
        if unit.valid_from > on:
            earlier = in_force(self.units, code, on)
            same = earlier is not None and code in self.resolve(code, on, unit.valid_from)
            return (code,) if same else ()
        found: set[str] = set()
        seen: set[Identity] = set()
        waiting = [unit]
        while waiting:
            for last in self.landings(waiting.pop(), on, category):
                parent = None if last.in_force(on) else self._last_parent(last)
                if last.in_force(on):
                    found.add(last.code)
                elif parent is not None and identity(parent) not in seen:
                    seen.add(identity(parent))
                    waiting.append(parent)
        return tuple(sorted(found))

    def landings(self, unit: Unit, on: date, category: str | None = None) -> tuple[Unit, ...]:
        """Where the unit's named successors and later versions lead by the day, by code.

        Those in force, and those dissolved on the way without anybody named to go on.
        """
        found: dict[Identity, Unit] = {}
        seen: set[Identity] = set()
        waiting = [unit]
        while waiting:
            step = waiting.pop()
            if identity(step) in seen:
                continue
            seen.add(identity(step))
            further = (
                () if step.valid_to is None or on < step.valid_to else self._next(step, category)
            )
            waiting.extend(further)
            if not further:
                found[identity(step)] = step
        return tuple(found[key] for key in sorted(found))

    def predecessors(self, code: str) -> frozenset[str]:
        """Codes, at any remove, of units that named this one as a successor; and itself."""
        found = {code}
        waiting = [code]
        while waiting:
            fresh = self._succeeded.get(waiting.pop(), set()) - found
            found |= fresh
            waiting.extend(fresh)
        return frozenset(found)

    def _next(self, unit: Unit, category: str | None) -> tuple[Unit, ...]:
        """What goes on from the day on which an ended unit was no more."""
        ended = unit.valid_to or date.max
        if unit.successors:
            heirs = (self._at(heir.unit, ended) for heir in _chosen(unit.successors, category))
            return tuple(heir for heir in heirs if heir is not None)
        same = self._at(unit.code, ended)
        return (same,) if same is not None and same.valid_from == ended else ()

    def _last_parent(self, unit: Unit) -> Unit | None:
        """What the unit named as its parent, as that was on the unit's last day."""
        if unit.parent is None or unit.valid_to is None:
            return None
        return self._at(unit.parent, unit.valid_to - DAY)

    def _at(self, code: str, day: date) -> Unit | None:
        """The version in force, else the last begun: never one that is yet to come."""
        unit = self.meant(code, day)
        return unit if unit is not None and unit.valid_from <= day else None


def _chosen(successors: tuple[Successor, ...], category: str | None) -> tuple[Successor, ...]:
    """Those named for the category, else those that take the rest; without a category all."""
    if category is None:
        return successors
    named = tuple(successor for successor in successors if category in successor.categories)
    return named or tuple(successor for successor in successors if not successor.categories)


def identity(unit: Unit) -> Identity:
    return unit.code, unit.valid_from
