"""What is out already, of this period and of those that adjoin it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from services.reporting.domain.disclosure.columns import Forest
from services.reporting.domain.disclosure.pattern import Table, decide, is_fine
from services.reporting.domain.disclosure.tables import UNKNOWN, Counts, Mask, Rows, derived, read
from shared.contracts import ReportPublished
from shared.contracts.report import Period


@dataclass(frozen=True, slots=True)
class Past:
    """An issue in the rows and columns of the one that is protected.

    `values` count where they are `known`. Not `whole`: its units or columns are others.
    """

    period: Period
    values: Counts
    known: Mask
    whole: bool

    @classmethod
    def of(cls, reports: Sequence[ReportPublished], rows: Rows, forest: Forest) -> "Past":
        figures = read(reports, rows, forest.printed)
        values = derived(figures, forest)
        known = values != UNKNOWN
        forms = {report.form for report in reports}
        there = {f"{r.form}.{c.code}" for r in reports for c in r.columns}
        expected = {name for name in forest.printed if name.partition(".")[0] in forms}
        whole = set(Rows.of(reports).names) == set(rows.names) and there == expected
        return cls(reports[0].period, values, known, whole)

    def adjoins(self, period: Period) -> bool:
        day = timedelta(days=1)
        mine = self.period
        return mine.last_day + day == period.first_day or period.last_day + day == mine.first_day

    def shows(self, forest: Forest) -> Mask:
        """Which rows showed which steps."""
        shown = [self.known[:, list(step.columns)].all(axis=1) for step in forest.steps]
        return np.array(shown, dtype=bool).T


def hide_what_periods_tell(
    table: Table, threshold: int, show: Mask, pasts: Sequence[Past], period: Period
) -> Mask:
    """What of `show` can stay beside the issues of the periods that adjoin this one.

    Carried over here is what was open there. So a stock is told by either, and what is left of a
    family's stock, when all that are told are taken from the total, must be fine as well.
    """
    beside = [past for past in pasts if past.adjoins(period)]
    while True:
        hide = np.zeros(show.shape, dtype=bool)
        for past in beside:
            for carried, left in table.forest.stocks:
                earlier = past.period.last_day < period.first_day
                here, there = (carried, left) if earlier else (left, carried)
                step = next(n for n, s in enumerate(table.forest.steps) if here in s.columns)
                told = past.known[:, there]
                late = told & ~is_fine(table.values[:, here] - past.values[:, there], threshold)
                hide[:, step] |= show[:, step] & late
                hide[:, step] |= _telling(table, threshold, show[:, step], here, told)
        if not hide.any():
            return show
        show = decide(table, threshold, show & ~hide)


def _telling(table: Table, threshold: int, show: Mask, here: int, told: Mask) -> Mask:
    """Rows that may not show this stock, since what is left untold would be too little."""
    stock, hide = table.values[:, here], np.zeros(len(show), dtype=bool)
    for family in table.rows.families:
        if not (show | told)[family.total]:
            continue
        known = family.rows[(show | told)[family.rows]]
        left = stock[family.total] - stock[known].sum()
        new = family.rows[show[family.rows] & ~told[family.rows] & (stock[family.rows] > 0)]
        if len(new) and not is_fine(np.array([left]), threshold).all():
            hide[new[np.argmin(stock[new])]] = True
    return hide
