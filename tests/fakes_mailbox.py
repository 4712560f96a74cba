"""An honest keeper of mails in memory, and a wire that can be cut."""

import asyncio
from base64 import b64decode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Self

import orjson

from services.intake.handlers.ports import ArrivalFate, StoreAway
from shared.contracts.ingress import Fate
from shared.runtime.arrival import Arrival

KEY = b"a key that only the tests know"


def now() -> datetime:
    return datetime.now(UTC)


class Keeper:
    """The port `Accept`: what was kept stays, and what comes again is a duplicate."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], bytes] = {}
        """The mail's bytes by agency and event id."""
        self.offered: list[Arrival] = []
        self.away_for = 0
        """So many calls find the store away."""
        self.poison = b"\0 no mail holds this"
        """A mail that holds this makes the call fail."""
        self.unanswered = self.poison
        self.gate = asyncio.Event()
        """What is offered waits until it is set."""
        self.gate.set()
        self.largest_call = 0

    async def __call__(self, arrivals: Sequence[Arrival]) -> Sequence[ArrivalFate]:
        self.offered += arrivals
        self.largest_call = max(self.largest_call, len(arrivals))
        await self.gate.wait()
        if self.away_for:
            self.away_for -= 1
            raise StoreAway
        read = [(arrival, orjson.loads(arrival.body)) for arrival in arrivals]
        raws = [b64decode(event["data"]["raw"]) for _, event in read]
        if any(self.poison in raw for raw in raws):
            raise RuntimeError
        return [
            self._keep(arrival, event["id"], raw)
            for (arrival, event), raw in zip(read, raws, strict=True)
            if self.unanswered not in raw
        ]

    def _keep(self, arrival: Arrival, item: str, raw: bytes) -> ArrivalFate:
        known = (arrival.party, item) in self.kept
        self.kept.setdefault((arrival.party, item), raw)
        return ArrivalFate(arrival, item, Fate.DUPLICATE if known else Fate.KEPT)

    def holds(self, mail: bytes, agency: str | None = None) -> bool:
        """Whether a mail is kept that ends in these bytes; servers put lines before it."""
        return any(
            raw.endswith(mail) for (party, _), raw in self.kept.items() if agency in (None, party)
        )


async def eventually(holds: Callable[[], bool], within: float = 30.0) -> None:
    """Waits for what must come true; a slow machine takes longer, a broken one fails."""
    async with asyncio.timeout(within):
        while not holds():
            await asyncio.sleep(0.02)


class Wire:
    """Forwards to a port of this machine; the n-th connection is cut after `cuts[n]` bytes."""

    def __init__(self, to: int, *cuts: int) -> None:
        self._to, self._cuts = to, list(cuts)
        self.connections = 0
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        left = self._cuts.pop(0) if self._cuts else 1 << 60
        there, to_there = await asyncio.open_connection("127.0.0.1", self._to)

        async def up() -> None:
            while piece := await reader.read(65536):
                to_there.write(piece)
            to_there.transport.abort()

        upward = asyncio.create_task(up())
        try:
            while left and (piece := await there.read(min(left, 65536))):
                writer.write(piece)
                await writer.drain()
                left -= len(piece)
        except ConnectionError:
            pass
        finally:
            upward.cancel()
            to_there.transport.abort()
            writer.transport.abort()
