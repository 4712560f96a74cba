"""All reports of one closing as one table: units by columns of the forest, and who adds up whom.

A unit without units below it has one row; any other has two, its total and its own. A unit's
total is the same row in its own report and in that of the unit above.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from services.reporting.domain.disclosure.columns import Forest
from services.reporting.domain.disclosure.knowledge import Knowledge
from services.reporting.domain.forms.identity import Identity
from services.reporting.domain.forms.rules import in_full
from shared.contracts import ReportPublished
from shared.contracts.report import Cells

Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]
Row = tuple[str, bool]
"""A unit, and whether the row is its own, without the units below it."""

UNKNOWN = -1


class Contradiction(ValueError):
    """Two reports of one issue give different figures for one cell, or rows of wrong length."""


@dataclass(frozen=True, slots=True)
class Family:
    """A total, and the rows that it adds up."""

    total: int
    rows: Places


@dataclass(frozen=True)
class Rows:
    """`families` has every one after the one in which its total is a row."""

    names: tuple[Row, ...]
    families: tuple[Family, ...]
    single: frozenset[str]
    """Units without units below."""

    @classmethod
    def of(cls, reports: Sequence[ReportPublished]) -> "Rows":
        below: dict[str, list[Row]] = {}
        for report in reports:
            rows = [(row.unit, row.own) for row in report.rows]
            if below.setdefault(report.unit, rows) != rows:
                raise Contradiction("two forms of one unit have different rows")
        single = frozenset(u for u, rows in below.items() if all(own for _, own in rows))
        children = {unit for rows in below.values() for unit, own in rows if not own}
        names: list[Row] = [(unit, False) for unit in below if unit not in children]
        found: list[tuple[int, list[int]]] = []
        for number, (unit, own) in enumerate(names):  # grows while it is walked
            if not own and unit not in single:
                parts = below.get(unit, [])
                found.append((number, list(range(len(names), len(names) + len(parts)))))
                names += parts
        families = tuple(Family(t, np.array(rows, dtype=np.intp)) for t, rows in found if rows)
        return cls(tuple(names), families, single)

    @cached_property
    def place(self) -> dict[Row, int]:
        return {name: number for number, name in enumerate(self.names)}

    def row(self, unit: str, *, own: bool) -> Row:
        return unit, own and unit not in self.single


def forest_of(reports: Sequence[ReportPublished], knowledge: Knowledge) -> Forest:
    """Raises `NotAForest`."""
    printed = dict.fromkeys(f"{r.form}.{column.code}" for r in reports for column in r.columns)
    said = dict.fromkeys((report.form, text) for report in reports for text in report.identities)
    identities = [in_full(Identity.parse(text), form) for form, text in said]
    return Forest.of(tuple(printed), identities, knowledge)


def read(reports: Sequence[ReportPublished], rows: Rows, printed: Sequence[str]) -> Counts:
    """Figures of these rows and columns; `UNKNOWN` where none is given. Raises `Contradiction`."""
    figures = np.full((len(rows.names), len(printed)), UNKNOWN, dtype=np.int64)
    place = rows.place
    column = {name: number for number, name in enumerate(printed)}

    def enter(row: int | None, columns: Sequence[int], cells: Cells) -> None:
        if len(cells) != len(columns):
            raise Contradiction(f"a row has {len(cells)} cells under {len(columns)} columns")
        if row is None:
            return
        for at, cell in zip(columns, cells, strict=True):
            if at >= 0 and cell is not None:
                if figures[row, at] not in {UNKNOWN, cell}:
                    raise Contradiction("two reports give different figures for one cell")
                figures[row, at] = cell

    for report in reports:
        columns = [column.get(f"{report.form}.{c.code}", -1) for c in report.columns]
        enter(place.get((report.unit, False)), columns, report.totals)
        for row in report.rows:
            enter(place.get(rows.row(row.unit, own=row.own)), columns, row.cells)
    return figures


def derived(figures: Counts, forest: Forest) -> Counts:
    """Printed figures in the forest's columns, with those that follow within a row."""
    missing = (figures == UNKNOWN).astype(np.int64) @ np.abs(forest.sums.T) > 0
    known = np.where(missing, UNKNOWN, np.where(figures == UNKNOWN, 0, figures) @ forest.sums.T)
    for whole, parts in forest.partitions * 2:  # downwards, and once more for what came up
        for part in parts:
            others = [each for each in parts if each != part]
            gives = (known[:, part] == UNKNOWN) & (known[:, [whole, *others]] != UNKNOWN).all(
                axis=1
            )
            known[gives, part] = (known[:, whole] - known[:, others].sum(axis=1))[gives]
    return known
