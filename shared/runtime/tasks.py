"""Ends tasks for certain."""

import asyncio
from typing import Any

AGAIN_SECONDS = 1.0


async def end(*tasks: asyncio.Task[Any], again_seconds: float = AGAIN_SECONDS) -> None:
    """Cancel the tasks and return when all have ended, however they did.

    Before Python 3.12 `asyncio.wait_for`, which the client of NATS waits by, forgets a
    cancellation that comes at the same moment as its result: a task in a loop would go on for
    ever. So it is told again.
    """
    going_on = set(tasks)
    while going_on:
        for task in going_on:
            task.cancel()
        _, going_on = await asyncio.wait(going_on, timeout=again_seconds)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # seen, so that the loop does not report it
