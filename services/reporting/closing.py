"""Counts a period: its first closing, and the ones that follow when something came late."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial

from services.reporting.domain.period import Window
from services.reporting.domain.revision import Closing
from services.reporting.figures import find_causes, own_cells, period_of, rows_behind, wrong
from services.reporting.ports import Closings, Coverage, Flight, Rows, Rules, RulesInForce
from shared.contracts.envelope import derived_id

BY_ITSELF = "reporting"
"""The party in whose name periods are counted that nobody ordered."""
LOOKS = 20
"""How often a revision looks whether what is under way has arrived."""
SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Order:
    """Who wants a period counted. `sending` is the key of the command's arrival."""

    period: str
    party: str
    command: str
    correlation: str
    sending: str
    force: bool = False

    @classmethod
    def by_itself(cls, period: str, revision: int) -> "Order":
        """The order that nobody gave: the same for whoever finds that it is time."""
        command = derived_id(period, BY_ITSELF, str(revision))
        return cls(period, BY_ITSELF, command, command, command)

    def led_to(self, closing: Closing) -> bool:
        return (closing.party, closing.command) == (self.party, self.command)


class Closer:
    """Decides what an order to count a period does; what it decides is kept when it returns."""

    def __init__(
        self,
        rows: Rows,
        rules: Rules,
        closings: Closings,
        flight: Flight,
        *,
        zone: tzinfo,
    ) -> None:
        self._rows, self._rules, self._closings = rows, rules, closings
        self._flight, self._zone = flight, zone
        self.pause: Callable[[], Awaitable[object]] = partial(asyncio.sleep, SECONDS)
        """Between two looks at what is under way."""

    async def close(self, order: Order, at: datetime) -> Closing:
        """The closing that the order led to; raises `Unacceptable` if it leads to none."""
        ordered = await self._led_to(order)
        if ordered is not None:
            return ordered
        standing = await self._closings.of(order.period)
        if standing is None:
            rules = await self._rules.latest()
            window = self._over(order.period, rules, at)
            covered = await self._covered(window, order)
            closing = await self._count(order, at, rules, window, covered)
            standing = await self._closings.add_once(closing)
        if not order.led_to(standing):
            raise wrong(
                "already-closed",
                f"{order.period} was closed on {standing.at.astimezone(self._zone):%d/%m/%Y}.",
                "A closed period stays as it was published; order a revision if something came "
                "late.",
            )
        return standing

    async def revise(self, order: Order, at: datetime) -> Closing | None:
        """The next closing of a closed period, or None if nothing that it says has changed."""
        ordered = await self._led_to(order)
        if ordered is not None:
            return ordered
        standing = await self._closings.of(order.period)
        if standing is None:
            raise wrong(
                "not-closed", f"{order.period} is not closed.", "Close it first: `report close`."
            )
        marks = (await self._closings.late()).get(order.period, 0)
        rules = await self._rules.latest()
        window = Window.of(standing.period, self._zone)
        covered = await self._settled(at)
        if covered.position < standing.covers:
            raise rows_behind("/data/period")
        closing = await self._count(order, at, rules, window, covered)
        if closing.figures == standing.figures:
            # Not before it is counted, and only if nothing came in meanwhile, or is to come.
            if not covered.waiting:
                await self._closings.no_longer_late(order.period, marks)
            return None
        causes = await find_causes(self._rows, rules, window, standing.known, at)
        closing = closing.model_copy(update={"revision": standing.revision + 1, "causes": causes})
        kept = await self._closings.add_once(closing)
        return kept if order.led_to(kept) else None

    async def figures_as_known(self, closing: Closing) -> Closing:
        """The closing counted again from what was known then, by its own rules."""
        rules = await self._rules.versions(closing.directory, closing.rulebook)
        window = Window.of(closing.period, self._zone)
        own = await own_cells(
            self._rows, rules, window, known=closing.known or closing.at, long_ago=True
        )
        return closing.model_copy(update={"figures": own})

    async def _led_to(self, order: Order) -> Closing | None:
        """The closing that this very order brought about before."""
        ordered = await self._closings.ordered(order.party, order.command)
        if ordered is not None and ordered.period.code != order.period:
            advice = "Give each command an id of its own; repeat one only to send it again."
            raise wrong("id-reused", "This id has counted another period.", advice, field="/id")
        return ordered

    def _over(self, code: str, rules: RulesInForce, at: datetime) -> Window:
        period = period_of(code, rules.rulebook.rulebook)
        window = Window.of(period, self._zone)
        if at < window.end:
            raise wrong(
                "period-not-over",
                f"{code} lasts until {period.last_day:%d/%m/%Y}.",
                "Close it after its last day.",
            )
        return window

    async def _covered(self, window: Window, order: Order) -> Coverage:
        covered = await self._flight.before(window.end)
        if covered.waiting and not order.force:
            where = ", ".join(f"{name} {count}" for name, count in sorted(covered.waiting.items()))
            raise wrong(
                "events-in-flight",
                f"Events from before the end of {order.period} are not counted yet: {where}.",
                "Wait, or drive the dead letters again; with `force` it is closed all the same, "
                "and every report says so.",
            )
        return covered

    async def _settled(self, at: datetime) -> Coverage:
        """What is still under way of all that came before, after it had its time to arrive.

        What comes late came after the period's end: that instant says nothing of it.
        """
        covered = await self._flight.before(at)
        for _ in range(LOOKS):
            if not covered.waiting:
                break
            await self.pause()
            covered = await self._flight.before(at)
        return covered

    async def _count(
        self,
        order: Order,
        at: datetime,
        rules: RulesInForce,
        window: Window,
        covered: Coverage,
    ) -> Closing:
        """What is recorded while it is counted is left to the next count: others count the same."""
        figures = await own_cells(self._rows, rules, window, known=at)
        return Closing(
            period=window.period,
            party=order.party,
            command=order.command,
            correlation=order.correlation,
            sending=order.sending,
            at=at,
            directory=rules.directory.version,
            rulebook=rules.rulebook.version,
            known=min(at, covered.oldest or at),
            covers=covered.position,
            in_flight=sum(covered.waiting.values()),
            figures=figures,
        )
