"""Dead letters: what was set aside, why, and under which consumer."""

from collections.abc import AsyncIterator

from nats.aio.client import Client

from deploy.stream import messages
from shared.contracts import MessageSetAside
from shared.contracts.envelope import Event
from shared.runtime.streams import DEAD_LETTERS


async def dead_letters(client: Client) -> AsyncIterator[Event[MessageSetAside]]:
    """Every dead letter, oldest first; what was in it stays sealed."""
    async for message in messages(client, DEAD_LETTERS):
        yield Event[MessageSetAside].model_validate_json(message.data)
