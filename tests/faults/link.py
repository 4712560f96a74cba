"""A wire between a service and a server that can be cut without anybody being told."""

import asyncio
from contextlib import suppress

CHUNK = 65_536
UP, DOWN = "up", "down"
"""From the service to the server, and back."""


class Link:
    """Forwards both ways; a way that is cut swallows nothing and delivers nothing, as packets
    that are dropped and sent again: what was on it arrives after it is whole again, or never.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._server: asyncio.Server | None = None
        self._whole = {UP: asyncio.Event(), DOWN: asyncio.Event()}
        self._tasks: set[asyncio.Task] = set()
        self.mend()

    @property
    def port(self) -> int:
        return self._server.sockets[0].getsockname()[1]

    async def open(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._begin, "127.0.0.1", port)

    async def close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self, *ways: str) -> None:
        for way in ways or (UP, DOWN):
            self._whole[way].clear()

    def mend(self) -> None:
        for whole in self._whole.values():
            whole.set()

    def _begin(self, reader, writer) -> None:
        task = asyncio.create_task(self._joined(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _joined(self, reader, writer) -> None:
        ends = [writer]
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            ends.append(far_writer)
            ways = [
                asyncio.create_task(self._forward(UP, reader, far_writer)),
                asyncio.create_task(self._forward(DOWN, far_reader, writer)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            pass  # the server is away: so is the wire
        finally:
            for end in ends:
                with suppress(OSError):
                    end.close()

    async def _forward(self, way, reader, writer) -> None:
        while chunk := await reader.read(CHUNK):
            await self._whole[way].wait()
            writer.write(chunk)
            await writer.drain()
