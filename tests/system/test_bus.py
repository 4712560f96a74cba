"""Every fate of a message, on a real server."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime
from itertools import count

import nats
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from nats.js import JetStreamContext
from prometheus_client import REGISTRY

from shared.contracts import ActivityRecorded, ChannelAnnounced, MessageSetAside
from shared.contracts.activity import ActivityKind
from shared.contracts.envelope import Event
from shared.contracts.vocabulary import Channel
from shared.runtime import batch_pull
from shared.runtime.bus import Bus
from shared.runtime.publish import NotTaken, Publisher, Unconfirmed
from shared.runtime.sealing import DEAD_LETTER_USE, Opener, Seal
from shared.runtime.streams import declare

NOON = datetime(2026, 3, 2, 5, tzinfo=UTC)
PRIVATE = X25519PrivateKey.generate()
SEAL = Seal(PRIVATE.public_key().public_bytes_raw(), DEAD_LETTER_USE)
OPENER = Opener(PRIVATE.private_bytes_raw())
DURABLE = "reporting-rows"


def activity(name: str) -> Event[ActivityRecorded]:
    return Event[ActivityRecorded](
        id=name,
        source="/services/intake",
        type=ActivityRecorded.TYPE,
        subject=name,
        time=NOON,
        data=ActivityRecorded(
            agency="a-1", unit="u-1", kind=ActivityKind.DIRECT, held=date(2026, 3, 2)
        ),
    )


def follows(event: Event) -> Event[ChannelAnnounced]:
    data = ChannelAnnounced(
        agency="a-1", unit="u-1", channel=Channel.HOTLINE, published=date(2026, 3, 2)
    )
    return event.causes(data, source="/services/test", recorded=NOON)


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


class World:
    """A declared server, a connection of the test's own, and what the streams hold."""

    def __init__(self, url: str, client: nats.NATS) -> None:
        self.url, self.client, self.jetstream = url, client, client.jetstream()

    async def stored(self, stream: str, subject: str) -> list[bytes]:
        info = await self.jetstream.stream_info(stream)
        found = []
        for sequence in range(max(1, info.state.first_seq), info.state.last_seq + 1):
            message = await self.jetstream.get_msg(stream, sequence)
            if message.subject == subject:
                found.append(message.data)
        return found

    async def letters(self) -> list[MessageSetAside]:
        raw = await self.stored("DEAD_LETTERS", f"dead.{ActivityRecorded.TYPE}")
        return [Event[MessageSetAside].model_validate_json(data).data for data in raw]

    async def unacknowledged(self) -> int:
        info = await self.jetstream.consumer_info("EVENTS", DURABLE)
        return (info.num_pending or 0) + (info.num_ack_pending or 0)

    async def quiet(self, seconds: float = 10) -> None:
        async with asyncio.timeout(seconds):
            while await self.unacknowledged():
                await asyncio.sleep(0.01)


@pytest.fixture
async def world(nats_server) -> AsyncIterator[World]:
    client = await nats.connect(nats_server.url)
    await declare(client.jetstream(), ack_wait=1)
    yield World(nats_server.url, client)
    await client.close()


@asynccontextmanager
async def running(url: str, handler, *, delays=(0.05, 0.05), passing=()) -> AsyncIterator[Bus]:
    bus = Bus(url, "test", seal=SEAL, passing=passing, delays=delays)
    bus.react(DURABLE, handler, ActivityRecorded)
    await bus.start()
    try:
        yield bus
    finally:
        await bus.stop()


class Keeper:
    """A handler that keeps each event once, like a store, and may be told to fail."""

    def __init__(self, fails: Callable[[str], Exception | None] = lambda _name: None) -> None:
        self.kept: dict[str, Event] = {}
        self.seen: list[str] = []
        self.batches: list[int] = []
        self.fails = fails

    async def __call__(self, events):
        self.batches.append(len(events))
        for event in events:
            self.seen.append(event.id)
            if error := self.fails(event.id):
                raise error
        return [self.kept.setdefault(event.id, follows(event)) for event in events]


