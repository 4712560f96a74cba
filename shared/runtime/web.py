"""What the three small web faces share: the service's life, `/livez`, `/readyz`, `/metrics`."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

import nats.errors
import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from shared.runtime.bus import Bus
from shared.runtime.mongo import Client, PyMongoError
from shared.runtime.tasks import end
from shared.runtime.telemetry import Gauges, Seen

log = structlog.get_logger("web")

RETRY_SECONDS = 1.0
LOOK_SECONDS = 5.0
"""Between two looks at what the service waits for."""
PARTS = ("start", "nats", "mongo")
"""Told also while nothing is wrong with them."""
WAITING = "langnghe_part_waiting"
STANDING = Seen(Gauges(WAITING, "1: the service cannot work, for this part is away.", ("part",)))


def end_process() -> None:
    """The connection is closed for good: end, so that whatever runs us starts us again."""
    log.error("connection closed for good", part="nats")
    os.kill(os.getpid(), signal.SIGTERM)


class Service:
    """One service's life, from the start of its web server to the end.

    `prepare` makes the store's indexes. While NATS or MongoDB is away at start, the service
    waits and says so on `/readyz`. `tasks` run beside the bus from when the store is prepared,
    by name: one that ends takes the process with it, since nothing may stop unnoticed.
    `also_waits` says, by part, what else keeps the service from working; `within` are open as
    long as it runs.
    """

    def __init__(
        self,
        bus: Bus,
        client: Client,
        prepare: Callable[[], Awaitable[None]],
        *,
        tasks: Mapping[str, Callable[[], Coroutine[Any, Any, None]]] | None = None,
        also_waits: Callable[[], Mapping[str, str]] = dict,
        within: Sequence[AbstractAsyncContextManager[object]] = (),
    ) -> None:
        self._bus, self._client, self._prepare = bus, client, prepare
        self._tasks, self._also_waits, self._within = tasks or {}, also_waits, within
        self._running: list[asyncio.Task[None]] = []
        self._not_prepared = self._not_started = "starting"

    def application(self, routes: Sequence[BaseRoute] = ()) -> Starlette:
        return Starlette(
            routes=[
                Route("/livez", self._livez),
                Route("/readyz", self._readyz),
                Route("/metrics", self._metrics),
                *routes,
            ],
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as open_parts:
            for part in self._within:
                await open_parts.enter_async_context(part)
            starting = asyncio.create_task(self._start())
            looking = asyncio.create_task(self._look())
            yield
            await end(starting, looking)
            await end(*self._running)
            if not self._not_started:
                await self._bus.stop()
            self._client.close()

    async def _start(self) -> None:
        while self._not_prepared:
            self._not_prepared = await self._try(self._prepare)
        for name, work in self._tasks.items():
            task = asyncio.create_task(work(), name=name)
            task.add_done_callback(_ended)
            self._running.append(task)
        self._not_started = "starting"
        while self._not_started:
            self._not_started = await self._try(self._bus.start)
        log.info("ready")

    async def _try(self, step: Callable[[], Awaitable[None]]) -> str:
        """Empty if it went well, else why not, after a pause."""
        try:
            await step()
        except (PyMongoError, OSError, RuntimeError, TimeoutError, nats.errors.Error) as error:
            log.warning("not ready", reason=type(error).__name__)
            self._not_started = _say(error)
            await asyncio.sleep(RETRY_SECONDS)
            return self._not_started
        return ""

    async def _look(self) -> None:
        """Tell again and again what `/readyz` would: whoever fetches metrics asks nobody."""
        while True:
            await self.tell()
            await asyncio.sleep(LOOK_SECONDS)

    async def tell(self) -> None:
        why_not = await self.why_not_ready()
        STANDING.tell({WAITING: {(p,): float(p in why_not) for p in (*PARTS, *why_not)}})

    async def why_not_ready(self) -> dict[str, str]:
        """By part: what keeps the service from working just now; empty if nothing does."""
        if self._not_started:
            return {"start": self._not_started}
        why_not = {**self._bus.waits_for, **self._also_waits()}
        if not self._bus.connection.is_connected:
            why_not["nats"] = "not connected"
        try:
            async with asyncio.timeout(1):
                await self._client.admin.command("ping")
        except (PyMongoError, TimeoutError) as error:
            why_not["mongo"] = type(error).__name__
        return why_not

    async def _livez(self, _request: Request) -> Response:
        return JSONResponse({"alive": True})

    async def _readyz(self, _request: Request) -> Response:
        why_not = await self.why_not_ready()
        status = 503 if why_not else 200
        return JSONResponse({"ready": not why_not, "why_not": why_not}, status_code=status)

    async def _metrics(self, _request: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _ended(task: asyncio.Task[None]) -> None:
    if task.cancelled():
        return
    error = task.exception()
    kind = type(error).__name__ if error else "ended"
    log.error("task ended", part=task.get_name(), reason=kind)
    os.kill(os.getpid(), signal.SIGTERM)


def _say(error: Exception) -> str:
    """Our own sentences may be shown; a library's text may hold addresses and credentials."""
    kind = type(error).__name__
    return f"{kind}: {error}" if isinstance(error, RuntimeError) else kind
