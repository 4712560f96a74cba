"""Reads a request's body within bounds: of bytes, of seconds, and of memory for all together."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request

from shared.runtime.http.problem import (
    Problem,
    store_away,
    too_large,
    unsupported,
)

KILOBYTE, MEGABYTE = 1024, 1024 * 1024
SMALL = 64 * KILOBYTE
"""Bytes up to which a body waits for no room, so that a short text passes long queues."""


class Bodies:
    """The bodies of one entrance; each has its own, so that none waits for another's.

    At most `budget` bytes of large bodies lie in memory at once, each counted as long as it
    declares to be, or as the longest that may come. Reading one takes about four times as much.
    One that finds no room within `patience` seconds is told to come later; one takes `seconds`
    at most to arrive.
    """

    def __init__(
        self, *, budget: int = 100 * MEGABYTE, patience: float = 60.0, seconds: float = 300.0
    ) -> None:
        self._budget, self._taken = budget, 0
        self._changed = asyncio.Condition()
        self._patience, self._seconds = patience, seconds

    @asynccontextmanager
    async def room(self, request: Request, most: int) -> AsyncIterator[None]:
        """Held as long as the body, or what was read from it, is needed."""
        declared = _declared(request)
        size = min(most if declared is None else declared, most, self._budget)
        if size <= SMALL:
            yield
            return
        try:
            async with asyncio.timeout(self._patience), self._changed:
                await self._changed.wait_for(lambda: self._taken + size <= self._budget)
                self._taken += size
        except TimeoutError:
            raise store_away() from None
        try:
            yield
        finally:
            async with self._changed:
                self._taken -= size
                self._changed.notify_all()

    async def pour(self, request: Request, most: int, into: Callable[[bytes], object]) -> None:
        """Hand the body on piece by piece; raises `Problem` as soon as it goes beyond a bound.

        What was handed on before is worth nothing then: a body that was cut short is none.
        """
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise unsupported("Send the body without a content encoding.")
        advice = f"At most {_told(most)}."
        declared = _declared(request)
        if declared is not None and declared > most:
            raise too_large(advice)
        seen = 0
        try:
            async with asyncio.timeout(self._seconds):
                async for piece in request.stream():
                    seen += len(piece)
                    if seen > most:
                        raise too_large(advice)
                    into(piece)
        except ClientDisconnect:
            raise Problem(
                HTTPStatus.BAD_REQUEST, "cut-short", "The body ended before it was whole."
            ) from None
        except TimeoutError:
            raise Problem(
                HTTPStatus.REQUEST_TIMEOUT,
                "too-slow",
                "The body did not arrive in time.",
                headers={"Connection": "close"},
            ) from None

    async def read(self, request: Request, most: int) -> bytes:
        pieces: list[bytes] = []
        await self.pour(request, most, pieces.append)
        return b"".join(pieces)


def _declared(request: Request) -> int | None:
    """The length that the request declares; None where it comes in chunks."""
    length = request.headers.get("content-length", "")
    return int(length) if length.isdecimal() else None


def _told(size: int) -> str:
    return f"{size // MEGABYTE} MB" if size >= MEGABYTE else f"{size // KILOBYTE} KB"
