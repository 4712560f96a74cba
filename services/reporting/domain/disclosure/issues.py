"""One issue as a reader has it: cells, those of them that are shown, and what must add up."""

from collections import Counter
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import pairwise

from services.reporting.domain.disclosure.equations import Equations
from services.reporting.domain.disclosure.knowledge import Knowledge
from services.reporting.domain.disclosure.tables import Contradiction, Row, Rows
from services.reporting.domain.forms.identity import Identity
from services.reporting.domain.forms.rules import in_full
from shared.contracts import ReportPublished
from shared.contracts.report import Period

Cell = tuple[Row, str]
"""A row and a column, in full; or the rest of one column by another, as `01-xld.24 - 01-xld.26`."""

Tie = tuple[tuple[int, str], ...]
"""Signs and columns that add up to nought in each row."""

Terms = list[tuple[int, Cell]]


@dataclass(frozen=True, slots=True)
class Issue:
    """`known` begins with what is shown, and `follow` adds to it.

    `columns` has what is printed, and `rests` behind it; `cells` has what the reports have of it.
    """

    period: Period
    revision: int
    reports: tuple[ReportPublished, ...]
    rows: tuple[Row, ...]
    printed: tuple[str, ...]
    rests: tuple[str, ...]
    families: dict[Row, tuple[Row, ...]]
    cells: AbstractSet[Cell]
    shown: AbstractSet[Cell]
    known: dict[Cell, int]
    ties: tuple[Tie, ...]
    knowledge: Knowledge

    @classmethod
    def of(cls, reports: Sequence[ReportPublished], knowledge: Knowledge) -> "Issue":
        """Raises `Contradiction`."""
        rows = Rows.of(reports)
        cells: set[Cell] = set()
        known: dict[Cell, int] = {}
        for report in reports:
            lines = [(rows.row(row.unit, own=row.own), row.cells) for row in report.rows]
            for row, figures in (*lines, ((report.unit, False), report.totals)):
                if len(figures) != len(report.columns):
                    raise Contradiction("a row is shorter or longer than its head")
                for column, figure in zip(report.columns, figures, strict=True):
                    cell = row, f"{report.form}.{column.code}"
                    cells.add(cell)
                    if figure is not None and known.setdefault(cell, figure) != figure:
                        raise Contradiction("two reports give different figures for one cell")
        printed = dict.fromkeys(f"{r.form}.{column.code}" for r in reports for column in r.columns)
        ties = tuple(dict.fromkeys(_ties(reports, knowledge, printed.keys())))
        named = dict.fromkeys(name for tie in ties for _, name in tie)
        return cls(
            period=reports[0].period,
            revision=reports[0].revision,
            reports=tuple(reports),
            rows=rows.names,
            printed=tuple(printed),
            rests=tuple(name for name in named if name not in printed),
            families={
                rows.names[f.total]: tuple(rows.names[row] for row in f.rows) for f in rows.families
            },
            cells=cells,
            shown=frozenset(known),
            known=known,
            ties=ties,
            knowledge=knowledge,
        )

    @property
    def whole(self) -> bool:
        """Whether every row has every column."""
        return len(self.cells) == len(self.rows) * len(self.printed)

    def is_secret(self, cell: Cell) -> bool:
        return cell[1] not in self.knowledge.exempt

    def equations(self) -> Iterator[Terms]:
        for tie in self.ties:
            names = {name for _, name in tie if name not in self.rests}
            for row in self.rows:
                if all((row, name) in self.cells for name in names):
                    yield [(sign, (row, name)) for sign, name in tie]
        for total, rows in self.families.items():
            for name in self.printed:
                if all((row, name) in self.cells for row in (total, *rows)):
                    yield [(1, (total, name)), *((-1, (row, name)) for row in rows)]

    def follow(self) -> None:
        """Raises `Contradiction`."""
        Equations(self.known, self.equations()).follow()


def _ties(
    reports: Sequence[ReportPublished], knowledge: Knowledge, columns: AbstractSet[str]
) -> Iterator[Tie]:
    said = dict.fromkeys(("", text) for text in knowledge.links)
    said |= dict.fromkeys((report.form, text) for report in reports for text in report.identities)
    same: set[tuple[tuple[str, ...], ...]] = set()
    for form, text in said:
        identity = in_full(Identity.parse(text), form)
        if not set(identity.columns) <= columns or set(identity.columns) <= knowledge.exempt:
            continue
        for relation, (left, right) in zip(
            identity.relations, pairwise(identity.sums), strict=True
        ):
            signs = Counter(right)
            signs.subtract(left)
            terms = tuple((sign, name) for name, sign in signs.items() if sign)
            if relation == "=":
                same |= {(left, right), (right, left)}
                yield terms
            elif (left, right) not in same:
                yield (*terms, (-1, f"{' + '.join(right)} - {' - '.join(left)}"))


def cell_name(name: str) -> tuple[str, str]:
    """Form and column; a rest is named without the form, as `24 - 26`."""
    form, _, _ = name.partition(".")
    return form, name.replace(f"{form}.", "")
