"""Brings a backup back, both stores or one, and makes them agree again as far as they can.

The services stand still meanwhile. Databases come first, then the streams; what the log lacks of
what the databases know is refilled, and what the databases lack of the log is delivered again.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import nats.errors
from nats.aio.client import Client
from nats.js import JetStreamContext

from deploy.backup import databases
from deploy.backup.gap import Gap, gap_of
from deploy.backup.manifest import Holds, Manifest, read_archive
from deploy.backup.remaking import keep_again, reissue
from deploy.backup.streams import NotCopied, exists, read_stream
from deploy.backup.taking import ORDER, STORES, STREAMS
from deploy.connection import Address, Endpoints
from deploy.demo import OPERATOR
from deploy.rebuild import from_the_beginning
from deploy.refill import NotRefilled, Refilled, entrances, refill
from deploy.verify.seen import look
from shared.contracts.ingress import FatesAsked
from shared.runtime.mongo import open_client
from shared.runtime.streams import COMMANDS, CONSUMERS, EVENTS, FEED

PASSED: Mapping[str, str] = {
    FEED: "feed.operator.place.passed.v1",
    COMMANDS: "command.operator.case.place.passed",
}
"""On these lie, for a moment, messages that take up numbers that were given before."""
WINDOW = 256


class Part(StrEnum):
    """`nats` are the streams, `mongo` the databases with the keys that are kept in one."""

    NATS = "nats"
    MONGO = "mongo"


class NotRestored(Exception):
    """It was not restored, or not to the end; the text says why, and what to do."""


@dataclass(slots=True)
class Restored:
    """`since` is when what was restored was last whole: whatever came later may be missing.

    `reissued` receipts are known again although what they are for is lost.
    """

    since: datetime
    messages: int = 0
    documents: int = 0
    refilled: Refilled = field(default_factory=Refilled)
    reissued: int = 0
    gap: Gap = field(default_factory=Gap)


async def restore(
    client: Client,
    endpoints: Endpoints,
    archive: Path,
    keys: Path | None,
    *,
    parts: frozenset[Part] = frozenset(Part),
    over: bool = False,
) -> Restored:
    """Check the archives, then bring back what `parts` names; `over` replaces what is there.

    Raises `Damaged` before anything is touched, and `NotRestored`.
    """
    manifest, counts = await asyncio.to_thread(check_archives, archive, keys, parts)
    await _must_stand_still(client)
    await _make_room(client, endpoints, parts, over=over)
    restored = Restored(_since(manifest, parts))
    try:
        if Part.MONGO in parts:
            for folder, collections in counts.items():
                await databases.read_databases(
                    endpoints.mongo, endpoints.mongo_prefix, folder / STORES, collections
                )
                restored.documents += sum(collections.values())
        if Part.NATS in parts:
            restored.messages = await _read_streams(client, archive, manifest)
        restored.refilled = await refill(client, endpoints)
    except (NotCopied, NotRefilled, databases.NotRead) as error:
        raise NotRestored(str(error)) from None
    await _pass_numbers(client.jetstream(), endpoints)
    if parts != frozenset(Part):
        await _deliver_again(client.jetstream())
    seen = await look(client, endpoints, relay_seconds=0.0)
    await keep_again(endpoints, seen)
    restored.gap = gap_of(seen)
    restored.reissued = await reissue(endpoints, restored.gap.texts)
    return restored


def check_archives(
    archive: Path, keys: Path | None, parts: frozenset[Part]
) -> tuple[Manifest, dict[Path, dict[str, int]]]:
    """The manifest, and what is in which folder; raises `Damaged` and `NotRestored`."""
    manifest = read_archive(archive, Holds.STORES)
    if Part.MONGO not in parts:
        return manifest, {}
    if keys is None:
        raise NotRestored("Name the archive of keys with --keys: without it no text can be read.")
    apart = read_archive(keys, Holds.KEYS)
    return manifest, {archive: manifest.collections, keys: apart.collections}


def _since(manifest: Manifest, parts: frozenset[Part]) -> datetime:
    """Streams are the older ones, and what no service had taken lay in them alone."""
    return manifest.streams_at if Part.NATS in parts else manifest.stores_at


async def _must_stand_still(client: Client) -> None:
    body = FatesAsked(sequences=()).model_dump_json().encode()
    for service in databases.SERVICES:
        try:
            await client.request(f"ask.{OPERATOR}.{service}.fates", body, timeout=2)
        except nats.errors.NoRespondersError:
            continue
        except nats.errors.TimeoutError:
            pass  # somebody listens, and is slow
        raise NotRestored(f"{service} is running: stop the three services, then restore.")


async def _make_room(
    client: Client, endpoints: Endpoints, parts: frozenset[Part], *, over: bool
) -> None:
    """Raises `NotRestored` where something is there, unless it may go."""
    names = (*databases.SERVICES, *databases.KEYS)
    there = [stream for stream in ORDER if Part.NATS in parts and await exists(client, stream)]
    held: Sequence[str] = ()
    if Part.MONGO in parts:
        try:
            held = await databases.filled(endpoints.mongo, endpoints.mongo_prefix, names)
        except databases.NotRead as error:
            raise NotRestored(str(error)) from None
    if (there or held) and not over:
        raise NotRestored(
            f"The system is not empty: {', '.join((*there, *held)[:3])} … Name an empty one, or "
            "say --over to lose what is there."
        )
    if there and isinstance(endpoints.nats, Address) and endpoints.nats.seed is not None:
        raise NotRestored(
            "NATS lets no operator delete streams: stop it, empty its store, start it without "
            "`init`, and restore."
        )
    for stream in there:
        await client.jetstream().delete_stream(stream)
    if Part.MONGO in parts:
        await databases.drop(endpoints.mongo, endpoints.mongo_prefix, names)


async def _read_streams(client: Client, archive: Path, manifest: Manifest) -> int:
    for stream in (s for s in ORDER if s in manifest.streams):
        held = manifest.streams[stream]
        await read_stream(client, stream, archive / STREAMS / stream, held)
    return sum(held.messages for held in manifest.streams.values())


async def _pass_numbers(jetstream: JetStreamContext, endpoints: Endpoints) -> None:
    """Whoever asks by number what became of a sending must never be told of another's.

    A stream cannot be told to count on from a later number while it holds messages: the numbers
    that were given after the backup are taken up, and let go again.
    """
    mongo = open_client(endpoints.mongo)
    try:
        begins = await entrances(mongo, endpoints.mongo_prefix)
    finally:
        mongo.close()
    for stream, begin in begins.items():
        last = (await jetstream.stream_info(stream)).state.last_seq
        for start in range(last + 1, begin, WINDOW):
            some = range(start, min(start + WINDOW, begin))
            await asyncio.gather(*(_pass(jetstream, stream) for _ in some))


async def _pass(jetstream: JetStreamContext, stream: str) -> None:
    taken = await jetstream.publish(PASSED[stream], b"", timeout=10, stream=stream)
    await jetstream.delete_msg(stream, taken.seq)


async def _deliver_again(jetstream: JetStreamContext) -> None:
    """What a service did after the older backup it has to do again; the rest it passes over."""

    async def nothing() -> None: ...

    for durable in CONSUMERS.values():
        if durable.stream == EVENTS:
            await from_the_beginning(jetstream, durable, nothing)
