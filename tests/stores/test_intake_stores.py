"""Intake's stores keep once and for ever, in memory as in MongoDB, and nothing of it in clear."""

import tempfile
import unicodedata
from base64 import b64encode
from pathlib import Path

import bson
import orjson
import pytest

from services.intake.handlers import Reader, RulesMissing, Stores, receiver
from services.intake.handlers.opening import Refusal, open_arrival
from services.intake.handlers.ports import ArrivalFate, Kept, KeptRecord, Rules
from services.intake.store import (
    MongoArrivals,
    MongoConversations,
    MongoDataKeys,
    MongoFeeds,
    MongoReceipts,
    MongoRecords,
    MongoRules,
    MongoSubmissions,
)
from services.intake.wrapping import FileWrapping
from shared.contracts.ingress import Fate, FatesAsked
from tests.examples_intake import (
    FINGERPRINTS,
    INTAKE_KEY,
    call,
    directory_published,
    letter,
    mail,
    mail_event,
    rulebook_published,
    sent,
)
from tests.fakes_intake import memory_stores, receiving

CALL, LETTER, MAIL = "hotline-call.logged.v1", "letter.registered.v1", "mailbox-message.arrived.v1"


@pytest.fixture(params=["memory", "mongo"])
def database(request):
    return request.getfixturevalue("mongo_database") if request.param == "mongo" else None


@pytest.fixture
async def stores(database):
    if database is None:
        return memory_stores()
    return await in_mongo(database)


def key_file():
    path = Path(tempfile.mkdtemp()) / "intake.kek"
    path.write_bytes(orjson.dumps({"current": "k1", "keys": {"k1": b64encode(b"k" * 32).decode()}}))
    return path


async def in_mongo(database, keys=None):
    """Data keys in a database of their own, if one is given."""
    wrapping = FileWrapping.from_file(key_file())
    stores = Stores(
        MongoSubmissions(database),
        MongoConversations(database),
        MongoRecords(database),
        MongoArrivals(database),
        MongoRules(database),
        MongoDataKeys(database if keys is None else keys, wrapping),
        MongoReceipts(database, b"r" * 32),
        MongoFeeds(database),
    )
    for store in (
        *(stores.submissions, stores.conversations, stores.records, stores.arrivals),
        stores.feeds,
    ):
        await store.prepare()
    await stores.data_keys.prepare()
    return stores


def read(*arrivals):
    reader = Reader(FINGERPRINTS)
    rules = Rules(directory_published(), rulebook_published())
    opened = [open_arrival(arrival, rules, INTAKE_KEY.open) for arrival in arrivals]
    return [
        one if isinstance(one, Refusal) else reader.read(one, None, rules, None) for one in opened
    ]


def kept(item="item-1", sequence=1, **more) -> Kept:
    [submission] = read(sent(CALL, call(**more), item=item, sequence=sequence))
    return submission


def channel(item="item-1", sequence=1, address="1022") -> KeptRecord:
    data = {"channel": "hotline", "address": address, "published": "2026-01-05"}
    [record] = read(sent("channel.published.v1", data, item=item, sequence=sequence))
    return record


def dialogue(item="item-1", sequence=1) -> KeptRecord:
    data = {"held": "2026-05-04", "participants": 4, "opinions_received": 2, "opinions_accepted": 1}
    [record] = read(sent("dialogue.held.v1", data, item=item, sequence=sequence))
    return record


class TestSubmissions:
    async def test_the_first_sending_stands(self, stores):
        first, second = kept(), kept(sequence=2, note="Khác")

        [standing] = await stores.submissions.add_once([first])
        [again] = await stores.submissions.add_once([second])

        assert (standing.event, standing.arrival) == (first.event, first.arrival)
        assert (again.event, again.arrival) == (first.event, first.arrival)

    async def test_what_stands_is_given_word_for_word(self, stores):
        first = kept()
        await stores.submissions.add_once([first])

        [again] = await stores.submissions.add_once([kept()])

        assert again.event.encode() == first.event.encode()

    async def test_one_key_in_common_is_enough(self, stores):
        first = kept()
        await stores.submissions.add_once([first])

        [standing] = await stores.submissions.add_once([kept("item-2", 2)])

        assert standing.arrival == first.arrival

    async def test_the_first_of_a_batch_stands(self, stores):
        first, again, other = kept(), kept("item-2", 2), kept("item-3", 3, call="other")

        standing = await stores.submissions.add_once([first, again, other])

        assert [s.arrival for s in standing] == [first.arrival, first.arrival, other.arrival]

    async def test_an_empty_batch_keeps_nothing(self, stores):
        assert list(await stores.submissions.add_once([])) == []
        assert list(await stores.records.add_once([])) == []


