"""A backup of real servers comes back as it was; a damaged or a mixed one does not."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import orjson
import pytest

from deploy.backup import (
    Damaged,
    NotRestored,
    NotTaken,
    backup,
    databases,
    find_gap,
    folders_apart,
    restore,
    taking,
)
from deploy.backup.databases import KEYS, SERVICES
from deploy.backup.restoring import Part
from deploy.connection import Endpoints
from services.intake.domain.receipt import code_for
from services.intake.store import MongoReceipts
from services.reporting.chain import MongoLinks
from services.reporting.domain.chain import Logged
from shared.contracts import ChannelSilent
from shared.contracts.envelope import Event
from shared.contracts.vocabulary import Channel
from shared.runtime.mongo import open_client, open_database
from shared.runtime.streams import (
    ADVISORIES,
    COMMANDS,
    DEAD_LETTERS,
    EVENTS,
    FEED,
    REDRIVE,
    STREAMS,
    declare,
)
from tests.examples_routing import submission_received
from tests.system.test_bus import activity

NOON = datetime(2026, 5, 11, 5, tzinfo=UTC)
LETTER = "feed.a-1.letter.registered.v1"


def told(contents: dict[str, object]) -> dict[str, object]:
    """Without what the server says of the streams and consumers that are being made."""
    return {name: each for name, each in contents.items() if not name.startswith(ADVISORIES)}


class World:
    """Both stores of one installation, and folders for its backups."""

    def __init__(self, jetstream, mongo, endpoints, folder) -> None:
        self.jetstream, self.mongo, self.endpoints = jetstream, mongo, endpoints
        self.folder = folder
        self.client = jetstream._nc

    def database(self, name):
        return open_database(self.mongo, f"{self.endpoints.mongo_prefix}_{name}")

    async def take(self, name: str = "one"):
        return await backup(
            self.client, self.endpoints, self.folder / name, self.keys(name), lambda: NOON
        )

    def keys(self, name: str) -> Path:
        return self.folder / f"{name}-keys"

    async def restore(self, name: str = "one", **more):
        return await restore(
            self.client, self.endpoints, self.folder / name, self.keys(name), **more
        )

    async def lose_streams(self) -> None:
        for stream in await self.jetstream.streams_info():
            await self.jetstream.delete_stream(stream.config.name)

    async def lose_databases(self) -> None:
        for name in (*SERVICES, *KEYS):
            await self.mongo.drop_database(f"{self.endpoints.mongo_prefix}_{name}")

    async def lose_everything(self) -> None:
        await self.lose_streams()
        await self.lose_databases()

    async def log(self) -> list[Logged]:
        last = (await self.jetstream.stream_info(EVENTS)).state.last_seq
        found = [await self.jetstream.get_msg(EVENTS, n) for n in range(1, last + 1)]
        return [Logged(m.seq, m.subject, m.data) for m in found]

    async def say(self, *events: Event) -> None:
        """Announced, and copied by reporting."""
        for event in events:
            await self.jetstream.publish(
                event.type, event.encode(), headers={"Nats-Msg-Id": event.id}
            )
        await MongoLinks(self.database("reporting")).copy(await self.log())

    async def contents(self) -> dict[str, object]:
        """Every message with its number, place, time and headers; every document and index."""
        found: dict[str, object] = {}
        for config in STREAMS:
            info = await self.jetstream.stream_info(config.name)
            # Of an empty stream the server says that it begins at 0, or at 1.
            first = max(info.state.first_seq, 1)
            found[config.name] = (first, info.state.last_seq, info.state.messages)
            for number in range(first, info.state.last_seq + 1):
                answer = await self.client.request(
                    f"$JS.API.STREAM.MSG.GET.{config.name}", orjson.dumps({"seq": number})
                )
                found[f"{config.name}:{number}"] = orjson.loads(answer.data).get("message")
            for each in await self.jetstream.consumers_info(config.name):
                found[f"{config.name}/{each.name}"] = (
                    each.ack_floor.stream_seq,
                    each.num_pending + each.num_ack_pending,
                )
        for name in (*SERVICES, *KEYS):
            database = self.database(name)
            for collection in await database.list_collection_names():
                documents = [d async for d in database[collection].find({}, sort=[("_id", 1)])]
                indexes = await database[collection].index_information()
                found[f"{name}/{collection}"] = (documents, indexes)
        return found


@pytest.fixture
async def world(jetstream, servers, tmp_path) -> AsyncIterator[World]:
    mongo = open_client(servers.mongo_url)
    endpoints = Endpoints("", servers.mongo_url, f"test_{uuid4().hex[:8]}")
    world = World(jetstream, mongo, endpoints, tmp_path)
    yield world
    await world.lose_databases()
    mongo.close()


async def fill(world: World) -> None:
    """Something of every kind: a hole, a consumer half way, a large file, an odd index."""
    for number in range(3):
        await world.jetstream.publish(LETTER, b"%d" % number)
    waiting = await world.jetstream.pull_subscribe_bind("intake-feed", FEED)
    [first] = await waiting.fetch(1)
    await first.ack_sync()
    await world.say(activity("e1"), activity("e2"))
    counting = await world.jetstream.pull_subscribe_bind("reporting-rows", EVENTS)
    [counted] = await counting.fetch(1)
    await counted.ack_sync()
    await world.jetstream.publish("dead.feed", b"sealed", headers={"why": "failed"})
    intake = world.database("intake")
    await intake["arrivals"].insert_one({"_id": "feed:1:then", "sequence": 1, "at": NOON})
    await intake["arrivals"].create_index([("party", 1), ("sequence", -1)], sparse=True)
    await intake["sealed.chunks"].insert_one({"_id": 1, "data": bytes(range(256)) * 900})
    await world.database("intake_keys")["data_keys"].insert_one(
        {"_id": "k", "owner": "feed:1:then", "wrapped": b"w"}
    )
    await world.database("routing")["empty"].create_index("at", expireAfterSeconds=60)


class TestRoundTrip:
    async def test_everything_comes_back_as_it_was(self, world):
        await fill(world)
        before = await world.contents()
        manifest = await world.take()
        await world.lose_everything()

        restored = await world.restore()

        assert told(await world.contents()) == told(before)
        assert (await world.contents())["ADVISORIES:3"] == before["ADVISORIES:3"]
        assert manifest.streams[EVENTS].last == 2
        assert manifest.streams[FEED].consumers["intake-feed"].acknowledged == 1
        assert not restored.gap.texts
        assert (restored.refilled.copied, restored.refilled.kept) == (0, 0)

    async def test_it_is_taken_of_one_moment_while_writing_goes_on(self, world, monkeypatch):
        """The copy of the log and a document that came after the moment: neither is in it."""

        await fill(world)
        write = databases._write

        async def and_meanwhile(database, *rest):
            count = await write(database, *rest)
            await world.database("routing")["empty"].insert_one({})
            return count

        monkeypatch.setattr(databases, "_write", and_meanwhile)

        assert (await world.take()).collections["routing/empty"] == 0

    async def test_what_is_taken_between_streams_and_databases_is_in_one(self, world, monkeypatch):
        """Whichever of the two comes first: what intake takes from the feed in between."""
        for number in range(2):
            await world.jetstream.publish(LETTER, b"%d" % number)
        arrivals = world.database("intake")["arrivals"]
        await arrivals.create_index("party")
        waits = [True]

        async def take_one(done):
            if waits and done:
                waits.clear()
                waiting = await world.jetstream.pull_subscribe_bind("intake-feed", FEED)
                [first] = await waiting.fetch(1)
                await arrivals.insert_one({"_id": "feed:1:then", "sequence": 1, "parts": []})
                await first.ack_sync()

        write_stream, write_databases = taking.write_stream, databases.write_databases

        async def streams(client, stream, folder):
            held = await write_stream(client, stream, folder)
            await take_one(stream == taking.ORDER[-1])
            return held

        async def stores(*arguments):
            counts = await write_databases(*arguments)
            await take_one(done=True)
            return counts

        monkeypatch.setattr(taking, "write_stream", streams)
        monkeypatch.setattr(databases, "write_databases", stores)
        await world.take()
        await world.lose_everything()

        assert (await world.restore()).gap.sendings == []
        assert await arrivals.count_documents({}) == 1

    def test_every_stream_is_in_it_and_before_the_one_that_its_messages_move_on_to(self):
        assert set(taking.ORDER) == {config.name for config in STREAMS}
        places = [
            taking.ORDER.index(name) for name in (FEED, COMMANDS, EVENTS, DEAD_LETTERS, REDRIVE)
        ]
        assert places == sorted(places)

    async def test_no_key_lies_beside_what_it_opens(self, world):
        await fill(world)

        manifest = await world.take()

        assert not [name for name in manifest.files if "keys" in name]
        written = b"".join(p.read_bytes() for p in (world.folder / "one").rglob("*.bson"))
        assert b"owner" not in written
        assert b"owner" in (world.keys("one") / "mongo/intake_keys/data_keys.bson").read_bytes()


class TestRefused:
    @pytest.mark.parametrize(
        ("archive", "keys", "kept"),
        [
            ("a", "a", "k"),
            ("a", "a/keys", "k"),
            ("a/b", "a", "k"),
            ("a", "b", "a/k"),
            ("k/a", "b", "k"),
            ("a", "k/b", "k"),
        ],
    )
    def test_folders_within_one_another_are(self, tmp_path, archive, keys, kept):
        with pytest.raises(NotTaken, match="apart"):
            folders_apart(tmp_path / archive, tmp_path / keys, tmp_path / kept)

    def test_a_folder_with_something_in_it_is(self, tmp_path):
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "x").touch()

        with pytest.raises(NotTaken, match="not empty"):
            folders_apart(tmp_path / "a", tmp_path / "b", None)

    @pytest.mark.parametrize(
        "name",
        [
            "nats/EVENTS/stream.tar.s2",
            "nats/FEED/backup.json",
            "mongo/intake/arrivals.bson",
            "mongo/routing/empty.metadata.json",
            "manifest.json",
            "manifest.json.sha256",
        ],
    )
    @pytest.mark.parametrize("how", ["flipped", "cut", "gone"])
    async def test_a_damaged_archive_is_by_the_name_of_the_file(self, world, name, how):
        await fill(world)
        await world.take()
        before = await world.contents()
        path = world.folder / "one" / name
        content = bytearray(path.read_bytes())
        if how == "gone":
            path.unlink()
        else:
            content[len(content) // 3] ^= 1
            path.write_bytes(content[: len(content) // 2] if how == "cut" else content)

        with pytest.raises(Damaged, match=name.removesuffix(".sha256")):
            await world.restore(over=True)

        assert told(await world.contents()) == told(before)

    async def test_a_strange_file_is(self, world):
        await world.take()
        (world.keys("one") / "intake.kek").touch()

        with pytest.raises(Damaged, match=r"intake\.kek does not belong"):
            await world.restore(over=True)

    async def test_archives_in_each_others_place_are(self, world):
        await world.take()

        with pytest.raises(Damaged, match="archive of keys"):
            await restore(
                world.client, world.endpoints, world.keys("one"), world.folder / "one", over=True
            )

    @pytest.mark.parametrize("lose", ["lose_streams", "lose_databases"])
    async def test_a_system_that_is_not_empty_is(self, world, lose):
        await fill(world)
        await world.take()
        await getattr(world, lose)()

        with pytest.raises(NotRestored, match="not empty"):
            await world.restore()

    async def test_unless_told(self, world):
        await fill(world)
        before = await world.contents()
        await world.take()
        await world.database("routing")["later"].insert_one({"_id": 1})
        await world.say(activity("later"))

        await world.restore(over=True)

        assert told(await world.contents()) == told(before)

    async def test_a_system_that_runs_is(self, world):
        await world.take()
        await world.lose_everything()
        await world.client.subscribe("ask.*.routing.*")

        with pytest.raises(NotRestored, match="routing is running"):
            await world.restore()

    async def test_letters_that_were_driven_again_meanwhile_are_no_backup(self, world, monkeypatch):

        write = taking.write_stream

        async def and_drive(client, stream, folder):
            held = await write(client, stream, folder)
            if stream == "DEAD_LETTERS":
                await world.jetstream.publish("redrive.intake-feed", b"x")
            return held

        monkeypatch.setattr(taking, "write_stream", and_drive)

        with pytest.raises(NotTaken, match="driven again"):
            await world.take()


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
