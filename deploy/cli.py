"""The command line. Each command is thin: what it does stands in a module of its own."""

import asyncio
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
import uvicorn
from pydantic import ValidationError
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from starlette.applications import Starlette

from deploy import dead, dry_run, show, up
from deploy.access.cli import nats_app
from deploy.command import NotDecided, Order, give
from deploy.connection import NotRunning, connected, find_endpoints, latest_directory
from deploy.demo import OPERATOR, NotQuiet, Totals, quiet, run_demo
from deploy.feed import TOO_LARGE, Told, feed
from deploy.items import Reader, UnknownAgency, read_mapping
from deploy.rules import Invalid, publish_rules
from deploy.verify import verify
from services.intake.app import create_app as intake
from services.reporting.app import create_app as reporting
from services.routing.app import create_app as routing
from shared.contracts import ReportClose
from shared.runtime.settings import ServiceSettings
from shared.runtime.streams import declare

app = typer.Typer(
    help="Langnghe listens to what people say about public offices.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
report_app = typer.Typer(help="Periods and reports.", no_args_is_help=True)
dead_app = typer.Typer(help="Messages that were set aside.", no_args_is_help=True)
app.add_typer(report_app, name="report")
app.add_typer(dead_app, name="dead")
app.add_typer(nats_app, name="nats")

SERVICES: dict[str, Callable[[], Starlette]] = {
    "intake": intake,
    "routing": routing,
    "reporting": reporting,
}
console = Console(stderr=True)

State = Annotated[Path | None, typer.Option("--state", help="State folder of the running system.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line on standard output.")]


def emit(content: Any) -> None:  # noqa: ANN401 - whatever orjson can write
    sys.stdout.write(orjson.dumps(content).decode() + "\n")
    sys.stdout.flush()


def _say(text: str) -> None:
    console.print(text, style="yellow", markup=False)


def run(work: Coroutine[Any, Any, int | None]) -> None:
    """Run to the end; say in a sentence what a person can mend, and exit 1."""
    try:
        status = asyncio.run(work)
    except (NotRunning, UnknownAgency, NotDecided, NotQuiet, up.Stopped) as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from None
    except Invalid as error:
        for line in error.lines:
            console.print(line, style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
    raise typer.Exit(status or 0)


@app.command()
def demo(*, as_json: AsJson = False, keep: bool = False) -> None:
    """A fictional province's half-year, from its mails to its report, on real parts."""

    async def work() -> int:
        with tempfile.TemporaryDirectory(prefix="langnghe-demo-") as folder:
            async with up.system(Path(folder), on_event=_say) as running:
                with _progress(hidden=as_json) as progress:
                    task = progress.add_task("starting", total=None)
                    totals = await running.guard(
                        run_demo(
                            running.endpoints,
                            say=lambda text: progress.update(task, description=text),
                            on_told=lambda _told: progress.advance(task),
                        )
                    )
                await _conclude(running, totals, as_json=as_json)
                if keep:
                    console.print(f"Running on in {folder}; stop with Ctrl-C.")
                    console.print(running.addresses())
                    await running.until_stopped()
        return 0 if totals.verify == "ok" else 1

    run(work())


async def _conclude(running: "up.Running", totals: Totals, *, as_json: bool) -> None:
    """The report of the root unit, and the line of totals."""
    async with connected(running.endpoints.nats) as client:
        if not as_json:
            directory = await latest_directory(client.jetstream())
            roots = [u.code for u in directory.directory.units if not u.parent] if directory else []
            for form in ("01-xld", "s-124"):
                found = await show.find_report(client, roots[0], form, "2026-h1")
                if found is not None:
                    Console().print(show.table_of(found.data))
    if as_json:
        emit(totals.as_dict())
        return
    words = totals.as_dict()
    findings = words.pop("findings")
    for finding in findings:
        console.print(str(finding), style="red", markup=False)
    Console().print("  ".join(f"{name} {value}" for name, value in words.items()), soft_wrap=True)


def _progress(*, hidden: bool) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.completed:.0f} items"),
        TimeElapsedColumn(),
        console=console,
        disable=hidden,
    )


