"""`bench`: how fast the system is on this machine, beside the least work that would do."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from deploy.bench.run import QUICK, Plan, Unequal, bench
from deploy.cli.terminal import AsJson, console, emit, run, say

app = typer.Typer()


@app.command("bench")
def measure(
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Rough figures within 50 s.")] = False,
    as_json: AsJson = False,
) -> None:
    """Throughput, latency, memory: our services beside a bare and a naive pipeline, in one run."""
    plan = QUICK if quick else Plan()

    async def work() -> int:
        try:
            figures = await bench(plan, lambda _text: None if as_json else say(_text))
        except Unequal as unequal:
            console.print(str(unequal), style="red", markup=False)
            return 1
        if as_json:
            emit(figures)
        else:
            for sync, of_sync in figures["sync_interval"].items():
                Console().print(_table(sync, of_sync))
        return 0

    run(work())


def _table(sync: str, figures: dict[str, Any]) -> Table:
    table = Table(title=f"sync_interval: {sync}")
    for column in ("figure", "min", "median", "max"):
        table.add_column(column, justify="left" if column == "figure" else "right")
    for name, lane in figures["lanes"].items():
        _row(table, f"{name}, events/s", lane["events_per_s"])
        for process, spread in lane["cpu_us_per_event"].items():
            _row(table, f"{name}, µs of CPU an event, {process}", spread)
    for name in ("ratio_to_bare", "ratio_to_naive", "cpu_ratio_to_bare"):
        _row(table, name, figures[name])
    for name, latency in figures["latency"].items():
        told = [f"{latency[p]:g}" for p in ("p50", "p95", "p99")]
        table.add_row(f"latency at {name}: p50, p95, p99 in ms", *told)
    table.add_row("mails/s", "", f"{figures['mails']['per_s']:,g}", "")
    for when, memory in figures["memory_mb"].items():
        told = [f"{name} {value:g}" for name, value in memory.items()]
        table.add_row(f"memory in MB, {when}", *told)
    table.add_row("start in s", "", f"{figures['start_s']:g}", "")
    return table


def _row(table: Table, name: str, spread: dict[str, float]) -> None:
    table.add_row(name, *(f"{spread[each]:,g}" for each in ("min", "median", "max")))