class TestAHandledBatch:
    async def test_what_follows_is_in_the_stream_before_the_cause_is_acknowledged(self, world):
        keeper = Keeper()
        async with running(world.url, keeper) as bus:
            await bus.publish([activity(f"e{n}") for n in range(20)])
            await until(lambda: len(keeper.kept) == 20)
            await world.quiet()

        said = await world.stored("EVENTS", ChannelAnnounced.TYPE)
        assert {Event[ChannelAnnounced].model_validate_json(s).causationid for s in said} == {
            f"e{n}" for n in range(20)
        }

    async def test_it_counts_once_its_stream_has_confirmed_it(self, world):
        def announced():
            labels = {"type": ChannelAnnounced.TYPE}
            return REGISTRY.get_sample_value("langnghe_events_announced_total", labels) or 0.0

        before = announced()
        async with running(world.url, Keeper()) as bus:
            await bus.publish([activity(f"e{n}") for n in range(3)])
            await world.quiet()

        assert announced() == before + 3

    async def test_events_come_together_rather_than_one_by_one(self, world):
        keeper = Keeper()
        await Publisher(lambda: world.client).publish([activity(f"e{n}") for n in range(100)])
        async with running(world.url, keeper):
            await until(lambda: len(keeper.kept) == 100)

        assert max(keeper.batches) > 50

    async def test_a_repeated_event_is_in_the_stream_once(self, world):
        keeper = Keeper()
        async with running(world.url, keeper) as bus:
            await bus.publish([activity("once"), activity("once")])
            await bus.publish([activity("once")])
            await until(lambda: "once" in keeper.kept)
            await world.quiet()

        assert len(await world.stored("EVENTS", ActivityRecorded.TYPE)) == 1
        assert len(await world.stored("EVENTS", ChannelAnnounced.TYPE)) == 1

    async def test_a_repeat_beyond_the_window_says_the_same_event_again(self, world):
        keeper = Keeper()
        async with running(world.url, keeper):
            for _ in range(2):  # without an id of its own the stream cannot tell
                await world.jetstream.publish(ActivityRecorded.TYPE, activity("again").encode())
            await until(lambda: keeper.seen.count("again") == 2)
            await world.quiet()

        assert len(await world.stored("EVENTS", ChannelAnnounced.TYPE)) == 1


class TestABrokenMessage:
    async def test_it_is_set_aside_alone(self, world):
        keeper = Keeper()
        for n in range(4):
            await world.jetstream.publish(ActivityRecorded.TYPE, activity(f"e{n}").encode())
        await world.jetstream.publish(ActivityRecorded.TYPE, b'{"name": "Nguyen Van Mat"}')
        async with running(world.url, keeper):
            await until(lambda: len(keeper.kept) == 4)
            await world.quiet()

        [letter] = await world.letters()
        assert letter.reason == "unreadable"
        assert "/id: missing" in letter.detail

    async def test_its_content_is_sealed_to_the_operator(self, world):
        await world.jetstream.publish(ActivityRecorded.TYPE, b'{"name": "Nguyen Van Mat"}')
        async with running(world.url, Keeper()):
            async with asyncio.timeout(10):
                while not await world.letters():
                    await asyncio.sleep(0.01)

        [raw] = await world.stored("DEAD_LETTERS", f"dead.{ActivityRecorded.TYPE}")
        [letter] = await world.letters()
        assert b"Nguyen" not in raw
        assert OPENER.open(letter.sealed, DEAD_LETTER_USE) == b'{"name": "Nguyen Van Mat"}'


class StoreAway(Exception):
    pass


class TestAFault:
    async def test_while_a_store_is_away_nothing_is_counted_against_a_message(self, world):
        away = True
        keeper = Keeper(fails=lambda _name: StoreAway() if away else None)
        async with running(world.url, keeper, passing=(StoreAway,), delays=(0.01,)) as bus:
            await bus.publish([activity("patient")])
            await until(lambda: len(keeper.seen) >= 4)
            assert bus.waits_for == {DURABLE: "StoreAway"}
            away = False
            await until(lambda: "patient" in keeper.kept)
            await world.quiet()
            assert bus.waits_for == {}

        assert await world.letters() == []

    async def test_a_passing_failure_is_tried_again_and_heals(self, world):
        failures = iter([ValueError("Nguyen Van Mat")])
        keeper = Keeper(fails=lambda _name: next(failures, None))
        async with running(world.url, keeper) as bus:
            await bus.publish([activity("healed")])
            await until(lambda: "healed" in keeper.kept)
            await world.quiet()

        assert keeper.seen == ["healed", "healed"]
        assert await world.letters() == []

    async def test_a_lasting_failure_is_set_aside_after_its_deliveries(self, world):
        keeper = Keeper(fails=lambda name: ValueError("Nguyen Van Mat") if name == "bad" else None)
        async with running(world.url, keeper, delays=(0.05, 0.05)) as bus:
            await bus.publish([activity("bad")])
            async with asyncio.timeout(10):
                while not await world.letters():
                    await asyncio.sleep(0.01)
            await world.quiet()

        [letter] = await world.letters()
        assert (letter.reason, letter.deliveries) == ("failed", 3)
        assert letter.detail == "ValueError in __call__, test_bus.py"

    async def test_one_bad_event_does_not_hold_its_neighbours(self, world):
        keeper = Keeper(fails=lambda name: ValueError() if name == "e17" else None)
        await Publisher(lambda: world.client).publish([activity(f"e{n}") for n in range(64)])
        async with running(world.url, keeper, delays=(600,)):
            await until(lambda: len(keeper.kept) == 63)

        assert "e17" not in keeper.kept


