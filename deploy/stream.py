"""Reads a stream from its beginning to the end that it has now."""

from collections.abc import AsyncGenerator, Sequence

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

BATCH = 500


async def messages(
    client: Client, stream: str, subjects: Sequence[str] = (), start: int = 1
) -> AsyncGenerator[Msg]:
    """Messages from sequence `start` up to the last one at the time of the call, in order.

    Whoever may stop before the end has to close it (`contextlib.aclosing`).
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
    left = consumer.num_pending or 0
    subscription = await jetstream.pull_subscribe_bind(consumer.name, stream)
    try:
        while left > 0:
            batch = await subscription.fetch(min(BATCH, left), timeout=5)
            left -= len(batch)
            for message in batch:
                if message.metadata.sequence.stream > last:
                    return
                yield message
    finally:
        await subscription.unsubscribe()
        await jetstream.delete_consumer(stream, consumer.name)
