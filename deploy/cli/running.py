"""`demo`, `up`, `serve`, `init`: what starts something."""

import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from deploy import show, up
from deploy.access.local import LocalAccess
from deploy.access.permissions import OPERATOR
from deploy.cli.terminal import AsJson, Copies, State, console, emit, run, say
from deploy.connection import (
    DEFAULT_STATE,
    Address,
    Endpoints,
    NotRunning,
    connected,
    find_endpoints,
    latest_directory,
)
from deploy.demo import Totals, run_demo
from deploy.local import LocalStack
from deploy.rebuild import rebuild_reporting
from deploy.refill import NotRefilled, refill
from deploy.services import NAMES
from deploy.settings import Misspelt, rows, sentences, stop_if_wrong
from shared.runtime.streams import declare

app = typer.Typer()


@app.command()
def demo(*, as_json: AsJson = False, keep: bool = False) -> None:
    """A fictional province's half-year, from its mails to its report, on real parts."""

    async def work() -> int:
        with tempfile.TemporaryDirectory(prefix="langnghe-demo-") as folder:
            async with up.system(Path(folder), on_event=say) as running:
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
                    _say_how_bodies_ask(running)
                    await running.until_stopped()
        return 0 if totals.verify == "ok" else 1

    run(work())


async def _conclude(running: "up.Running", totals: Totals, *, as_json: bool) -> None:
    """The report of the root unit, and the line of totals."""
    async with connected(running.endpoints.nats) as client:
        if not as_json:
            directory = await latest_directory(client.jetstream())
            roots = [u.code for u in directory.directory.units if not u.parent] if directory else []
            for form in ("01-xld", "03-kqgq", "s-124"):
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
        async with up.system(state, http_port=http_port, on_event=say) as running:
            if as_json:
                emit(running.addresses())
            else:
                for part, address in running.addresses().items():
                    console.print(f"{part:<10} {address}")
                _say_how_bodies_ask(running)
            await running.until_stopped()

    run(work())


def _say_how_bodies_ask(running: "up.Running") -> None:
    """One example; the others stand in the page that it names."""
    address = running.addresses()["routing"]
    console.print(
        "A body's system, with a token of `langnghe body token CODE --state …`; "
        "see docs/routing.md:"
    )
    console.print(
        f'curl -sS -H "Authorization: Bearer $TOKEN" {address}/v1/worklist',
        markup=False,
        soft_wrap=True,
        highlight=False,
    )


@app.command("settings")
def show_settings() -> None:
    """Every setting of every service, as a table in Markdown."""
    for row in rows():
        Console().print(row, markup=False, highlight=False, soft_wrap=True)


@app.command()
def serve(name: Annotated[str, typer.Argument(help="intake, routing or reporting")]) -> None:
    """One service: the containers' entry point."""
    if name not in NAMES:
        console.print(f"[red]There is no service {name}: {', '.join(NAMES)}.[/red]")
        raise typer.Exit(2)
    try:
        stop_if_wrong(name)
    except (ValidationError, SettingsError, Misspelt) as error:
        for sentence in sentences(name, error):
            console.print(sentence, style="red", markup=False, soft_wrap=True)
        raise typer.Exit(2) from None
    command = [sys.executable, "-m", "deploy.serving", name]
    os.execv(sys.executable, command)  # noqa: S606 - in this process, without the command line


@app.command()
def rebuild(name: Annotated[str, typer.Argument(help="reporting")], state: State = None) -> None:
    """Reporting's rows from the stream of events alone; every closing is counted again."""
    if name != "reporting":
        console.print("Only reporting can be rebuilt from events: the others keep what is sealed.")
        raise typer.Exit(2)

    async def work() -> int:
        endpoints = find_endpoints(state)
        async with connected(endpoints.nats) as client:
            counted = await rebuild_reporting(client, endpoints)
        for period, told in counted.items():
            same, differ, unsure = (
                ", ".join(map(str, each)) for each in (told.same, told.differ, told.unsure)
            )
            if same:
                console.print(f"{period}: every figure of revision {same} is the same")
            if unsure:
                console.print(f"{period}: revision {unsure} was counted with events under way")
            if differ:
                console.print(f"[red]{period}: figures of revision {differ} differ[/red]")
        return 1 if any(told.differ for told in counted.values()) else 0

    run(work())


@app.command("refill")
def refill_streams(state: State = None) -> None:
    """Fill the streams again from what the services keep, after NATS lost them; stop these first.

    Where nothing runs in the state folder, its servers are started for as long as it takes.
    """

    async def work() -> None:
        async with servers(state) as endpoints, connected(endpoints.nats) as client:
            refilled = await refill(client, endpoints)
        console.print(
            f"{refilled.copied} events in their old places, {refilled.kept} behind them, "
            f"{refilled.reports} reports"
        )

    try:
        run(work())
    except NotRefilled as why:
        console.print(str(why), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None


@asynccontextmanager
async def servers(state: Path | None) -> AsyncIterator[Endpoints]:
    """Those that run, or the state folder's own without the services."""
    folder = state or DEFAULT_STATE
    try:
        running = find_endpoints(state)
    except NotRunning:
        if not (folder / "mongo").exists():
            raise
        running = None
    if running is not None:
        yield running
        return
    access = LocalAccess(folder)
    async with LocalStack(folder, access=access) as stack:
        address = Address(stack.nats_url, access.seed(OPERATOR))
        yield Endpoints(address, stack.mongo_url, keys=folder / "keys")


@app.command()
def init(state: State = None, replicas: Copies = None) -> None:
    """Declare streams and consumers; again and again without harm."""

    async def work() -> None:
        async with connected(find_endpoints(state).nats) as client:
            await declare(client.jetstream(), replicas)

    run(work())
