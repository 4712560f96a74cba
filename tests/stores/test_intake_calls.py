"""Exchange records become one submission a call, however they come; silence is announced."""

import os
import random
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
import pytest
from prometheus_client import REGISTRY

from services.intake.handlers import acceptor, call_closer, call_collector, receiver, watcher
from services.intake.handlers.calling import GRACE
from services.intake.store import (
    MongoCalls,
    MongoHeard,
    MongoOutbox,
    MongoRecords,
)
from shared.contracts.directory import Agency, AgencyChannel
from shared.contracts.vocabulary import Channel
from tests.examples_intake import (
    FINGERPRINTS,
    NOON,
    call,
    directory_published,
    rulebook_published,
    sent,
)
from tests.fakes_intake import receiving
from tests.stores.test_intake_protection import everything
from tests.stores.test_intake_stores import forms_of, in_mongo

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
CALL = "hotline-call.logged.v1"
LINKEDID, CALLER = "1778463730.42", "0912345678"
ROW = {
    "src": CALLER,
    "dst": "1022",
    "channel": "PJSIP/trunk-1",
    "dstchannel": "PJSIP/desk-2",
    "start": "2026-05-11 08:42:10",
    "answer": "2026-05-11 08:42:20",
    "end": "2026-05-11 08:50:00",
    "disposition": "ANSWERED",
    "uniqueid": LINKEDID,
    "linkedid": LINKEDID,
}


class Hotline:
    def __init__(self, stores, database):
        self.stores, self.database, self.at = stores, database, NOON
        self.calls = MongoCalls(database)
        self.collect = call_collector(self.calls, stores.data_keys, FINGERPRINTS, lambda: self.at)
        accept = acceptor(receiving(stores), (), lambda: None)
        self.close = call_closer(self.calls, stores.data_keys, accept, ZONE)
        self.receive = receiver(receiving(stores))

    async def submissions(self):
        return [d async for d in self.database["submissions"].find()]

    async def later(self):
        self.at += GRACE + timedelta(minutes=1)
        return await self.close(self.at)


@pytest.fixture
async def hotline(mongo_database):
    stores = await in_mongo(mongo_database)
    await stores.rules.keep([directory_published()], [rulebook_published()])
    hotline = Hotline(stores, mongo_database)
    await hotline.calls.prepare()
    return hotline


class TestRecords:
    async def test_a_call_without_a_note_becomes_a_submission_after_a_while(self, hotline):
        told = await hotline.collect("a017", "cdr", [ROW])
        await hotline.close(hotline.at)
        assert await hotline.submissions() == []

        await hotline.later()

        [submission] = await hotline.submissions()
        assert told == {"calls": 1, "broken": []}
        assert submission["event"]["time"] == "2026-05-11T01:42:10Z"

    async def test_the_note_first_and_the_record_later_are_one(self, hotline):
        await hotline.receive([sent(CALL, call(call=LINKEDID))])
        await hotline.collect("a017", "cdr", [ROW])
        await hotline.later()

        assert len(await hotline.submissions()) == 1
        assert await hotline.database["conversations"].count_documents({}) == 1

    async def test_records_twice_are_one(self, hotline):
        for _ in range(2):
            await hotline.collect("a017", "cdr", [ROW, ROW])
            await hotline.later()

        assert len(await hotline.submissions()) == 1
        assert await hotline.database["conversations"].count_documents({}) == 0

    async def test_a_missed_call_is_counted_and_no_submission(self, hotline):
        missed = ROW | {"disposition": "NO ANSWER", "answer": ""}
        await hotline.collect("a017", "cdr", [missed])
        await hotline.later()

        assert await hotline.submissions() == []
        assert await hotline.database["calls"].count_documents({"state": "missed"}) == 1

    async def test_a_record_between_reading_and_closing_is_not_lost(self, hotline):
        await hotline.collect("a017", "cdr", [ROW])
        [heard] = await hotline.calls.due(hotline.at + GRACE, 10)
        await hotline.collect("a017", "cdr", [ROW])

        assert not await hotline.calls.close(heard.name, "taken", len(heard.records))

    async def test_a_broken_record_is_named_by_its_place(self, hotline):
        told = await hotline.collect("a017", "cdr", [ROW, ROW | {"start": "yesterday"}])

        assert told["broken"] == [{"record": 3, "rule": "time"}]

    async def test_the_callers_number_is_sealed_before_anything_is_kept(self, hotline):
        await hotline.collect("a017", "cdr", [ROW])
        before = await everything(hotline.database)
        await hotline.later()
        after = await everything(hotline.database)

        for written in (*forms_of(CALLER), *forms_of(LINKEDID)):
            assert written not in before
            assert written not in after


