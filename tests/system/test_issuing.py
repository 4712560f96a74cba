"""Reports on a real stream and database, while the job that issues them dies at every message."""

import asyncio
from collections import defaultdict
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from deploy.stream import messages
from services.reporting.closing import Closer, Order
from services.reporting.flight import StreamReports
from services.reporting.handlers import row_keeper
from services.reporting.issuing import Desk
from services.reporting.store import MongoClosings, MongoReports, MongoRows, MongoRules
from services.reporting.store import reports as stored
from shared.contracts import ReportPublished
from shared.contracts.envelope import Event
from shared.runtime.publish import Publisher
from shared.runtime.streams import REPORTS
from tests.examples_reporting import (
    AFTER,
    ZONE,
    case_concluded,
    directory_published,
    period_rule,
    rulebook_published,
    submission_received,
)
from tests.fakes_reporting import (
    MemoryClosings,
    MemoryFlight,
    MemoryReports,
    MemoryRows,
    MemoryRules,
)

EVERY = 12
"""Reports of a first closing: four units, three forms."""
PERIODS = tuple(f"p{number:02}" for number in range(EVERY + 1))
AT = datetime(2026, 7, 1, tzinfo=UTC)
LATER = datetime(2026, 8, 1, tzinfo=UTC)


class Killed(BaseException):
    """The process ends here: nobody catches it."""


class Stores:
    """One service's memory, which outlives its processes."""

    def __init__(self, rows, rules, closings, reports) -> None:
        self.rows, self.rules, self.closings, self.reports = rows, rules, closings, reports

    async def begin(self):
        rules = tuple(period_rule(code, "12-15", "06-14") for code in PERIODS)
        directory, rulebook = directory_published(), rulebook_published(periods=rules)
        await self.rules.add_once([directory], [rulebook])
        await self.keep(submission_received("s1"), submission_received("s2", unit="school"))
        return self

    async def keep(self, *events):
        await row_keeper(self.rows, self.closings, ZONE)(events)

    @property
    def closer(self):
        return Closer(self.rows, self.rules, self.closings, MemoryFlight(), zone=ZONE)

    def desk(self, say, missing=None):
        return Desk(self.rules, self.closings, self.reports, say, missing)

    async def late(self, number):
        """Something came after the closing: another case, and an answer to one of before."""
        await self.keep(
            submission_received(f"late{number}", recorded=AFTER, unit="commune"),
            case_concluded(f"late{number - 1}" if number else "s1", version=5),
        )


@pytest.fixture
async def stores(mongo_database):
    of = Stores(*(each(mongo_database) for each in (MongoRows, MongoRules)), None, None)
    of.closings, of.reports = MongoClosings(mongo_database), MongoReports(mongo_database)
    await of.closings.prepare()
    await of.reports.prepare()
    return await of.begin()


async def memory():
    return await Stores(MemoryRows(), MemoryRules(), MemoryClosings(), MemoryReports()).begin()


def dying(say, after):
    """Says so many, then dies."""
    left = [after]

    async def publish(events):
        for event in events:
            if not left[0]:
                raise Killed
            left[0] -= 1
            await say([event])
        if not left[0]:
            raise Killed  # before it is noted that they are out

    return publish


async def life(of, number, issue):
    """A period is closed, something comes late, it is counted again; `issue` is told each time."""
    period = f"2026-{PERIODS[number]}"
    await of.closer.close(Order.by_itself(period, 1), AT)
    await issue(number)
    await of.closer.revise(Order.by_itself(period, 2), LATER)
    await issue(number // 3)


async def undisturbed():
    """What the stream must hold, by subject: id, revision, digest."""
    of, said = await memory(), []

    async def say(events):
        said.extend(events)

    for number in range(len(PERIODS)):
        late = iter([True, False])

        async def issue(_number, number=number, late=late):
            await of.desk(say).issue()
            if next(late):
                await of.late(number)

        await life(of, number, issue)
    return by_subject(said)


def by_subject(events):
    found = defaultdict(list)
    for event in events:
        found[event.data.nats_subject()].append((event.id, event.data.revision, event.data.digest))
    return dict(found)


async def in_stream(jetstream):
    return by_subject(
        [
            Event[ReportPublished].model_validate_json(message.data)
            async for message in messages(jetstream._nc, REPORTS)
        ]
    )


async def test_a_job_killed_at_any_message_says_each_report_once_even_long_after(jetstream, stores):
    """No id is given to the server, so that it tells nothing apart: its ten minutes are over."""

    async def say(events):
        for event in events:
            await jetstream.publish(event.data.nats_subject(), event.encode())

    missing = StreamReports(lambda: jetstream._nc).missing
    for number in range(len(PERIODS)):
        late = iter([True, False])

        async def issue(after, number=number, late=late):
            with pytest.raises(Killed):
                await stores.desk(dying(say, after), missing).issue()
            if next(late):
                await stores.late(number)
            for again in (1, 2):
                with suppress(Killed):
                    await stores.desk(dying(say, again), missing).issue()
            await stores.desk(say, missing).issue()

        await life(stores, number, issue)

    found = await in_stream(jetstream)
    assert found == await undisturbed()
    for said in found.values():
        assert [revision for _, revision, _ in said] == list(range(1, len(said) + 1))


def lenient(issue):
    return issue


async def test_two_replicas_at_once_say_each_report_once(jetstream, stores):
    client = jetstream._nc
    publishers = [Publisher(lambda: client) for _ in range(2)]
    missing = StreamReports(lambda: client).missing
    for number in range(len(PERIODS)):
        period = f"2026-{PERIODS[number]}"
        for revision, count in ((1, stores.closer.close), (2, stores.closer.revise)):
            order, at = Order.by_itself(period, revision), (AT, LATER)[revision - 1]
            await asyncio.gather(count(order, at), count(order, at))
            desks = [stores.desk(each.publish, missing) for each in publishers]
            await asyncio.gather(*(desk.issue() for desk in desks))
            if revision == 1:
                await stores.late(number)

    assert await in_stream(jetstream) == await undisturbed()


@pytest.mark.parametrize("batches", range(4))
async def test_a_job_killed_while_it_keeps_its_reports_says_the_same(
    jetstream, stores, monkeypatch, batches
):
    insert = stored.insert_new

    def dies_after(left):
        async def dies(collection, documents):
            if not left:
                raise Killed
            left.pop()
            return await insert(collection, documents)

        return dies

    late = iter([True, False])
    say = Publisher(lambda: jetstream._nc).publish

    async def issue(_number):
        monkeypatch.setattr(stored, "insert_new", dies_after([None] * batches))
        with pytest.raises(Killed):
            await stores.desk(say).issue()
        monkeypatch.setattr(stored, "insert_new", insert)
        if next(late):
            await stores.late(0)
        await stores.desk(say).issue()

    monkeypatch.setattr(stored, "BATCH", 2)
    await life(stores, 0, issue)

    expected = await undisturbed()
    first = {k: said for k, said in expected.items() if k.endswith(PERIODS[0])}
    assert await in_stream(jetstream) == first
