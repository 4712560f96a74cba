"""CSV for programs and XLSX for people; neither has a cell that is ever evaluated."""

import csv
import io
import re
import unicodedata
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from services.reporting.rendering.sheet import Line, Sheet
from services.reporting.rendering.words import WITHHELD, word

FORMULA = frozenset("=+-@'−\t\r\n")
"""What a spreadsheet may take for the beginning of a formula; and `'`, which it takes away."""


def harmless(text: str) -> str:
    """With a `'` before it if a spreadsheet might evaluate it; taking one off gives it back.

    Looked at is the first character that can be seen, and its plain form: `＝` is `=`.
    """
    if text[:1] in {"\t", "\r", "\n"}:
        return f"'{text}"
    unseen = {"Cc", "Cf", "Zs", "Zl", "Zp"}
    first = next((c for c in text if unicodedata.category(c) not in unseen), "")
    return f"'{text}" if unicodedata.normalize("NFKC", first)[:1] in FORMULA and first else text


def csv_of(sheet: Sheet) -> bytes:
    """UTF-8 with a byte order mark: a row of codes, one a unit, the total's."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["unit", "name", *map(harmless, sheet.codes)])
    for line in sheet.all_lines:
        named = ["total", ""] if line.unit is None else [line.unit, line.name]
        cells = [WITHHELD if cell is None else cell for cell in line.cells]
        writer.writerow([*map(harmless, named), *cells])
    return file.getvalue().encode("utf-8-sig")


FIRST_HEAD = 8
"""The spreadsheet's row at which headings begin, below title and edition."""

_FONT = "Times New Roman"
_THIN = Side(style="thin")
_LINE = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
_CENTRED = Alignment(horizontal="center", vertical="center", wrap_text=True)
_LEFT = Alignment(horizontal="left", vertical="center", indent=1, wrap_text=True)
_RIGHT = Alignment(horizontal="right", vertical="center", indent=1)
_A3, _A4 = 8, 9
_UNIT_WIDTH, _WIDTH = 34, 11
_POINTS_A_LINE = 14
_CHARACTERS_A_LINE = 9
_MODIFIED = re.compile(rb"<dcterms:(created|modified)[^>]*>[^<]*</dcterms:\1>")
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_NOTES_WIDTHS = (34, 10, 60, 12, 12)


def xlsx_of(sheet: Sheet) -> bytes:
    """Strings as strings, numbers as numbers, no formula; the same sheet gives the same bytes."""
    book = Workbook()
    page, notes = book.worksheets[0], book.create_sheet()
    page.title = sheet.form.replace("/", "-")[:31]
    notes.title = word("note", sheet.language)
    _title(page, sheet)
    _heads(page, sheet)
    _lines(page, sheet)
    _printed(page, sheet)
    _notes(notes, sheet)
    book.properties.creator = ""
    book.properties.title = f"{sheet.title} – {sheet.period}"
    book.properties.language = sheet.language.value
    file = io.BytesIO()
    book.save(file)
    return _still(file.getvalue())


def _put(page: Worksheet, row: int, column: int, value: str | int, **style: object) -> Cell:
    cell = page.cell(row, column)
    assert isinstance(cell, Cell)  # noqa: S101 - merged cells come after their content
    if isinstance(value, int):
        cell.value = value
        cell.number_format = "#,##0"
    else:
        cell.value = harmless(value)
        cell.data_type = "s"
    cell.font = Font(name=_FONT, size=style.pop("size", 11), **style)  # type: ignore[arg-type]
    return cell


def _merged(page: Worksheet, row: int, column: int, last_row: int, last_column: int) -> None:
    if (row, column) != (last_row, last_column):
        page.merge_cells(
            start_row=row, start_column=column, end_row=last_row, end_column=last_column
        )