def exchange_calls():
    corpus = os.environ.get("LANGNGHE_CORPUS", "")
    return Path(corpus).parent / "calls" / "wazo-raw-cel.json" if corpus else None


@pytest.mark.corpus
@pytest.mark.skipif(
    exchange_calls() is None or not exchange_calls().exists(), reason="LANGNGHE_CORPUS has no calls"
)
@pytest.mark.parametrize("seed", range(5))
async def test_every_call_of_a_real_exchange_is_one_submission_in_any_order(hotline, seed):
    recorded = orjson.loads(exchange_calls().read_bytes())
    events = [event for one in recorded for event in one["cel"]]
    random.Random(seed).shuffle(events)
    for start in range(0, len(events), 40):
        await hotline.collect("a017", "cel", events[start : start + 40])
    while await hotline.later():
        pass

    states = [d["state"] async for d in hotline.database["calls"].find()]
    assert len(states) == len({e["linkedid"] for e in events})
    assert len(await hotline.submissions()) == states.count("taken")
    assert set(states) == {"taken", "missed"}


class TestWatch:
    @pytest.fixture
    async def watch(self, hotline):
        agency = Agency(
            code="a017",
            unit="an-thai",
            valid_from=date(2026, 5, 1),
            channels=(AgencyChannel(channel=Channel.HOTLINE, address="1022"),),
        )
        await hotline.stores.rules.keep(
            [directory_published(2, agencies=(agency,))], [rulebook_published(2, silence_days=5)]
        )
        heard, alarms = MongoHeard(hotline.database), MongoRecords(hotline.database, "alarms")
        return watcher(hotline.stores.rules, heard, alarms, ZONE)

    async def waiting(self, hotline):
        return await MongoOutbox(hotline.database).waiting(100)

    async def test_a_mute_hotline_is_announced_once(self, hotline, watch):
        await hotline.receive([sent(CALL, call())])
        assert await watch(NOON + timedelta(days=7)) == 0
        assert await watch(NOON + timedelta(days=8)) == 1
        assert await watch(NOON + timedelta(days=9)) == 0

        [silent] = await self.waiting(hotline)
        assert (silent.type, silent.subject) == ("channel.silent.v1", "a017/hotline")
        assert silent.data.last_heard == NOON + timedelta(seconds=1)

    async def test_how_long_it_is_mute_is_told_at_every_look(self, hotline, watch):
        def told(metric):
            return REGISTRY.get_sample_value(metric, {"agency": "a017", "channel": "hotline"})

        await hotline.receive([sent(CALL, call())])
        await watch(NOON + timedelta(days=7, seconds=1))
        assert told("langnghe_channel_silent") == 0
        assert told("langnghe_channel_quiet_seconds") == timedelta(days=7).total_seconds()

        await watch(NOON + timedelta(days=8))
        assert told("langnghe_channel_silent") == 1

    async def test_a_hotline_never_heard_counts_from_its_first_day(self, hotline, watch):
        assert await watch(NOON - timedelta(days=3)) == 0
        assert await watch(NOON) == 1
