"""What the three small web faces share: the service's life, `/livez`, `/readyz`, `/metrics`."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import nats.errors
import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from shared.runtime.bus import Bus
from shared.runtime.mongo import Client, PyMongoError

log = structlog.get_logger("web")

RETRY_SECONDS = 1.0


def end_process() -> None:
    """The connection is closed for good: end, so that whatever runs us starts us again."""
    log.error("connection closed for good", part="nats")
    os.kill(os.getpid(), signal.SIGTERM)


class Service:
    """One service's life, from the start of its web server to the end.

    `prepare` makes the store's indexes. While NATS or MongoDB is away at start, the service
    waits and says so on `/readyz`.
    """

    def __init__(self, bus: Bus, client: Client, prepare: Callable[[], Awaitable[None]]) -> None:
        self._bus, self._client, self._prepare = bus, client, prepare
        self._not_started = "starting"

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
        starting = asyncio.create_task(self._start())
        yield
        starting.cancel()
        if not self._not_started:
            await self._bus.stop()
        self._client.close()

    async def _start(self) -> None:
        while self._not_started:
            try:
                await self._prepare()
                await self._bus.start()
            except (PyMongoError, OSError, RuntimeError, TimeoutError, nats.errors.Error) as error:
                self._not_started = _say(error)
                log.warning("not ready", reason=type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self._not_started = ""
                log.info("ready")

    async def why_not_ready(self) -> dict[str, str]:
        """By part: what keeps the service from working just now; empty if nothing does."""
        if self._not_started:
            return {"start": self._not_started}
        why_not = dict(self._bus.waits_for)
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


def _say(error: Exception) -> str:
    """Our own sentences may be shown; a library's text may hold addresses and credentials."""
    kind = type(error).__name__
    return f"{kind}: {error}" if isinstance(error, RuntimeError) else kind
