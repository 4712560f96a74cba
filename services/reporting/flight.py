"""Asks NATS what is still under way to the rows, and since when; and which reports are out."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import orjson
from nats.aio.client import Client

from services.reporting.ports import Coverage
from shared.contracts import ReportPublished
from shared.contracts.envelope import Event
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
SECONDS = 5.0
AT_ONCE = 50
"""Questions under way at one time."""
ABSENT = "404"


class Unanswered(Exception):
    """A stream or consumer is not there, or is being made anew: ask again later."""


class StreamFlight:
    """What waits in front of a service may still become an event of the period.

    A consumer counts as a whole from the first message that it has not acknowledged: if that one
    came after the period's end, nothing from before it is under way. Every dead letter counts: what
    is in it, only its reader knows. An event that a service has kept and not yet announced cannot
    be seen from here; it makes a revision.
    """

    def __init__(self, connection: Callable[[], Client]) -> None:
        self._connection = connection

    async def before(self, end: datetime) -> Coverage:
        """Raises an error of the bus while NATS is away, and `Unanswered`."""
        position, oldest = 0, None
        waiting: dict[str, int] = {}
        for name in ON_THE_WAY:
            durable = CONSUMERS[name]
            info = await self._ask(f"CONSUMER.INFO.{durable.stream}.{name}")
            floor = int(info["ack_floor"]["stream_seq"])
            count = int(info["num_pending"]) + int(info["num_ack_pending"])
            if name == ROWS:
                position = floor
            since = await self._since(durable, floor) if count else None
            if since is not None and since < end:
                waiting[name] = count
                oldest = min(since, oldest or since)
        for name, stream in (("dead-letters", DEAD_LETTERS), ("redrive", REDRIVE)):
            letters = await self._ask(f"STREAM.INFO.{stream}")
            if dead := int(letters["state"]["messages"]):
                waiting[name] = dead
        return Coverage(position, waiting, oldest)

    async def _since(self, durable: Durable, floor: int) -> datetime | None:
        """When the first message came that the consumer has not acknowledged.

        None if it was acknowledged since it was counted.
        """
        if durable.stream != EVENTS:  # a work queue begins with it
            queue = (await self._ask(f"STREAM.INFO.{durable.stream}"))["state"]
            return _at(queue["first_ts"]) if queue["messages"] else None
        wanted = {"seq": floor + 1, "next_by_subj": ">"}
        answer = await self._connection().request(
            f"$JS.API.DIRECT.GET.{EVENTS}", orjson.dumps(wanted), timeout=SECONDS
        )
        at = (answer.headers or {}).get("Nats-Time-Stamp")
        return _at(at) if at else None

    async def _ask(self, question: str) -> Any:  # noqa: ANN401 - the server's JSON
        answer = await self._connection().request(f"$JS.API.{question}", b"", timeout=SECONDS)
        told = orjson.loads(answer.data)
        if "error" in told:
            raise Unanswered(f"{question}: {told['error'].get('err_code')}")
        return told


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
