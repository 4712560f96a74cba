"""Every webhook has a task of its own, so that none waits for another's receiver.

A task takes one report at a time from the durable consumer `webhook-<code>`, which gives out no
second one before the first is done: so reports come in order, and of several replicas one is at
work. The operator makes the consumer, and the file says which ones there are.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from services.reporting.push.delivering import FAILING, PAUSED, Delivery, Taken
from services.reporting.push.standing import Standings
from services.reporting.push.subscriptions import (
    Subscription,
    SubscriptionsBroken,
    read_subscriptions,
)
from shared.runtime.streams import REPORTS, webhook_durable
from shared.runtime.tasks import end

POLL_SECONDS = 1.0
"""Between two looks at the file, and at a webhook that is paused."""
FETCH_SECONDS = 5.0
CONFIRM_SECONDS = 5.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before the next try while the bus or the store is away."""

log = structlog.get_logger("push")


class Source(Protocol):
    async def take(self) -> Taken | None:
        """The next report, or None after a while without one. Raises `nats.errors.Error`."""


@dataclass(frozen=True, slots=True)
class _Message:
    raw: Msg

    @property
    def content(self) -> bytes:
        return self.raw.data

    @property
    def sequence(self) -> int:
        return self.raw.metadata.sequence.stream

    async def done(self) -> None:
        await self.raw.ack_sync(timeout=CONFIRM_SECONDS)

    async def later(self, seconds: float) -> None:
        await self.raw.nak(delay=seconds or None)


class ConsumerSource:
    """Takes from the durable consumer of one webhook."""

    def __init__(self, connection: Callable[[], Client], code: str) -> None:
        self._connection, self._durable = connection, webhook_durable(code)
        self._subscription: JetStreamContext.PullSubscription | None = None

    async def take(self) -> Taken | None:
        if self._subscription is None:
            jetstream = self._connection().jetstream()
            self._subscription = await jetstream.pull_subscribe_bind(self._durable.name, REPORTS)
        try:
            [message] = await self._subscription.fetch(1, timeout=FETCH_SECONDS)
        except TimeoutError:
            return None
        return _Message(message)

    async def close(self) -> None:
        if self._subscription is not None:
            await self._subscription.unsubscribe()


class Pusher:
    """`passing` are the errors that say only that bus or store are away.

    One that is new in the file is begun at the look after, since the server's guard reads the same
    file and has let us take from its consumer by then. One that comes too early only waits.
    """

    def __init__(
        self,
        folder: Path,
        source: Callable[[str], ConsumerSource],
        standings: Standings,
        delivery: Delivery,
        *,
        passing: tuple[type[Exception], ...] = (),
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._folder, self._source = folder, source
        self._standings, self._delivery = standings, delivery
        self._passing: tuple[type[Exception], ...] = (*passing, nats.errors.Error, TimeoutError)
        self._poll_seconds = poll_seconds
        self._known: Mapping[str, Subscription] = {}
        self._broken = ""

    async def run(self) -> None:
        """Until cancelled. A task that ends by a fault of ours is said, and begun again."""
        tasks: dict[str, asyncio.Task[None]] = {}
        first = True
        try:
            while True:
                before = set(self._known)
                self._look()
                if first:
                    before, first = set(self._known), False
                for code in [code for code in tasks if code not in self._known]:
                    await end(tasks.pop(code))
                for code, task in tasks.items():
                    if task.done() and (error := task.exception()):
                        log.error("begun again", part=code, reason=type(error).__name__)
                for code in before & self._known.keys():
                    if code not in tasks or tasks[code].done():
                        tasks[code] = asyncio.create_task(self._serve(code), name=code)
                await asyncio.sleep(self._poll_seconds)
        finally:
            await end(*tasks.values())

    def _look(self) -> None:
        """What the file says now; while it is broken the last good one stands."""
        try:
            found = read_subscriptions(self._folder)
        except SubscriptionsBroken as error:
            if not self._broken:
                log.error("not read: the webhooks before it stand", reason=str(error))  # noqa: TRY400 - the trace would quote it
            self._broken = str(error)
            return
        self._broken = ""
        self._known = {subscription.id: subscription for subscription in found}

    async def _serve(self, code: str) -> None:
        source, pause, waits = self._source(code), FIRST_PAUSE, ""
        try:
            while True:
                try:
                    await self._turn(code, source)
                except self._passing as error:
                    if waits != (why := type(error).__name__):
                        log.warning("waits", part=code, reason=why)
                    waits = why
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, LONGEST_PAUSE)
                else:
                    pause, waits = FIRST_PAUSE, ""
        finally:
            await _closed(source)

    async def _turn(self, code: str, source: Source) -> None:
        standing = await self._standings.of(code)
        PAUSED.labels(code).set(1 if standing.paused else 0)
        FAILING.labels(code).set(standing.failures)
        if standing.paused:
            await asyncio.sleep(self._poll_seconds)
            return
        if taken := await source.take():
            await self._delivery.handle(self._known[code], taken)


async def _closed(source: ConsumerSource) -> None:
    try:
        await source.close()
    except nats.errors.Error as error:  # the connection is gone, and with it what was asked on it
        log.warning("not closed", kind=type(error).__name__)
