"""`backup`, `restore`, `gap`, `drill`: the way back, and trying it before it is needed."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.backup import (
    Damaged,
    Gap,
    Manifest,
    NotRestored,
    NotTaken,
    Restored,
    backup,
    find_gap,
    restore,
)
from deploy.backup.drill import Failed, drill
from deploy.backup.restoring import Part, check_archives
from deploy.cli.running import servers
from deploy.cli.terminal import AsJson, State, console, emit, run
from deploy.connection import DEFAULT_STATE, Endpoints, NotRunning, connected, find_endpoints

app = typer.Typer()

SHOWN = 20
"""Ids of one kind; `--json` has all."""
TITLES = {
    "texts": "submissions announced whose text is lost: have them sent again",
    "records": "activities and channels announced that are lost: have them sent again",
    "additions": "submissions of which something said later is lost",
    "unsaid": "submissions kept that were never announced",
    "unreadable": "submissions kept that no restored key opens",
    "cases": "cases of which more was announced than is kept",
    "reports": "reports published that are not kept",
    "sendings": "sendings confirmed whose fate is known to nobody: have them sent again",
}

Archive = Annotated[Path, typer.Argument(help="Folder of the archive.", metavar="DIR")]
Over = Annotated[bool, typer.Option("--over", help="Replace what is there; it is moved aside.")]


@app.command("backup")
def take(
    archive: Archive,
    keys: Annotated[Path, typer.Option(help="Folder of the archive of keys, on a medium apart.")],
    state: State = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Both stores into one new folder, wrapped keys into another; the services may run."""

    async def work() -> None:
        async with servers(state) as endpoints, connected(endpoints.nats) as client:
            manifest = await backup(client, endpoints, archive, keys, _now)
        if as_json:
            emit(manifest.model_dump(mode="json"))
        else:
            _say_taken(manifest, archive, keys, endpoints)

    _run_told(work())


def _say_taken(manifest: Manifest, archive: Path, keys: Path, endpoints: Endpoints) -> None:
    streams = sum(held.messages for held in manifest.streams.values())
    documents = sum(manifest.collections.values())
    _say(
        f"{archive}: {streams:,} messages of {len(manifest.streams)} streams as of "
        f"{_at(manifest.streams_at)}, {documents:,} documents as of {_at(manifest.stores_at)}"
    )
    _say(f"{keys}: wrapped keys. Keep it on a medium apart, and no longer than needed.")
    _say(
        f"Not copied: the key files in {endpoints.keys or 'LANGNGHE_KEYS'}, without which no text "
        "can be read. They belong on a third medium."
    )


@app.command("restore")
def bring_back(
    archive: Archive,
    keys: Annotated[Path | None, typer.Option(help="Folder of the archive of keys.")] = None,
    state: State = None,
    only: Annotated[
        Part | None, typer.Option(help="This store alone, where the other one was not lost.")
    ] = None,
    *,
    over: Over = False,
    as_json: AsJson = False,
) -> None:
    """Check an archive and bring it back while the services stand still; says what is missing.

    Where nothing runs in the state folder, its servers are started for as long as it takes.
    """
    parts = frozenset(Part) if only is None else frozenset({only})

    async def work() -> None:
        async with (
            _room(state, archive, keys, parts, over=over) as endpoints,
            connected(endpoints.nats) as client,
        ):
            began = _now()
            restored = await restore(client, endpoints, archive, keys, parts=parts, over=over)
        if as_json:
            emit(asdict(restored) | {"until": began})
        else:
            _say_restored(restored, parts, began)

    _run_told(work())


def _say_restored(restored: Restored, parts: frozenset[Part], began: datetime) -> None:
    put_in = restored.refilled
    _say(
        f"{restored.messages:,} messages and {restored.documents:,} documents are back; "
        f"{put_in.copied + put_in.kept:,} events and {put_in.reports} reports refilled"
    )
    _say(
        f"The gap: {_at(restored.since)} to {_at(began)}. What was sent in between has to be "
        "asked for again, but for what is kept and not named here:"
    )
    _say_gap(restored.gap)
    if restored.reissued:
        _say(f"{restored.reissued} receipts of it are known again: who has one can go on.")
    if Part.NATS in parts:
        _say("Checkpoints of the chain from within the gap are of a history that may be gone:")
        _say("hold those of a witness against it with `langnghe verify --chain --checkpoint`.")


@app.command("gap")
def show_gap(state: State = None, *, as_json: AsJson = False) -> None:
    """Receipts that one store knows and another does not, by id; exits 1 if there are any."""

    async def work() -> int:
        async with servers(state) as endpoints, connected(endpoints.nats) as client:
            gap = await find_gap(client, endpoints)
        if as_json:
            emit(asdict(gap))
        else:
            _say_gap(gap)
        return 1 if gap else 0

    _run_told(work())


def _say_gap(gap: Gap) -> None:
    for name, found in asdict(gap).items():
        if found:
            _say(f"{len(found):>6} {TITLES[name]}")
            _say("       " + ", ".join(map(str, _some(found))))
    if not gap:
        _say("nothing is known to one store alone")


def _some(found: Sequence[object]) -> Sequence[object]:
    return found if len(found) <= SHOWN else [*found[:SHOWN], "… (--json has all)"]


@app.command("drill")
def try_it() -> None:
    """Start a system in a temporary folder, feed, back up, lose, restore and verify it."""

    async def work() -> None:
        await drill(_say)

    _run_told(work())


@asynccontextmanager
async def _room(
    state: Path | None, archive: Path, keys: Path | None, parts: frozenset[Part], *, over: bool
) -> AsyncIterator[Endpoints]:
    """The servers to restore to; of a folder that stands still what is in the way moves aside."""
    folder = state or DEFAULT_STATE
    try:
        find_endpoints(state)
    except NotRunning:
        await asyncio.to_thread(check_archives, archive, keys, parts)  # before anything moves
        await asyncio.to_thread(_prepare, folder, parts, over=over)
    async with servers(state) as endpoints:
        yield endpoints


def _prepare(folder: Path, parts: frozenset[Part], *, over: bool) -> None:
    if not (folder / "keys" / "intake.kek").exists():
        raise NotRestored(
            f"Put the key files back into {folder / 'keys'} first: intake.kek is not there."
        )
    for part in parts:
        if over and (folder / part).exists():
            (folder / part).rename(folder / f"{part}-before-{_now():%Y%m%d%H%M%S}")
    (folder / "mongo").mkdir(exist_ok=True)


def _run_told(work: Coroutine[Any, Any, int | None]) -> None:
    try:
        run(work)
    except (Damaged, NotTaken, NotRestored, Failed) as why:
        console.print(str(why), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None


def _say(text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _now() -> datetime:
    return datetime.now(UTC)


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}Z"
