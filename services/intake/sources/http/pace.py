"""Slows down who sends much. Nobody is refused, and nobody's address is kept."""

import asyncio
import os
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from ipaddress import IPv6Address, ip_address, ip_network
from time import monotonic

BURST = 10
"""Sendings of one client that are not slowed down."""
SECONDS_EACH = 3.0
"""Beyond the burst, one sending is free every so many seconds."""
MOST_SECONDS = 10.0
FORGOTTEN_AFTER = 300.0
MOST_CLIENTS = 10_000
SITE_PREFIX = 64
"""An IPv6 client commands a whole network of this prefix (RFC 6177)."""


class Pace:
    """One token bucket a client, told apart by a keyed hash of the address.

    The key is drawn when the process starts and lies nowhere: nobody can ask later who it was.
    """

    def __init__(
        self,
        clock: Callable[[], float] = monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._key = os.urandom(32)
        self._buckets: OrderedDict[bytes, tuple[float, float]] = OrderedDict()
        """Tokens left, and when; the longest unused first."""

    @property
    def clients(self) -> int:
        """How many are remembered."""
        return len(self._buckets)

    async def wait(self, address: str) -> None:
        """Wait as long as this client has to, at most `MOST_SECONDS`."""
        seconds = self.delay(address)
        if seconds:
            await self._sleep(seconds)

    def delay(self, address: str) -> float:
        """Count one sending; the seconds that it has to wait."""
        at = self._clock()
        self._forget(at)
        client = blake2b(_site(address), key=self._key, digest_size=16).digest()
        tokens, seen = self._buckets.get(client, (float(BURST), at))
        tokens = min(BURST, tokens + (at - seen) / SECONDS_EACH) - 1
        tokens = max(tokens, -MOST_SECONDS / SECONDS_EACH)
        self._buckets[client] = (tokens, at)
        self._buckets.move_to_end(client)
        return max(0.0, -tokens * SECONDS_EACH)

    def _forget(self, at: float) -> None:
        while self._buckets:
            client, (_, seen) = next(iter(self._buckets.items()))
            if len(self._buckets) < MOST_CLIENTS and at - seen < FORGOTTEN_AFTER:
                return
            del self._buckets[client]


def _site(address: str) -> bytes:
    try:
        read = ip_address(address.partition("%")[0])
    except ValueError:
        return address.encode("utf-8", "replace")
    if isinstance(read, IPv6Address) and read.ipv4_mapped is None:
        return ip_network((read.packed, SITE_PREFIX), strict=False).network_address.packed
    return (read.ipv4_mapped or read).packed if isinstance(read, IPv6Address) else read.packed
