"""Reads a stream from its beginning to the end that it has now."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

BATCH = 500
ANSWER_SECONDS = 5.0


async def messages(
    client: Client, stream: str, subjects: Sequence[str] = (), start: int = 1
) -> AsyncGenerator[Msg]:
    """Messages from sequence `start` up to the last one at the time of the call, in order.

    Raises `TimeoutError` when the server stops answering. Whoever may stop before the end has to
    close it (`contextlib.aclosing`).
    """
    jetstream = client.jetstream()
    last = (await jetstream.stream_info(stream)).state.last_seq
    consumer = await jetstream.add_consumer(
        stream,
        ConsumerConfig(
            ack_policy=AckPolicy.NONE,
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=start,
            filter_subjects=list(subjects) or None,
            inactive_threshold=30,
            mem_storage=True,
        ),
    )
    pull = _Pull(client, stream, consumer.name)
    try:
        async with aclosing(pull.messages(consumer.num_pending or 0)) as found:
            async for message in found:
                if message.metadata.sequence.stream > last:
                    return
                yield message
    finally:
        await jetstream.delete_consumer(stream, consumer.name)


class _Pull:
    """Asks for the next batch while this one is being read.

    nats-py's `fetch` waits in between, and starts a task for each message, which costs as much
    again as the reading.
    """

    def __init__(self, client: Client, stream: str, consumer: str) -> None:
        self._client, self._inbox = client, client.new_inbox()
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        self._come: asyncio.Queue[Msg] = asyncio.Queue()

    async def messages(self, count: int) -> AsyncGenerator[Msg]:
        subscription = await self._client.subscribe(self._inbox, cb=self._take)
        try:
            async for message in self._asked_for(count):
                yield message
        finally:
            await subscription.unsubscribe()

    async def _asked_for(self, count: int) -> AsyncGenerator[Msg]:
        asked = 0
        for told in range(count):
            while asked < min(count, told + 2 * BATCH):
                asked += await self._ask(min(BATCH, count - asked))
            if self._come.empty():
                async with asyncio.timeout(ANSWER_SECONDS):
                    message = await self._come.get()
            else:
                message = self._come.get_nowait()
            if status := (message.headers or {}).get("Status"):
                raise TimeoutError(f"the server answered with status {status}")
            yield message

    async def _ask(self, count: int) -> int:
        wanted = {"batch": count, "expires": int(ANSWER_SECONDS * 1e9)}
        await self._client.publish(self._subject, orjson.dumps(wanted), reply=self._inbox)
        return count

    async def _take(self, message: Msg) -> None:
        self._come.put_nowait(message)
