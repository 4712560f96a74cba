"""What intake does by the clock: it takes in calls that waited long enough, and it watches."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

import structlog

PAUSE_SECONDS = 30.0

log = structlog.get_logger("schedule")

Work = Callable[[datetime], Awaitable[int]]


async def keep_time(
    works: Mapping[str, Work], now: Callable[[], datetime], passing: tuple[type[Exception], ...]
) -> None:
    """Do each work again and again until cancelled; `passing` errors say it was too early."""
    while True:
        for name, work in works.items():
            try:
                count = await work(now())
            except passing as error:
                log.warning("waits", part=name, reason=type(error).__name__)
                continue
            if count:
                log.info("done", part=name, count=count)
        await asyncio.sleep(PAUSE_SECONDS)
