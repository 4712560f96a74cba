"""Reads the stream of events by its sequence numbers, exactly as the server keeps it.

A durable consumer would share the messages out between replicas, in no certain order; the chain
needs each of them, in the one order that there is.
"""

import asyncio
from collections.abc import Callable, Sequence

import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg

from services.reporting.domain.chain import Logged
from shared.runtime.streams import EVENTS

SUBJECT = f"$JS.API.DIRECT.GET.{EVENTS}"
ANSWER_SECONDS = 5.0
_END, _NONE = "204", "404"


class EventLog:
    """By `DIRECT.GET` in batches: the messages from one sequence number on."""

    def __init__(self, connection: Callable[[], Client]) -> None:
        self._connection = connection

    async def read(self, start: int, most: int) -> Sequence[Logged]:
        """Up to `most` messages with sequence `start` or more, in order; none if there are none.

        Raises `TimeoutError` if the server does not answer, and `nats.errors.Error`.
        """
        connection = self._connection()
        inbox = connection.new_inbox()
        found: list[Logged] = []
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def take(message: Msg) -> None:
            if done.done():
                return
            try:
                if not message.data and _status(message) in {_END, _NONE}:
                    done.set_result(None)
                else:
                    found.append(_logged(message))
            except TimeoutError as error:
                done.set_exception(error)

        subscription = await connection.subscribe(inbox, cb=take)
        try:
            wanted = orjson.dumps({"seq": start, "batch": most})
            await connection.publish(SUBJECT, wanted, reply=inbox)
            async with asyncio.timeout(ANSWER_SECONDS):
                await done
            return found
        finally:
            await subscription.unsubscribe()


def _status(message: Msg) -> str | None:
    return (message.headers or {}).get("Status")


def _logged(message: Msg) -> Logged:
    headers = message.headers or {}
    if status := headers.get("Status"):
        raise TimeoutError(f"the server answered with status {status}")
    return Logged(int(headers["Nats-Sequence"]), headers["Nats-Subject"], message.data)
