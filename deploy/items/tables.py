"""Rows of cells, and how CSV in any of the old codes becomes them.

Whatever is no table, or costs too much, raises `Broken` with what to do, at the row it ends at.
"""

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import chain, islice
from pathlib import Path

from deploy.items.item import Problem
from services.intake.domain.charset import Decoded, decode

MEGABYTE = 1024 * 1024
MOST_BYTES = 64 * MEGABYTE
MOST_COLUMNS = 1_000
MOST_ROWS = 1_048_576
"""As many as a spreadsheet has."""

DELIMITERS = (",", ";", "\t")
SNIFFED_ROWS = 30
END = "\0"
"""A line that no file holds: text has lost its NULs before."""

_SPACES = re.compile(r"\s+")

Cell = str | int | float | bool | date | datetime | time | timedelta | None


@dataclass(frozen=True, slots=True)
class Row:
    """`number` counts from 1, as a spreadsheet does; a quoted line break is no new row."""

    number: int
    cells: tuple[Cell, ...]


class Broken(Exception):
    """The table cannot be read, or not beyond a row."""

    def __init__(self, rule: str, advice: str, row: int | None = None) -> None:
        super().__init__(rule)
        self.problem = Problem(rule, advice, row=row)


def folded(text: str) -> str:
    """For comparing headings and values: NFC, case-folded, spaces collapsed."""
    return _SPACES.sub(" ", unicodedata.normalize("NFC", text).casefold()).strip()


def cell_text(cell: Cell) -> str:
    """A cell as people read it: whole numbers without `.0`, dates as YYYY-MM-DD."""
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case float() if cell.is_integer():
            return str(int(cell))
        case datetime():
            is_day = not (cell.hour or cell.minute or cell.second or cell.microsecond)
            return cell.date().isoformat() if is_day else cell.isoformat(" ")
        case date() | time():
            return cell.isoformat()
    return unicodedata.normalize("NFC", str(cell)).strip()


def is_blank(cells: tuple[Cell, ...]) -> bool:
    return not any(cell_text(cell) for cell in cells)


def csv_text(path: Path, encoding: str | None = None) -> Decoded:
    """The text of a CSV file: UTF-8, UTF-16, or the best of the old Vietnamese codes."""
    if path.stat().st_size > MOST_BYTES:
        raise Broken("too-large", f"Cut the file into pieces below {MOST_BYTES // MEGABYTE} MB.")
    raw = path.read_bytes()
    if raw[:4] == b"PK\x03\x04":
        raise Broken("not-csv", "This is an XLSX or another archive: name it .xlsx.")
    return decode(raw, encoding or _utf16(raw))


def _utf16(raw: bytes) -> str | None:
    """UTF-16, told by its mark or by its NULs; None if it is something else."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    sample = raw[:1000]
    low, high = sample[1::2].count(0), sample[::2].count(0)
    if 4 * max(low, high) > len(sample):
        return "utf-16-le" if low > high else "utf-16-be"
    return None


def csv_rows(text: str, delimiter: str | None = None) -> Iterator[Row]:
    """Every row; a quotation mark that is never closed is `Broken`, for it swallows the rest."""
    csv.field_size_limit(MOST_BYTES)
    reader = csv.reader(
        chain(io.StringIO(text, newline=""), [END]), delimiter=delimiter or sniffed(text)
    )
    number = 0
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise Broken("not-csv", "Export the table again as CSV in UTF-8.", number) from None
        if cells == [END]:
            return
        if cells and cells[-1].endswith(END):
            advice = "Close the quotation mark that this row opens; what follows was not read."
            raise Broken("open-quote", advice, number)
        yield row_of(number, cells)


def sniffed(text: str) -> str:
    """The delimiter by which most rows fall into the same number of cells."""

    def fit(delimiter: str) -> int:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        try:
            widths = Counter(len(row) for row in islice(rows, SNIFFED_ROWS) if row)
        except csv.Error:
            return 0
        return max(((width - 1) * count for width, count in widths.items()), default=0)

    return max(DELIMITERS, key=fit)


def row_of(number: int, cells: Sequence[Cell]) -> Row:
    """A row without the blank cells at its end; raises `Broken` beyond the bounds."""
    width = len(cells)
    while width and cells[width - 1] in (None, ""):
        width -= 1
    if width > MOST_COLUMNS:
        raise Broken("too-many-columns", f"Keep to {MOST_COLUMNS} columns.", number)
    if number > MOST_ROWS:
        raise Broken("too-many-rows", f"Keep to {MOST_ROWS} rows.", number)
    return Row(number, tuple(cells[:width]))
