"""Dead letters: what was set aside, why, and under which consumer; and how it comes back."""

from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import aclosing

from nats.aio.client import Client
from nats.js.api import Header

from deploy.stream import messages
from shared.contracts import MessageSetAside
from shared.contracts.envelope import Event
from shared.runtime.redriven import Original
from shared.runtime.sealing import DEAD_LETTER_USE, Opener
from shared.runtime.streams import DEAD_LETTERS, REDRIVE


async def dead_letters(client: Client) -> AsyncIterator[Event[MessageSetAside]]:
    """Every dead letter, oldest first; what was in it stays sealed."""
    async for message in messages(client, DEAD_LETTERS):
        yield Event[MessageSetAside].model_validate_json(message.data)


async def redrive(
    client: Client, opener: Opener, *, consumer: str = "", numbers: Collection[int] = ()
) -> AsyncGenerator[MessageSetAside]:
    """Drive letters again, oldest first: each to the consumer that set it aside, and to no other.

    `opener` is the operator's; it opens them here, and what was in them lies on the bus until the
    consumer has it. `consumer` and `numbers`, of the messages' places in their streams, choose;
    without either all are driven. To their consumer they have their old place and time, so that
    what was half done is finished and nothing is done twice. What fails once more is a dead letter
    once more. A letter is taken away when the stream has what was in it.
    """
    jetstream = client.jetstream()
    async with aclosing(messages(client, DEAD_LETTERS)) as found:
        async for message in found:
            letter = Event[MessageSetAside].model_validate_json(message.data)
            data = letter.data
            if consumer not in {"", data.consumer} or (numbers and data.sequence not in numbers):
                continue
            original = Original(data.original_subject, data.sequence, letter.time)
            await jetstream.publish(
                f"redrive.{data.consumer}",
                opener.open(data.sealed, DEAD_LETTER_USE),
                timeout=10,
                stream=REDRIVE,
                headers={Header.MSG_ID.value: letter.id, **original.headers()},
            )
            await jetstream.delete_msg(DEAD_LETTERS, message.metadata.sequence.stream)
            yield data
