"""The three lanes on the same servers: what is sent where, and when all of it has come through."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic

import orjson
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig, DiscardPolicy, RetentionPolicy, StreamConfig
from nats.js.errors import NotFoundError

from deploy.bench import bare, naive
from deploy.bench.figures import Lane
from deploy.bench.load import Load
from deploy.bench.machine import all_cpu
from shared.contracts.case import CaseAssigned, CaseOpened, ClockStarted
from shared.contracts.submission import SubmissionReceived
from shared.runtime import streams

WINDOW = 512
LOOK_SECONDS = 0.02
PATIENCE_SECONDS = 180.0
AT_REST, REST_PATIENCE_SECONDS = 0.25, 30.0
"""Share of one core that all processes of a lane take together while they only look for work."""
ANNOUNCED = (SubmissionReceived.TYPE, CaseOpened.TYPE, CaseAssigned.TYPE, ClockStarted.TYPE)


class NotThrough(Exception):
    """Events were still under way when the wait was over; the text says where."""


@dataclass(slots=True)
class Track:
    """One lane: its entrance and the consumers through which an item passes, in this order.

    `pids` are its processes, the servers among them. `prefix` stands before each type on its
    stream of events. `pauses`: the entrance is held while the load is put before it.
    """

    name: str
    entrance: str
    events: str
    prefix: str
    consumers: Sequence[tuple[str, str]]
    pids: Mapping[str, int]
    subject: str | None = None
    pauses: bool = True
    tail_seconds: float = 0.0
    """How often its processes look for what is done off the way in; 0 if nothing is."""
    figures: Lane = field(default_factory=Lane)
    sent: int = 0


OURS = Track(
    name="ours",
    entrance=streams.FEED,
    events=streams.EVENTS,
    prefix="",
    consumers=[
        (streams.CONSUMERS[name].stream, name)
        for name in (
            "intake-feed",
            "routing-submission-received",
            "reporting-rows",
            "intake-cases",
        )
    ],
    pids={},
    tail_seconds=1.1,  # the chain, and the search for what is alike
)
BARE = Track(
    name="bare",
    entrance=bare.FEED,
    events=bare.EVENTS,
    prefix=bare.PREFIX,
    consumers=[(stream, f"bench-{stage}") for stage, (stream, _, _) in bare.STAGES.items()],
    pids={},
    subject=f"{bare.PREFIX}feed",
)
NAIVE = Track(
    name="naive",
    entrance=naive.FEED,
    events=naive.EVENTS,
    prefix=naive.PREFIX,
    consumers=[(stream, f"naive-{stage}") for stage, stream in naive.STAGES.items()],
    pids={},
    subject=f"{naive.PREFIX}feed",
    pauses=False,
)


async def declare(client: Client) -> None:
    """The streams of the two other lanes, as durable and as much compared as ours."""
    jetstream = client.jetstream()
    for track in (BARE, NAIVE):
        types = [f"{track.prefix}{kind}" for kind in ANNOUNCED]
        feed = StreamConfig(
            name=track.entrance,
            subjects=[track.subject or ""],
            retention=RetentionPolicy.WORK_QUEUE,
            discard=DiscardPolicy.NEW,
        )
        events = StreamConfig(
            name=track.events,
            subjects=types,
            discard=DiscardPolicy.NEW,
            duplicate_window=streams.OWN_WINDOW,
        )
        await jetstream.add_stream(replace(feed, allow_direct=True))
        await jetstream.add_stream(replace(events, allow_direct=True))
    for stage, (stream, subject, _) in bare.STAGES.items():
        await jetstream.add_consumer(
            stream,
            ConsumerConfig(
                durable_name=f"bench-{stage}",
                filter_subject=subject,
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=30,
                max_ack_pending=4 * bare.BATCH,
            ),
        )


async def send(client: Client, items: Sequence[tuple[str, bytes]]) -> None:
    """Into the stream, each confirmed."""
    for start in range(0, len(items), WINDOW):
        part = items[start : start + WINDOW]
        inbox = client.new_inbox()
        answers = await client.subscribe(inbox)
        for subject, body in part:
            await client.publish(subject, body, reply=inbox)
        for _ in part:
            answer = orjson.loads((await answers.next_msg(timeout=10)).data)
            if "error" in answer:
                raise NotThrough(f"the stream refuses: {answer['error']}")
        await answers.unsubscribe()


async def through(client: Client, track: Track, seconds: float = PATIENCE_SECONDS) -> None:
    """Return when everything has come through.

    Each consumer is looked at after those before it were seen empty; what is published is
    published before its cause is acknowledged.
    """
    jetstream = client.jetstream()
    until = monotonic() + seconds
    for stream, consumer in track.consumers:
        while True:
            try:
                info = await jetstream.consumer_info(stream, consumer)
                under_way = (info.num_pending or 0) + (info.num_ack_pending or 0)
            except NotFoundError:
                under_way = 1
            if not under_way:
                break
            if monotonic() > until:
                raise NotThrough(f"{track.name}: {under_way} at {consumer} after {seconds:.0f} s")
            await asyncio.sleep(LOOK_SECONDS)


async def carry(client: Client, track: Track, load: Load, run: str, count: int) -> float:
    """Carry `count` items from the entrance to the last consumer; events a second, kept.

    Processor time is that of the lane's processes until they are at rest again, with what they do
    off the way in: neither is it left out, nor does it burden the lane that comes next.
    """
    numbers = range(track.sent, track.sent + count)
    items = [
        (track.subject or load.subject(number), load.call(f"{run}-{track.name}", number))
        for number in numbers
    ]
    track.sent += count
    jetstream = client.jetstream()
    entrance, first = track.consumers[0]
    if track.pauses:
        await jetstream.pause_consumer(entrance, first, "2999-01-01T00:00:00Z")
        await send(client, items)
    before, began = all_cpu(track.pids), monotonic()
    if track.pauses:
        await jetstream.resume_consumer(entrance, first)
    else:
        await send(client, items)
    await through(client, track)
    took = monotonic() - began
    await _at_rest(track)
    after = all_cpu(track.pids)
    track.figures.events_per_s.append(count / took)
    track.figures.cpu_us.append(
        {name: (after[name] - before[name]) / count * 1e6 for name in track.pids}
    )
    return count / took


async def _at_rest(track: Track) -> None:
    until = monotonic() + REST_PATIENCE_SECONDS
    while track.tail_seconds and monotonic() < until:
        before = sum(all_cpu(track.pids).values())
        await asyncio.sleep(track.tail_seconds)
        if sum(all_cpu(track.pids).values()) - before < AT_REST * track.tail_seconds:
            return


async def announced(client: Client, track: Track) -> dict[str, int]:
    """By type: how many messages the lane's stream of events holds."""
    info = await client.jetstream().stream_info(track.events, subjects_filter=">")
    found = info.state.subjects or {}
    return {kind: found.get(f"{track.prefix}{kind}", 0) for kind in ANNOUNCED}