class TestAResult:
    async def test_what_the_stream_cannot_take_now_is_said_again_later(self, world):
        keeper = Keeper()
        info = await world.jetstream.stream_info("EVENTS")
        subjects = list(info.config.subjects)
        info.config.subjects = [s for s in subjects if s != "channel.>"]
        await world.jetstream.update_stream(info.config)
        async with running(world.url, keeper) as bus:
            await bus.publish([activity("waits")])
            await until(lambda: keeper.seen.count("waits") >= 2)
            info.config.subjects = subjects
            await world.jetstream.update_stream(info.config)
            await world.quiet(20)

        assert len(await world.stored("EVENTS", ChannelAnnounced.TYPE)) == 1
        assert await world.letters() == []

    async def test_what_the_stream_refuses_for_good_sets_its_cause_aside(self, world):
        async def too_large(events):
            data = ActivityRecorded(
                agency="a-1",
                unit="u-1",
                kind=ActivityKind.DIRECT,
                held=date(2026, 3, 2),
                decision="x" * 9_000_000,
            )
            return [e.causes(data, source="/services/test", recorded=NOON) for e in events]

        async with running(world.url, too_large, delays=(0.05,)) as bus:
            await bus.publish([activity("large")])
            async with asyncio.timeout(10):
                while not await world.letters():
                    await asyncio.sleep(0.01)

        [letter] = await world.letters()
        assert letter.reason == "failed"
        assert letter.detail.startswith("NotTaken")


class TestPublishing:
    async def test_no_stream_for_a_subject_is_said(self, world):
        await world.jetstream.update_stream(
            config=(await world.jetstream.stream_info("EVENTS")).config.evolve(
                subjects=["submission.>"]
            )
        )

        with pytest.raises(Unconfirmed):
            await Publisher(lambda: world.client).publish([activity("nowhere")])

    async def test_a_stream_that_is_not_the_expected_one_is_said(self, world):
        info = await world.jetstream.stream_info("EVENTS")
        await world.jetstream.update_stream(info.config.evolve(subjects=["submission.>"]))
        await world.jetstream.add_stream(name="OTHER", subjects=["activity.>"])

        with pytest.raises(NotTaken):
            await Publisher(lambda: world.client).publish([activity("elsewhere")])

    async def test_publishing_goes_on_after_the_server_was_away(self, world, nats_server):
        publisher = Publisher(lambda: world.client)
        await publisher.publish([activity("before")])
        await asyncio.to_thread(nats_server.kill)
        await asyncio.to_thread(nats_server.start)
        await until(lambda: world.client.is_connected)

        await publisher.publish([activity("after")])

        assert len(await world.stored("EVENTS", ActivityRecorded.TYPE)) == 2


class TestAServerThatWasAway:
    async def test_fetching_goes_on(self, world, nats_server):
        keeper = Keeper()
        async with running(world.url, keeper):
            await asyncio.to_thread(nats_server.kill)
            await asyncio.to_thread(nats_server.start)
            await until(lambda: world.client.is_connected)
            await Publisher(lambda: world.client).publish([activity("after")])

            await until(lambda: "after" in keeper.kept, 20)


CRASHING = """
import asyncio, os, pathlib, sys
from shared.contracts import ActivityRecorded, ChannelAnnounced
from shared.runtime.bus import Bus
from tests.system.test_bus import DURABLE, SEAL, follows

url, folder, waits = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3] == "waits"

async def handler(events):
    kept = []
    for event in events:
        if event.type == ChannelAnnounced.TYPE:
            continue
        file = folder / event.id
        if not file.exists():
            file.write_bytes(follows(event).encode())
        kept.append(follows(event))
    if waits:
        (folder / "ready").touch()
        await asyncio.sleep(60)
    return kept

async def main():
    bus = Bus(url, "test", seal=SEAL)
    bus.react(DURABLE, handler, ActivityRecorded, ChannelAnnounced)
    await bus.start()
    await asyncio.sleep(60)

asyncio.run(main())
"""


class TestAProcessKilled:
    async def test_between_keeping_and_publishing_the_step_is_done_again(self, world, tmp_path):
        async def start(mode: str) -> asyncio.subprocess.Process:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-c", CRASHING, world.url, str(tmp_path), mode
            )

        await world.jetstream.publish(ActivityRecorded.TYPE, activity("survivor").encode())
        first = await start("waits")
        await until((tmp_path / "ready").exists, 20)
        os.kill(first.pid, signal.SIGKILL)
        await first.wait()
        assert await world.stored("EVENTS", ChannelAnnounced.TYPE) == []

        second = await start("goes on")
        await world.quiet(20)
        second.kill()
        await second.wait()

        assert await world.stored("EVENTS", ChannelAnnounced.TYPE) == [
            (tmp_path / "survivor").read_bytes()
        ]


