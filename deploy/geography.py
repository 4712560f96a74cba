"""Published reports read in the units of another day, and beside those of the year before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from nats.aio.client import Client
from rich.table import Table

from deploy import show
from services.reporting.domain.forms.comparison import Difference, year_before
from services.reporting.domain.geography import NotRestated, compared, restated
from services.reporting.domain.lineage import Lineage, NotLater
from services.reporting.domain.rollup import NoUnitInForce
from shared.contracts import DirectoryPublished, ReportPublished


class Geography(StrEnum):
    THEN = "then"
    """As it was published: the units of the period's last day."""
    NOW = "now"
    """The units of today: what was merged or split counts where it went."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A form of a period, of one unit or else the first root; `beside`: with the year before."""

    period: str
    form: str
    unit: str | None
    geography: Geography
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A report in the units of `on`; `before` has what the year before said in the same units.

    None without one: nobody asked, or the year before has no such reports.
    """

    report: ReportPublished
    on: date
    before: Sequence[Difference] | None = None


async def shown(
    client: Client, directory: DirectoryPublished, wanted: Wanted, today: date
) -> Shown:
    """Raises `NotRestated`."""
    found = await _reports(client, wanted.period, wanted.form)
    if not found:
        raise NotRestated(f"there are no reports {wanted.form} for {wanted.period}")
    on = today if wanted.geography is Geography.NOW else found[0].period.last_day
    try:
        lineage = Lineage(directory.directory, on)
        told = {report.unit: report for report in restated(found, lineage)}
    except (NoUnitInForce, NotLater):
        raise NotRestated(f"the directory cannot tell the units of {on:%d/%m/%Y}") from None
    code = wanted.unit or lineage.tree.bottom_up[-1]
    if code not in told:
        raise NotRestated(f"{code} is no unit of {on:%d/%m/%Y}")
    last_year = year_before(wanted.period)
    earlier = await _reports(client, last_year, wanted.form) if wanted.beside else []
    before = compared(told[code], earlier, lineage) if earlier else None
    return Shown(told[code], on, before)


async def _reports(client: Client, period: str, form: str) -> list[ReportPublished]:
    return [report async for report in show.reports(client, period) if report.form == form]


def table_of(shown: Shown, language: str = "vi") -> Table:
    """The report with the day of its units; where it was asked, beside the year before."""
    vietnamese = language == "vi"
    table = show.table_of(shown.report, language)
    units = "Số liệu theo đơn vị tại ngày" if vietnamese else "In the units of"
    note = f"{units} {shown.on:%d/%m/%Y}"
    if shown.before is None:
        table.caption = f"{table.caption} · {note}"
        return table
    beside = Table(title=table.title, caption=f"{table.caption} · {note}")
    beside.add_column("")
    heads = ("Kỳ này", "Cùng kỳ năm trước", "Tăng, giảm", "%")
    if not vietnamese:
        heads = ("Now", "The year before", "Difference", "%")
    for head in heads:
        beside.add_column(head, justify="right")
    for each in shown.before:
        cells = (each.now, each.before, each.difference, each.percent)
        beside.add_row(each.column, *("…" if cell is None else str(cell) for cell in cells))
    return beside


def as_json(shown: Shown) -> dict[str, object]:
    """The report under `data`; never an event, since in these units it was not published."""
    said: dict[str, object] = {
        "units_on": shown.on.isoformat(),
        "data": shown.report.model_dump(mode="json", exclude_none=True),
    }
    if shown.before is not None:
        said["beside"] = [
            {"column": d.column, "now": d.now, "before": d.before, "difference": d.difference}
            for d in shown.before
        ]
    return said
