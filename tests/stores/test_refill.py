"""Lost streams are filled again in the old order, byte by byte; another history is refused."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from deploy.connection import Endpoints
from deploy.refill import NotRefilled, refill
from services.reporting.chain import MongoCheckpoints, MongoLinks
from services.reporting.domain.chain import Logged
from shared.contracts import AuditCheckpoint
from shared.contracts.envelope import Event
from shared.runtime.mongo import open_client, open_database
from shared.runtime.streams import EVENTS, declare
from tests.system.test_bus import activity, follows

NOON = datetime(2026, 5, 11, 5, tzinfo=UTC)


class Lost:
    """A server that lost everything, and stores that kept it."""

    def __init__(self, jetstream, mongo, endpoints) -> None:
        self.jetstream, self.mongo, self.endpoints = jetstream, mongo, endpoints
        self.reporting = open_database(mongo, f"{endpoints.mongo_prefix}_reporting")

    async def copy(self, *events) -> list[Logged]:
        copies = [Logged(n, e.type, e.encode()) for n, e in enumerate(events, 1)]
        await MongoLinks(self.reporting).copy(copies)
        return copies

    async def log(self) -> list[Logged]:
        last = (await self.jetstream.stream_info(EVENTS)).state.last_seq
        found = [await self.jetstream.get_msg(EVENTS, n) for n in range(1, last + 1)]
        return [Logged(m.seq, m.subject, m.data) for m in found]

    async def refill(self):
        return await refill(self.jetstream._nc, self.endpoints)


@pytest.fixture
async def lost(jetstream, servers):
    prefix = f"test_{uuid4().hex}"
    mongo = open_client(servers.mongo_url)
    for stream in await jetstream.streams_info():
        await jetstream.delete_stream(stream.config.name)
    yield Lost(jetstream, mongo, Endpoints("", servers.mongo_url, prefix))
    for name in await mongo.list_database_names():
        if name.startswith(prefix):
            await mongo.drop_database(name)
    mongo.close()


def checkpoint() -> Event[AuditCheckpoint]:
    return Event[AuditCheckpoint](
        id="checkpoint",
        source="/services/reporting",
        type=AuditCheckpoint.TYPE,
        subject="chain",
        time=NOON,
        recordedtime=NOON,
        data=AuditCheckpoint(size=3, root="A" * 43 + "=", signed="signed"),
    )


class TestRefill:
    async def test_the_log_comes_back_as_it_was(self, lost):
        first = activity("e1")
        copies = await lost.copy(first, follows(first), activity("e2"))

        refilled = await lost.refill()

        assert await lost.log() == copies
        assert (refilled.copied, refilled.kept) == (3, 0)

    async def test_what_was_said_twice_has_both_its_places(self, lost):
        copies = await lost.copy(activity("e1"), activity("e2"), activity("e1"))

        await lost.refill()

        assert await lost.log() == copies

    async def test_what_no_copy_was_made_of_comes_from_the_stores(self, lost):
        copies = await lost.copy(activity("e1"))
        await MongoCheckpoints(lost.reporting).add_once("day", checkpoint())

        refilled = await lost.refill()

        event = checkpoint()
        assert await lost.log() == [*copies, Logged(2, event.type, event.encode())]
        assert (refilled.copied, refilled.kept) == (1, 1)

    async def test_again_changes_nothing(self, lost):
        copies = await lost.copy(activity("e1"), activity("e2"))
        await lost.refill()

        refilled = await lost.refill()

        assert await lost.log() == copies
        assert (refilled.copied, refilled.kept) == (0, 0)

    async def test_a_lost_end_is_put_behind_what_is_there(self, lost):
        copies = await lost.copy(activity("e1"), activity("e2"))
        await declare(lost.jetstream)
        await lost.jetstream.publish(copies[0].subject, copies[0].body)

        assert (await lost.refill()).copied == 1
        assert await lost.log() == copies

    async def test_another_history_is_refused(self, lost):
        await lost.copy(activity("e1"), activity("e2"))
        await declare(lost.jetstream)
        await lost.jetstream.publish(activity("other").type, activity("other").encode())

        with pytest.raises(NotRefilled, match="another history"):
            await lost.refill()

    async def test_a_copy_with_a_hole_is_refused(self, lost):
        await lost.copy(activity("e1"), activity("e2"), activity("e3"))
        await lost.reporting["log"].delete_one({"_id": 2})

        with pytest.raises(NotRefilled, match="message 2"):
            await lost.refill()

    async def test_sendings_count_on_behind_those_that_were_decided(self, lost):
        intake = open_database(lost.mongo, f"{lost.endpoints.mongo_prefix}_intake")
        await intake["arrivals"].insert_one({"_id": "feed:41:then", "sequence": 41})

        await lost.refill()
        taken = await lost.jetstream.publish("feed.a-1.letter.registered.v1", b"{}")

        assert taken.seq == 42
