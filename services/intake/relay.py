"""Announces what intake's own sources brought: it is kept before it is said.

A crash between keeping and announcing, or a bus that is away, leaves it in the outbox; whoever
runs next announces it. Said twice it is the same event, with the same id.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from services.intake.handlers.ports import Outbox
from shared.contracts.envelope import AnyEvent

BATCH = 200
POLL_SECONDS = 1.0
"""How long what a crashed replica left unannounced may wait for another to see it."""

log = structlog.get_logger("relay")


class Relay:
    """`passing` are the errors that say only that the bus or the store is away."""

    def __init__(
        self,
        outbox: Outbox,
        publish: Callable[[Sequence[AnyEvent]], Awaitable[None]],
        passing: tuple[type[Exception], ...],
    ) -> None:
        self._outbox, self._publish, self._passing = outbox, publish, passing
        self._woken = asyncio.Event()
        self.waits_for = ""
        """Why it cannot go on just now; empty while all is well."""

    def wake(self) -> None:
        """Something was kept that must be announced."""
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._woken.clear()
            try:
                while await self.announce():
                    pass
                self.waits_for = ""
            except self._passing as error:
                if not self.waits_for:
                    log.warning("waits", part="relay", reason=type(error).__name__)
                self.waits_for = type(error).__name__
                await asyncio.sleep(POLL_SECONDS)
                continue
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def announce(self) -> int:
        """Announce what waits, up to a batch; answers how many events that were."""
        events = await self._outbox.waiting(BATCH)
        if events:
            await self._publish(events)
            await self._outbox.announced(events)
        return len(events)
