"""`feed`: items from files and folders, sent or only looked at."""

import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from deploy import dry_run
from deploy.cli.terminal import AsJson, State, console, emit, run
from deploy.connection import connected, find_endpoints, latest_directory
from deploy.feed import TOO_LARGE, Told, feed
from deploy.items import Reader, read_mapping

app = typer.Typer()


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
