"""Clocks that fall due: what time and new rules do to cases, while nobody sends anything.

Decide → keep → publish, as for messages: the case keeps what has to be announced in the write
that moves it, and whoever runs next announces what a crash left. Several replicas may run this
at once; of two that find the same clock due, one moves the case and both say the same.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import Protocol

import structlog

from services.routing.domain.clocks import Versions
from services.routing.domain.due import Fired, ticked
from services.routing.domain.lifecycle import CaseState
from services.routing.domain.rules import RulesInForce
from services.routing.load import Load
from shared.contracts.envelope import AnyEvent

BATCH = 200
SECONDS = 1.0
"""Between two sweeps; one that finds nothing reads a few entries of indexes."""
SKEW = timedelta(minutes=5)
"""Two clocks that lie further apart are told of."""

log = structlog.get_logger("schedule")


class Rules(Protocol):
    async def latest(self) -> RulesInForce | None:
        """The latest version of each; None while one of the three has none."""


class Clocks(Protocol):
    async def time(self) -> datetime:
        """The time by the store's own clock."""

    async def due(
        self, today: date, rules: Versions, limit: int, *, directory: int = 0
    ) -> Sequence[CaseState]:
        """Cases that are looked at on this local day, or stand by older rules than these."""

    async def open_by_lead(self) -> Mapping[str, int]:
        """How many open cases each body leads; one that leads none is absent."""

    async def fire(self, fired: Sequence[Fired]) -> None:
        """Keep each with its events; a case that has moved meanwhile is left, and due again."""

    async def waiting(self, limit: int) -> Sequence[AnyEvent]:
        """What was kept and is not known to be announced; of `limit` cases, by version."""

    async def announced(self, events: Sequence[AnyEvent]) -> None:
        """These are in their stream, and wait no longer."""


class Schedule:
    """`passing` are the errors that say only that the bus or the store is away."""

    def __init__(
        self,
        rules: Rules,
        clocks: Clocks,
        publish: Callable[[Sequence[AnyEvent]], Awaitable[None]],
        *,
        zone: tzinfo,
        now: Callable[[], datetime],
        passing: tuple[type[Exception], ...] = (),
    ) -> None:
        self._rules, self._clocks, self._publish = rules, clocks, publish
        self._load = Load(clocks)
        self._zone, self._now, self._passing = zone, now, passing
        self.waits_for = ""
        """Why it cannot go on just now; empty while all is well."""
        self._skewed = False

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                count = await self.sweep()
            except self._passing as error:
                if not self.waits_for:
                    log.warning("waits", part="schedule", reason=type(error).__name__)
                self.waits_for = type(error).__name__
            else:
                self.waits_for = ""
                if count:
                    log.info("done", part="schedule", count=count)
            await asyncio.sleep(SECONDS)

    async def sweep(self) -> int:
        """Let every clock speak that has something to say; answers how many events that gave."""
        count = await self._announce()
        rules = await self._rules.latest()
        if rules is None:
            return count
        at = await self._sure_time()
        today = at.astimezone(self._zone).date()
        versions = Versions(rules.rulebook_version, rules.calendar_version)
        while states := await self._clocks.due(
            today, versions, BATCH, directory=rules.directory_version
        ):
            leads = await self._load.at(at)
            await self._clocks.fire(ticked(states, rules, self._zone, at, leads))
            count += await self._announce()
            if len(states) < BATCH:
                break
        return count

    async def _announce(self) -> int:
        count = 0
        while events := await self._clocks.waiting(BATCH):
            await self._publish(events)
            await self._clocks.announced(events)
            count += len(events)
        return count

    async def _sure_time(self) -> datetime:
        """The earlier of our clock and the store's: no single wrong clock ends a term early."""
        own, stores = self._now(), await self._clocks.time()
        skewed = abs(own - stores) > SKEW
        if skewed and not self._skewed:
            log.error(
                "clocks differ", part="schedule", seconds=round((own - stores).total_seconds())
            )
        self._skewed = skewed
        return min(own, stores)
