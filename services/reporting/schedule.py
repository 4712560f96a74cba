"""Counts periods when it is time, while nobody orders it: at their end, and again if late.

Several replicas may run this at once: of two that count the same, one is kept, and both say it.
"""

import asyncio
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, tzinfo

import structlog

from services.reporting.closing import Closer, Order
from services.reporting.domain.period import Window, resolve
from services.reporting.domain.revision import FIRST
from services.reporting.issuing import Desk
from services.reporting.ports import Closings, Rules, RulesInForce, RulesMissing
from shared.contracts.report import Edition
from shared.runtime.refusal import Unacceptable

SECONDS = 5.0
"""Between two sweeps; one that finds nothing reads a few documents."""
PATIENCE = timedelta(minutes=10)
"""How long a period waits that could not be counted."""

log = structlog.get_logger("schedule")


class Schedule:
    """What came late is counted once a local day, after midnight.

    `closes_from`: periods that end on this local day or later are closed when they are over;
    None: only when ordered. `passing` are the errors that say only that something is away.
    """

    def __init__(
        self,
        closer: Closer,
        desk: Desk,
        rules: Rules,
        closings: Closings,
        *,
        closes_from: date | None,
        zone: tzinfo,
        now: Callable[[], datetime],
        passing: tuple[type[Exception], ...] = (),
    ) -> None:
        self._closer, self._desk = closer, desk
        self._rules, self._closings = rules, closings
        self._closes_from, self._zone, self._now = closes_from, zone, now
        self._passing = passing
        self._again: dict[str, datetime] = {}
        self._revised: date | None = None
        self.waits_for = ""
        """Why it cannot go on just now; empty while all is well."""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.sweep()
            except self._passing as error:
                if not self.waits_for:
                    log.warning("waits", part="schedule", reason=type(error).__name__)
                self.waits_for = type(error).__name__
            else:
                self.waits_for = ""
            await asyncio.sleep(SECONDS)

    async def sweep(self) -> None:
        """Issue what waits, close what is over, count again what is late.

        What everybody may read comes last: to protect it takes longer than to count it.
        """
        await self._desk.issue()
        at = self._now()
        try:
            rules = await self._rules.latest()
        except RulesMissing:
            return
        for period in self._over(rules, at):
            if await self._closings.of(period) is None:
                await self._close(period, at)
        today = at.astimezone(self._zone).date()
        if self._revised != today:
            for period in await self._closings.late():
                await self._revise(period, at)
            self._revised = today
        await self._desk.issue()
        await self._desk.issue(Edition.PUBLIC)

    def _over(self, rules: RulesInForce, at: datetime) -> Iterator[str]:
        """Periods that are over, of those that close by themselves; the first to end first."""
        if self._closes_from is None:
            return
        periods = rules.rulebook.rulebook.periods
        last_year = at.astimezone(self._zone).year + 1
        found = {
            period.code: period.last_day
            for year in range(self._closes_from.year, last_year + 1)
            for rule in periods
            if (period := resolve(f"{year}-{rule.code}", periods)) is not None
            and period.last_day >= self._closes_from
            and Window.of(period, self._zone).end <= at
        }
        yield from sorted(found, key=lambda code: (found[code], code))

    async def _close(self, period: str, at: datetime) -> None:
        if at < self._again.get(period, at):
            return
        try:
            await self._closer.close(Order.by_itself(period, FIRST), at)
        except Unacceptable as why:
            if why.kind != "already-closed":  # by another replica, or by an order
                self._again[period] = at + PATIENCE
                log.warning("not closed", part="schedule", period=period, reason=why.kind)

    async def _revise(self, period: str, at: datetime) -> None:
        standing = await self._closings.of(period)
        if standing is None:
            return
        try:
            await self._closer.revise(Order.by_itself(period, standing.revision + 1), at)
        except Unacceptable as why:  # it stays late
            log.warning("not revised", part="schedule", period=period, reason=why.kind)
