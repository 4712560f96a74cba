"""What several senders hand in at the same moment is kept together, and each is told its own.

A write to a majority and its journal takes as long for one mail as for fifty. While one batch is
being kept, what comes meanwhile makes the next: nobody waits for company.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from services.intake.handlers.ports import Accept, ArrivalFate, StoreAway
from shared.runtime.arrival import Arrival

MOST = 100
"""Arrivals that are kept together; what one sender hands in is never parted."""


@dataclass(frozen=True, slots=True)
class _HandedIn:
    arrivals: Sequence[Arrival]
    told: asyncio.Future[Sequence[ArrivalFate]]


class Gathering:
    """An `Accept` before another one. A sender who has gone meanwhile disturbs nobody."""

    def __init__(self, accept: Accept, most: int = MOST) -> None:
        self._accept, self._most = accept, most
        self._waiting: deque[_HandedIn] = deque()
        self._keeping: asyncio.Task[None] | None = None

    async def __call__(self, arrivals: Sequence[Arrival]) -> Sequence[ArrivalFate]:
        told = asyncio.get_running_loop().create_future()
        self._waiting.append(_HandedIn(arrivals, told))
        if self._keeping is None:
            self._keeping = asyncio.create_task(self._keep_all())
        fates: Sequence[ArrivalFate] = await told
        return fates

    async def _keep_all(self) -> None:
        try:
            while self._waiting:
                await self._keep(self._next())
        finally:
            self._keeping = None

    def _next(self) -> list[_HandedIn]:
        """The next batch; the same sending twice is not in one, so that the second finds it."""
        batch = [self._waiting.popleft()]
        keys = {arrival.key for arrival in batch[0].arrivals}
        while self._waiting:
            more = {arrival.key for arrival in self._waiting[0].arrivals}
            if more & keys or len(keys) + len(more) > self._most:
                break
            keys |= more
            batch.append(self._waiting.popleft())
        return batch

    async def _keep(self, batch: Sequence[_HandedIn]) -> None:
        try:
            fates = iter(await self._accept([a for one in batch for a in one.arrivals]))
        except StoreAway as away:
            for one in batch:
                _tell(one, away)
        except Exception as error:  # noqa: BLE001 - whoever handed it in is told
            if len(batch) == 1:
                _tell(batch[0], error)
                return
            for one in batch:  # one of them is at fault, and must not take its neighbours along
                await self._keep([one])
        else:
            for one in batch:
                _tell(one, [next(fates) for _ in one.arrivals])


def _tell(one: _HandedIn, what: Sequence[ArrivalFate] | Exception) -> None:
    if one.told.done():
        return
    if isinstance(what, Exception):
        one.told.set_exception(what)
    else:
        one.told.set_result(what)
