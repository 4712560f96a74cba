"""What is shown: coarsened until everything that can be added or subtracted is fine.

A figure is *fine* if it is nought or at least the threshold k. A row shows a step (see `columns`)
if all its figures there are fine. In each family the rows that do not show a step are hidden
together: a reader can work out what they have in sum, by taking the rows that show it from the
total, and nothing else. So rows join them until these sums are fine.

Why that is enough, docs/adr/0029 tells: a hidden row's figure in column j of a partition of r can
be anything from max(0, R + T - N) to min(R, T), where R is the row's r, T is what the hidden rows
have of j and N of r. With R, T, N - R and N - T fine the range is at least k wide, or the figure
is certain and fine.
"""

from dataclasses import dataclass

import numpy as np

from services.reporting.domain.disclosure.columns import Forest, Step
from services.reporting.domain.disclosure.tables import Counts, Family, Mask, Rows


@dataclass(frozen=True, slots=True)
class Table:
    """`values` are true figures, in the forest's columns."""

    rows: Rows
    forest: Forest
    values: Counts

    def fine(self, threshold: int) -> Mask:
        return is_fine(self.values, threshold)


def is_fine(figures: Counts, threshold: int) -> Mask:
    fine: Mask = (figures == 0) | (np.abs(figures) >= threshold)
    return fine


def decide(table: Table, threshold: int, at_most: Mask) -> Mask:
    """Which rows show which steps, by row and step; only what `at_most` has."""
    fine = table.fine(threshold)
    show = at_most.copy()
    for number, step in enumerate(table.forest.steps):
        show[:, number] &= fine[:, list(step.columns)].all(axis=1)
        if step.above is not None:
            show[:, number] &= show[:, step.above]
        for family in table.rows.families:
            _hide_together(table, threshold, family, step, show[:, number])
    return show


def _hide_together(table: Table, threshold: int, family: Family, step: Step, show: Mask) -> None:
    """Let rows join the hidden ones until what these have in sum is fine; in place.

    What all rows have in sum is the total's, and fine where the total shows it.
    """
    if not show[family.total]:
        show[family.rows] = False
        return
    columns = np.array(step.columns, dtype=np.intp)
    figures = table.values[np.ix_(family.rows, columns)]
    leading = step.columns[0] if step.parent is None else step.parent
    sizes = table.values[family.rows, leading]
    while True:
        shown = show[family.rows]
        few = ~is_fine(figures[~shown].sum(axis=0), threshold)
        if not few.any():
            return
        helping = np.flatnonzero(shown & (figures[:, few] > 0).any(axis=1))
        smallest = helping[np.argmin(sizes[helping])]  # the first of equals
        show[family.rows[smallest]] = False


def cells_shown(table: Table, show: Mask) -> Mask:
    """Which figures are out, by row and column; with a nought, also the noughts that it adds up."""
    out = np.zeros(table.values.shape, dtype=bool)
    for number, step in enumerate(table.forest.steps):
        shown = show[:, number]
        if step.parent is not None:
            shown = shown | (out[:, step.parent] & (table.values[:, step.parent] == 0))
        out[:, list(step.columns)] = shown[:, None]
    return out
