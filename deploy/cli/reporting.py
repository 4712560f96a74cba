"""`report …`: periods and reports."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from deploy import counting, geography, show
from deploy.cli.terminal import AsJson, State, console, emit, run
from deploy.command import Order, give
from deploy.connection import connected, find_endpoints, latest_directory
from deploy.demo import OPERATOR
from deploy.export import CSV, DRAWN, export
from deploy.geography import Geography, Wanted
from deploy.rules.reading import LEGAL_ZONE
from services.reporting.domain.geography import NotRestated
from services.reporting.rendering import CannotPrint, Format, Language
from shared.contracts import ReportClose, ReportRevise
from shared.contracts.report import Edition

report_app = typer.Typer(help="Periods and reports.", no_args_is_help=True)
app = typer.Typer()
app.add_typer(report_app, name="report")


@report_app.command("close")
def report_close(
    period: str,
    state: State = None,
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Close although events are under way; reports say so.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Close a period, e.g. 2026-h1, and publish its reports."""
    _count(period, lambda: ReportClose(period=period, force=force), state, as_json=as_json)


@report_app.command("revise")
def report_revise(period: str, state: State = None, *, as_json: AsJson = False) -> None:
    """Count a closed period again, and publish what has changed."""
    _count(period, lambda: ReportRevise(period=period), state, as_json=as_json)


def _count(
    period: str,
    order: Callable[[], ReportClose | ReportRevise],
    state: Path | None,
    *,
    as_json: bool,
) -> None:
    try:
        wanted = order()
    except ValidationError:
        console.print("A period is written <year>-<period>, e.g. 2026-h1.", style="red")
        raise typer.Exit(2) from None

    async def work() -> int:
        async with connected(find_endpoints(state).nats) as client:
            before = len([report async for report in show.reports(client, period)])
            now = datetime.now(UTC)
            [fate] = await give(client, "reporting", [Order(OPERATOR, period, now, wanted)])
            count = len([report async for report in show.reports(client, period)]) - before
        refused = fate.refusal.title if fate.refusal else None
        if as_json:
            emit({"period": period, "fate": fate.fate, "reason": refused, "reports": count})
        elif refused:
            console.print(f"[red]{refused}[/red]")
            for problem in fate.refusal.problems if fate.refusal else ():
                console.print(problem.advice, markup=False)
        elif count:
            console.print(f"{period}: {count} reports are published")
        else:
            console.print(f"{period}: nothing has changed")
        return 1 if refused else 0

    run(work())


