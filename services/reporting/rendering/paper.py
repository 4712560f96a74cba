"""A report as PDF/A-3: the HTML page on paper, with its own data inside."""

from datetime import UTC, datetime, time
from typing import Any

from services.reporting.rendering.sheet import Sheet
from shared.contracts.report import ReportPublished

VARIANT = "pdf/a-3b"
"""ISO 19005-3, level B: fonts and colours are in the file, and files may be attached."""

FONT = "DejaVu Serif"
"""Has all letters of Vietnamese; embedded as far as it is used."""


class CannotPrint(Exception):
    """Something that printing needs is not on this machine; says what, and how to get it."""


def pdf_of(sheet: Sheet, report: ReportPublished, page: str, data: bytes) -> bytes:
    """`data` is attached as the page's source. Raises `CannotPrint`."""
    weasyprint = _printer()
    at = datetime.combine(report.period.last_day, time.min, tzinfo=UTC)
    attached = weasyprint.Attachment(
        string=data,
        name=f"{sheet.name}.json",
        description=sheet.title,
        created=at,
        modified=at,
        relationship="Source",
    )
    options = {
        "attachments": [attached],
        "pdf_identifier": report.digest.encode(),
        "pdf_tags": True,
        "pdf_variant": VARIANT,
    }
    document = weasyprint.HTML(string=page, url_fetcher=_refuse).render(**options)
    made: bytes = document.write_pdf(**options)
    names = {font.name.decode() for font in document.fonts.values()}
    if not any(name.partition("+")[2].replace("-", " ").startswith(FONT) for name in names):
        raise CannotPrint(
            f"PDF needs the font {FONT}, which has every letter of Vietnamese. "
            "On Debian: apt-get install fonts-dejavu-core fonts-dejavu-extra"
        )
    return made


def _printer() -> Any:  # noqa: ANN401 - WeasyPrint has no types
    try:
        import weasyprint  # type: ignore[import-untyped]  # noqa: PLC0415 - optional, and slow
    except ModuleNotFoundError:
        raise CannotPrint("PDF needs WeasyPrint: pip install 'langnghe[pdf]'") from None
    except OSError as error:
        raise CannotPrint(
            f"PDF needs Pango, which WeasyPrint could not load ({error}). "
            "On Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
        ) from None
    return weasyprint


def _refuse(*_: object, **__: object) -> Any:  # noqa: ANN401 - it never returns
    raise ValueError("a report fetches nothing")
