"""Asks NATS what is still under way to the rows, and since when; and which reports are out."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from nats.aio.client import Client

from services.reporting.ports import Coverage
from shared.contracts import ReportPublished
from shared.contracts.envelope import Event
from shared.runtime.asking import SECONDS, Unanswered, ask_server
from shared.runtime.streams import (
    CONSUMERS,
    DEAD_LETTERS,
    EVENTS,
    ON_THE_WAY,
    REDRIVE,
    REPORTS,
    Durable,
)

ROWS = "reporting-rows"
AT_ONCE = 50
"""Questions under way at one time."""
ABSENT = "404"
NO_MESSAGE = 10037
"""The server's code for a message that is not there."""


class StreamFlight:
    """What waits in front of a service may still become an event of the period.

    A consumer counts as a whole from the first message that it has not acknowledged: if that one
    came after the period's end, nothing from before it is under way. Every dead letter counts: what
    is in it, only its reader knows. An event that a service has kept and not yet announced cannot
    be seen from here; it makes a revision.

    Whether something waits, the streams tell: what a server says of a consumer's pending messages
    may lag behind the confirmation of the newest one.
    """

    def __init__(self, connection: Callable[[], Client]) -> None:
        self._connection = connection

    async def before(self, end: datetime) -> Coverage:
        """Raises an error of the bus while NATS is away, and `Unanswered`."""
        position, oldest = 0, None
        waiting: dict[str, int] = {}
        for name in ON_THE_WAY:
            durable = CONSUMERS[name]
            if durable.stream == EVENTS:
                info = await self.ask(f"CONSUMER.INFO.{EVENTS}.{name}")
                floor = int(info["ack_floor"]["stream_seq"])
                since = await self.first_after(floor, durable.subjects)
                count = max(int(info["num_pending"]) + int(info["num_ack_pending"]), 1)
                if name == ROWS:
                    position = floor
            else:
                count, since = await self._queued(durable)
            if since is not None and since < end:
                waiting[name] = count
                oldest = min(since, oldest or since)
        for name, stream in (("dead-letters", DEAD_LETTERS), ("redrive", REDRIVE)):
            letters = await self.ask(f"STREAM.INFO.{stream}")
            if dead := int(letters["state"]["messages"]):
                waiting[name] = dead
        return Coverage(position, waiting, oldest)

    async def _queued(self, durable: Durable) -> tuple[int, datetime | None]:
        """How many lie in the work queue for it, and since when the queue's oldest does."""
        [subject] = durable.subjects
        wanted = {"subjects_filter": subject}
        queue = (await self.ask(f"STREAM.INFO.{durable.stream}", wanted))["state"]
        count = sum((queue.get("subjects") or {}).values())
        return count, _at(queue["first_ts"]) if count else None

    async def first_after(self, floor: int, subjects: Sequence[str]) -> datetime | None:
        """When the first message came that the consumer has not acknowledged, or None."""
        question = f"STREAM.MSG.GET.{EVENTS}"  # of the leader: a copy may not have it yet
        firsts = await asyncio.gather(
            *(
                self.ask(question, {"seq": floor + 1, "next_by_subj": subject}, absent=True)
                for subject in subjects
            )
        )
        return min((_at(first["message"]["time"]) for first in firsts if first), default=None)

    async def ask(
        self, question: str, wanted: Mapping[str, Any] | None = None, *, absent: bool = False
    ) -> Any:  # noqa: ANN401 - the server's JSON
        """None if there is no such message, and there may be none."""
        try:
            return await ask_server(self._connection(), question, wanted)
        except Unanswered as why:
            if absent and why.code == NO_MESSAGE:
                return None
            raise


class StreamReports:
    """Which reports are out, asked of the stream that they went to.

    The server tells two of one id apart for ten minutes only: whoever goes on with a closing that
    was begun before, and may have stood still for longer, has to look.
    """

    def __init__(self, connection: Callable[[], Client]) -> None:
        self._connection = connection

    async def missing(
        self, reports: Sequence[Event[ReportPublished]]
    ) -> Sequence[Event[ReportPublished]]:
        """Those not out yet, in order; raises an error of the bus while NATS is away."""
        found: list[Event[ReportPublished]] = []
        for start in range(0, len(reports), AT_ONCE):
            some = reports[start : start + AT_ONCE]
            out = await asyncio.gather(*map(self._is_out, some))
            found += [report for report, is_out in zip(some, out, strict=True) if not is_out]
        return found

    async def _is_out(self, report: Event[ReportPublished]) -> bool:
        """On a subject revisions come one after the other, so that the last one tells."""
        wanted = {"last_by_subj": report.data.nats_subject()}
        answer = await self._connection().request(
            f"$JS.API.DIRECT.GET.{REPORTS}", orjson.dumps(wanted), timeout=SECONDS
        )
        if status := (answer.headers or {}).get("Status"):
            if status == ABSENT:
                return False
            raise RuntimeError(f"DIRECT.GET.{REPORTS}: {status}")
        return int(orjson.loads(answer.data)["data"]["revision"]) >= report.data.revision


def _at(text: str) -> datetime:
    """nats-server writes nanoseconds, which Python reads as microseconds."""
    return datetime.fromisoformat(text)