class TestRecords:
    async def test_the_first_sending_stands(self, stores):
        first, second = channel(), channel(sequence=2, address="1023")

        await stores.records.add_once([first])
        [standing] = await stores.records.add_once([second])

        assert standing.arrival == first.arrival
        assert standing.event.encode() == first.event.encode()

    async def test_every_kind_of_record_comes_back_as_it_was(self, stores):
        records = [channel(), dialogue("item-2", 2)]
        await stores.records.add_once(records)

        standing = await stores.records.add_once(records)

        assert [s.event.encode() for s in standing] == [r.event.encode() for r in records]

    async def test_the_first_of_a_batch_stands(self, stores):
        standing = await stores.records.add_once([dialogue(), dialogue(sequence=2)])

        assert {s.arrival for s in standing} == {dialogue().arrival}


class TestArrivals:
    FIRST = sent(CALL, call(), sequence=1)

    def fate(self, arrival=FIRST, fate=Fate.KEPT, item="item-1"):
        return ArrivalFate(arrival=arrival, item=item, fate=fate, subject="s-1")

    async def test_a_fate_is_told_by_item_and_by_sequence(self, stores):
        await stores.arrivals.note([self.fate()])

        by_item = await stores.arrivals.fates("a017", FatesAsked(items=("item-1",)))
        by_sequence = await stores.arrivals.fates("a017", FatesAsked(sequences=(1,)))

        assert list(by_item) == list(by_sequence)
        assert [(f.item, f.sequence, f.fate, f.submission) for f in by_item] == [
            ("item-1", 1, Fate.KEPT, "s-1")
        ]

    async def test_the_first_note_stands(self, stores):
        await stores.arrivals.note([self.fate()])
        await stores.arrivals.note([self.fate(fate=Fate.DUPLICATE)])

        [told] = await stores.arrivals.fates("a017", FatesAsked(sequences=(1,)))
        assert told.fate == Fate.KEPT

    async def test_a_refusal_is_told_with_its_reasons(self, stores):
        [refusal] = read(sent(CALL, call(note=7)))
        await stores.arrivals.note([refusal.fate])

        [told] = await stores.arrivals.fates("a017", FatesAsked(sequences=(1,)))
        assert told.refusal == refusal.event.data

    async def test_no_party_is_told_of_another(self, stores):
        await stores.arrivals.note([self.fate()])

        asked = FatesAsked(items=("item-1",), sequences=(1,))
        assert list(await stores.arrivals.fates("a018", asked)) == []

    async def test_who_asks_nothing_is_told_nothing(self, stores):
        await stores.arrivals.note([self.fate()])

        assert list(await stores.arrivals.fates("a017", FatesAsked())) == []


class TestRules:
    async def test_both_must_have_come(self, stores):
        with pytest.raises(RulesMissing):
            await stores.rules.latest()
        await stores.rules.keep([directory_published()], [])
        with pytest.raises(RulesMissing):
            await stores.rules.latest()

    async def test_the_newest_holds_whichever_came_last(self, stores):
        await stores.rules.keep([directory_published(2), directory_published(1)], [])
        await stores.rules.keep([], [rulebook_published(3)])
        await stores.rules.keep([], [rulebook_published(1)])

        assert (await stores.rules.latest()).versions == (2, 3)

    async def test_a_newer_version_is_seen_at_once(self, stores):
        await stores.rules.keep([directory_published()], [rulebook_published()])
        await stores.rules.latest()
        await stores.rules.keep([directory_published(2, agencies=())], [])

        assert (await stores.rules.latest()).agencies == {}

    async def test_a_version_is_never_changed(self, stores):
        await stores.rules.keep([directory_published()], [rulebook_published()])
        await stores.rules.keep([directory_published(agencies=())], [])

        assert "a017" in (await stores.rules.latest()).agencies


class TestSecrecy:
    CANARIES = ("Trần Thị B", "0900000017", "tranthib@example.vn", "hẹn lại", "thu-1@example.vn")
    CALL_ID = "1778463730.42"

    async def test_no_document_holds_who_spoke_or_what_in_clear(self, mongo_database):
        stores = await in_mongo(mongo_database)
        await stores.rules.keep([directory_published()], [rulebook_published(categories=())])
        receive = receiver(receiving(stores))
        reporter = {"name": "Trần Thị B", "phone": "0900000017", "email": "tranthib@example.vn"}

        announced = await receive(
            [
                sent(CALL, call(reporter=reporter)),
                sent(LETTER, letter(summary="hẹn lại", reporter=reporter), item="2", sequence=2),
                sent(MAIL, mail_event(mail()), item="3", sequence=3),
                sent(MAIL, mail_event(mail()), item="4", sequence=4),
                sent(CALL, call(note=7, reporter=reporter), item="5", sequence=5),
            ]
        )

        assert len(announced) == 4
        stored = b""
        for name in await mongo_database.list_collection_names():
            async for document in mongo_database[name].find():
                stored += bson.encode(document)
        assert len(stored) > 1_000
        for canary in (*self.CANARIES, self.CALL_ID):
            for written in forms_of(canary):
                assert written not in stored


def forms_of(canary):
    for text in (canary, unicodedata.normalize("NFD", canary), canary[::-1]):
        raw = text.encode()
        yield raw
        yield raw.hex().encode()
        yield b64encode(raw).rstrip(b"=")[:-1]
