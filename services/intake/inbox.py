"""Holds the inbox against the feed: what the stream let go is kept here, or was set aside (I9)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

import nats.errors
import orjson
from nats.aio.client import Client

from shared.runtime.publish import Unconfirmed
from shared.runtime.streams import DEAD_LETTERS, FEED, REDRIVE
from shared.runtime.telemetry import Gauges, Seen

SECONDS = 5.0
READER = "intake-feed"
MISSING = "langnghe_inbox_missing_messages"
INBOX = Seen(
    Gauges(
        MISSING, "Sendings that the stream let go and that nothing is kept of (I9).", ("stream",)
    )
)


class Sendings(Protocol):
    async def fed(self) -> int:
        """How many sendings of the feed were decided."""


class Inbox:
    """The stream is asked first and the store last, so that what moves meanwhile is not missed.

    A sending that was decided and set aside all the same counts twice: then another may be missing
    and not be told. `langnghe verify` looks for each by its number.
    """

    def __init__(self, sendings: Sendings, connection: Callable[[], Client]) -> None:
        self._sendings, self._connection = sendings, connection

    async def reconcile(self, _at: datetime) -> int:
        """Tell how many are missing, or nothing while NATS is away; answers 0."""
        try:
            reader = await self._ask(f"CONSUMER.INFO.{FEED}.{READER}")
            aside = await self._held(DEAD_LETTERS, "dead.feed.>")
            again = await self._held(REDRIVE, f"redrive.{READER}")
        except (nats.errors.Error, TimeoutError, Unconfirmed, KeyError):
            INBOX.forget()
            return 0
        let_go = int(reader["ack_floor"]["stream_seq"])
        missing = let_go - aside - again - await self._sendings.fed()
        INBOX.tell({MISSING: {(FEED,): float(max(missing, 0))}})
        return 0

    async def _held(self, stream: str, subject: str) -> int:
        told = await self._ask(f"STREAM.INFO.{stream}", {"subjects_filter": subject})
        return sum((told["state"].get("subjects") or {}).values())

    async def _ask(self, question: str, wanted: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - the server's JSON
        """An answer that says an error has none of the keys that are looked for."""
        body = orjson.dumps(wanted) if wanted else b""
        answer = await self._connection().request(f"$JS.API.{question}", body, timeout=SECONDS)
        return orjson.loads(answer.data)
