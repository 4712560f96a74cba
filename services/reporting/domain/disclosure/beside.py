"""Ranges in a large table, one row beside all others taken together.

Rows may be added up: their sums obey the same equations, so what is narrow then is narrow. And in
a *regular* table nothing is lost by it. A table is regular if who does not see a column of a row
sees none of its parts either, of a partition sees all parts or none, and does not see below a
total what the total hides. Then whatever the sums are, they can be shared out to the rows, from
the roots of the forest to its leaves and from above downwards: each share is a table with known
row and column sums, and such a table can always be filled. docs/adr/0029 has the argument.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from services.reporting.domain.disclosure.columns import Forest, NotAForest
from services.reporting.domain.disclosure.equations import System
from services.reporting.domain.disclosure.issues import Cell, Issue
from services.reporting.domain.disclosure.tables import (
    UNKNOWN,
    Counts,
    Family,
    Mask,
    Places,
    derived,
    forest_of,
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """`known` figures by row and column; each line of `equations` times a row is 0.

    `families` as in `Rows`; `above` is the place of a row's family, or -1.
    """

    known: Counts
    equations: Counts
    families: Sequence[Family]

    def above(self) -> dict[int, Family]:
        return {int(row): family for family in self.families for row in family.rows}


def sheet_of(
    issues: Sequence[Issue],
    known: Mapping[tuple[int, Cell], int],
    stocks: Sequence[tuple[tuple[int, str], tuple[int, str]]],
) -> Sheet | None:
    """The issues as one sheet, their columns side by side; None where that would lose anything."""
    first = issues[0]
    if any(not i.whole or i.families != first.families or i.rows != first.rows for i in issues):
        return None
    place = {name: n for n, name in enumerate(_columns(issues))}
    row_of = {row: number for number, row in enumerate(first.rows)}
    figures = np.full((len(row_of), len(place)), UNKNOWN, dtype=np.int64)
    for (number, (row, name)), figure in known.items():
        figures[row_of[row], place[number, name]] = figure
    ties = [[(s, (n, name)) for s, name in tie] for n, i in enumerate(issues) for tie in i.ties]
    ties += [[(1, carried), (-1, left)] for carried, left in stocks]
    equations = np.zeros((len(ties), len(place)), dtype=np.int64)
    for number, tie in enumerate(ties):
        for sign, column in tie:
            equations[number, place[column]] = sign
    families = [
        Family(row_of[total], np.array([row_of[row] for row in rows], dtype=np.intp))
        for total, rows in first.families.items()
    ]
    for number, issue in enumerate(issues):
        try:
            forest = forest_of(issue.reports, replace(issue.knowledge, stocks=()))
        except NotAForest:
            return None
        shown = Counter(name for _, name in issue.shown)
        weights = {at: shown[name] for name, at in forest.place.items()}
        forest = forest.chained([weights.get(at, 0) for at in range(len(forest.names))])
        of_issue = figures[:, [place[number, name] for name in issue.printed]]
        pinned = {forest.place[name] for each in stocks for n, name in each if n == number}
        if not is_regular(Sheet(of_issue, equations[:0], families), forest, sorted(pinned)):
            return None
    return Sheet(figures, equations, families)


def _columns(issues: Sequence[Issue]) -> list[tuple[int, str]]:
    return [(n, name) for n, i in enumerate(issues) for name in (*i.printed, *i.rests)]


def in_sheet(
    issues: Sequence[Issue], sheet: Sheet, wide: int
) -> Iterator[tuple[tuple[int, Cell], int, int]]:
    """Every cell that has no range so wide, named by its issue's number."""
    columns = _columns(issues)
    for row, column, least, greatest in narrow_in_regular(sheet, wide):
        number, name = columns[column]
        yield (number, (issues[0].rows[row], name)), least, greatest


def is_regular(sheet: Sheet, forest: Forest, pinned: Sequence[int] = ()) -> bool:
    """`pinned` are columns that may be known by themselves: stocks that another period tells."""
    known = derived(sheet.known, forest)
    absent = _absent(known, sheet.families, forest)
    seen = known != UNKNOWN
    for whole, parts in forest.partitions:
        free = [part for part in parts if part not in pinned]
        some = (seen[:, free] & ~absent[:, free]).any(axis=1)
        unseen = ~seen[:, free]
        if (unseen.any(axis=1) & some).any():
            return False
        if (some & ~seen[:, whole]).any():
            return False
    for family in sheet.families:
        hidden = ~seen[family.total]
        hidden[list(pinned)] = False
        below = seen[family.rows] & ~absent[family.rows]
        if (below & hidden[None, :]).any():
            return False
    return True


