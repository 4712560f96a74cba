"""Remembers which message a process was handling alone when it died.

A crash reaches no error handler, and the server's count of deliveries does not tell a crash from
an outage, nor the message that ends the process from those that were in the same hand. So what
was delivered before is handled alone, and that it was begun is noted first, in a stream, where
whoever comes next finds it. A note that nobody took back is a death.
"""

from collections.abc import Callable

import nats.errors
import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import APIError, NotFoundError

from shared.runtime.publish import Unconfirmed
from shared.runtime.streams import SUSPECTS, Durable

ANSWER_SECONDS = 5.0


class Suspects:
    """Notes about messages of one process's consumers; `Unconfirmed` while the server is away."""

    def __init__(self, connection: Callable[[], Client]) -> None:
        self._connection = connection

    async def deaths(self, durable: Durable, message: Msg) -> int:
        """How often a process ended while it handled this message alone."""
        subject = _subject(durable, message)
        try:
            found = await self._jetstream().get_last_msg(SUSPECTS, subject, direct=True)
        except NotFoundError:
            return 0
        except (nats.errors.Error, TimeoutError, APIError) as error:
            raise Unconfirmed(type(error).__name__) from None
        noted = orjson.loads(found.data or b"{}")
        # A stream that was made anew counts from one again: the time tells another message.
        same = noted.get("recorded") == message.metadata.timestamp.isoformat()
        return int(noted.get("deaths", 0)) if same else 0

    async def note(self, durable: Durable, message: Msg, deaths: int) -> None:
        """Keep how often it would be if the process ended now."""
        content = {"recorded": message.metadata.timestamp.isoformat(), "deaths": deaths}
        try:
            await self._jetstream().publish(
                _subject(durable, message), orjson.dumps(content), stream=SUSPECTS
            )
        except (nats.errors.Error, TimeoutError, APIError) as error:
            raise Unconfirmed(type(error).__name__) from None

    def _jetstream(self) -> JetStreamContext:
        return self._connection().jetstream(timeout=ANSWER_SECONDS)


def _subject(durable: Durable, message: Msg) -> str:
    return f"suspect.{durable.name}.{message.metadata.sequence.stream}"