@app.command("up")
def start_up(
    state: Annotated[Path, typer.Option("--state", help="Folder of everything kept.")] = Path(
        ".langnghe"
    ),
    http_port: Annotated[
        int, typer.Option("--http-port", help="First of the three web faces' ports; 0: any.")
    ] = 0,
    *,
    as_json: AsJson = False,
) -> None:
    """Start NATS, MongoDB and the three services on this machine, until Ctrl-C or SIGTERM."""

    async def work() -> None:
        async with up.system(state, http_port=http_port, on_event=_say) as running:
            if as_json:
                emit(running.addresses())
            else:
                for part, address in running.addresses().items():
                    console.print(f"{part:<10} {address}")
            await running.until_stopped()

    run(work())


@app.command()
def serve(name: Annotated[str, typer.Argument(help="intake, routing or reporting")]) -> None:
    """One service: the containers' entry point."""
    if name not in SERVICES:
        console.print(f"[red]There is no service {name}: {', '.join(SERVICES)}.[/red]")
        raise typer.Exit(2)
    settings = ServiceSettings()
    uvicorn.run(
        SERVICES[name](),
        host=settings.http_host,
        port=settings.http_port,
        loop="uvloop",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=10,
    )


@app.command()
def init(state: State = None, replicas: int = 1) -> None:
    """Declare streams and consumers; again and again without harm."""

    async def work() -> None:
        async with connected(find_endpoints(state).nats) as client:
            await declare(client.jetstream(), replicas)

    run(work())


def _publish_command(noun: str) -> None:
    group = typer.Typer(help=f"The {noun} and its versions.", no_args_is_help=True)
    app.add_typer(group, name=noun)

    @group.callback()
    def _group() -> None:
        """Keep `publish` a command of its own although it is the only one."""

    @group.command("publish", help=f"Validate a {noun} (YAML) and publish it as a new version.")
    def publish(file: Path, state: State = None, *, as_json: AsJson = False) -> None:
        async def work() -> None:
            async with connected(find_endpoints(state).nats) as client:
                version = await publish_rules(client, file, noun)
            if as_json:
                emit({"published": noun, "version": version})
            else:
                console.print(f"{noun}: version {version} holds")

        run(work())


for _noun in ("directory", "rulebook", "calendar"):
    _publish_command(_noun)