def _absent(known: Counts, families: Sequence[Family], forest: Forest) -> Mask:
    """Noughts that say nothing new: of a nought above, or where all that is hidden is nought."""
    absent = np.zeros(known.shape, dtype=bool)
    for judge, amounts in forest.amounts.items():
        absent[:, list(amounts)] = (known[:, [judge]] == 0) & (known[:, list(amounts)] == 0)
    for family in families:
        rows = known[family.rows]
        none = known[family.total] == 0
        absent[family.rows] |= none[None, :] & (rows == 0)
        for whole, parts in forest.partitions:
            columns = list(parts)
            part = (rows[:, columns] == UNKNOWN).any(axis=1)
            hidden = rows[np.ix_(part, columns)]
            empty = (hidden == 0).all(axis=0)
            absent[np.ix_(family.rows[part], np.array(columns)[empty])] = True
            absent[np.ix_(family.rows[rows[:, whole] == 0], columns)] = True
    return absent


def narrow_in_regular(sheet: Sheet, wide: int) -> Iterator[tuple[int, int, int, int]]:
    """Row, column, least and greatest of every unknown that has no range so wide."""
    above = sheet.above()
    for columns in _tied(sheet.equations):
        lines = sheet.equations[:, columns]
        part = Sheet(sheet.known[:, columns], lines[lines.any(axis=1)], sheet.families)
        seen: dict[tuple[int, bytes], list[tuple[int, int, int]]] = {}
        for row in map(int, np.flatnonzero((part.known == UNKNOWN).any(axis=1))):
            total = above[row].total if row in above else UNKNOWN
            # Rows of one family of which the same is known can be the same.
            alike = total, part.known[row].tobytes()
            if alike not in seen:
                narrow = _beside(part, row, above).narrow(wide, lambda name: name[:2] == (0, 0))
                seen[alike] = [(name[2], least, greatest) for name, least, greatest in narrow]
            for column, least, greatest in seen[alike]:
                yield row, int(columns[column]), least, greatest


def _tied(equations: Counts) -> list[Places]:
    """Columns in groups that no equation joins."""
    group = np.arange(equations.shape[1])
    for line in equations:
        named = np.unique(group[line != 0])
        group[np.isin(group, named)] = named.min(initial=0)
    return [np.flatnonzero(group == each) for each in np.unique(group)]


Var = tuple[int, int, int]
"""0 for the row, 1 for what is beside it; how many levels up; and the column."""


def _beside(sheet: Sheet, row: int, above: dict[int, Family]) -> System[Var]:
    """The equations of a row, of all rows beside it in sum, of the total, and so on upwards."""
    system: System[Var] = System()
    level = 0
    while (sheet.known[row] == UNKNOWN).any():
        _within(system, sheet, level, sheet.known[row])
        family = above.get(row)
        if family is None:
            break
        others = sheet.known[family.rows[family.rows != row]]
        _add_up(system, level, (sheet.known[[row]], others), sheet.known[family.total])
        row, level = family.total, level + 1
    return system


def _within(system: System[Var], sheet: Sheet, level: int, figures: Counts) -> None:
    """What ties the columns of a row; of those beside it the same follows from the total's."""
    unknown = figures == UNKNOWN
    known = sheet.equations @ np.where(unknown, 0, figures)
    for line, of_known in zip(sheet.equations, known, strict=True):
        columns = np.flatnonzero((line != 0) & unknown)
        system.add([(int(line[c]), (0, level, int(c))) for c in columns], int(of_known))


def _add_up(system: System[Var], level: int, parts: Sequence[Counts], total: Counts) -> None:
    for column in range(len(total)):
        terms: list[tuple[int, Var]] = []
        known = 0
        for number, rows in enumerate(parts):
            figures = rows[:, column]
            known += int(figures[figures != UNKNOWN].sum())
            if (figures == UNKNOWN).any():
                terms.append((1, (number, level, column)))
        if total[column] == UNKNOWN:
            terms.append((-1, (0, level + 1, column)))
        else:
            known -= int(total[column])
        system.add(terms, known)
