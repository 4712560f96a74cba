"""How long an item takes from its acceptance to the assignment of its case, at a steady rate.

Accepted is when the server wrote it into the feed, assigned when it wrote `case.assigned` into
the stream of events: both by the server's clock. Items are sent on time whatever comes back.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from time import monotonic

from nats.aio.client import Client

from deploy.bench.figures import Latency
from deploy.bench.lanes import NotThrough, Track, through
from deploy.bench.load import Load
from deploy.stream import messages
from shared.contracts.case import CaseAssigned
from shared.contracts.envelope import AnyEvent, Event
from shared.contracts.submission import SubmissionReceived
from shared.runtime.streams import EVENTS

TICK_SECONDS = 0.005


async def steady(
    client: Client, track: Track, load: Load, run: str, *, rate: float, seconds: float
) -> Latency:
    """At `rate` items a second for so long."""
    start = await _last(client) + 1
    count = max(int(rate * seconds), 1)
    items = load.calls(f"{run}-{track.name}", range(track.sent, track.sent + count))
    track.sent += count
    await _send_on_time(client, items, rate)
    await through(client, track)
    return await _told(client, start, count)


async def single(
    client: Client, track: Track, load: Load, run: str, *, times: int, pause: float
) -> Latency:
    """One at a time, on a system that has nothing else to do."""
    start = await _last(client) + 1
    items = load.calls(f"{run}-{track.name}", range(track.sent, track.sent + times))
    track.sent += times
    for subject, body in items:
        await client.jetstream().publish(subject, body)
        await asyncio.sleep(pause)
    await through(client, track)
    return await _told(client, start, times)


async def _send_on_time(client: Client, items: Sequence[tuple[str, bytes]], rate: float) -> None:
    inbox = client.new_inbox()
    confirmed = asyncio.Event()
    missing = len(items)

    async def count(_message: object) -> None:
        nonlocal missing
        missing -= 1
        if not missing:
            confirmed.set()

    subscription = await client.subscribe(inbox, cb=count)
    began, sent = monotonic(), 0
    while sent < len(items):
        due = min(int((monotonic() - began) * rate) + 1, len(items))
        for subject, body in items[sent:due]:
            await client.publish(subject, body, reply=inbox)
        sent = due
        await asyncio.sleep(TICK_SECONDS)
    async with asyncio.timeout(30):
        await confirmed.wait()
    await subscription.unsubscribe()


async def _told(client: Client, start: int, count: int) -> Latency:
    accepted: dict[str, datetime] = {}
    assigned: dict[str, datetime] = {}
    wanted = [SubmissionReceived.TYPE, CaseAssigned.TYPE]
    async for message in messages(client, EVENTS, wanted, start):
        event: AnyEvent
        if message.subject == SubmissionReceived.TYPE:
            event = Event[SubmissionReceived].model_validate_json(message.data)
            accepted[event.correlationid or ""] = event.recordedtime or event.time
        else:
            event = Event[CaseAssigned].model_validate_json(message.data)
            assigned[event.correlationid or ""] = message.metadata.timestamp
    if accepted.keys() != assigned.keys() or len(accepted) != count:
        raise NotThrough(f"{count} sent, {len(accepted)} received, {len(assigned)} assigned")
    return Latency.of([(assigned[one] - at).total_seconds() for one, at in accepted.items()])


async def _last(client: Client) -> int:
    info = await client.jetstream().stream_info(EVENTS)
    return int(info.state.last_seq)
