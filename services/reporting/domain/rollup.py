"""The tree of units on a period's last day, and how a form's figures add up along it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.reporting.domain.forms import DoesNotFoot, Form
from services.reporting.domain.forms.identity import Identity
from shared.contracts.directory import Directory, Unit
from shared.contracts.report import ReportRow

Figures = Mapping[str, Sequence[int]]
"""Cells of one form by unit."""


class NoUnitInForce(Exception):
    """The directory has no unit on that day: nobody to report on."""


@dataclass(frozen=True, slots=True)
class Tree:
    """The units in force on one day.

    `parents` names the nearest unit above that is in force; a unit without one is a root.
    `bottom_up` has every unit after all the units below it, in an order that depends on the
    directory alone; the roots come last.
    """

    units: Mapping[str, Unit]
    parents: Mapping[str, str | None]
    bottom_up: tuple[str, ...]
    _latest: Mapping[str, Unit]

    @classmethod
    def on(cls, day: date, directory: Directory) -> "Tree":
        """Raises `NoUnitInForce`, and `ValueError` if units are their own ancestors."""
        in_order = sorted(directory.units, key=lambda unit: unit.valid_from)
        units = {unit.code: unit for unit in in_order if unit.in_force(day)}
        latest: dict[str, Unit] = {}
        for unit in in_order:
            if unit.valid_from <= day or unit.code not in latest:
                latest[unit.code] = unit
        if not units:
            raise NoUnitInForce(day.isoformat())
        parents = {code: _in_force(unit.parent, units, latest) for code, unit in units.items()}
        depths = {code: len(_line(code, parents)) for code in units}
        bottom_up = tuple(sorted(units, key=lambda code: (-depths[code], code)))
        return cls(units, parents, bottom_up, latest)

    def place(self, code: str) -> str:
        """The unit at which rows of this one count.

        A unit no longer in force counts at its nearest ancestor that is. One that the directory
        does not know, or without such an ancestor, counts at the first root: the whole must have
        every row.
        """
        return _in_force(code, self.units, self._latest) or self.bottom_up[-1]


def _in_force(
    code: str | None, units: Mapping[str, Unit], latest: Mapping[str, Unit]
) -> str | None:
    """The unit itself or the nearest one above it that is in force."""
    climbed = set()
    while code is not None and code not in units:
        if code in climbed or code not in latest:
            return None
        climbed.add(code)
        code = latest[code].parent
    return code


def _line(code: str, parents: Mapping[str, str | None]) -> tuple[str, ...]:
    """The unit and all above it, nearest first."""
    line = [code]
    while (above := parents[line[-1]]) is not None:
        if above in line:
            raise ValueError(f"unit {above} is its own ancestor")
        line.append(above)
    return tuple(line)


def place(figures: Figures, tree: Tree, form: Form) -> dict[str, tuple[int, ...]]:
    """The own figures of every unit in force, from those of the units that rows name."""
    own = {code: [0] * len(form.columns) for code in tree.bottom_up}
    for code, cells in figures.items():
        _add(own[tree.place(code)], cells)
    return {code: tuple(cells) for code, cells in own.items()}


@dataclass(frozen=True, slots=True)
class Table:
    """One form of one unit: its own row, one for each unit right below, and their sum."""

    unit: str
    rows: tuple[ReportRow, ...]
    totals: tuple[int, ...]


def roll_up(
    form: Form,
    own: Figures,
    tree: Tree,
    blame: Callable[[str, Identity], str | None] = lambda _unit, _identity: None,
) -> tuple[Table, ...]:
    """The form of every unit in force, from below upwards. `own` has the cells of each.

    Raises `DoesNotFoot` at the first row or total that breaks an identity of the form: a table
    that does not foot is never returned. `blame` may name a case of the unit for the error.
    """
    totals: dict[str, tuple[int, ...]] = {}
    tables = []
    children: dict[str, list[str]] = {code: [] for code in tree.bottom_up}
    for code in sorted(tree.bottom_up):
        if (parent := tree.parents[code]) is not None:
            children[parent].append(code)
    for code in tree.bottom_up:
        parts = [own[code], *(totals[child] for child in children[code])]
        total = [0] * len(form.columns)
        for cells in parts:
            _add(total, cells)
        totals[code] = tuple(total)
        for cells in (*parts, total):
            if (identity := form.broken(cells)) is not None:
                raise DoesNotFoot(form, code, identity, cells, blame(code, identity))
        rows = [_row(tree.units[code], own[code], own=True)]
        rows += [_row(tree.units[child], totals[child], own=False) for child in children[code]]
        tables.append(Table(code, tuple(rows), totals[code]))
    return tuple(tables)


def _row(unit: Unit, cells: Sequence[int], *, own: bool) -> ReportRow:
    return ReportRow(unit=unit.code, name=unit.name, own=own, cells=tuple(cells))


def _add(into: list[int], cells: Iterable[int]) -> None:
    for index, cell in enumerate(cells):
        into[index] += cell
