"""Mends FastStream 0.7.8's batch pull; to be deleted when a release does without it.

As shipped, it (1) catches only `nats.errors.TimeoutError` while nats-py raises the plain
`asyncio.TimeoutError`: the task dies and what it had fetched hangs until `ack_wait`;
(2) waits for a full batch up to its time-out although messages are there; (3) spins when the
connection is gone; (4) keeps what it fetched while stopping instead of giving it back.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import version

import nats.errors
import orjson
import structlog
from faststream.nats.subscriber.usecases.stream_pull_subscriber import BatchPullStreamSubscriber
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import APIError

MENDS = "0.7.8"
GRACE_SECONDS = 0.5
NO_MORE = frozenset({"404", "408"})
"""Statuses by which the server ends a request: nothing is there, or the time is over."""
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
            messages = await fetch(subscription, self.pull_sub.batch_size, self.pull_sub.timeout)
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


async def fetch(
    pull: JetStreamContext.PullSubscription, batch: int, seconds: float | None
) -> list[Msg]:
    """What is there, up to `batch`; if nothing is, the first that comes within the time.

    nats-py's own waits for each message with a timer and a task of its own, which costs more than
    to handle one. A message that comes too late for its request is among the next ones. Raises
    `TimeoutError` if nothing came, and `nats.errors.Error`.
    """
    seconds = seconds or LONGEST_PAUSE
    wait = seconds + GRACE_SECONDS  # the server's own end of the request comes first
    found = await _answer(pull, {"batch": batch, "no_wait": True}, batch, wait)
    if found:
        return found
    found = await _answer(pull, {"batch": 1, "expires": int(seconds * 1e9)}, 1, wait)
    if not found:
        raise TimeoutError
    if batch > 1:
        found += await _answer(pull, {"batch": batch - 1, "no_wait": True}, batch - 1, wait)
    return found


async def _answer(
    pull: JetStreamContext.PullSubscription,
    request: Mapping[str, object],
    most: int,
    seconds: float,
) -> list[Msg]:
    """Up to `most` messages, until the server says that there are no more, or nothing comes."""
    subscription, messages = pull._sub, list[Msg]()  # noqa: SLF001
    queue = subscription._pending_queue  # noqa: SLF001
    await pull._nc.publish(pull._nms, orjson.dumps(request), pull._deliver)  # noqa: SLF001
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while len(messages) < most:
                message = await queue.get()
                subscription._pending_size -= len(message.data)  # noqa: SLF001
                status = JetStreamContext.is_status_msg(message)
                if not status:
                    messages.append(message)
                elif status in NO_MORE:
                    break
                elif not messages:
                    raise APIError.from_msg(message)
    return messages


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
