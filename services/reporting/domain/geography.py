"""A period's reports told again in the units of another day: no figure lost, none twice.

What was published stays. These are for reading beside reports of later units; they are counted
from the own rows that were published, and never from anything else.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

from services.reporting.domain.forms.comparison import Difference, compare
from services.reporting.domain.forms.counting import Cases
from services.reporting.domain.forms.form import Column, Form
from services.reporting.domain.forms.identity import Identity
from services.reporting.domain.lineage import Lineage
from services.reporting.domain.revision import digest
from services.reporting.domain.rollup import Figures, Table, roll_up
from shared.contracts.report import ReportPublished


class NotRestated(ValueError):
    """The reports are not one whole form of a period in full figures; the text says what lacks."""


def restated_figures(
    own: Figures, then: date, lineage: Lineage, width: int
) -> dict[str, tuple[int, ...]]:
    """Own cells of every unit of the later day, from own cells by unit of `then`."""
    moved = {code: [0] * width for code in lineage.tree.bottom_up}
    for code, cells in own.items():
        at = moved[lineage.place(code, then)]
        for place, cell in enumerate(cells):
            at[place] += cell
    return {code: tuple(cells) for code, cells in moved.items()}


def restated(reports: Iterable[ReportPublished], lineage: Lineage) -> Sequence[ReportPublished]:
    """One form of a period, for every unit of the later day; from below upwards.

    `reports` are those of all its units in the internal edition; of several revisions the newest
    counts. Raises `NotRestated`.
    """
    newest = _newest(reports)
    if not newest:
        raise NotRestated("there is no report")
    own = {unit: _own(report) for unit, report in newest.items()}
    _is_whole(newest, own)
    like = max(newest.values(), key=lambda report: (report.revision, report.unit))
    form = _form(like)
    figures = restated_figures(own, like.period.last_day, lineage, len(like.columns))
    return [_told(like, table) for table in roll_up(form, figures, lineage.tree)]


def compared(
    now: ReportPublished, before: Iterable[ReportPublished], lineage: Lineage
) -> Sequence[Difference]:
    """A report beside that of an earlier period, whose figures are told in the report's units.

    `before` are all reports of its form; `lineage` is that of the report's own day. Raises
    `NotRestated`.
    """
    for report in restated(before, lineage):
        if report.unit == now.unit:
            return compare(now, report)
    raise NotRestated(f"{now.unit} is no unit of {lineage.on:%d/%m/%Y}")


def _newest(reports: Iterable[ReportPublished]) -> dict[str, ReportPublished]:
    newest: dict[str, ReportPublished] = {}
    names = set()
    for report in reports:
        names.add((report.form, report.period.code))
        if len(names) > 1:
            raise NotRestated("the reports are of several forms or periods")
        standing = newest.get(report.unit)
        if standing is None or standing.revision < report.revision:
            newest[report.unit] = report
    return newest


def _own(report: ReportPublished) -> tuple[int, ...]:
    own = next((row for row in report.rows if row.own), None)
    cells = () if own is None else own.cells
    full = tuple(cell for cell in cells if cell is not None)
    if own is None or len(full) < len(cells):
        raise NotRestated(f"the report of {report.unit} withholds figures of its own")
    return full


def _is_whole(newest: dict[str, ReportPublished], own: Figures) -> None:
    """Every unit below another must have its report, and no other column may have come between."""
    below = {row.unit for report in newest.values() for row in report.rows if not row.own}
    if missing := sorted(below - newest.keys()):
        raise NotRestated(f"{len(missing)} reports are missing, first {missing[0]}")
    if len({tuple(c.code for c in report.columns) for report in newest.values()}) > 1:
        raise NotRestated("the form's columns differ between revisions")
    roots = [report.totals for unit, report in newest.items() if unit not in below]
    if _sum(roots) != _sum(own.values()):
        raise NotRestated("the totals of the roots are not the sum of all own figures")


def _sum(rows: Iterable[Sequence[int | None]]) -> dict[int, int]:
    total: dict[int, int] = defaultdict(int)
    for cells in rows:
        for place, cell in enumerate(cells):
            total[place] += cell or 0
    return total


def _form(report: ReportPublished) -> Form:
    """As much of the form as a report says: columns, and the identities between them."""
    codes = {column.code for column in report.columns}
    identities = map(Identity.parse, report.identities)
    return Form(
        report.form,
        report.title,
        report.citation,
        tuple(Column(column.code, column.label, Cases()) for column in report.columns),
        tuple(each for each in identities if codes.issuperset(each.columns)),
    )


def _told(like: ReportPublished, table: Table) -> ReportPublished:
    """It was never published: it names no cause and no change, and has a digest of its own."""
    told = like.model_copy(
        update={
            "unit": table.unit,
            "rows": table.rows,
            "totals": table.totals,
            "changes": (),
            "causes": (),
        }
    )
    return told.model_copy(update={"digest": digest(told)})
