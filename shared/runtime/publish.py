"""Publishes events and returns when each is confirmed by its stream.

nats-py offers one confirmation at a time, or many whose errors it swallows; this keeps a window
of confirmations over one inbox and raises what the server said.
"""

import asyncio
from collections.abc import Callable, Sequence
from itertools import islice

import nats.errors
import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import Header
from nats.js.errors import APIError

from shared.contracts.envelope import MEDIA_TYPE, AnyEvent
from shared.runtime.streams import stream_of

WINDOW = 512
CONFIRMATION_SECONDS = 5.0
AWAY = 503
"""The code with which a stream says that it cannot take anything now."""


class Unconfirmed(Exception):
    """The stream did not answer, or could not take it now: say the same again later."""


class NotTaken(Exception):
    """The stream refuses this event for good; the message names the server's error code."""


class Publisher:
    """Pipelined, confirmed publishing over one connection."""

    def __init__(self, connection: Callable[[], Client]) -> None:
        self._connection = connection
        self._prefix = ""
        self._subscribed_on: Client | None = None
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self._count = 0

    async def publish(self, events: Sequence[AnyEvent]) -> None:
        """Return once every event is in its stream; an id that is there already counts as in.

        Raises `Unconfirmed` or `NotTaken`; any part of the events may then be in.
        """
        try:
            connection = await self._ready()
            rest = iter(events)
            while window := list(islice(rest, WINDOW)):
                await self._publish_window(connection, window)
        except (nats.errors.Error, TimeoutError) as error:
            if isinstance(error, nats.errors.MaxPayloadError):
                raise NotTaken("larger than the server's max_payload") from None
            raise Unconfirmed(type(error).__name__) from None

    async def _ready(self) -> Client:
        connection = self._connection()
        if self._subscribed_on is not connection:
            self._prefix = connection.new_inbox()
            await connection.subscribe(f"{self._prefix}.*", cb=self._confirmed)
            self._subscribed_on = connection
        return connection

    async def _publish_window(self, connection: Client, events: Sequence[AnyEvent]) -> None:
        loop = asyncio.get_running_loop()
        futures: dict[str, asyncio.Future[None]] = {}
        try:
            for event in events:
                self._count += 1
                token = str(self._count)
                futures[token] = self._waiting[token] = loop.create_future()
                subject = event.data.nats_subject()
                await connection.publish(
                    subject,
                    event.encode(),
                    reply=f"{self._prefix}.{token}",
                    headers={
                        Header.MSG_ID.value: event.id,
                        Header.EXPECTED_STREAM.value: stream_of(subject),
                        "content-type": MEDIA_TYPE,
                    },
                )
            async with asyncio.timeout(CONFIRMATION_SECONDS):
                for future in futures.values():
                    await future
        finally:
            for token, future in futures.items():
                self._waiting.pop(token, None)
                if future.done() and not future.cancelled():
                    future.exception()  # seen, so that the loop does not report it again
                else:
                    future.cancel()

    async def _confirmed(self, message: Msg) -> None:
        future = self._waiting.pop(message.subject.rpartition(".")[2], None)
        if future is None or future.done():
            return
        if error := _refusal(message):
            future.set_exception(error)
        else:
            future.set_result(None)


async def hand_in(connection: Client, stream: str, subject: str, content: bytes) -> int:
    """Put what a party sent by another way into its stream; returns its sequence there.

    It has no id to be told apart by: whether it came before is for its reader to see. Raises
    `Unconfirmed`, when it may be in all the same, or `NotTaken`.
    """
    try:
        taken = await connection.jetstream().publish(
            subject,
            content,
            timeout=CONFIRMATION_SECONDS,
            stream=stream,
            headers={"content-type": MEDIA_TYPE},
        )
    except APIError as error:
        said = f"code {error.code}, err_code {error.err_code}"
        raise (Unconfirmed(said) if error.code == AWAY else NotTaken(said)) from None
    except (nats.errors.Error, TimeoutError) as error:
        raise Unconfirmed(type(error).__name__) from None
    return taken.seq


def _refusal(message: Msg) -> Unconfirmed | NotTaken | None:
    if not message.data:  # no stream has this subject, or none is there to answer
        return Unconfirmed("no stream answered")
    error = orjson.loads(message.data).get("error")
    if not error:
        return None
    said = f"code {error.get('code')}, err_code {error.get('err_code')}"
    return Unconfirmed(said) if error.get("code") == AWAY else NotTaken(said)