@app.command("feed")
def feed_files(
    paths: list[Path],
    agency: Annotated[str | None, typer.Option(help="Whose items these are.")] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="What a table's rows become (YAML)."),
    ] = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait for every answer.")] = 60.0,
    state: State = None,
    *,
    is_dry: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Send nothing, say what would be kept; no running system is needed."
        ),
    ] = False,
    in_clear: Annotated[
        bool, typer.Option("--clear", help="Do not seal to intake what the items say.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send items from files and folders; say of each what became of it.

    Reads mails (.eml), mail boxes (.mbox), maildirs, CloudEvents (.jsonl), tables (.csv, .xlsx)
    and exchanges' records of calls: Asterisk CDR (.csv), CEL (.json), AMI (.yaml). The same may be
    fed again without harm.

    Exits 1 if something is pending, set aside or too large; with --dry-run, if something would
    be refused.
    """
    for path in paths:
        if not path.exists():
            console.print(f"[red]{path} does not exist.[/red]")
            raise typer.Exit(2)

    async def work() -> int:
        rules = read_mapping(mapping) if mapping else None
        now = datetime.now(UTC)
        if is_dry:
            reader = Reader((), agency, now, mapping=rules, otherwise="agency")
            return _dry_run(reader, paths, now, as_json=as_json)
        async with connected(find_endpoints(state).nats) as client:
            directory = await latest_directory(client.jetstream())
            agencies = [a.code for a in directory.directory.agencies] if directory else []
            reader = Reader(agencies, agency, now, mapping=rules)
            items = (item for path in paths for item in reader.items(path))
            told = await feed(
                client,
                items,
                wait_seconds=wait,
                on_told=lambda t: _tell(t, as_json=as_json),
                seal=not in_clear,
            )
        counts = Counter(t.fate for t in told)
        if as_json:
            emit({"items": len(told), **counts})
        else:
            console.print(
                f"{len(told)} items: " + ", ".join(f"{n} {fate}" for fate, n in counts.items())
            )
        return 1 if counts["pending"] or counts["dead-letter"] or counts[TOO_LARGE] else 0

    run(work())


def _dry_run(reader: Reader, paths: list[Path], now: datetime, *, as_json: bool) -> int:
    counts: Counter[str] = Counter()
    for row in dry_run.rows((item for path in paths for item in reader.items(path)), now):
        counts[row["fate"]] += 1
        if as_json:
            emit(row)
        else:
            sys.stdout.write(dry_run.in_words(row) + "\n")
    for path in reader.passed_over:
        console.print(f"passed over {path}", markup=False, soft_wrap=True)
    said = ", ".join(f"{n} {fate}" for fate, n in counts.items())
    console.print(f"{counts.total()} items, nothing was sent: {said or 'none'}", soft_wrap=True)
    return 1 if counts["refused"] else 0


def _tell(told: Told, *, as_json: bool) -> None:
    if as_json:
        emit(
            {
                "path": told.item.place,
                "fate": told.fate,
                "submission": told.submission,
                "reason": told.reason,
            }
        )
    else:
        reason = f": {told.reason}" if told.reason else ""
        console.print(f"{told.fate:<10} {told.item.place}{reason}", markup=False, soft_wrap=True)


@report_app.command("close")
def report_close(period: str, state: State = None, *, as_json: AsJson = False) -> None:
    """Close a period, e.g. 2026-h1, and publish its reports."""
    try:
        close = ReportClose(period=period)
    except ValidationError:
        console.print("A period is written <year>-<period>, e.g. 2026-h1.", style="red")
        raise typer.Exit(2) from None

    async def work() -> int:
        async with connected(find_endpoints(state).nats) as client:
            order = Order(OPERATOR, period, datetime.now(UTC), close)
            [fate] = await give(client, "reporting", [order])
            await quiet(client)  # decided is not yet published
            count = len([report async for report in show.reports(client, period)])
        refused = fate.refusal.title if fate.refusal else None
        if as_json:
            emit({"period": period, "fate": fate.fate, "reason": refused, "reports": count})
        elif refused:
            console.print(f"[red]{refused}[/red]")
        else:
            console.print(f"{period} is closed: {count} reports are published")
        return 1 if refused else 0

    run(work())


@report_app.command("show")
def report_show(
    period: str,
    form: Annotated[str, typer.Option(help="01-xld or s-124")] = "01-xld",
    unit: Annotated[str | None, typer.Option(help="Code of the unit; the root if none.")] = None,
    language: Annotated[str, typer.Option(help="vi or en")] = "vi",
    state: State = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show a published report."""

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


@report_app.command("export")
def report_export(
    period: str,
    folder: Annotated[Path, typer.Argument(help="Where the files go, one CSV a report.")],
    state: State = None,
) -> None:
    """Write every report of a period as CSV: the unit's own row, one per child, the total."""

    async def work() -> int:
        count = 0
        async with connected(find_endpoints(state).nats) as client:
            async for report in show.reports(client, period):
                show.write_csv(report, folder)
                count += 1
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


@dead_app.command("list")
def dead_list(state: State = None, *, as_json: AsJson = False) -> None:
    """List the messages that were set aside, oldest first; their content stays sealed."""

    async def work() -> None:
        async with connected(find_endpoints(state).nats) as client:
            count = 0
            async for letter in dead.dead_letters(client):
                count += 1
                data = letter.data.model_dump(exclude={"sealed"})
                if as_json:
                    emit(data)
                else:
                    console.print(
                        f"{data['stream']}:{data['sequence']} {data['original_subject']} "
                        f"{data['consumer']} {data['reason']} {data['detail']}",
                        markup=False,
                        soft_wrap=True,
                    )
        if not as_json:
            console.print(f"{count} dead letters")

    run(work())


@app.command("verify")
def verify_all(state: State = None, *, as_json: AsJson = False) -> None:
    """Hold log, stores and totals against one another; name every difference, exit 1."""

    async def work() -> int:
        endpoints = find_endpoints(state)
        async with connected(endpoints.nats) as client:
            findings = await verify(client, endpoints)
        if as_json:
            emit({"verify": "failed" if findings else "ok", "findings": list(map(str, findings))})
        else:
            for finding in findings:
                console.print(str(finding), style="red", markup=False, soft_wrap=True)
            console.print("failed" if findings else "ok")
        return 1 if findings else 0

    run(work())


def main() -> None:
    """The console script."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    app()
