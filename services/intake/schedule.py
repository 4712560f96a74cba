"""What intake does by the clock: it takes in calls that waited long enough, and it watches."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

log = structlog.get_logger("schedule")


@dataclass(frozen=True, slots=True)
class Work:
    """`do` answers how many things came of it; it is done again `seconds` after it ended."""

    name: str
    seconds: float
    do: Callable[[datetime], Awaitable[int]]


async def keep_time(
    works: Sequence[Work], now: Callable[[], datetime], passing: tuple[type[Exception], ...]
) -> None:
    """Do each work again and again until cancelled; `passing` errors say it was too early."""
    async with asyncio.TaskGroup() as tasks:
        for work in works:
            tasks.create_task(_repeat(work, now, passing))


async def _repeat(
    work: Work, now: Callable[[], datetime], passing: tuple[type[Exception], ...]
) -> None:
    waits = ""
    while True:
        try:
            count = await work.do(now())
        except passing as error:
            if waits != type(error).__name__:
                waits = type(error).__name__
                log.warning("waits", part=work.name, reason=waits)
        else:
            waits = ""
            if count:
                log.info("done", part=work.name, count=count)
        await asyncio.sleep(work.seconds)
