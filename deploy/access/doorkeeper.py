"""Keeps a running server's permissions as the directory, the known keys and the day want them."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import date

import nats.errors
from nats.aio.client import Client

from deploy.access.local import LocalAccess
from deploy.access.nkeys import PUBLIC_KEYS, public_keys
from deploy.access.readers import declare_readers
from deploy.connection import NotRunning, connected, latest_directory
from deploy.webhooks import stamp_of
from shared.contracts import DirectoryPublished
from shared.contracts.directory import Directory
from shared.runtime.streams import EVENTS

POLL_SECONDS = 0.2


class Doorkeeper:
    """Writes the access file anew when any of them changes, then calls `reload`."""

    def __init__(
        self, access: LocalAccess, reload: Callable[[], Awaitable[None]], today: Callable[[], date]
    ) -> None:
        self._access, self._reload, self._today = access, reload, today
        self._directory: Directory | None = None
        self._published = 0
        self._written: tuple[int, int, int, date] | None = None

    async def keep(self, url: str) -> None:
        """Look for ever; while the server is away there is nobody to let in."""
        while True:
            with suppress(NotRunning, nats.errors.Error, TimeoutError):
                async with connected(url, "langnghe-doorkeeper") as client:
                    while not client.is_closed:
                        await self.look(client)
                        await asyncio.sleep(POLL_SECONDS)
            await asyncio.sleep(POLL_SECONDS)

    async def look(self, client: Client) -> None:
        """Look once, as the operator."""
        jetstream = client.jetstream()
        info = await jetstream.stream_info(EVENTS, subjects_filter=DirectoryPublished.TYPE)
        published = (info.state.subjects or {}).get(DirectoryPublished.TYPE, 0)
        if published != self._published:
            latest = await latest_directory(jetstream)
            self._directory = latest.directory if latest else None
            self._published = published
        keys = (self._access.keys / PUBLIC_KEYS).stat().st_mtime_ns
        webhooks = stamp_of(self._access.keys.parent)
        wanted = (published, keys, webhooks, self._today())
        if wanted == self._written:
            return
        await declare_readers(jetstream, public_keys(self._access.keys))
        await self._access.renew(self._directory, wanted[-1], self._reload)
        self._written = wanted
