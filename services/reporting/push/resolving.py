"""Asks the system's resolver, in threads: it knows no other way, and may take its time.

A lookup cannot be ended. So that a slow name server takes neither more and more threads nor the
turn of another name, there is at most one lookup a name, in a thread of its own.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from threading import Thread

from services.reporting.push.reach import PORT

LOOKUP_SECONDS = 10.0
"""After this its asker goes without; the next one waits for the same lookup."""

Lookup = Callable[[str], Sequence[str]]
"""All addresses of a name, as text; blocks. Raises `OSError`."""


def system_lookup(host: str) -> Sequence[str]:
    """By hosts file and DNS, in the order in which the system prefers them."""
    try:
        found = socket.getaddrinfo(host, PORT, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise OSError("no name of the DNS") from None
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


class SystemResolver:
    """An answer is for those who asked while it was looked up; none is kept for later."""

    def __init__(
        self, lookup: Lookup = system_lookup, lookup_seconds: float = LOOKUP_SECONDS
    ) -> None:
        self._lookup, self._seconds = lookup, lookup_seconds
        self._running: dict[str, asyncio.Future[Sequence[str]]] = {}

    async def __call__(self, host: str) -> Sequence[str]:
        """Raises `OSError`; also, as `TimeoutError`, if it takes too long."""
        running = self._running.get(host) or self._begun(host)
        async with asyncio.timeout(self._seconds):
            return await asyncio.shield(running)

    def _begun(self, host: str) -> asyncio.Future[Sequence[str]]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Sequence[str]] = loop.create_future()
        future.add_done_callback(lambda done: done.cancelled() or done.exception())  # seen
        self._running[host] = future

        def ended(found: Sequence[str] | None, error: OSError | None) -> None:
            del self._running[host]
            if error is not None:
                future.set_exception(error)
            elif not future.done():
                future.set_result(found or ())

        def look() -> None:
            try:
                result: tuple[Sequence[str] | None, OSError | None] = (self._lookup(host), None)
            except OSError as error:
                result = (None, error)
            if not loop.is_closed():
                loop.call_soon_threadsafe(ended, *result)

        Thread(target=look, name="lookup", daemon=True).start()
        return future