DEADLY = """
import asyncio, os, signal, sys
from shared.contracts import ActivityRecorded, ChannelAnnounced
from shared.runtime.bus import Bus
from tests.system.test_bus import DURABLE, SEAL, follows

async def handler(events):
    if any(event.id.startswith("deadly") for event in events):
        os.kill(os.getpid(), signal.SIGKILL)
    return [follows(event) for event in events if event.type == ActivityRecorded.TYPE]

async def main():
    bus = Bus(sys.argv[1], "test", seal=SEAL)
    bus.react(DURABLE, handler, ActivityRecorded, ChannelAnnounced)
    await bus.start()
    await asyncio.sleep(60)

asyncio.run(main())
"""


class TestAMessageThatEndsItsProcess:
    async def test_it_is_set_aside_after_three_deaths_and_its_neighbours_go_through(self, world):
        for number in range(20):
            name = "deadly" if number == 7 else f"e{number}"
            await world.jetstream.publish(ActivityRecorded.TYPE, activity(name).encode())

        deaths = await self.deaths_until_quiet(world)

        [letter] = await world.letters()
        assert (letter.reason, letter.sequence) == ("crashed", 8)
        assert len(await world.stored("EVENTS", ChannelAnnounced.TYPE)) == 19
        assert deaths == 3

    async def test_deaths_by_others_are_not_held_against_a_message(self, world):
        """Killed from outside again and again, each time with all of them in the hand."""
        for number in range(20):
            await world.jetstream.publish(ActivityRecorded.TYPE, activity(f"e{number}").encode())
        subscription = await world.jetstream.pull_subscribe_bind(DURABLE, "EVENTS")
        for _ in range(8):
            assert len(await subscription.fetch(20, timeout=5)) == 20  # into the grave
        await subscription.unsubscribe()

        deaths = await self.deaths_until_quiet(world)

        assert deaths == 0
        assert await world.letters() == []
        assert len(await world.stored("EVENTS", ChannelAnnounced.TYPE)) == 20

    async def deaths_until_quiet(self, world) -> int:
        deaths = 0
        async with asyncio.timeout(40):
            while True:
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-c", DEADLY, world.url
                )
                quiet = asyncio.create_task(world.quiet(30))
                ended = asyncio.create_task(process.wait())
                await asyncio.wait({quiet, ended}, return_when=asyncio.FIRST_COMPLETED)
                if quiet.done():
                    process.kill()
                    await ended
                    return deaths
                quiet.cancel()
                deaths += 1


@pytest.fixture
def timing_out(monkeypatch):
    """A fetch that times out as nats-py does now and then between two messages of a batch."""
    fetch = JetStreamContext.PullSubscription.fetch
    calls = count(1)

    async def sometimes(self, *arguments, **more):
        if next(calls) % 5 == 0:
            raise TimeoutError
        return await fetch(self, *arguments, **more)

    monkeypatch.setattr(JetStreamContext.PullSubscription, "fetch", sometimes)


@pytest.mark.usefixtures("timing_out")
class TestBatchPull:
    async def test_without_the_remedy_a_time_out_ends_the_fetching(self, world, monkeypatch):
        """If this fails, the installed FastStream needs no remedy any more: take it out."""
        shipped = batch_pull.SHIPPED
        monkeypatch.setattr(batch_pull, "mend", lambda: None)
        monkeypatch.setattr(
            batch_pull.BatchPullStreamSubscriber, "_consume_pull", shipped, raising=True
        )
        monkeypatch.setattr("shared.runtime.bus.FETCH_SECONDS", 0.05)
        assert await self.kept_of_a_hundred(world) < 100

    async def test_with_it_fetching_never_ends(self, world, monkeypatch):
        monkeypatch.setattr("shared.runtime.bus.FETCH_SECONDS", 0.05)
        assert await self.kept_of_a_hundred(world) == 100

    async def kept_of_a_hundred(self, world):
        keeper = Keeper()
        async with running(world.url, keeper):
            for n in range(100):
                await world.jetstream.publish(ActivityRecorded.TYPE, activity(f"e{n}").encode())
                await asyncio.sleep(0.02)
            with suppress(TimeoutError):
                await until(lambda: len(keeper.kept) == 100, 3)
        return len(keeper.kept)

    def test_a_version_that_nobody_has_looked_at_is_refused(self, monkeypatch):
        monkeypatch.setattr(batch_pull, "version", lambda _name: "0.7.9")

        with pytest.raises(RuntimeError, match=r"0\.7\.9"):
            batch_pull.mend()
