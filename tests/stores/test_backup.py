"""A backup of real servers comes back as it was; a damaged or a mixed one does not."""

import pytest

from deploy.backup import (
    Damaged,
    NotRestored,
    NotTaken,
    databases,
    folders_apart,
    restore,
    taking,
)
from shared.runtime.streams import (
    COMMANDS,
    DEAD_LETTERS,
    EVENTS,
    FEED,
    REDRIVE,
    STREAMS,
)
from tests.backed_up import LETTER, fill, told, worlds
from tests.system.test_bus import activity


@pytest.fixture
async def world(jetstream, servers, tmp_path):
    async with worlds(jetstream, servers, tmp_path) as world:
        yield world


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
