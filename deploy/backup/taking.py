"""Takes a backup while everything runs.

The order makes it whole. Streams come first, the databases after them: whatever a service has
acknowledged is in the databases by then, and what the log lacks of the time between is refilled
from them. Among the streams, each comes before the one that its messages may move on to.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from nats.aio.client import Client

from deploy.backup import databases
from deploy.backup.manifest import Holds, Manifest, write_manifest
from deploy.backup.streams import NotCopied, exists, write_stream
from deploy.connection import Endpoints
from shared.runtime.streams import (
    ADVISORIES,
    COMMANDS,
    DEAD_LETTERS,
    EVENTS,
    FEED,
    NOTHING,
    REDRIVE,
    REFUSALS,
    REPORTS,
    SUSPECTS,
)

ORDER = (
    NOTHING,
    FEED,
    COMMANDS,
    EVENTS,
    REPORTS,
    REFUSALS,
    SUSPECTS,
    DEAD_LETTERS,
    REDRIVE,
    ADVISORIES,
)
STREAMS, STORES = "nats", "mongo"


class NotTaken(Exception):
    """There is no backup; the text says why, and what to do."""


def folders_apart(archive: Path, keys: Path, kept: Path | None) -> None:
    """Raises `NotTaken` where one folder lies in another, or in `kept`, that of the key files."""
    named = {"the archive": archive, "the archive of keys": keys}
    if kept is not None:
        named["the folder of key files"] = kept
    places = {name: path.resolve() for name, path in named.items()}
    for name, path in places.items():
        for other, around in places.items():
            if name != other and (path == around or around in path.parents):
                raise NotTaken(
                    f"{name} lies in {other} ({around}): whoever finds one would have both. "
                    "Name folders apart, on media apart."
                )
    for path in (archive, keys):
        if path.exists() and any(path.iterdir()):
            raise NotTaken(f"{path} is not empty: name a new folder.")


async def backup(
    client: Client,
    endpoints: Endpoints,
    archive: Path,
    keys: Path,
    now: Callable[[], datetime],
) -> Manifest:
    """Write both archives; the services may run meanwhile. Raises `NotTaken`."""
    folders_apart(archive, keys, endpoints.keys)
    for folder in (archive, keys):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    streams_at = now()
    try:
        driven = await _driven(client)
        streams = {
            stream: await write_stream(client, stream, archive / STREAMS / stream)
            for stream in ORDER
            if await exists(client, stream)
        }
        if await _driven(client) != driven:
            raise NotTaken("Dead letters were driven again meanwhile: back up again.")
        stores_at = now()
        counts = await databases.write_databases(
            endpoints.mongo,
            endpoints.mongo_prefix,
            {archive / STORES: databases.SERVICES, keys / STORES: databases.KEYS},
        )
    except (NotCopied, databases.NotRead) as error:
        raise NotTaken(str(error)) from None
    moments = {"streams_at": streams_at, "stores_at": stores_at}
    apart = Manifest(holds=Holds.KEYS, collections=counts[keys / STORES], **moments)
    await asyncio.to_thread(write_manifest, keys, apart)
    whole = Manifest(
        holds=Holds.STORES, streams=streams, collections=counts[archive / STORES], **moments
    )
    return await asyncio.to_thread(write_manifest, archive, whole)


async def _driven(client: Client) -> int:
    """How many letters were ever driven again: one on its way back is in neither stream's copy."""
    if not await exists(client, REDRIVE):
        return 0
    return (await client.jetstream().stream_info(REDRIVE)).state.last_seq