def _title(page: Worksheet, sheet: Sheet) -> None:
    last = len(sheet.codes) + 1
    half = max(last // 2, 1)
    left = (sheet.unit, f"{sheet.edition}. {sheet.revision}")
    for row, text in enumerate(left, start=1):
        _put(page, row, 1, text, bold=row == 1).alignment = Alignment(vertical="center")
        _merged(page, row, 1, row, half)
    if last > half:
        cell = _put(page, 1, half + 1, sheet.number, bold=True)
        cell.alignment = Alignment(horizontal="right", vertical="center")
        _merged(page, 1, half + 1, 1, last)
    lines = ((sheet.title.upper(), 14, True), (sheet.period, 12, False), (sheet.days, 11, False))
    for row, (text, size, bold) in enumerate(lines, start=4):
        cell = _put(page, row, 1, text, size=size, bold=bold, italic=row == len(lines) + 3)
        cell.alignment = _CENTRED
        page.row_dimensions[row].height = size + 8
        _merged(page, row, 1, row, last)


def _heads(page: Worksheet, sheet: Sheet) -> None:
    for head in sheet.heads:
        row, column = FIRST_HEAD + head.row, head.column + 1
        _put(page, row, column, head.text, bold=True, size=10).alignment = _CENTRED
        _merged(page, row, column, row + head.rows - 1, column + head.columns - 1)
    below = FIRST_HEAD + sheet.depth
    for place, number in enumerate(("", *sheet.numbers), start=1):
        _put(page, below, place, number, italic=True, size=9).alignment = _CENTRED
    for cells in page.iter_rows(FIRST_HEAD, below, 1, len(sheet.codes) + 1):
        for cell in cells:
            cell.border = _LINE
    for row_number, lines in enumerate(_heights(sheet)):
        page.row_dimensions[FIRST_HEAD + row_number].height = lines * _POINTS_A_LINE


def _heights(sheet: Sheet) -> list[int]:
    """Lines that each row of headings needs; spreadsheets do not fit merged cells themselves."""
    heights = [2] * sheet.depth
    for head in sorted(sheet.heads, key=lambda head: head.rows):
        if head.column == 0:
            continue
        width = _CHARACTERS_A_LINE * head.columns
        needed = _lines_of(head.text, width)
        reached = range(head.row, head.row + head.rows)
        missing = needed - sum(heights[row] for row in reached)
        heights[reached[-1]] += max(missing, 0)
    return heights


def _lines_of(text: str, width: int) -> int:
    lines, used = 1, 0
    for each in text.split():
        if used and used + 1 + len(each) > width:
            lines, used = lines + 1, len(each)
        else:
            used += len(each) + (1 if used else 0)
        lines += max(len(each) - 1, 0) // width
    return lines


def _lines(page: Worksheet, sheet: Sheet) -> None:
    for row, line in enumerate(sheet.all_lines, start=FIRST_HEAD + sheet.depth + 1):
        _line(page, row, line)


def _line(page: Worksheet, row: int, line: Line) -> None:
    bold = line.unit is None
    name = _put(page, row, 1, line.name, bold=bold)
    name.alignment, name.border = _LEFT, _LINE
    page.row_dimensions[row].height = 6 + _lines_of(line.name, _UNIT_WIDTH - 2) * _POINTS_A_LINE
    for column, figure in enumerate(line.cells, start=2):
        cell = _put(page, row, column, WITHHELD if figure is None else figure, bold=bold)
        cell.alignment, cell.border = _RIGHT, _LINE


def _printed(page: Worksheet, sheet: Sheet) -> None:
    last = get_column_letter(len(sheet.codes) + 1)
    page.column_dimensions["A"].width = _UNIT_WIDTH
    for column in range(2, len(sheet.codes) + 2):
        page.column_dimensions[get_column_letter(column)].width = _WIDTH
    below = FIRST_HEAD + sheet.depth
    page.freeze_panes = f"B{below + 1}"
    page.print_title_rows = f"{FIRST_HEAD}:{below}"
    page.print_area = f"A1:{last}{below + len(sheet.all_lines)}"
    _fitted(page, _A3 if sheet.is_wide else _A4)


def _fitted(page: Worksheet, paper: int) -> None:
    page.page_setup.orientation = "landscape"
    page.page_setup.paperSize = paper
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    page.print_options.horizontalCentered = True
    page.page_margins.left = page.page_margins.right = 0.4
    page.page_margins.top = page.page_margins.bottom = 0.8
    page.page_margins.header = page.page_margins.footer = 0.4
    if page.oddFooter is not None:
        page.oddFooter.right.text = "&P/&N"


def _notes(page: Worksheet, sheet: Sheet) -> None:
    for column, width in enumerate(_NOTES_WIDTHS, start=1):
        page.column_dimensions[get_column_letter(column)].width = width
    row = 1
    for text in (*sheet.notes, *((sheet.replaces,) if sheet.replaces else ())):
        _put(page, row, 1, text).alignment = Alignment(vertical="top", wrap_text=True)
        _merged(page, row, 1, row, len(_NOTES_WIDTHS))
        height = _lines_of(text, sum(_NOTES_WIDTHS))
        page.row_dimensions[row].height = height * (_POINTS_A_LINE + 2)
        row += 1
    if sheet.differences:
        _differences(page, sheet, row)
    _fitted(page, _A4)


def _differences(page: Worksheet, sheet: Sheet, first: int) -> None:
    keys = ("unit", "column", "content", "before", "now")
    heads = [word(key, sheet.language) for key in keys]
    rows: list[list[str | int | None]] = [[*heads]]
    rows += [[d.unit, d.number, d.column, d.before, d.now] for d in sheet.differences]
    for row, values in enumerate(rows, start=first):
        for column, value in enumerate(values, start=1):
            cell = _put(page, row, column, WITHHELD if value is None else value, bold=row == first)
            cell.border = _LINE
            cell.alignment = _LEFT if column < len(keys) - 1 else _RIGHT


def _still(made: bytes) -> bytes:
    """Without the moments at which it was written: nobody's working hours, and the same bytes."""
    file = io.BytesIO()
    with ZipFile(io.BytesIO(made)) as source, ZipFile(file, "w", ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = _MODIFIED.sub(b"", content)
            entry = ZipInfo(name, _LONG_AGO)
            entry.compress_type = ZIP_DEFLATED
            target.writestr(entry, content)
    return file.getvalue()
