"""Reports to be printed, and what a reader gets back out of each format."""

import csv
import io
from dataclasses import dataclass, field
from datetime import date
from html.parser import HTMLParser
from random import Random

import openpyxl
from hypothesis import strategies as st

from services.reporting.domain.forms import LETTERS, SUPERVISION
from services.reporting.domain.revision import digest
from services.reporting.rendering.spreadsheets import FIRST_HEAD
from shared.contracts import ReportPublished
from shared.contracts.directory import Label
from shared.contracts.report import Change, Column, Edition, Period, ReportRow

UNITS = (
    ("tinh", "Tỉnh Vạn Xuân", "Vạn Xuân Province"),
    ("so-y-te", "Sở Y tế", "Department of Health"),
    ("so-noi-vu", "Sở Nội vụ", "Department of Home Affairs"),
    ("phuong-truc-xanh", "Phường Trúc Xanh", "Trúc Xanh Ward"),
    ("xa-dong-lau", "Xã Đồng Lau", "Đồng Lau Commune"),
    ("dat-dai", "Văn phòng Đăng ký đất đai tỉnh Vạn Xuân", "Land Registration Office"),
)
FORMS = {form.code: form for form in (LETTERS, SUPERVISION)}

HOSTILE = (
    *("=1+1", "+1+1", "-1+1", "@SUM(1;1)", "\t=1+1", "\r=1+1", "\n=1+1", "＝1+1", "＋1+1", "－1+1"),
    *("＠SUM(1)", " =1+1", "   +1", "\u00a0=1+1", "\u200b=1+1", "\ufeff=1+1", "\u3000=1+1", "−1+1"),
    *("﹢1", "﹣1", "﹦1", "'=1+1", "''=1+1", "=", "-", "--", "-1", "+84 24 3824 1234", "@"),
    '=HYPERLINK("http://example.invalid/?"&A1;"bấm")',
    '=WEBSERVICE("http://example.invalid/")',
    "=cmd|'/C calc'!A0",
    '=DDE("cmd";"/C calc";"x")',
    '=IMPORTXML("http://example.invalid/","//a")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    '";=1+1;"',
    "a;=1+1\t=1+1",
    'x"\r\n=1+1,"',
    "<script>alert(1)</script>",
    '"><img src=http://example.invalid/x onerror=alert(1)>',
    "</title></svg></style><script>1</script>",
    "&lt;b&gt; &amp;#61;1+1",
    "_x003D_1+1",
    "{=1+1}",
    "%0A=1+1",
    "1\u202e2\u202c",
    "\x00=1\x07",
)


def report(form: str = "01-xld", year: int = 2026, **more) -> ReportPublished:
    """A province with five units below; figures differ from year to year."""
    chosen = FORMS[form]
    random = Random(year)
    rows = tuple(
        ReportRow(
            unit=unit,
            name=Label(vi=vi, en=en),
            own=unit == "tinh",
            cells=tuple(
                random.randrange(2000 if not n else 40) for n in range(len(chosen.columns))
            ),
        )
        for unit, vi, en in UNITS
    )
    said = {
        "form": form,
        "unit": "tinh",
        "period": half_year(year),
        "edition": Edition.INTERNAL,
        "revision": 1,
        "title": chosen.title,
        "citation": chosen.citation,
        "columns": chosen.published_columns,
        "rows": rows,
        "totals": tuple(map(sum, zip(*(row.cells for row in rows), strict=True))),
        "identities": tuple(identity.text for identity in chosen.identities),
        "digest": "",
        "directory": 3,
        "rulebook": 2,
    }
    made = ReportPublished(**{**said, **more})
    return made.model_copy(update={"digest": digest(made)})


def half_year(year: int) -> Period:
    return Period(
        code=f"{year}-h1",
        label=Label(vi=f"6 tháng đầu năm {year}", en=f"First six months of {year}"),
        first_day=date(year - 1, 12, 15),
        last_day=date(year, 6, 14),
    )


def public(form: str = "01-xld", year: int = 2026, k: int = 10, **more) -> ReportPublished:
    """The public edition, with every small figure withheld."""
    full = report(form, year)
    rows = tuple(row.model_copy(update={"cells": _from(row.cells, k)}) for row in full.rows)
    return report(form, year, edition=Edition.PUBLIC, threshold=k, rows=rows, **more)


def _from(cells, k):
    return tuple(None if cell < k else cell for cell in cells)


def second(form: str = "01-xld", **more) -> ReportPublished:
    """A second revision, which changes three figures."""
    first, other = (column.code for column in FORMS[form].columns[8:10])
    changes = (
        Change(unit="so-y-te", column=first, before=4, now=7),
        Change(unit=None, column=first, before=41, now=44),
        Change(unit="tinh", column=other, before=None, now=12),
    )
    return report(form, revision=2, changes=changes, **more)


