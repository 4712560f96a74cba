"""Has every server of a cluster read its configuration again, asked through the system account."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nats.errors
import orjson
from nats.aio.client import Client

from deploy.access.permissions import system
from deploy.connection import Address, connected

PING = "$SYS.REQ.SERVER.PING"
SECONDS = 10.0


class NotReloaded(Exception):
    """A server did not take its configuration, or did not answer; the text says which and why."""


async def reload_servers(url: str, seed: Path, authority: Path | None = None) -> None:
    """Return when each server that is up has read its files; raises `NotReloaded`.

    One that is down reads them when it starts.
    """
    async with connected(
        Address(url, seed, authority), "langnghe-doorkeeper", user=system()
    ) as client:
        answers = await asyncio.gather(*(_reload(client, one) for one in await _servers(client)))
    if refused := [each for each in answers if each]:
        raise NotReloaded("; ".join(refused))


async def _servers(client: Client) -> Sequence[str]:
    """The ids of all servers, as many as the first says there are."""
    inbox = client.new_inbox()
    heard = await client.subscribe(inbox)
    await client.publish(PING, reply=inbox)
    found: set[str] = set()
    try:
        async with asyncio.timeout(SECONDS):
            while True:
                said = orjson.loads((await heard.next_msg(SECONDS)).data)
                found.add(said["server"]["id"])
                if len(found) >= said["statsz"].get("active_servers", 1):
                    return sorted(found)
    except (TimeoutError, nats.errors.Error):
        raise NotReloaded(f"{len(found)} servers answered, and not all that there are") from None
    finally:
        await heard.unsubscribe()


async def _reload(client: Client, server: str) -> str:
    """Empty if it went well, else why not."""
    try:
        answer = await client.request(f"$SYS.REQ.SERVER.{server}.RELOAD", b"", timeout=SECONDS)
    except (TimeoutError, nats.errors.Error) as error:
        return f"{server} does not answer ({type(error).__name__})"
    said: Mapping[str, Any] = orjson.loads(answer.data)
    refused = said.get("error")
    return f"{said['server']['name']}: {refused['description']}" if refused else ""
