"""Holds the inbox against the feed: what the stream let go is kept here, or was set aside (I9)."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import nats.errors
from nats.aio.client import Client

from shared.runtime.asking import Unanswered, ask_server
from shared.runtime.publish import Unconfirmed
from shared.runtime.streams import DEAD_LETTERS, FEED, REDRIVE
from shared.runtime.telemetry import Gauges, Seen

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
            reader = await ask_server(self._connection(), f"CONSUMER.INFO.{FEED}.{READER}")
            aside = await self._held(DEAD_LETTERS, "dead.feed.>")
            again = await self._held(REDRIVE, f"redrive.{READER}")
        except (nats.errors.Error, TimeoutError, Unanswered, Unconfirmed):
            INBOX.forget()
            return 0
        let_go = int(reader["ack_floor"]["stream_seq"])
        missing = let_go - aside - again - await self._sendings.fed()
        INBOX.tell({MISSING: {(FEED,): float(max(missing, 0))}})
        return 0

    async def _held(self, stream: str, subject: str) -> int:
        told = await ask_server(
            self._connection(), f"STREAM.INFO.{stream}", {"subjects_filter": subject}
        )
        return sum((told["state"].get("subjects") or {}).values())
