"""Makes the durable consumers of those who read reports; nobody but the operator may."""

from collections.abc import Iterable

from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from deploy.access.permissions import READER, reader_durable, readers

ACK_WAIT_SECONDS = 60.0
"""A report that was not confirmed comes again after this."""
MOST_UNCONFIRMED = 1_000


async def declare_readers(jetstream: JetStreamContext, names: Iterable[str]) -> list[str]:
    """One for each reader among these users, from the first report on; again without harm.

    Returns the readers' names.
    """
    made = [user.name for user in readers(names)]
    for name in made:
        durable = reader_durable(name.removeprefix(READER))
        await jetstream.add_consumer(
            durable.stream,
            ConsumerConfig(
                durable_name=durable.name,
                filter_subject=durable.subjects[0],
                deliver_policy=DeliverPolicy.ALL,
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=ACK_WAIT_SECONDS,
                max_deliver=-1,
                max_ack_pending=MOST_UNCONFIRMED,
            ),
        )
    return made
