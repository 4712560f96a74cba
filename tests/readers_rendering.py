"""What a reader gets back out of each format of a report."""

import csv
import io
from dataclasses import dataclass, field
from html.parser import HTMLParser

import openpyxl

from services.reporting.rendering.spreadsheets import FIRST_HEAD


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
