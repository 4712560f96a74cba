"""What the operator is told of streams and consumers, seen on a real server."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from nats.js.api import StreamConfig

from services.reporting.flight import StreamFlight
from services.reporting.lookout import LOOK, Lookout
from shared.runtime.asking import Unanswered
from shared.runtime.streams import CONSUMERS, REDRIVEN, STREAMS_LOOKED_AT
from tests.examples_reporting import case_accepted

HOUR = timedelta(hours=1)
FEED_CALL = "feed.a1.hotline-call.logged.v1"
EVENTS_READERS = {d.name for d in CONSUMERS.values() if d.stream == "EVENTS"}


def in_an_hour():
    return datetime.now(UTC) + HOUR


@pytest.fixture
def lookout(jetstream):
    return Lookout(StreamFlight(lambda: jetstream._nc), in_an_hour)


def more_than_nothing(figures):
    return {labels: figure for labels, figure in figures.items() if figure}


async def fetch(jetstream, durable, stream, count=1):
    subscription = await jetstream.pull_subscribe_bind(durable, stream)
    return await subscription.fetch(count, timeout=5)


async def test_where_nothing_happened_every_consumer_has_nothing_before_it(lookout):
    figures = await lookout.look()

    durables = {(name,) for name in (*CONSUMERS, *(d.name for d in REDRIVEN.values()))}
    for metric in ("pending_messages", "ack_pending_messages", "oldest_age_seconds"):
        assert figures[f"langnghe_consumer_{metric}"] == dict.fromkeys(durables, 0.0)
    assert figures["langnghe_stream_messages"] == {(s,): 0.0 for s in STREAMS_LOOKED_AT}
    assert figures["langnghe_dead_letters"] == {(s,): 0.0 for s in ("FEED", "COMMANDS", "EVENTS")}
    assert figures["langnghe_stream_fill_ratio"] == {("FEED",): 0.0, ("COMMANDS",): 0.0}
    assert not any(figures["langnghe_unreconciled_messages"].values())


async def test_what_waits_is_told_with_its_age(jetstream, lookout):
    await jetstream.publish(FEED_CALL, b"{}")
    figures = await lookout.look()

    assert figures["langnghe_consumer_pending_messages"]["intake-feed",] == 1
    age = figures["langnghe_consumer_oldest_age_seconds"]["intake-feed",]
    assert HOUR.total_seconds() <= age < HOUR.total_seconds() + 60


async def test_an_event_waits_since_it_came(jetstream, lookout):
    event = case_accepted()
    await jetstream.publish(event.data.nats_subject(), event.encode())
    figures = await lookout.look()

    ages = more_than_nothing(figures["langnghe_consumer_oldest_age_seconds"])
    assert set(ages) == {("intake-cases",), ("reporting-rows",)}
    assert min(ages.values()) >= HOUR.total_seconds()


async def test_what_was_given_out_is_in_a_hand_and_then_tried_again(jetstream, lookout):
    await jetstream.publish(FEED_CALL, b"{}")
    [message] = await fetch(jetstream, "intake-feed", "FEED")
    first = await lookout.look()
    await message.nak()
    await fetch(jetstream, "intake-feed", "FEED")
    second = await lookout.look()

    assert first["langnghe_consumer_ack_pending_messages"]["intake-feed",] == 1
    assert first["langnghe_consumer_redelivered_messages"]["intake-feed",] == 0
    assert second["langnghe_consumer_redelivered_messages"]["intake-feed",] == 1


async def test_dead_letters_are_told_by_where_they_came_from(jetstream, lookout):
    for subject in (FEED_CALL, "command.b1.case.accept.v1", "case.accepted.v1", "case.opened.v1"):
        await jetstream.publish(f"dead.{subject}", b"{}")

    told = (await lookout.look())["langnghe_dead_letters"]
    assert told == {("FEED",): 1.0, ("COMMANDS",): 1.0, ("EVENTS",): 2.0}


async def test_the_fullest_quota_of_a_party_is_told(jetstream, lookout):
    stream = (await jetstream.stream_info("FEED")).config
    await jetstream.update_stream(StreamConfig(**{**stream.__dict__, "max_msgs_per_subject": 4}))
    for subject in (FEED_CALL, FEED_CALL, FEED_CALL, "feed.a2.hotline-call.logged.v1"):
        await jetstream.publish(subject, b"{}")

    assert (await lookout.look())["langnghe_stream_fill_ratio"]["FEED",] == 0.75


async def test_a_stream_that_makes_room_by_itself_is_never_full(jetstream, lookout):
    stream = (await jetstream.stream_info("REFUSALS")).config
    await jetstream.update_stream(StreamConfig(**{**stream.__dict__, "max_msgs": 1}))
    await jetstream.publish("feed.a1.refused", b"{}")

    assert ("REFUSALS",) not in (await lookout.look())["langnghe_stream_fill_ratio"]


async def give_up(jetstream, stream, durable):
    """Let the server deliver no more, as only somebody else's `max_deliver` does: 0 wait then."""
    consumer = await jetstream.consumer_info(stream, durable)
    consumer.config.max_deliver, consumer.config.ack_wait = 1, 0.2
    await jetstream.add_consumer(stream, consumer.config)
    await fetch(jetstream, durable, stream)
    async with asyncio.timeout(10):
        while (await jetstream.consumer_info(stream, durable)).num_ack_pending:
            await asyncio.sleep(0.05)


class TestInNoHand:
    """I9: each message is done, in a hand, to be tried again, or set aside."""

    async def unreconciled(self, lookout):
        return more_than_nothing((await lookout.look())["langnghe_unreconciled_messages"])

    async def test_what_waits_and_what_is_in_a_hand_is_none_of_it(self, jetstream, lookout):
        event = case_accepted()
        await jetstream.publish(event.data.nats_subject(), event.encode())
        await jetstream.publish(FEED_CALL, b"{}")
        await jetstream.publish(FEED_CALL, b"{}")
        await fetch(jetstream, "intake-feed", "FEED")
        await fetch(jetstream, "reporting-rows", "EVENTS")

        assert await self.unreconciled(lookout) == {}

    async def test_an_order_that_the_server_gave_up_is_told(self, jetstream, lookout):
        await jetstream.publish("command.b1.case.accept.v1", b"{}")
        await give_up(jetstream, "COMMANDS", "routing-commands")

        assert await self.unreconciled(lookout) == {("COMMANDS", ""): 1.0}

    async def test_an_event_that_the_server_gave_up_is_told(self, jetstream, lookout):
        await jetstream.publish("submission.received.v1", b"{}")
        await give_up(jetstream, "EVENTS", "routing-submission-received")

        assert await self.unreconciled(lookout) == {("EVENTS", "routing-submission-received"): 1.0}


async def test_while_a_consumer_is_missing_nothing_old_is_told(jetstream):
    LOOK.tell({"langnghe_stream_messages": {("FEED",): 1.0}})
    await jetstream.delete_consumer("EVENTS", "reporting-rows")
    lookout = Lookout(StreamFlight(lambda: jetstream._nc), in_an_hour, passing=(Unanswered,))

    with pytest.raises(Unanswered):
        await lookout.look()
    await lookout.turn()

    assert not any(family.samples for family in LOOK.collect())
