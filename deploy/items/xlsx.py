"""XLSX to rows of cells, by their values; weighed before anything is held in memory."""

import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from xml.etree.ElementTree import ParseError
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile, ZipInfo

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from deploy.items.tables import MEGABYTE, Broken, Row, folded, row_of

MOST_UNPACKED = 100 * MEGABYTE
"""Of all parts; they are unpacked piece by piece, and never to disk."""

MOST_PARTS = 2_000
MOST_ELEMENTS = 4_000_000
"""Of XML, in all parts: openpyxl keeps some 70 bytes of each, even of an empty one."""

MOST_CELLS = 16_384
"""Of a row, as many as a spreadsheet has; openpyxl holds a row whole."""

CELL_DEPTH = 4
MOST_DEPTH = 100
PIECE = 64 * 1024

warnings.filterwarnings("ignore", module="openpyxl")  # they quote cells
_OLE = b"\xd0\xcf\x11\xe0"


def xlsx_rows(path: Path, sheet: str | None = None) -> Iterator[Row]:
    """The values of a sheet; what a formula last gave, never the formula."""
    with path.open("rb") as file:
        try:
            yield from _rows(file, sheet)
        except (
            *(BadZipFile, ParseError, InvalidFileException, zlib.error, EOFError, OSError),
            *(ValueError, LookupError, TypeError, AttributeError, ArithmeticError),
            *(RuntimeError, AssertionError),
        ):  # openpyxl raises most of these on files that somebody made or broke.
            advice = "Open it in a spreadsheet and save it again as XLSX, or export it as CSV."
            raise Broken("not-xlsx", advice) from None


def _rows(file: IO[bytes], sheet: str | None) -> Iterator[Row]:
    if file.read(len(_OLE)) == _OLE:
        raise Broken("not-xlsx", "Save it as XLSX without a password: this is the old XLS.")
    with ZipFile(file) as archive:
        _weigh(archive)
    book: Any = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
    try:
        named = {folded(s.title): s for s in book.worksheets}
        if not named or (sheet is not None and folded(sheet) not in named):
            raise Broken("no-sheet", "Name a sheet of this file in the mapping, under `sheet`.")
        found = book.worksheets[0] if sheet is None else named[folded(sheet)]
        found.reset_dimensions()  # what a file says of its own size may be anything
        for number, cells in enumerate(found.iter_rows(values_only=True), 1):
            yield row_of(number, cells)
    finally:
        book.close()


def _too_large() -> Broken:
    return Broken("too-large", "It unpacks to too much: cut it into several files.")


def _weigh(archive: ZipFile) -> None:
    """Raise `Broken` if it would cost too much. A part unpacks to no more than it declares."""
    parts = archive.infolist()
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
        raise _too_large()
    left = MOST_ELEMENTS
    for part in parts:
        left -= _elements(archive, part, left)


def _elements(archive: ZipFile, part: ZipInfo, most: int) -> int:
    """How many elements a part has; 0 if it is no XML."""
    count = 0
    children = [0]

    def begin(_name: str, _attributes: object) -> None:
        nonlocal count
        count += 1
        children[-1] += 1
        if count > most or len(children) > MOST_DEPTH:
            raise _too_large()
        if len(children) >= CELL_DEPTH and children[-1] > MOST_CELLS:
            raise Broken("too-many-columns", f"Keep to {MOST_CELLS} columns.")
        children.append(0)

    def end(_name: str) -> None:
        children.pop()

    def declare(*_doctype: object) -> None:
        raise Broken("not-xlsx", "It declares entities of its own, which no spreadsheet does.")

    parser = expat.ParserCreate()
    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = declare
    try:
        with archive.open(part) as content:
            while piece := content.read(PIECE):
                parser.Parse(piece)
    except expat.ExpatError:  # a picture, or what openpyxl will not read either
        return count
    return count
