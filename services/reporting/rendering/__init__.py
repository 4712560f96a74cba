"""A published report as people and programs read it: CSV, XLSX, HTML, PDF, JSON.

Pure: the same report gives the same bytes. All formats are made from one `Sheet`, so that they
cannot differ in a cell; JSON is the report word for word, as its digest was taken.
"""

from collections.abc import Sequence
from enum import StrEnum

from services.reporting.rendering.charts import charts_of
from services.reporting.rendering.pages import fragment, page
from services.reporting.rendering.paper import CannotPrint, pdf_of
from services.reporting.rendering.sheet import Sheet, sheet_of
from services.reporting.rendering.spreadsheets import csv_of, xlsx_of
from services.reporting.rendering.words import Language
from shared.contracts.report import ReportPublished

__all__ = ["CannotPrint", "Format", "Language", "Sheet", "fragment", "render", "sheet_of"]


class Format(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"
    HTML = "html"
    PDF = "pdf"
    JSON = "json"


MEDIA_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.HTML: "text/html; charset=utf-8",
    Format.PDF: "application/pdf",
    Format.JSON: "application/json",
}


def render(
    report: ReportPublished,
    format_: Format,
    language: Language = Language.VIETNAMESE,
    others: Sequence[ReportPublished] = (),
) -> tuple[bytes, str, str]:
    """The bytes, their media type and a file's name; `others` are for charts over periods.

    Raises `CannotPrint` if it is a PDF and this machine cannot make one.
    """
    sheet = sheet_of(report, language)
    content = _content(report, sheet, format_, others)
    return content, MEDIA_TYPES[format_], f"{sheet.name}.{format_}"


def _content(
    report: ReportPublished, sheet: Sheet, format_: Format, others: Sequence[ReportPublished]
) -> bytes:
    if format_ is Format.CSV:
        return csv_of(sheet)
    if format_ is Format.XLSX:
        return xlsx_of(sheet)
    data = report.model_dump_json(indent=2).encode()
    if format_ is Format.JSON:
        return data
    shown = page(sheet, charts_of(report, others, sheet.language))
    if format_ is Format.HTML:
        return shown.encode()
    return pdf_of(sheet, report, shown, data)
