"""T-10 on the stores: what comes again a month later, in any order, is known and changes nothing."""

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import bson
import pytest

from deploy.demo import SAMPLE
from deploy.items import Reader
from deploy.rules import RULE_FILES, read_rules
from shared.contracts import CalendarPublished, DirectoryPublished, RulebookPublished
from shared.runtime.arrival import Arrival
from tests.examples_intake import (
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

AT_ONCE = 50
FIRST_DAY = datetime(2026, 7, 1, tzinfo=UTC)
MONTH = timedelta(days=30)
CALL, MAIL = "hotline-call.logged.v1", "mailbox-message.arrived.v1"
GROWS = {"arrivals", "data_keys", "feeds"}
"""Each sending has a fate; a refused one is kept sealed; a feed's track counts its writes."""


class Day:
    """A day's sendings, sent again and again on `database`."""

    def __init__(self, stores, database, arrivals):
        self.stores, self.database, self.arrivals = stores, database, arrivals
        self.sequence = 0

    async def send(self, *, later=timedelta(), seed=None, at_once=AT_ONCE):
        """Fates by kind, and what was announced; every sending has a sequence of its own."""
        arrivals = list(self.arrivals)
        if seed is not None:
            random.Random(seed).shuffle(arrivals)
        again = []
        for arrival in arrivals:
            self.sequence += 1
            recorded = arrival.recorded + later + timedelta(milliseconds=self.sequence)
            again.append(replace(arrival, sequence=self.sequence, recorded=recorded))
        fates, follow = Counter(), []
        for start in range(0, len(again), at_once):
            batch = again[start : start + at_once]
            told, followed = await receiving(self.stores).keep(batch)
            fates.update(fate.fate.value for fate in told)
            follow += [event.type for event in followed]
        return fates, Counter(follow)

    async def kept(self):
        return {
            name: b"".join([bson.encode(d) async for d in self.database[name].find().sort("_id")])
            for name in await self.database.list_collection_names()
            if name not in GROWS
        }


async def replayed(day, *, at_once=AT_ONCE):
    """What three replays a month later told and announced, and whether anything changed."""
    before = await day.kept()
    told, announced = [], Counter()
    for times in (1, 2, 3):
        fates, follow = await day.send(later=times * MONTH, seed=times, at_once=at_once)
        told.append(dict(fates))
        announced += follow
    after = await day.kept()
    return told, dict(announced), {name for name in after if after[name] != before.get(name)}


class TestTheSample:
    @pytest.fixture
    async def day(self, mongo_database):
        stores = await in_mongo(mongo_database)
        read = {noun: read_rules(SAMPLE / f"{noun}.yaml", f) for noun, f in RULE_FILES.items()}
        await stores.rules.keep(
            [DirectoryPublished(version=1, directory=read["directory"])],
            [RulebookPublished(version=1, rulebook=read["rulebook"])],
            [CalendarPublished(version=1, calendar=read["calendar"])],
        )
        agencies = [agency.code for agency in read["directory"].agencies]
        items = Reader(agencies, None, FIRST_DAY).items(SAMPLE / "feed")
        arrivals = [Arrival("feed", i.agency, i.type, i.body, 0, FIRST_DAY) for i in items]
        return Day(stores, mongo_database, arrivals)

    async def test_nothing_follows_from_what_comes_again(self, day):
        fates, _ = await day.send()

        told, announced, changed = await replayed(day)

        known = {"duplicate": len(day.arrivals) - fates["refused"], "refused": fates["refused"]}
        assert fates["kept"] == 360
        assert told == [known] * 3
        assert announced == {"item.refused.v1": 3 * fates["refused"]}
        assert changed == set()

    async def test_of_what_is_known_no_data_key_is_left(self, day):
        fates, _ = await day.send()
        count = await day.database["data_keys"].count_documents({})

        await replayed(day)

        left = await day.database["data_keys"].count_documents({}) - count
        assert left == 3 * fates["refused"]


def later_mail(number, *, answers=None, words="Tôi xin bổ sung như sau."):
    headers = ["Content-Type: text/plain; charset=utf-8"]
    if answers:
        headers.append(f"In-Reply-To: <thu-{answers}@example.vn>")
    raw = mail(
        f"{words} ({number})", message_id=f"<thu-{number}@example.vn>", headers=tuple(headers)
    )
    return sent(MAIL, mail_event(raw), item=f"mail-{number}")


async def known_again(mongo_database, arrivals, *, seed=None, at_once=1):
    stores = await in_mongo(mongo_database)
    await stores.rules.keep([directory_published()], [rulebook_published()])
    day = Day(stores, mongo_database, [replace(arrival, recorded=NOON) for arrival in arrivals])
    await day.send(seed=seed, at_once=at_once)

    told, announced, changed = await replayed(day, at_once=at_once)

    assert told == [{"duplicate": len(arrivals)}] * 3
    assert announced == {}
    assert changed == set()


class TestNotesOnCalls:
    ARRIVALS = (
        sent(CALL, call(note=""), item="record"),
        sent(CALL, call(note="Hồ sơ bị hẹn lại."), item="note-1"),
        sent(CALL, call(note="Nói thêm."), item="note-2"),
    )

    @pytest.mark.parametrize("at_once", [1, 2, 3])
    @pytest.mark.parametrize("seed", [None, 1, 2, 3])
    async def test_they_are_known_again(self, mongo_database, seed, at_once):
        await known_again(mongo_database, self.ARRIVALS, seed=seed, at_once=at_once)


class TestMailsThatAnswerMails:
    ARRIVALS = (later_mail(1), later_mail(2, answers=1), later_mail(3, answers=2))

    async def test_those_that_came_in_their_order_are_known_again(self, mongo_database):
        await known_again(mongo_database, self.ARRIVALS)

    @pytest.mark.parametrize("at_once", [1, 2, 3])
    async def test_those_that_came_before_what_they_answer_are(self, mongo_database, at_once):
        await known_again(mongo_database, self.ARRIVALS[::-1], at_once=at_once)

    async def test_those_that_came_together_with_what_they_answer_are(self, mongo_database):
        await known_again(mongo_database, self.ARRIVALS, at_once=3)