@report_app.command("show")
def report_show(
    period: str,
    form: Annotated[str, typer.Option(help="Its code in the rulebook.")] = "01-xld",
    unit: Annotated[str | None, typer.Option(help="Code of the unit; the root if none.")] = None,
    language: Annotated[str, typer.Option(help="vi or en")] = "vi",
    state: State = None,
    *,
    units: Annotated[
        Geography, typer.Option("--geography", help="In the units of then, or of today.")
    ] = Geography.THEN,
    beside: Annotated[
        bool, typer.Option("--year-before", help="Beside the year before, in the same units.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show a published report."""
    if units is Geography.NOW or beside:
        wanted = Wanted(period, form, unit, units, beside)
        run(_show_elsewhere(wanted, language, state, as_json=as_json))

    async def work() -> int:
        async with connected(find_endpoints(state).nats) as client:
            directory = await latest_directory(client.jetstream())
            roots = [u.code for u in directory.directory.units if not u.parent] if directory else []
            code = unit or (roots[0] if roots else "")
            found = await show.find_report(client, code, form, period)
        if found is None:
            console.print(f"[red]No report {form} of {code or 'any unit'} for {period}.[/red]")
            return 1
        if as_json:
            emit(found.model_dump(mode="json", exclude_none=True))
        else:
            Console().print(show.table_of(found.data, language))
        return 0

    run(work())


async def _show_elsewhere(
    wanted: Wanted, language: str, state: Path | None, *, as_json: bool
) -> int:
    """A report in the units of another day, or beside the year before."""
    today = datetime.now(LEGAL_ZONE).date()
    async with connected(find_endpoints(state).nats) as client:
        directory = await latest_directory(client.jetstream())
        if directory is None:
            console.print("No directory has been published.", style="red")
            return 1
        try:
            found = await geography.shown(client, directory, wanted, today)
        except NotRestated as error:
            console.print(f"Cannot be shown so: {error}.", style="red", markup=False)
            return 1
    if as_json:
        emit(geography.as_json(found))
    else:
        Console().print(geography.table_of(found, language))
    if wanted.beside and found.before is None:
        console.print("The year before has no such reports.", style="yellow")
    return 0


DAY = "%Y-%m-%d"
MOMENT = "%Y-%m-%dT%H:%M:%S%z"


@report_app.command("count")
def report_count(
    *,
    form: Annotated[str, typer.Option(help="Its code in the rulebook.")],
    unit: Annotated[str, typer.Option(help="Code of the unit.")],
    period: Annotated[str, typer.Option(help="e.g. 2026-h1; it may run still.")],
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", formats=[DAY], help="Count up to this day's end; else all of it."),
    ] = None,
    known: Annotated[
        datetime | None,
        typer.Option(
            formats=[DAY, MOMENT], help="Only what was recorded by this day's end, or moment."
        ),
    ] = None,
    party: Annotated[str, typer.Option("--as", help="Code of the body that asks.")] = OPERATOR,
    language: Annotated[str, typer.Option(help="vi or en")] = "vi",
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Count a unit's figures as of a day, as they were known on a day; nothing is published."""
    asked = {
        "form": form,
        "unit": unit,
        "period": period,
        "as_of": as_of.date() if as_of else None,
        "known": counting.instant(known, datetime.now(UTC), LEGAL_ZONE) if known else None,
    }

    async def work() -> int:
        async with connected(find_endpoints(state).nats) as client:
            told = await counting.count(client, party, asked)
        if as_json:
            emit(told.model_dump(mode="json", exclude_none=True))
        elif told.counted is None:
            for line in counting.refusal(told):
                console.print(line, style="red", markup=False, soft_wrap=True)
        else:
            Console().print(show.table_of(told.counted, language))
        return 0 if told.counted else 1

    run(work())


@report_app.command("export")
def report_export(
    period: str,
    folder: Annotated[Path, typer.Argument(help="Where the files go, one a report and format.")],
    *,
    formats: Annotated[list[Format], typer.Option("--format", help="May be said again.")] = CSV,
    unit: Annotated[str | None, typer.Option(help="Only this unit's.")] = None,
    form: Annotated[str | None, typer.Option(help="Only this form, e.g. 01-xld.")] = None,
    edition: Edition = Edition.INTERNAL,
    language: Language = Language.VIETNAMESE,
    revision: Annotated[int | None, typer.Option(help="Only this one; else all.")] = None,
    state: State = None,
) -> None:
    """Write every report of a period: the unit's own row, one per child, the total."""

    async def work() -> int:
        async with connected(find_endpoints(state).nats) as client:
            drawn = DRAWN & set(formats)  # charts look back at the periods before
            found = [r async for r in show.reports(client, None if drawn else period, edition)]
        chosen = [
            report
            for report in found
            if report.period.code == period
            and unit in {None, report.unit}
            and form in {None, report.form}
            and revision in {None, report.revision}
        ]
        try:
            count = export(chosen, folder, formats, language, found)
        except CannotPrint as error:
            console.print(str(error), style="red", markup=False)
            return 1
        console.print(f"{count} reports are in {folder}", markup=False)
        return 0 if count else 1

    run(work())


@report_app.command("watch")
def report_watch(
    subject: Annotated[str, typer.Argument(help="e.g. report.internal.*.01-xld.*")],
    count: Annotated[int, typer.Option(help="End after so many; 0: never.")] = 0,
    state: State = None,
) -> None:
    """Print every report on a topic, first those that are there, then each new one."""

    async def work() -> None:
        seen = 0
        async with connected(find_endpoints(state).nats) as client:
            async for event in show.watch(client, subject):
                emit(event.model_dump(mode="json", exclude_none=True))
                seen += 1
                if seen == count:
                    return

    run(work())
