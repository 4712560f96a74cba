"""The public edition of a closing, so coarse that it is safe beside all that is out already."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from services.reporting.domain.disclosure.columns import Forest
from services.reporting.domain.disclosure.knowledge import Knowledge
from services.reporting.domain.disclosure.neighbours import Past, hide_what_periods_tell
from services.reporting.domain.disclosure.pattern import Table, cells_shown, decide, is_fine
from services.reporting.domain.disclosure.tables import Counts, Mask, Row, Rows, forest_of, read
from services.reporting.domain.revision import digest
from shared.contracts import ReportPublished
from shared.contracts.report import Cells, Edition


class TellsOfFew(Exception):
    """A correction would change a figure that is out, or a sum of such, by fewer than k."""


@dataclass(frozen=True, slots=True)
class Protected:
    """`without` are forms of which not even the uppermost totals can be shown."""

    reports: tuple[ReportPublished, ...]
    without: tuple[str, ...] = ()


def protect(
    internal: Sequence[ReportPublished],
    threshold: int,
    knowledge: Knowledge,
    issued: Iterable[ReportPublished] = (),
    *,
    but: AbstractSet[Row] = frozenset(),
) -> Protected:
    """Protect one closing's reports: the last revision of each of one period, of all units.

    `issued` is the public edition of every closing of this period and of those that adjoin it,
    whole, each with the closing's number as `revision`. The rows in `but` tell no stock. Raises
    `TellsOfFew` if the correction has to wait, and `NotAForest`.
    """
    if not internal:
        return Protected(())
    rows, plain = Rows.of(internal), forest_of(internal, knowledge)
    figures, period = read(internal, rows, plain.printed), internal[0].period
    by_issue = groupby(sorted(issued, key=_issue), key=_issue)
    issues = [(code, list(reports)) for (code, _), reports in by_issue]
    own = [Past.of(reports, rows, plain) for code, reports in issues if code == period.code]
    forest = plain.chained(_weights(figures @ plain.sums.T, threshold, own))
    table = Table(rows, forest, figures @ forest.sums.T)
    own = [Past.of(reports, rows, forest) for code, reports in issues if code == period.code]
    others = [Past.of(reports, rows, forest) for code, reports in issues if code != period.code]
    show = decide(table, threshold, _at_most(table, own, but))
    show = hide_what_periods_tell(table, threshold, show, others, period)
    for past in own:
        if not past.whole or _tells_of_few(table, show, past, threshold):
            raise TellsOfFew(period.code)
    out = cells_shown(table, show)
    public = [_public(report, rows, forest, out, threshold) for report in internal]
    below = {int(row) for family in rows.families for row in family.rows}
    tops = [row for row in range(len(out)) if row not in below]
    without = _without(internal, forest, out[tops])
    return Protected(tuple(r for r in public if r.form not in without), without)


def _issue(report: ReportPublished) -> tuple[str, int]:
    return report.period.code, report.revision


def _weights(values: Counts, threshold: int, own: Sequence[Past]) -> list[float]:
    """In how many rows a column can be shown, and then how great it is.

    A correction keeps to what was shown before it.
    """
    total = values.sum(axis=0)
    often = (values >= threshold).sum(axis=0) + total / (total.max(initial=0) + 1)
    if own:
        often = own[-1].known.sum(axis=0) + often / (len(values) + 2)
    return [float(each) for each in often]


def _at_most(table: Table, own: Sequence[Past], but: AbstractSet[Row]) -> Mask:
    """All, but for what was withheld before, and stocks where they tell too much."""
    forest = table.forest
    at_most = np.ones((len(table.values), len(forest.steps)), dtype=bool)
    stocks = {column for pair in forest.stocks for column in pair}
    silent = np.array([name in but for name in table.rows.names])
    for number, step in enumerate(forest.steps):
        if stocks.intersection(step.columns):
            # What a period tells of the next one stands at a root.
            at_most[:, number] = (step.above is None) & ~silent
    for past in own:
        at_most &= past.shows(forest)
    return at_most


def _tells_of_few(table: Table, show: Mask, past: Past, threshold: int) -> bool:
    """Whether something that both issues tell differs by a few: a figure, or what is left."""
    forest = table.forest
    changed = np.where(past.known, table.values - past.values, 0)
    if not is_fine(changed[cells_shown(table, show) & past.known], threshold).all():
        return True
    for number, step in enumerate(forest.steps):
        columns = list(step.columns)
        for family in table.rows.families:
            if show[family.total, number]:
                shown = family.rows[show[family.rows, number]]
                of_shown = changed[np.ix_(shown, columns)].sum(axis=0)
                if not is_fine(changed[family.total, columns] - of_shown, threshold).all():
                    return True
    return False


def _without(internal: Sequence[ReportPublished], forest: Forest, out: Mask) -> tuple[str, ...]:
    secret: dict[str, list[int]] = {report.form: [] for report in internal}
    for name, place in forest.place.items():
        secret[name.partition(".")[0]].append(place)
    return tuple(form for form, places in secret.items() if places and not out[:, places].any())


def _public(
    report: ReportPublished, rows: Rows, forest: Forest, out: Mask, threshold: int
) -> ReportPublished:
    places = [forest.place.get(f"{report.form}.{column.code}") for column in report.columns]
    row_of = rows.place

    def cells(row: int, figures: Cells) -> Cells:
        return tuple(
            figure if place is None or out[row, place] else None
            for place, figure in zip(places, figures, strict=True)
        )

    shown = tuple(
        row.model_copy(update={"cells": cells(row_of[rows.row(row.unit, own=row.own)], row.cells)})
        for row in report.rows
    )
    public = report.model_copy(
        update={
            "edition": Edition.PUBLIC,
            "threshold": threshold,
            "rows": shown,
            "totals": cells(row_of[report.unit, False], report.totals),
            "in_flight": 0,
            "changes": (),
            "causes": (),
        }
    )
    return public.model_copy(update={"digest": digest(public)})
