"""Data keys that seal nothing are destroyed, and never one that something names or soon will."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from services.intake.handlers import NotSwept, call_collector, key_sweeper, receiver
from services.intake.handlers.ports import Opening
from services.intake.handlers.sweeping import TooManyDoubted, UnknownUse
from services.intake.store import MongoCalls, MongoKeyUses, MongoOpenings, uses
from services.intake.store.uses import SEALED, UNSEALED
from services.intake.vault import DataKey, close, draw_key
from shared.contracts.case import case_id
from shared.runtime.mongo import open_client, open_database
from tests.examples_intake import (
    FINGERPRINTS,
    NOON,
    call,
    directory_published,
    mail,
    mail_event,
    rulebook_published,
    sent,
)
from tests.fakes_intake import receiving
from tests.stores.test_intake_stores import in_mongo

CALL, MAIL = "hotline-call.logged.v1", "mailbox-message.arrived.v1"
LATER = NOON + timedelta(days=1, seconds=1)


class Swept:
    """Intake on MongoDB, its data keys in a database of their own."""

    def __init__(self, stores, database, keys):
        self.stores, self.database = stores, database
        self.documents = keys.get_collection("data_keys")
        self.receive = receiver(receiving(stores))
        self.sweep = key_sweeper(stores.data_keys, MongoKeyUses(database))

    async def names(self):
        return {document["_id"] async for document in self.documents.find()}

    async def fill(self, count=10):
        """So many keys that something names."""
        await self.receive(
            [
                sent(CALL, call(call=f"c{n}"), item=f"c{n}", sequence=1000 + n)
                for n in range(count // 2)
            ]
        )

    async def orphan(self, owner="nobody", name=""):
        key = draw_key(owner)
        key = DataKey(name or key.name, owner, key.secret)
        await self.stores.data_keys.keep([key])
        return key.name


@pytest.fixture
async def swept(servers, mongo_database):
    client = open_client(servers.mongo_url)
    keys = open_database(client, f"{mongo_database.name}_keys")
    stores = await in_mongo(mongo_database, keys)
    await MongoKeyUses(mongo_database).prepare()
    await stores.rules.keep([directory_published()], [rulebook_published()])
    yield Swept(stores, mongo_database, keys)
    await client.drop_database(keys.name)
    client.close()


def cdr_row(**more):
    return {
        "src": "0900000017",
        "dst": "0999000005",
        "uniqueid": "1778463730.1",
        "channel": "SIP/0900000017",
        "dstchannel": "SIP/desk",
        "start": "2026-05-11 08:42:10",
        "answer": "2026-05-11 08:42:20",
        "end": "2026-05-11 08:50:00",
        "disposition": "ANSWERED",
    } | more


async def use_every_place(swept) -> None:
    """One key at least in each place where something lies sealed, a large part among them."""
    large = mail("x" * 300_000, message_id="<lon@example.vn>")
    received, *_ = await swept.receive(
        [
            sent(CALL, call(), item="call", sequence=1),
            sent(MAIL, mail_event(large), item="mail", sequence=2),
            sent(CALL, call(kind="nothing"), item="refused", sequence=3),
        ]
    )
    note = sent(CALL, call(note="Nói thêm."), item="note", sequence=4)
    await swept.receive([note])
    key = draw_key(received.subject)
    await swept.stores.data_keys.keep([key])
    reason = close(key, "reason", b"...")
    opening = Opening("o", case_id(received.subject), "body", "person", NOON, reason)
    await MongoOpenings(swept.database).keep(opening)
    collect = call_collector(
        MongoCalls(swept.database), swept.stores.data_keys, FINGERPRINTS, lambda: NOON
    )
    await collect("a017", "cdr", [cdr_row()])


class TestSweep:
    async def test_a_key_that_seals_nothing_goes_a_day_after_it_was_seen(self, swept):
        await swept.fill()
        kept = await swept.names()
        await swept.orphan()

        first = await swept.sweep(NOON)
        second = await swept.sweep(LATER)

        assert (first, second) == (0, 1)
        assert await swept.names() == kept

    async def test_a_key_of_a_message_that_is_being_kept_stays(self, swept):
        """However often one looks: it was not there a day ago."""
        await swept.fill()
        name = await swept.orphan()

        for hour in range(24):
            await swept.sweep(NOON + timedelta(hours=hour))

        assert name in await swept.names()

    async def test_a_key_that_was_named_at_last_stays(self, swept):
        await swept.fill()
        item = sent(CALL, call(), item="late", sequence=7)
        keep, held = swept.stores.data_keys.keep, []

        async def hold(keys):
            await keep(keys)
            held.extend(keys)
            await swept.sweep(NOON)  # between the keys and what they seal

        swept.stores.data_keys.keep = hold
        await swept.receive([item])
        await swept.sweep(LATER)
        await swept.sweep(LATER + timedelta(days=2))

        assert {key.name for key in held} <= await swept.names()
        assert await swept.documents.count_documents({"doubted": {"$exists": True}}) == 0

    async def test_every_place_where_something_lies_sealed_is_looked_at(self, swept):
        await swept.fill(100)
        await use_every_place(swept)
        kept = await swept.names()
        for name in SEALED:
            assert await swept.database[name].count_documents({}) > 0, name

        for days in range(4):
            assert await swept.sweep(NOON + timedelta(days=2 * days)) == 0

        assert await swept.names() == kept
        assert await swept.documents.count_documents({"doubted": {"$exists": True}}) == 0

    async def test_a_key_of_a_submission_that_has_others_goes_too(self, swept):
        await swept.fill()
        [received] = await swept.receive([sent(CALL, call(), item="one", sequence=8)])
        name = await swept.orphan(received.subject)

        await swept.sweep(NOON)
        await swept.sweep(LATER)

        assert name not in await swept.names()

    async def test_nothing_goes_while_a_collection_is_unknown(self, swept):
        await swept.fill()
        name = await swept.orphan()
        await swept.sweep(NOON)
        await swept.database["letters"].insert_one({"sealed": {"text": {"key": name}}})

        with pytest.raises(UnknownUse):
            await swept.sweep(LATER)

        assert name in await swept.names()

    async def test_nothing_goes_while_what_the_keys_seal_is_away(self, swept):
        await swept.fill(100)
        kept = await swept.names()
        await swept.database["submissions"].rename("away")
        await swept.database["away"].drop()

        await swept.sweep(NOON)
        with pytest.raises(TooManyDoubted):
            await swept.sweep(LATER)

        assert await swept.names() == kept

    async def test_keys_that_are_only_doubted_keep_no_other_from_going(self, swept):
        await swept.fill(100)
        name = await swept.orphan()
        await swept.sweep(NOON)
        young = {await swept.orphan() for _ in range(30)}
        await swept.sweep(NOON + timedelta(hours=20))

        await swept.sweep(LATER)

        assert name not in await swept.names()
        assert young <= await swept.names()

    async def test_more_keys_than_are_looked_at_at_once_are_all_looked_at(self, swept):
        await swept.fill(200)
        orphans = {await swept.orphan(name=f"{n:032x}") for n in (0, 1, 2)}
        last = await swept.orphan(name="f" * 32)
        sweep = key_sweeper(Few(swept.stores.data_keys), MongoKeyUses(swept.database))

        await sweep(NOON)

        assert await sweep(LATER) == 4
        assert not (orphans | {last}) & await swept.names()


class TestMarks:
    async def test_a_mark_keeps_its_time(self, swept):
        name, keys = await swept.orphan(), swept.stores.data_keys
        await keys.doubt([name], NOON)
        await keys.doubt([name], LATER)

        assert await keys.destroy_doubted([name], LATER) == 1

    async def test_a_key_that_another_replica_trusts_again_is_not_destroyed(self, swept):
        name, keys = await swept.orphan(), swept.stores.data_keys
        await keys.doubt([name], NOON)
        await keys.trust([name])

        assert await keys.destroy_doubted([name], LATER) == 0


class Few:
    """The same keys, two at a time."""

    def __init__(self, keys):
        self._keys = keys

    def __getattr__(self, name):
        return getattr(self._keys, name)

    async def held(self, after, limit):
        return await self._keys.held(after, 2)


def test_what_keeps_the_service_from_sweeping_passes():
    assert issubclass(UnknownUse, NotSwept)
    assert issubclass(TooManyDoubted, NotSwept)


def test_no_collection_is_in_both_lists():
    assert not SEALED & UNSEALED


def test_every_collection_of_intake_is_known_to_the_sweep():
    """One that is not keeps every key, and so the sweep, from being of use."""
    stores = Path(uses.__file__).parent.glob("*.py")
    named = {
        found
        for path in stores
        for found in re.findall(r'get_collection\("([a-z_]+)"\)', path.read_text(encoding="utf-8"))
    }

    assert named - {"data_keys"} <= SEALED | UNSEALED
