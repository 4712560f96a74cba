"""What is to be acknowledged is kept with its submission, taken by one at a time, and counted."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from services.intake.domain.acknowledging import APART, DAY, Never
from services.intake.domain.duplicate import Thread
from services.intake.handlers.ports import Protected
from services.intake.store import MongoAcknowledgements, MongoProtections
from shared.contracts import SubmissionErased
from shared.contracts.envelope import Event
from tests.examples_intake import NOON
from tests.fakes_acknowledging import MemoryAcknowledgements
from tests.stores.test_intake_stores import database, kept, stores  # noqa: F401

LATER = NOON + timedelta(minutes=10)


@pytest.fixture
async def needs(stores, database):  # noqa: F811
    if database is None:
        return MemoryAcknowledgements(stores.submissions)
    needs = MongoAcknowledgements(database)
    await needs.prepare()
    return needs


def needing(number=1):
    made = kept(f"item-{number}", number, call=f"call-{number}")
    return replace(made, acknowledge=True, thread=Thread(own=(f"own-{number}",), sender="an"))


class TestTaking:
    async def test_what_needs_one_is_due_at_once(self, stores, needs):  # noqa: F811
        one = needing()
        await stores.submissions.add_once([one])

        due = await needs.take(NOON + timedelta(seconds=1), LATER)
        assert (due.submission, due.agency) == (one.event.subject, "a017")
        assert due.received == one.event.recordedtime

    async def test_nothing_else_is(self, stores, needs):  # noqa: F811
        await stores.submissions.add_once([kept()])

        assert await needs.take(LATER, LATER) is None

    async def test_what_is_taken_is_nobody_elses_until_then(self, stores, needs):  # noqa: F811
        await stores.submissions.add_once([needing()])
        assert await needs.take(NOON + timedelta(seconds=1), LATER)

        assert await needs.take(LATER - timedelta(seconds=1), LATER) is None
        assert await needs.take(LATER, LATER)

    async def test_the_oldest_comes_first(self, stores, needs):  # noqa: F811
        await stores.submissions.add_once([needing(2), needing(1)])

        taken = [await needs.take(NOON + timedelta(minutes=1), LATER) for _ in range(3)]
        assert [due and due.received - NOON for due in taken] == [
            timedelta(seconds=1),
            timedelta(seconds=2),
            None,
        ]

    async def test_many_at_once_take_each_one_once(self, stores, needs):  # noqa: F811
        await stores.submissions.add_once([needing(n) for n in range(1, 9)])

        taken = await asyncio.gather(*(needs.take(LATER, LATER + DAY) for _ in range(20)))
        found = [due.submission for due in taken if due]
        assert len(found) == len(set(found)) == 8

    async def test_what_is_put_off_is_due_then(self, stores, needs):  # noqa: F811
        await stores.submissions.add_once([needing()])
        due = await needs.take(LATER, LATER + DAY)
        await needs.postpone(due.submission, LATER + timedelta(seconds=30))

        assert await needs.take(LATER + timedelta(seconds=29), LATER) is None
        assert await needs.take(LATER + timedelta(seconds=30), LATER)

    @pytest.mark.parametrize("how", ["done", "never"])
    async def test_what_is_closed_is_never_due_again(self, stores, needs, how):  # noqa: F811
        await stores.submissions.add_once([needing()])
        due = await needs.take(LATER, LATER)
        await (needs.done(due.submission, LATER) if how == "done" else _refuse(needs, due))
        await stores.submissions.add_once([needing()])

        assert await needs.take(LATER + DAY, LATER) is None

    async def test_an_answer_finds_the_submission_and_its_sender(self, stores, needs):  # noqa: F811
        one = needing()
        await stores.submissions.add_once([one])

        assert await needs.join(one.event.subject, "ours")
        found = await stores.submissions.threads(["ours", "own-1"])
        assert found == dict.fromkeys(("ours", "own-1"), (one.event.subject, "an"))


async def _refuse(needs, due):
    await needs.never(due.submission, Never.REFUSED)


class TestCounting:
    async def test_one_an_hour(self, needs):
        assert await needs.admit("an", "one", NOON)
        assert not await needs.admit("an", "two", NOON + APART - timedelta(seconds=1))
        assert await needs.admit("binh", "three", NOON)
        assert await needs.admit("an", "two", NOON + APART)

    async def test_the_same_one_again_is_admitted(self, needs):
        assert await needs.admit("an", "one", NOON)
        assert await needs.admit("an", "one", NOON + timedelta(minutes=10))

    async def test_ten_a_day(self, needs):
        admitted = [await needs.admit("an", str(n), NOON + n * APART) for n in range(24)]
        assert sum(admitted) == 10

        assert await needs.admit("an", "tomorrow", NOON + DAY)

    async def test_many_at_once_are_one(self, needs):
        for hour in range(3):
            at = NOON + hour * APART
            names = [f"{hour}-{n}" for n in range(9)]
            admitted = await asyncio.gather(*(needs.admit("an", name, at) for name in names))
            assert sum(admitted) == 1


class TestInMongo:
    @pytest.fixture
    def erased(self):
        return Event[SubmissionErased](
            id="erased-1",
            source="/services/intake",
            type=SubmissionErased.TYPE,
            subject="x",
            time=NOON,
            recordedtime=NOON,
            correlationid="x",
            data=SubmissionErased(party="operator", citation="Điều 1"),
        )

    @pytest.fixture
    def database(self, mongo_database):
        return mongo_database

    async def test_what_was_erased_is_neither_due_nor_joined(
        self,
        stores,  # noqa: F811
        needs,
        database,  # noqa: F811
        erased,
    ):
        one = needing()
        await stores.submissions.add_once([one])
        submission = one.event.subject
        due = await needs.take(LATER, LATER)
        await MongoProtections(database).erase(submission, erased)
        await needs.postpone(submission, LATER)

        assert due.submission == submission
        assert not await needs.join(submission, "ours")
        assert await needs.take(LATER + DAY, LATER) is None
        assert await stores.submissions.threads(["ours", "own-1"]) == {}
        assert await MongoProtections(database).of(submission) == Protected(erased=erased)

    async def test_what_is_due_is_found_by_an_index(self, stores, needs, database):  # noqa: F811
        await stores.submissions.add_once([needing(), kept("item-2", 2, call="other")])
        plan = await database["submissions"].find({"acknowledge": {"$lte": LATER}}).explain()

        assert plan["executionStats"]["totalDocsExamined"] == 1
        assert plan["executionStats"]["totalKeysExamined"] == 1

    async def test_senders_are_forgotten_after_a_day(self, needs, database):  # noqa: F811
        await needs.admit("an", "one", NOON)
        indexes = await database["acknowledged_senders"].index_information()

        assert [i["expireAfterSeconds"] for i in indexes.values() if "expireAfterSeconds" in i] == [
            86_400
        ]
        assert (await database["acknowledged_senders"].find_one())["last"] == NOON

    async def test_why_none_was_sent_stands_with_the_submission(self, stores, needs, database):  # noqa: F811
        await stores.submissions.add_once([needing()])
        due = await needs.take(LATER, LATER)
        await needs.never(due.submission, Never.REFUSED)

        document = await database["submissions"].find_one()
        assert document["not_acknowledged"] == "refused"
        assert "acknowledge" not in document
