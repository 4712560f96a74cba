"""Shows reports as tables, and watches their topics."""

from collections.abc import AsyncIterator, Iterable

from nats.aio.client import Client
from nats.js.errors import NotFoundError
from rich.table import Table

from deploy.rules.reading import LEGAL_ZONE
from deploy.stream import messages
from shared.contracts import ReportPublished
from shared.contracts.envelope import Event
from shared.contracts.report import Counted, Edition
from shared.runtime.streams import REPORTS


async def find_report(
    client: Client, unit: str, form: str, period: str
) -> Event[ReportPublished] | None:
    """The revision in force of an internal report, as any consumer gets it from the stream."""
    subject = f"report.internal.{unit}.{form}.{period}"
    try:
        message = await client.jetstream().get_last_msg(REPORTS, subject)
    except NotFoundError:
        return None
    return Event[ReportPublished].model_validate_json(message.data or b"")


async def reports(
    client: Client, period: str | None = None, edition: Edition = Edition.INTERNAL
) -> AsyncIterator[ReportPublished]:
    """Every report of an edition in the stream, all revisions, oldest first."""
    subject = f"report.{edition}.*.*.{period}" if period else f"report.{edition}.>"
    async for message in messages(client, REPORTS, [subject]):
        yield Event[ReportPublished].model_validate_json(message.data).data


async def watch(client: Client, subject: str) -> AsyncIterator[Event[ReportPublished]]:
    """Every report on a subject (with NATS wildcards), old and new, in the stream's order."""
    subscription = await client.jetstream().subscribe(
        subject, stream=REPORTS, ordered_consumer=True
    )
    async for message in subscription.messages:
        yield Event[ReportPublished].model_validate_json(message.data)


def _figure(cell: int | None) -> str:
    return "…" if cell is None else str(cell)


def _sum(cells: Iterable[int | None]) -> str:
    """Withheld if a part is."""
    figures = list(cells)
    return "…" if None in figures else str(sum(figure or 0 for figure in figures))


def _which(report: ReportPublished | Counted, language: str) -> str:
    """Which of the figures for these days: a revision, or those known at a moment."""
    if isinstance(report, ReportPublished):
        return f"{'lần' if language == 'vi' else 'revision'} {report.revision}"
    known = report.known.astimezone(LEGAL_ZONE)
    if language == "vi":
        return f"theo dữ liệu ghi nhận đến {known:%H:%M} ngày {known:%d/%m/%Y}"
    return f"as known at {known:%H:%M} on {known:%d/%m/%Y}"


def table_of(report: ReportPublished | Counted, language: str = "vi") -> Table:
    """The form turned on its side: a row for each of its columns, so that it fits a terminal."""

    def word(label: object) -> str:
        return str(getattr(label, language, None) or getattr(label, "vi", ""))

    own = next((row for row in report.rows if row.own), None)
    below = [row for row in report.rows if not row.own]
    first, last = report.period.first_day, report.period.last_day
    table = Table(
        title=f"{word(report.title)}\n{first:%d/%m/%Y} – {last:%d/%m/%Y} · "
        f"{_which(report, language)}",
        caption=report.citation,
    )
    table.add_column("")
    table.add_column("Nội dung" if language == "vi" else "Content", overflow="fold")
    table.add_column("Riêng đơn vị" if language == "vi" else "Own", justify="right")
    table.add_column(
        f"Cấp dưới ({len(below)})" if language == "vi" else f"Below ({len(below)})",
        justify="right",
    )
    table.add_column("Tổng số" if language == "vi" else "Total", justify="right", style="bold")
    for number, column in enumerate(report.columns):
        table.add_row(
            column.code if column.code.isdigit() else str(number + 1),
            word(column.label),
            _figure(own.cells[number]) if own else "",
            _sum(row.cells[number] for row in below),
            _figure(report.totals[number]),
        )
    return table
