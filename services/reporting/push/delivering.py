"""One report to one webhook: number it, sign it, post it, and say what became of it.

*Number → post → keep → acknowledge*: a crash between any two repeats the whole step, with the
same number and the same `webhook-id`, by which a receiver knows it again.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import orjson
import structlog
from prometheus_client import Counter, Gauge
from pydantic import ValidationError

from services.reporting.push.reach import Refused, Unreached
from services.reporting.push.signing import signed
from services.reporting.push.standing import Standings
from services.reporting.push.subscriptions import Subscription
from shared.contracts import ReportPublished
from shared.contracts.envelope import Event

DELAYS = (5.0, 30.0, 120.0, 600.0, 3_600.0)
"""Seconds before each further try; the last one again and again."""
PAUSE_AFTER = timedelta(days=5)
SUCCESS = range(200, 300)

DELIVERIES = Counter(
    "langnghe_webhook_deliveries_total", "Posts to webhooks.", ["webhook", "outcome"]
)
PAUSED = Gauge("langnghe_webhook_paused", "1 while a webhook is paused.", ["webhook"])
FAILING = Gauge(
    "langnghe_webhook_failures", "Failed posts since the last one that was taken.", ["webhook"]
)

Post = Callable[[str, Sequence[tuple[str, str]], bytes], Awaitable[int]]
"""Address, headers, body: the status. Raises `Refused` and `Unreached`."""

log = structlog.get_logger("push")


class Taken(Protocol):
    """A report in the hand; whoever takes it lets it go by one of the two."""

    @property
    def content(self) -> bytes: ...

    @property
    def sequence(self) -> int:
        """Its place in the stream."""

    async def done(self) -> None:
        """It never comes again, confirmed."""

    async def later(self, seconds: float) -> None:
        """It comes again after so long, and none before it."""


async def posted(post: Post, to: Subscription, message: str, at: datetime, body: bytes) -> str:
    """What kept the receiver from taking it: a status, or a kind of error; empty if it took it."""
    try:
        status = await post(to.url, signed(to.secrets, message, at, body), body)
    except Refused:
        return "refused"
    except Unreached as error:
        return str(error)
    return "" if status in SUCCESS else str(status)


class Delivery:
    """A webhook that has failed for `pause_after` is paused: nothing is taken for it any more.

    Not before every delay had its try, or one failure and a week in which we stood still would do.
    """

    def __init__(
        self,
        standings: Standings,
        post: Post,
        now: Callable[[], datetime],
        *,
        pause_after: timedelta = PAUSE_AFTER,
        delays: Sequence[float] = DELAYS,
    ) -> None:
        self._standings, self._post, self._now = standings, post, now
        self._pause_after, self._delays = pause_after, tuple(delays)

    async def handle(self, to: Subscription, taken: Taken) -> None:
        """Deliver it, or put it back for later."""
        try:
            event = Event[ReportPublished].model_validate_json(taken.content)
        except ValidationError:
            log.error("passed over", part=to.id, sequence=taken.sequence, reason="unreadable")  # noqa: TRY400 - the trace would quote it
            await taken.done()
            return
        if not to.wants(event.data):
            await taken.done()
            return
        number = await self._standings.numbered(to.id, taken.sequence)
        body = orjson.dumps(orjson.loads(taken.content) | {"sequence": str(number)})
        if why := await posted(self._post, to, event.id, self._now(), body):
            await self._failed(to, taken, why)
            return
        await self._standings.delivered(to.id, self._now())
        await taken.done()
        DELIVERIES.labels(to.id, "delivered").inc()
        FAILING.labels(to.id).set(0)

    async def _failed(self, to: Subscription, taken: Taken, why: str) -> None:
        at = self._now()
        standing = await self._standings.failed(to.id, at, why)
        DELIVERIES.labels(to.id, "failed").inc()
        FAILING.labels(to.id).set(standing.failures)
        long_enough = at - (standing.failing_since or at) >= self._pause_after
        if long_enough and standing.failures > len(self._delays):
            await self._standings.pause(to.id, at)
            log.error("paused", part=to.id, reason=why, attempts=standing.failures)
            await taken.later(0)
            return
        log.warning("not delivered", part=to.id, reason=why, attempts=standing.failures)
        await taken.later(self._delays[min(standing.failures, len(self._delays)) - 1])
