"""Looks at the streams every few seconds, for the operator: what waits, since when, what is lost.

Reporting does it for all services, since it asks NATS of all of them anyway; so a service that
stands still, or is gone, cannot hide what waits for it. Nothing is told that is not fresh.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from services.reporting.flight import StreamFlight
from shared.runtime.streams import (
    COMMANDS,
    CONSUMERS,
    DEAD_LETTERS,
    EVENTS,
    FEED,
    REDRIVE,
    REDRIVEN,
    STREAMS_LOOKED_AT,
    Durable,
)
from shared.runtime.telemetry import Figures, Gauges, Seen

SECONDS = 15.0
QUEUES = (FEED, COMMANDS, REDRIVE)
"""What is acknowledged leaves them: what they hold is what their consumers have before them."""
DEAD_OF = {"feed": FEED, "command": COMMANDS}
"""By the first word of what a dead letter was: the stream that it came from, else EVENTS."""

PENDING = "langnghe_consumer_pending_messages"
ACK_PENDING = "langnghe_consumer_ack_pending_messages"
REDELIVERED = "langnghe_consumer_redelivered_messages"
OLDEST = "langnghe_consumer_oldest_age_seconds"
MESSAGES, BYTES = "langnghe_stream_messages", "langnghe_stream_bytes"
FILL, DEAD = "langnghe_stream_fill_ratio", "langnghe_dead_letters"
LIMBO = "langnghe_unreconciled_messages"

LOOK = Seen(
    Gauges(PENDING, "Messages that were not given out yet.", ("durable",)),
    Gauges(ACK_PENDING, "Messages in a hand, or waiting to be tried again.", ("durable",)),
    Gauges(REDELIVERED, "Of these, given out more than once.", ("durable",)),
    Gauges(OLDEST, "Age of the oldest message that waits; 0 if none does.", ("durable",)),
    Gauges(MESSAGES, "Messages in the stream.", ("stream",)),
    Gauges(BYTES, "Bytes of the stream.", ("stream",)),
    Gauges(FILL, "How much of its narrowest limit is used; of a party's quota too.", ("stream",)),
    Gauges(DEAD, "Dead letters that lie there, by the stream they came from.", ("stream",)),
    Gauges(LIMBO, "Messages that wait and are in no consumer's hand (I9).", ("stream", "durable")),
)

log = structlog.get_logger("lookout")


@dataclass(frozen=True, slots=True)
class Before:
    """What a consumer has before it: `floor` is the last sequence up to which all is done."""

    pending: int
    in_hand: int
    redelivered: int
    floor: int

    @property
    def all(self) -> int:
        return self.pending + self.in_hand


class Lookout:
    """`passing` are the errors that say only that the bus is away: then nothing is told."""

    def __init__(
        self,
        flight: StreamFlight,
        now: Callable[[], datetime],
        passing: tuple[type[Exception], ...] = (),
    ) -> None:
        self._flight, self._now, self._passing = flight, now, passing
        self._blind = ""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.turn()
            await asyncio.sleep(SECONDS)

    async def turn(self) -> None:
        """Tell what is seen, or nothing if nothing can be seen."""
        try:
            LOOK.tell(await self.look())
        except self._passing as error:
            LOOK.forget()
            if not self._blind:
                log.warning("waits", part="lookout", reason=type(error).__name__)
            self._blind = type(error).__name__
        else:
            self._blind = ""

    async def look(self) -> Figures:
        """One look; raises an error of the bus while NATS is away, and `Unanswered`."""
        durables = (*CONSUMERS.values(), *REDRIVEN.values())
        earlier = await self._streams(QUEUES)
        before = {durable.name: await self._before(durable) for durable in durables}
        streams = await self._streams(STREAMS_LOOKED_AT)
        limbo = _in_queues(durables, before, earlier, streams)
        ages: dict[tuple[str, ...], float] = {}
        for durable in durables:
            seen = before[durable.name]
            since = await self._since(durable, seen, streams)
            ages[durable.name,] = _age(since, self._now())
            if durable.stream == EVENTS:
                lost = since is not None and not seen.all and await self._stands(durable, seen)
                limbo[EVENTS, durable.name] = float(lost)
        return {
            PENDING: {(name,): float(one.pending) for name, one in before.items()},
            ACK_PENDING: {(name,): float(one.in_hand) for name, one in before.items()},
            REDELIVERED: {(name,): float(one.redelivered) for name, one in before.items()},
            OLDEST: ages,
            MESSAGES: {(name,): _held(told) for name, told in streams.items()},
            BYTES: {(name,): float(told["state"]["bytes"]) for name, told in streams.items()},
            FILL: {(n,): fill for n, t in streams.items() if (fill := _fill(t)) is not None},
            DEAD: _dead(streams[DEAD_LETTERS]),
            LIMBO: limbo,
        }

    async def _streams(self, names: Sequence[str]) -> Mapping[str, Any]:
        counted = {*QUEUES, DEAD_LETTERS}
        return {
            name: await self._flight.ask(
                f"STREAM.INFO.{name}", {"subjects_filter": ">"} if name in counted else None
            )
            for name in names
        }

    async def _before(self, durable: Durable) -> Before:
        told = await self._flight.ask(f"CONSUMER.INFO.{durable.stream}.{durable.name}")
        return Before(
            int(told["num_pending"]),
            int(told["num_ack_pending"]),
            int(told["num_redelivered"]),
            int(told["ack_floor"]["stream_seq"]),
        )

    async def _since(
        self, durable: Durable, seen: Before, streams: Mapping[str, Any]
    ) -> datetime | None:
        """When what it has not acknowledged came; of a queue, when the oldest of all came."""
        if durable.stream == EVENTS:
            return await self._flight.first_after(seen.floor, durable.subjects)
        if not seen.all or not (state := streams[durable.stream]["state"])["messages"]:
            return None
        return datetime.fromisoformat(state["first_ts"])

    async def _stands(self, durable: Durable, seen: Before) -> bool:
        """Still nothing before it, and nothing done: what we found did not just come."""
        again = await self._before(durable)
        return not again.all and again.floor == seen.floor


def _in_queues(
    durables: Sequence[Durable],
    before: Mapping[str, Before],
    earlier: Mapping[str, Any],
    later: Mapping[str, Any],
) -> dict[tuple[str, ...], float]:
    """By queue: how far what it holds lies outside of what its consumers have before them.

    The queue is counted before its consumers and after them: what came or went meanwhile is no
    difference.
    """
    having: defaultdict[str, int] = defaultdict(int)
    for durable in durables:
        having[durable.stream] += before[durable.name].all
    differs: dict[tuple[str, ...], float] = {}
    for name in QUEUES:
        least, most = sorted((_held(earlier[name]), _held(later[name])))
        differs[name, ""] = max(least - having[name], having[name] - most, 0.0)
    return differs


def _held(told: Mapping[str, Any]) -> float:
    return float(told["state"]["messages"])


def _age(since: datetime | None, at: datetime) -> float:
    return max((at - since).total_seconds(), 0.0) if since else 0.0


def _fill(told: Mapping[str, Any]) -> float | None:
    """None of a stream without a limit, and of one that makes room by itself."""
    config, state = told["config"], told["state"]
    if config["discard"] != "new":
        return None
    of_subject = max((state.get("subjects") or {}).values(), default=0)
    parts = (
        (of_subject, config.get("max_msgs_per_subject", -1)),
        (state["messages"], config.get("max_msgs", -1)),
        (state["bytes"], config.get("max_bytes", -1)),
    )
    return max((used / limit for used, limit in parts if limit > 0), default=None)


def _dead(told: Mapping[str, Any]) -> dict[tuple[str, ...], float]:
    count: Counter[str] = Counter({FEED: 0, COMMANDS: 0, EVENTS: 0})
    for subject, letters in (told["state"].get("subjects") or {}).items():
        count[DEAD_OF.get(subject.split(".")[1], EVENTS)] += letters
    return {(stream,): float(letters) for stream, letters in count.items()}
