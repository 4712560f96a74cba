"""One store is older than the other: what is missing is filled, delivered again, or named."""

import orjson
import pytest

from deploy.backup import (
    NotRestored,
    find_gap,
    restore,
)
from deploy.backup.restoring import Part
from deploy.connection import Endpoints
from services.intake.domain.receipt import code_for
from services.intake.store import MongoReceipts
from shared.contracts import ChannelSilent
from shared.contracts.envelope import Event
from shared.contracts.vocabulary import Channel
from shared.runtime.streams import (
    COMMANDS,
    EVENTS,
    FEED,
    declare,
)
from tests.backed_up import LETTER, NOON, worlds
from tests.examples_routing import submission_received
from tests.system.test_bus import activity


@pytest.fixture
async def world(jetstream, servers, tmp_path):
    async with worlds(jetstream, servers, tmp_path) as world:
        yield world


class TestGap:
    """One store is older than the other."""

    async def test_streams_older_than_databases_are_filled_from_them(self, world):
        await world.say(activity("e1"))
        await world.jetstream.publish(LETTER, b"1")
        await world.take()
        await world.say(activity("e2"), activity("e3"))
        for number in range(2, 6):
            await world.jetstream.publish(LETTER, b"x")
            await world.database("intake")["arrivals"].insert_one(
                {"_id": f"feed:{number}:then", "sequence": number, "party": "a-1", "parts": []}
            )
        log = await world.log()
        await world.lose_streams()

        restored = await world.restore(parts=frozenset({Part.NATS}))

        assert await world.log() == log
        assert restored.refilled.copied == 2
        assert (await world.jetstream.publish(LETTER, b"next")).seq == 6
        state = (await world.jetstream.stream_info(FEED)).state
        assert state.messages == 2  # what waited then, and what came now

    async def test_what_the_feed_took_after_the_backup_is_named_by_number(self, world):
        await world.take()
        for _ in range(3):
            await world.jetstream.publish(LETTER, b"x")
        await world.database("intake")["arrivals"].insert_one(
            {"_id": "feed:3:then", "sequence": 3, "party": "a-1"}
        )
        await world.lose_streams()

        restored = await world.restore(parts=frozenset({Part.NATS}))

        assert restored.gap.sendings == [1, 2]

    async def test_commands_count_on_too(self, world):
        await world.take()
        await world.database("routing")["commands"].insert_one(
            {"_id": "command:7:then", "sequence": 7}
        )
        await world.lose_streams()

        await world.restore(parts=frozenset({Part.NATS}))

        assert (await world.jetstream.stream_info(COMMANDS)).state.last_seq == 7

    async def test_databases_older_than_streams_name_the_texts_that_are_lost(self, world):
        await world.say(activity("e1"))
        await world.take()
        event = submission_received("s-lost")
        await world.say(event, activity("e2"))
        log = await world.log()
        await world.lose_databases()

        restored = await world.restore(parts=frozenset({Part.MONGO}))

        assert restored.gap.texts == [event.subject]
        assert await world.log() == log
        assert await find_gap(world.client, world.endpoints) == restored.gap

    async def test_and_their_receipts_are_known(self, world, tmp_path):
        key = bytes(32)
        kept = tmp_path / "kept"
        kept.mkdir()
        (kept / "intake.kek").write_bytes(orjson.dumps({"receipt": "A" * 43 + "="}))
        world.endpoints = Endpoints("", world.endpoints.mongo, world.endpoints.mongo_prefix, kept)
        world.folder = tmp_path / "backups"
        await world.take()
        event = submission_received("s-lost")
        await world.say(event)
        await world.lose_databases()

        restored = await world.restore(parts=frozenset({Part.MONGO}))

        receipts = MongoReceipts(world.database("intake"), key)
        assert restored.reissued == 1
        assert await receipts.find(code_for(event.subject, key)) == event.subject

    async def test_everything_is_delivered_again_to_older_databases(self, world):
        await world.take()
        event = submission_received("s-lost")
        await world.say(event)
        taking = await world.jetstream.pull_subscribe_bind("routing-submission-received", EVENTS)
        [message] = await taking.fetch(1)
        await message.ack_sync()
        await world.lose_databases()

        await world.restore(parts=frozenset({Part.MONGO}))

        info = await world.jetstream.consumer_info(EVENTS, "routing-submission-received")
        assert info.num_pending == 1

    @pytest.mark.parametrize("first", list(Part))
    async def test_one_backup_of_streams_and_an_older_one_of_databases(self, world, first):
        await world.say(activity("e1"))
        await world.take("old")
        event = submission_received("s-lost")
        await world.say(event)
        await world.take("new")
        await world.say(activity("gone"))
        await world.lose_everything()

        if first is Part.NATS:
            await world.restore("new", parts=frozenset({Part.NATS}))
            restored = await world.restore("old", parts=frozenset({Part.MONGO}))
        else:
            await world.restore("old", parts=frozenset({Part.MONGO}))
            restored = await world.restore("new", parts=frozenset({Part.NATS}), over=True)

        assert restored.gap.texts == [event.subject]
        assert len(await world.log()) == 2

    @pytest.mark.parametrize("first", list(Part))
    async def test_one_backup_of_databases_and_an_older_one_of_streams(self, world, first):
        await world.say(activity("e1"))
        await world.take("old")
        await world.say(activity("e2"))
        await world.take("new")
        log = await world.log()
        await world.say(activity("gone"))
        await world.lose_everything()

        if first is Part.NATS:
            await world.restore("old", parts=frozenset({Part.NATS}))
            restored = await world.restore("new", parts=frozenset({Part.MONGO}))
        else:
            await world.restore("new", parts=frozenset({Part.MONGO}))
            restored = await world.restore("old", parts=frozenset({Part.NATS}), over=True)

        assert await world.log() == log
        assert restored.gap.unsaid == []

    async def test_what_intake_found_by_itself_is_kept_as_it_was_announced(self, world):
        data = ChannelSilent(agency="a", unit="u", channel=Channel.HOTLINE, working_days=5)
        silent = Event[ChannelSilent](
            id="silent-1", source="/x", type=data.TYPE, subject="a/hotline", time=NOON, data=data
        )
        await world.take()
        await world.say(silent)
        await world.lose_databases()

        await world.restore(parts=frozenset({Part.MONGO}))

        [kept] = [d async for d in world.database("intake")["alarms"].find({})]
        assert (kept["_id"], kept["event"]) == ("silent-1", silent.model_dump(mode="json"))

    async def test_older_keys_name_what_they_do_not_open(self, world):
        await world.take("old")
        intake = world.database("intake")
        event = submission_received("s-kept")
        await intake["submissions"].insert_one(
            {
                "_id": event.subject,
                "keys": ["k"],
                "sealed": {"text": {"key": "k2"}},
                "event": event.model_dump(mode="json"),
            }
        )
        await world.database("intake_keys")["data_keys"].insert_one({"_id": "k2", "owner": "x"})
        await world.say(event)
        await world.take("new")
        await world.lose_everything()

        restored = await restore(
            world.client, world.endpoints, world.folder / "new", world.keys("old")
        )

        assert restored.gap.unreadable == [event.subject]

    async def test_another_history_is_refused(self, world):
        await world.say(activity("e1"), activity("e2"))
        await world.take()
        await world.lose_everything()

        await declare(world.jetstream)
        for name in ("x", "y", "z"):
            await world.jetstream.publish(activity(name).type, activity(name).encode())

        with pytest.raises(NotRestored, match="another history"):
            await world.restore(parts=frozenset({Part.MONGO}))
