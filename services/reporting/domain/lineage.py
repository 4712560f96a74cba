"""Where what a unit did counts in the tree of a later day.

A published report stays in the geography of its period. To stand beside later ones its figures
are told again in the units that went on with it. Reporting reads the same links as routing, and
resolves them by itself.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from functools import reduce

from services.reporting.domain.rollup import Tree
from shared.contracts.directory import Directory, Successor, Unit

DAY = timedelta(days=1)


class NotLater(ValueError):
    """Figures can be told in the units of the same or a later day only."""


class Lineage:
    """The units in force on `on`, and which of them goes on with a unit of an earlier day."""

    def __init__(self, directory: Directory, on: date) -> None:
        """Raises `NoUnitInForce`."""
        self.on, self.tree = on, Tree.on(on, directory)
        self._versions: dict[str, list[Unit]] = defaultdict(list)
        for unit in sorted(directory.units, key=lambda u: (u.valid_from, u.valid_to or date.max)):
            self._versions[unit.code].append(unit)

    def place(self, code: str, then: date, category: str | None = None) -> str:
        """The one unit at which counts what `code` did on `then`; raises `NotLater`.

        Of several that go on with it, the one named for the category, else the one that takes the
        rest. Where several are left: the nearest unit above all of them, since nobody can tell
        their parts apart. Where nobody goes on: the first root, for the whole must have it.
        """
        heirs = self.heirs(code, then, category or "")
        if not heirs:
            return self._root
        shared = reduce(_in_both, map(self._line, heirs))
        return shared[0] if shared else self._root

    def heirs(self, code: str, then: date, category: str | None = None) -> tuple[str, ...]:
        """Codes of all units in force that go on with it, in order; without a category any part.

        A unit that names only successors for other categories is followed to all of them.
        """
        if then > self.on:
            raise NotLater(then.isoformat())
        found: set[str] = set()
        seen: set[tuple[str, date]] = set()
        waiting = [unit for unit in [self._known(code, then)] if unit is not None]
        while waiting:
            unit = waiting.pop()
            if (unit.code, unit.valid_from) in seen:
                continue
            seen.add((unit.code, unit.valid_from))
            if unit.in_force(self.on):
                found.add(unit.code)
            else:
                waiting.extend(self._next(unit, category))
        return tuple(sorted(found))

    def _next(self, unit: Unit, category: str | None) -> Iterable[Unit]:
        """What goes on after an ended unit: successors, its next version, else its parent."""
        ended = unit.valid_to
        if ended is None or ended > self.on:  # not begun yet: it counts where it will hang
            return self._above(unit, self.on)
        if unit.successors:
            heirs = (self._begun(heir.unit, ended) for heir in _chosen(unit.successors, category))
            known = [heir for heir in heirs if heir is not None]
            return known or self._above(unit, ended - DAY)
        same = self._begun(unit.code, ended)
        renamed = same is not None and same.valid_from == ended
        return [same] if same is not None and renamed else self._above(unit, ended - DAY)

    def _above(self, unit: Unit, day: date) -> list[Unit]:
        parent = None if unit.parent is None else self._begun(unit.parent, day)
        return [] if parent is None else [parent]

    def _known(self, code: str, day: date) -> Unit | None:
        """The unit that the code meant on the day, else lately before it, else first after it."""
        return self._begun(code, day) or next(iter(self._versions.get(code, ())), None)

    def _begun(self, code: str, day: date) -> Unit | None:
        begun = [unit for unit in self._versions.get(code, ()) if unit.valid_from <= day]
        in_force = [unit for unit in begun if unit.in_force(day)]
        return next(reversed(in_force or begun), None)

    def _line(self, code: str) -> list[str]:
        """The unit and all above it, nearest first."""
        line = [code]
        while (above := self.tree.parents[line[-1]]) is not None:
            line.append(above)
        return line

    @property
    def _root(self) -> str:
        return self.tree.bottom_up[-1]


def _chosen(successors: tuple[Successor, ...], category: str | None) -> tuple[Successor, ...]:
    """Those named for the category, else those that take the rest, else all."""
    if category is None:
        return successors
    named = tuple(heir for heir in successors if category in heir.categories)
    rest = tuple(heir for heir in successors if not heir.categories)
    return named or rest or successors


def _in_both(line: list[str], other: list[str]) -> list[str]:
    return [code for code in line if code in other]
