"""A stream as a file and back, with its consumers' places, by the server's own snapshots.

nats-py has no call for it; subjects and bodies are those of JetStream's API. The folder is the
one that `nats stream backup` makes.
"""

import asyncio
from pathlib import Path
from typing import Any

import nats.errors
import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.errors import NotFoundError

from deploy.backup.manifest import Position, StreamHeld

CHUNK = 128 * 1024
WAIT_SECONDS = 60.0
"""For the next piece: the server checks a stream's blocks before it sends the first."""
API = "$JS.API.STREAM"
ABOUT, CONTENT = "backup.json", "stream.tar.s2"


class NotCopied(Exception):
    """The server gave or took a stream not whole; the text says which."""


async def write_stream(client: Client, stream: str, folder: Path) -> StreamHeld:
    """Write the stream to the folder, as it is now; raises `NotCopied`."""
    await asyncio.to_thread(folder.mkdir, parents=True)
    pieces: asyncio.Queue[Msg] = asyncio.Queue()
    inbox = client.new_inbox()
    subscription = await client.subscribe(inbox, cb=pieces.put)
    try:
        consumers = await _positions(client, stream)
        wanted = {"deliver_subject": inbox, "chunk_size": CHUNK, "no_consumers": False}
        told = await _ask(client, f"{API}.SNAPSHOT.{stream}", stream, wanted)
        with (folder / CONTENT).open("wb") as file:
            while content := await _next(client, stream, pieces):
                await asyncio.to_thread(file.write, content)
    finally:
        await subscription.unsubscribe()
    about = {"config": told["config"], "state": told["state"]}
    (folder / ABOUT).write_bytes(orjson.dumps(about, option=orjson.OPT_INDENT_2))
    state = told["state"]
    return StreamHeld(
        messages=state["messages"],
        first=state["first_seq"],
        last=state["last_seq"],
        consumers=consumers,
    )


async def read_stream(client: Client, stream: str, folder: Path, held: StreamHeld) -> None:
    """Make the stream anew from the folder; raises `NotCopied`, also if it is there already."""
    about = orjson.loads((folder / ABOUT).read_bytes())
    told = await _ask(client, f"{API}.RESTORE.{stream}", stream, about)
    place = told["deliver_subject"]
    with (folder / CONTENT).open("rb") as file:
        while content := await asyncio.to_thread(file.read, CHUNK):
            await _ask(client, place, stream, content)
    made = await _ask(client, place, stream, b"")
    if made["state"]["last_seq"] < held.last:
        last = made["state"]["last_seq"]
        raise NotCopied(f"{stream} came back up to message {last} of {held.last}.")


async def exists(client: Client, stream: str) -> bool:
    try:
        await client.jetstream().stream_info(stream)
    except NotFoundError:
        return False
    return True


async def _positions(client: Client, stream: str) -> dict[str, Position]:
    """Before the snapshot: no consumer is said to be further than the archive has it."""
    return {
        info.name: Position(
            delivered=info.delivered.stream_seq if info.delivered else 0,
            acknowledged=info.ack_floor.stream_seq if info.ack_floor else 0,
        )
        for info in await client.jetstream().consumers_info(stream)
        if info.config and info.config.durable_name
    }


async def _next(client: Client, stream: str, pieces: "asyncio.Queue[Msg]") -> bytes:
    """The next piece; empty at the end."""
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            piece = await pieces.get()
    except TimeoutError:
        raise NotCopied(f"NATS stopped sending {stream}: back up again.") from None
    if piece.reply:
        await client.publish(piece.reply)
    status = (piece.headers or {}).get("Status", "")
    if status.startswith(("4", "5")):
        raise NotCopied(f"NATS did not send {stream} to its end (status {status}).")
    return piece.data


async def _ask(client: Client, subject: str, stream: str, asked: object) -> dict[str, Any]:
    body = asked if isinstance(asked, bytes) else orjson.dumps(asked)
    try:
        answer = await client.request(subject, body, timeout=WAIT_SECONDS)
    except (nats.errors.Error, TimeoutError) as error:
        raise NotCopied(f"NATS did not answer about {stream} ({type(error).__name__}).") from None
    told: dict[str, Any] = orjson.loads(answer.data) if answer.data else {}
    if "error" in told:
        raise NotCopied(f"NATS refuses {stream}: {told['error'].get('description', 'unknown')}.")
    return told
