"""Publishes events and returns when each is confirmed by its stream.

nats-py offers one confirmation at a time, or many whose errors it swallows; this keeps a window
of confirmations over one inbox and raises what the server said. What goes to a stream that takes
batches goes as one: all of it or nothing is in, and the server syncs to disk once for all, where
it would else sync for each. A batch with an event that is in already is refused whole; then each
goes by itself, as does what a stream refuses for another reason, so that it says why.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Self

import nats.errors
import orjson
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import Header
from nats.js.errors import APIError

from shared.contracts.envelope import MEDIA_TYPE, AnyEvent
from shared.runtime import telemetry
from shared.runtime.streams import BATCHED, stream_of

WINDOW = 512
FEWEST_TOGETHER = 5
"""Events; the server syncs about four times for a batch."""
CONFIRMATION_SECONDS = 5.0
BATCH_ID, BATCH_SEQUENCE = "Nats-Batch-Id", "Nats-Batch-Sequence"
BATCH_COMMIT = "Nats-Batch-Commit"
"""Headers of an atomic batch; see ADR-50 of NATS."""
BATCH_ID_LENGTH = 64
"""The most that the server takes."""
AWAY = 503
"""The code with which a stream says that it cannot take anything now."""


log = structlog.get_logger("publish")


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
                for event in window:
                    telemetry.ANNOUNCED.labels(event.type).inc()
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
        said = [_Said.of(event) for event in events]
        for stream in dict.fromkeys(one.stream for one in said):
            of_stream = [one for one in said if one.stream == stream]
            if stream in BATCHED and len(of_stream) >= FEWEST_TOGETHER:
                try:
                    await self._publish_together(connection, of_stream)
                except NotTaken:
                    log.info("one by one", stream=stream, count=len(of_stream))
                else:
                    continue
            await self._publish_apart(connection, of_stream)

    async def _publish_together(self, connection: Client, said: Sequence["_Said"]) -> None:
        """As one batch, whose end alone is answered."""
        with self._awaited() as awaited:
            reply = awaited.next()  # no other batch has it: its end names this one
            batch = reply[-BATCH_ID_LENGTH:]
            for place, one in enumerate(said, 1):
                ends = place == len(said)
                headers = {**one.headers, BATCH_ID: batch, BATCH_SEQUENCE: str(place)}
                await connection.publish(
                    one.subject,
                    one.body,
                    reply=reply if ends else "",
                    headers={**headers, BATCH_COMMIT: "1"} if ends else headers,
                )
            await awaited.all()

    async def _publish_apart(self, connection: Client, said: Sequence["_Said"]) -> None:
        with self._awaited() as awaited:
            for one in said:
                await connection.publish(
                    one.subject, one.body, reply=awaited.next(), headers=one.headers
                )
            await awaited.all()

    def _awaited(self) -> "_Awaited":
        return _Awaited(self._waiting, self._next_reply)

    def _next_reply(self) -> str:
        self._count += 1
        return f"{self._prefix}.{self._count}"

    async def _confirmed(self, message: Msg) -> None:
        future = self._waiting.pop(message.subject.rpartition(".")[2], None)
        if future is None or future.done():
            return
        if error := _refusal(message):
            future.set_exception(error)
        else:
            future.set_result(None)


@dataclass(frozen=True, slots=True)
class _Said:
    """An event as it goes over the wire."""

    stream: str
    subject: str
    body: bytes
    headers: dict[str, str]

    @classmethod
    def of(cls, event: AnyEvent) -> "_Said":
        subject = event.data.nats_subject()
        stream = stream_of(subject)
        headers = {
            Header.MSG_ID.value: event.id,
            Header.EXPECTED_STREAM.value: stream,
            "content-type": MEDIA_TYPE,
        }
        return cls(stream, subject, event.encode(), headers)


class _Awaited:
    """The confirmations of one window, until it is left; those still missing are given up."""

    def __init__(self, waiting: dict[str, asyncio.Future[None]], reply: Callable[[], str]) -> None:
        self._waiting, self._reply = waiting, reply
        self._futures: dict[str, asyncio.Future[None]] = {}

    def __enter__(self) -> Self:
        return self

    def next(self) -> str:
        """Where one more confirmation is to go."""
        reply = self._reply()
        token = reply.rpartition(".")[2]
        future = asyncio.get_running_loop().create_future()
        self._futures[token] = self._waiting[token] = future
        return reply

    async def all(self) -> None:
        async with asyncio.timeout(CONFIRMATION_SECONDS):
            for future in self._futures.values():
                await future

    def __exit__(self, *_: object) -> None:
        for token, future in self._futures.items():
            self._waiting.pop(token, None)
            if future.done() and not future.cancelled():
                future.exception()  # seen, so that the loop does not report it again
            else:
                future.cancel()


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