def named(text: str) -> ReportPublished:
    """That text wherever a report has a text that is not a code."""
    label = Label(vi=text, en=text)
    columns = (
        Column(code="1", label=label),
        Column(code=text, label=Label(vi=f"{text}: {text}", en=None)),
        Column(code="3", label=Label(vi=f"{text}: 3", en=None)),
    )
    rows = (
        ReportRow(unit="tinh", name=label, own=True, cells=(1, None, 3)),
        ReportRow(unit="xa", name=label, own=False, cells=(4, 5, None)),
    )
    period = half_year(2026).model_copy(update={"label": label})
    changes = (Change(unit="xa", column=text, before=1, now=None),)
    return report(
        title=label,
        citation=text,
        period=period,
        columns=columns,
        rows=rows,
        totals=(5, None, None),
        identities=(text,),
        revision=2,
        changes=changes,
    )


_TEXT = st.one_of(st.text(max_size=30), st.sampled_from(HOSTILE), st.sampled_from(("A: b", "A: c")))
_LABEL = st.builds(Label, vi=_TEXT, en=st.none() | _TEXT)
_CELL = st.none() | st.integers(0, 10**12)


@st.composite
def any_report(draw) -> ReportPublished:
    count = draw(st.integers(1, 8))
    cells = st.tuples(*[_CELL] * count)
    columns = [
        Column(code=f"{place}{draw(_TEXT)}", label=draw(_LABEL)) for place in range(1, count + 1)
    ]
    rows = [
        ReportRow(unit=f"u{place}", name=draw(_LABEL), own=place == 0, cells=draw(cells))
        for place in range(draw(st.integers(1, 4)))
    ]
    return report(
        unit="u0",
        title=draw(_LABEL),
        citation=draw(_TEXT),
        columns=tuple(columns),
        rows=tuple(rows),
        totals=draw(cells),
        identities=tuple(draw(st.lists(_TEXT, max_size=2))),
        threshold=draw(st.none() | st.just(10)),
        edition=draw(st.sampled_from(Edition)),
    )


@dataclass(slots=True)
class Read:
    """What a reader finds: rows of a name and figures; headings with their places and spans."""

    rows: list[tuple[str, tuple[int | None, ...]]] = field(default_factory=list)
    heads: set[tuple[str, int, int, int, int]] = field(default_factory=set)
    texts: list[str] = field(default_factory=list)


def bare(text: object) -> str:
    """Without the one `'` that keeps a spreadsheet from evaluating it."""
    return str(text or "").removeprefix("'")


def figure_of(text: object) -> int | None:
    return None if text == "…" else int(str(text))


def read_csv(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def read_xlsx(content: bytes, columns: int, depth: int) -> Read:
    book = openpyxl.load_workbook(io.BytesIO(content))
    page, notes = book.worksheets
    read = Read()
    merged = {(r.min_row, r.min_col): r for r in page.merged_cells.ranges}
    for row in range(depth):
        for column in range(columns + 1):
            cell = page.cell(FIRST_HEAD + row, column + 1)
            if isinstance(cell, openpyxl.cell.cell.MergedCell):
                continue
            span = merged.get((cell.row, cell.column))
            rows, wide = (span.size["rows"], span.size["columns"]) if span else (1, 1)
            read.heads.add((bare(cell.value), row, column, rows, wide))
    for row in page.iter_rows(FIRST_HEAD + depth + 1, values_only=True):
        read.rows.append((bare(row[0]), tuple(map(figure_of, row[1 : columns + 1]))))
    for sheet in (page, notes):
        for row in sheet.iter_rows():
            read.texts += [bare(c.value) for c in row if isinstance(c.value, str)]
    return read


class HtmlReader(HTMLParser):
    """The first table's heads and rows; every text outside the style sheet."""

    def __init__(self) -> None:
        super().__init__()
        self.read = Read()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self._tables = 0
        self._cells: list[object] = []
        self._text = ""
        self._value: object = None
        self._row = -1
        self._taken: set[tuple[int, int]] = set()

    def handle_starttag(self, tag, attrs):
        at = dict(attrs)
        self.elements.append((tag, at))
        self._open.append(tag)
        self._tables += tag == "table"
        if tag == "tr":
            self._cells, self._row = [], self._row + 1
        if tag in {"th", "td"}:
            self._text, self._value, self._at = "", None, at
        if tag == "data":
            self._value = int(at["value"])

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        if "style" not in self._open:
            self._text += data
            self.read.texts.append(data)

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:
            pass
        if self._tables != 1 or tag not in {"th", "td", "tr"}:
            return
        if tag == "tr":
            if "tbody" in self._open:
                self.read.rows.append((self._cells[0], tuple(self._cells[1:])))
        elif "thead" in self._open:
            if tag == "th":
                self._head()
        else:
            self._cells.append(self._text if tag == "th" else self._figure())

    def _figure(self):
        assert self._value is None or self._text.replace(".", "").replace(",", "") == str(
            self._value
        )
        assert self._value is not None or self._text == "…"
        return self._value

    def _head(self):
        column = next(c for c in range(1000) if (self._row, c) not in self._taken)
        rows, wide = int(self._at.get("rowspan") or 1), int(self._at.get("colspan") or 1)
        self._taken |= {(self._row + r, column + c) for r in range(rows) for c in range(wide)}
        self.read.heads.add((self._text, self._row, column, rows, wide))


def read_html(content: bytes) -> HtmlReader:
    reader = HtmlReader()
    reader.feed(content.decode())
    reader.close()
    return reader
