"""Mends FastStream 0.7.8's batch pull; to be deleted when a release does without it.

As shipped, it (1) catches only `nats.errors.TimeoutError` while nats-py raises the plain
`asyncio.TimeoutError`: the task dies and what it had fetched hangs until `ack_wait`;
(2) waits for a full batch up to its time-out although messages are there; (3) spins when the
connection is gone; (4) keeps what it fetched while stopping instead of giving it back.
"""

import asyncio
from importlib.metadata import version

import nats.errors
import structlog
from faststream.nats.subscriber.usecases.stream_pull_subscriber import BatchPullStreamSubscriber
from nats.aio.msg import Msg

MENDS = "0.7.8"
SHIPPED = BatchPullStreamSubscriber._consume_pull  # noqa: SLF001
"""What a test puts back to see whether it is still broken."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds between attempts while the server does not answer."""

log = structlog.get_logger("batch_pull")


async def _consume_pull(self: BatchPullStreamSubscriber) -> None:
    """Hand over what is there as soon as it is there, until stopped."""
    pause = FIRST_PAUSE
    while self.running:
        subscription = self.subscription
        if subscription is None:
            return
        try:
            messages = await subscription.fetch(
                batch=self.pull_sub.batch_size, timeout=self.pull_sub.timeout
            )
        except TimeoutError:  # nothing came; nats.errors.TimeoutError is one too
            continue
        except nats.errors.Error as error:
            log.warning("fetch failed", kind=type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            continue
        pause = FIRST_PAUSE
        if not self.running:
            await give_back(messages)
            return
        await self.consume(messages)


async def give_back(messages: list[Msg]) -> None:
    """Let another replica have them now rather than after `ack_wait`."""
    try:
        for message in messages:
            await message.nak()
    except nats.errors.Error:
        # The connection is gone: the server gives them out again after `ack_wait`.
        log.warning("could not give messages back", count=len(messages))


def mend() -> None:
    """Put our batch pull in the place of the shipped one; refuses a version it does not know."""
    installed = version("faststream")
    if installed != MENDS:
        message = (
            f"FastStream {installed} is installed; shared/runtime/batch_pull.py mends {MENDS}. "
            "Look whether batch pull still needs it, then delete it or name the new version."
        )
        raise RuntimeError(message)
    BatchPullStreamSubscriber._consume_pull = _consume_pull  # type: ignore[method-assign] # noqa: SLF001
