"""A report as it is printed: the one model from which every format is made."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.reporting.domain.revision import FIRST
from services.reporting.rendering.heads import Head, nest, paths
from services.reporting.rendering.words import (
    Language,
    days,
    form_number,
    plain,
    said,
    word,
)
from shared.contracts.report import Cells, ReportPublished

WIDE = 20
"""From so many columns on, a report is printed on A3."""

MOST_CAUSES = 100
"""A report names no more; there may be others."""


@dataclass(frozen=True, slots=True)
class Line:
    """A unit's row, or the total's, which has no unit."""

    unit: str | None
    name: str
    own: bool
    cells: Cells


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure that is not what the revision before said."""

    unit: str
    number: str
    column: str
    before: int | None
    now: int | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that is printed, in one language, in the order of the paper.

    `heads` are the headings of all columns, the units' at column 0; `depth` is how many rows they
    take. `codes` name the columns to programs, `numbers` to people: `(1)`, `(2)`, …
    """

    language: Language
    form: str
    number: str
    unit: str
    title: str
    days: str
    period: str
    edition: str
    revision: str
    citation: str
    heads: tuple[Head, ...]
    depth: int
    codes: tuple[str, ...]
    numbers: tuple[str, ...]
    lines: tuple[Line, ...]
    total: Line
    notes: tuple[str, ...]
    replaces: str
    differences: tuple[Difference, ...]
    digest: str
    name: str
    """Of a file, without its ending."""

    @property
    def is_wide(self) -> bool:
        return len(self.codes) >= WIDE

    @property
    def all_lines(self) -> tuple[Line, ...]:
        return (*self.lines, self.total)


def sheet_of(report: ReportPublished, language: Language = Language.VIETNAMESE) -> Sheet:
    unit = _unit_name(report, language)
    number = form_number(report.form)
    found = paths(report.columns, language)
    heads = nest(found, first_column=1)
    depth = max(map(len, found), default=1)
    numbers = _numbers(report)
    return Sheet(
        language=language,
        form=number,
        number=word(_kind("form", number), language, number),
        unit=word("reporting", language, unit),
        title=said(report.title, language),
        days=days(report.period.first_day, report.period.last_day, language),
        period=said(report.period.label, language),
        edition=word(report.edition.value, language),
        revision=word("revision", language, report.revision),
        citation=plain(report.citation),
        heads=(Head(word("unit", language), 0, 0, rows=depth), *heads),
        depth=depth,
        codes=tuple(plain(column.code) for column in report.columns),
        numbers=numbers,
        lines=_lines(report, language),
        total=Line(None, word("total", language), own=False, cells=report.totals),
        notes=_notes(report, unit, number, language),
        replaces=_replaces(report, language),
        differences=_differences(report, numbers, language),
        digest=plain(report.digest),
        name=file_name(report, language),
    )


def file_name(report: ReportPublished, language: Language) -> str:
    """`<form>.<unit>.<period>.r<revision>`, and what is not usual: `public`, `en`."""
    parts = [report.form, report.unit, report.period.code, f"r{report.revision}"]
    parts += ["public"] if report.edition.value == "public" else []
    parts += [language.value] if language is not Language.VIETNAMESE else []
    return ".".join(parts)


def _kind(key: str, number: str) -> str:
    """A form with a number of a circular is a `biểu`, one of our own a `mẫu`."""
    return key if number[:1].isdigit() else f"own-{key}"


def _unit_name(report: ReportPublished, language: Language) -> str:
    own = (row.name for row in report.rows if row.unit == report.unit)
    name = next(own, None)
    return said(name, language) if name else plain(report.unit)


def _numbers(report: ReportPublished) -> tuple[str, ...]:
    """The form's own numbers where all its columns have one, else their places."""
    codes = [column.code for column in report.columns]
    own = all(code.isascii() and code.isdigit() for code in codes)
    return tuple(f"({code if own else place})" for place, code in enumerate(codes, start=1))


def _lines(report: ReportPublished, language: Language) -> tuple[Line, ...]:
    alone = len(report.rows) == 1
    lines = []
    for row in report.rows:
        name = said(row.name, language)
        shown = word("own", language, name) if row.own and not alone else name
        lines.append(Line(plain(row.unit), shown, row.own, row.cells))
    return tuple(lines)


def _notes(report: ReportPublished, unit: str, number: str, language: Language) -> tuple[str, ...]:
    notes = []
    withheld = any(None in cells for cells in (*(r.cells for r in report.rows), report.totals))
    if withheld or any(None in (c.before, c.now) for c in report.changes):
        k = report.threshold
        key = "withheld-plain" if k is None else "withheld"
        notes.append(word(key, language, *((k, k) if k else ())))
    if report.in_flight:
        again = "-again" if report.revision > FIRST else ""
        notes.append(word(f"in-flight{again}", language, report.in_flight))
    if report.identities:
        notes.append(word("checked", language, _checked(report)))
    edition = word(report.edition.value, language)
    period = said(report.period.label, language)
    notes += [
        word("source", language, plain(report.citation)),
        word("rules", language, report.directory, report.rulebook),
        word(
            _kind("cite", number), language, unit, number, period, edition.lower(), report.revision
        ),
        word("digest", language, plain(report.digest)),
    ]
    return tuple(notes)


def _checked(report: ReportPublished) -> str:
    """The identities, with the columns' numbers as printed in place of their codes."""
    numbers = zip(report.columns, _numbers(report), strict=True)
    printed = {column.code: number for column, number in numbers} | {"<=": "≤"}
    return "; ".join(
        " ".join(printed.get(part) or _elsewhere(part) for part in identity.split())
        for identity in report.identities
    )


def _elsewhere(part: str) -> str:
    """A column of another form as printed, `01/XLD (20)` of `01-xld.20`; all else as it is."""
    form, dot, column = plain(part).rpartition(".")
    numbered = dot and form and column.isascii() and column.isdigit()
    return f"{form_number(form)} ({column})" if numbered else plain(part)


def _replaces(report: ReportPublished, language: Language) -> str:
    """What became of the revision before; nothing for the first."""
    if report.revision == 1 and not report.changes:
        return ""
    key = "replaces" if report.changes else "replaces-same"
    sentences = [word(key, language, report.revision - 1)]
    if report.causes:
        count = len(report.causes)
        told = f"≥ {count}" if count >= MOST_CAUSES else str(count)
        sentences.insert(0, word("caused", language, told))
    return " ".join(sentences)


def _differences(
    report: ReportPublished, numbers: Sequence[str], language: Language
) -> tuple[Difference, ...]:
    names = {row.unit: said(row.name, language) for row in report.rows}
    names |= {line.unit: line.name for line in _lines(report, language) if line.unit and line.own}
    columns = {
        column.code: (number, said(column.label, language))
        for column, number in zip(report.columns, numbers, strict=True)
    }
    total = word("total", language)
    found = []
    for change in report.changes:
        number, content = columns.get(change.column, ("", plain(change.column)))
        unit = total if change.unit is None else names.get(change.unit, plain(change.unit))
        found.append(Difference(unit, number, content, change.before, change.now))
    return tuple(found)
