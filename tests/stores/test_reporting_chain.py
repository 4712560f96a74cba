"""The chain's ports on a real NATS and MongoDB are those in memory; six tamperings are found (T-09)."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from deploy.connection import Endpoints
from deploy.verify import chain as check
from deploy.verify.chain import Claim, check_chain, entry_of
from deploy.verify.chained import claim_of
from deploy.verify.proofs import Verifier, leaf
from services.reporting.chain import Chain, EventLog, Link, MongoCheckpoints, MongoLinks
from services.reporting.domain.chain import Frontier, Logged, Signer, leaf_hash
from shared.runtime.mongo import open_client, open_database
from shared.runtime.publish import Publisher
from shared.runtime.streams import EVENTS, STREAMS
from tests.examples_reporting import ZONE
from tests.fakes_chain import MemoryCheckpoints, MemoryLinks, MemoryLog

NOON = datetime(2026, 5, 11, 5, tzinfo=UTC)
SIGNER = Signer("langnghe/events", bytes(range(32)))
IMPOSTOR = Signer("langnghe/events", bytes(32))
KEY = Verifier(SIGNER.public)


def link(start, count=1):
    leaves = tuple(leaf_hash(b"%d" % n) for n in range(start + count))
    return Link(start, leaves[start:], Frontier().extended(leaves))


class TestLinks:
    @pytest.fixture(params=["memory", "mongo"])
    def links(self, request):
        if request.param == "memory":
            return MemoryLinks()
        return MongoLinks(request.getfixturevalue("mongo_database"))

    async def test_an_empty_chain_has_no_last_one(self, links):
        assert await links.last() is None

    async def test_what_is_kept_is_the_last(self, links):
        assert await links.add_once(link(0, 3))
        assert await links.add_once(link(3, 300))

        assert await links.last() == link(3, 300)

    async def test_the_first_that_follows_on_a_place_stands(self, links):
        assert await links.add_once(link(0, 3))
        assert not await links.add_once(link(0, 4))

        assert await links.last() == link(0, 3)

    async def test_of_many_at_once_one_wins(self, links):
        won = await asyncio.gather(*(links.add_once(link(0, n)) for n in range(1, 9)))

        assert won.count(True) == 1

    async def test_every_leaf_is_told_in_order(self, links):
        await links.add_once(link(0, 3))
        await links.add_once(link(3, 9))

        told = [found async for found in links.leaves()]

        assert told == [*link(0, 3).leaves, *link(3, 9).leaves]


class TestCheckpoints:
    @pytest.fixture(params=["memory", "mongo"])
    async def checkpoints(self, request, mongo_database):
        if request.param == "memory":
            return MemoryCheckpoints()
        made = MongoCheckpoints(mongo_database)
        await made.prepare()
        return made

    @pytest.fixture
    async def made(self):
        """Two checkpoints, by size."""
        log, kept = MemoryLog([Logged(1, "x", b"")]), MemoryCheckpoints()
        chain = Chain(log, MemoryLinks(), kept, log.publish, SIGNER, zone=ZONE, now=lambda: NOON)
        for _ in range(2):
            await chain.announce_now()
        return list(kept.kept.values())

    async def test_the_first_of_a_key_stands(self, checkpoints, made):
        assert await checkpoints.add_once("day/1", made[0]) == made[0]
        assert await checkpoints.add_once("day/1", made[1]) == made[0]

    async def test_those_that_wait_are_told_by_size_until_announced(self, checkpoints, made):
        await checkpoints.add_once("b", made[1])
        await checkpoints.add_once("a", made[0])
        assert await checkpoints.waiting() == made

        await checkpoints.announced(made[:1])

        assert await checkpoints.waiting() == made[1:]


class TestLog:
    @pytest.fixture(params=["memory", "nats"])
    def log(self, request):
        """With a way to say something."""
        if request.param == "memory":
            log = MemoryLog()

            async def remember(subject, body):
                log.say(subject, body)

            return log, remember
        jetstream = request.getfixturevalue("jetstream")

        async def publish(subject, body):
            await jetstream.publish(subject, body)

        return EventLog(lambda: jetstream._nc), publish

    async def test_an_empty_one_has_nothing(self, log):
        assert await log[0].read(1, 10) == []

    async def test_it_tells_messages_as_they_are_in_order(self, log):
        reader, say = log
        for n in range(7):
            await say(f"case.x{n}.v1", b"\xff" * n)

        assert await reader.read(1, 10) == [
            Logged(n + 1, f"case.x{n}.v1", b"\xff" * n) for n in range(7)
        ]
        assert await reader.read(3, 2) == [
            Logged(3, "case.x2.v1", b"\xff" * 2),
            Logged(4, "case.x3.v1", b"\xff" * 3),
        ]
        assert await reader.read(8, 10) == []


class System:
    """A log on a real NATS whose chain lies in a real MongoDB, with a checkpoint on each ten."""

    def __init__(self, jetstream, url, mongo_url, database):
        self.jetstream, self.client = jetstream, jetstream._nc
        prefix = database.name
        self.endpoints = Endpoints(url, mongo_url, prefix)
        self.mongo = open_client(mongo_url)
        self.database = open_database(self.mongo, f"{prefix}_reporting")
        self.witness: str = ""

    def chain(self, signer=SIGNER):
        return Chain(
            EventLog(lambda: self.client),
            MongoLinks(self.database),
            MongoCheckpoints(self.database),
            Publisher(lambda: self.client).publish,
            signer,
            zone=ZONE,
            now=lambda: NOON,
        )

    async def fill(self, count=30, signer=SIGNER, word="opened"):
        for number in range(count):
            body = b'{"subject":"c-%d","data":{"word":"%s"}}' % (number, word.encode())
            await self.jetstream.publish("case.opened.v1", body)
            if number % 10 == 9:
                self.witness = await self.chain(signer).announce_now()
        await self.chain(signer).catch_up()

    async def messages(self):
        return list(await EventLog(lambda: self.client).read(1, 1000))

    async def wipe(self, **more):
        """What only who has the server's disk can do; the client's way is barred."""
        await self.jetstream.delete_stream(EVENTS)
        [config] = [stream for stream in STREAMS if stream.name == EVENTS]
        await self.jetstream.add_stream(replace(config, allow_direct=True, **more))

    async def rewrite(self, messages, **more):
        await self.wipe(**more)
        for message in messages:
            await self.jetstream.publish(message.subject, message.body)

    async def drop(self, *names):
        for name in names:
            await self.database.drop_collection(name)

    async def found(self, key=KEY, witnessed=()):
        claims = [Claim("of the witness", note, witnessed=True) for note in witnessed]
        return [str(f) for f in (await check(self.client, self.endpoints, key, claims)).findings]


@pytest.fixture
async def system(jetstream, nats_server, servers, mongo_database):
    made = System(jetstream, nats_server.url, servers.mongo_url, mongo_database)
    await made.fill()
    yield made
    await made.mongo.drop_database(made.database.name)
    made.mongo.close()


CHAINED = "is not the one that was chained"


class TestSixTamperings:
    """T-09. Of 33 messages 11, 22 and 33 are checkpoints."""

    async def test_an_untouched_log_is_whole(self, system):
        checked = await check(system.client, system.endpoints, KEY)

        assert checked.findings == []
        assert (checked.size, checked.kept, checked.checkpoints) == (33, 33, 6)

    async def test_one_byte_flipped(self, system):
        messages = await system.messages()
        body = bytearray(messages[13].body)
        body[-4] ^= 1
        messages[13] = replace(messages[13], body=bytes(body))
        await system.rewrite(messages)

        assert await system.found() == [f"chain: message 14 of EVENTS {CHAINED}"]

    async def test_one_deleted_and_its_place_left_empty(self, system):
        await system.rewrite(await system.messages(), deny_delete=False)
        await system.jetstream.delete_msg(EVENTS, 14)

        assert await system.found() == ["chain: message 14 of EVENTS is missing"]

    async def test_one_deleted_and_the_others_moved_up(self, system):
        messages = await system.messages()
        del messages[13]
        await system.rewrite(messages)

        assert (await system.found())[0] == f"chain: message 14 of EVENTS {CHAINED}"

    async def test_one_inserted(self, system):
        messages = await system.messages()
        messages.insert(13, replace(messages[13], body=b'{"subject":"c-99"}'))
        await system.rewrite(messages)

        assert (await system.found())[0] == f"chain: message 14 of EVENTS {CHAINED}"

    async def test_two_swapped(self, system):
        messages = await system.messages()
        messages[13], messages[25] = messages[25], messages[13]
        await system.rewrite(messages)

        assert await system.found() == [f"chain: message 14 of EVENTS {CHAINED}"]

    async def test_the_tail_cut_off(self, system):
        await system.rewrite((await system.messages())[:25])

        assert (await system.found())[0] == (
            "chain: message 26 of EVENTS is missing: the log ends here, "
            "8 messages were chained behind"
        )

    async def test_the_tail_cut_off_with_its_hashes_and_kept_checkpoints(self, system):
        """Nothing here tells of it; a witness does."""
        await system.rewrite((await system.messages())[:25])
        await system.drop("chain", "checkpoints")
        await system.chain().catch_up()

        assert await system.found() == []
        assert await system.found(witnessed=[system.witness]) == [
            (
                "chain: message 26 of EVENTS is missing: the log ends here, "
                "the checkpoint of the witness was signed over 32"
            )
        ]

    async def test_all_rewritten_and_signed_with_another_key(self, system):
        await system.wipe()
        await system.drop("chain", "checkpoints")
        await system.fill(signer=IMPOSTOR, word="closed")

        found = await system.found()
        assert len(found) == 6
        assert all("does not hold: the checkpoint is not signed by this key" in f for f in found)

    async def test_all_rewritten_by_who_has_the_key_is_found_by_a_witness_alone(self, system):
        witnessed = system.witness
        await system.wipe()
        await system.drop("chain", "checkpoints")
        await system.fill(word="closed")

        assert await system.found() == []
        assert await system.found(witnessed=[witnessed]) == [
            (
                "chain: messages 1 to 32 of EVENTS are not those that the checkpoint "
                "of the witness was signed over"
            )
        ]

    async def test_the_log_and_the_hashes_rewritten_differ_from_what_was_signed(self, system):
        messages = await system.messages()
        messages[13] = replace(messages[13], body=b"{}")
        await system.rewrite(messages)
        await system.drop("chain")
        await system.chain().catch_up()

        assert (await system.found())[0].startswith(
            "chain: messages 11 to 21 of EVENTS are not those that the checkpoint"
        )

    async def test_lost_hashes_are_said(self, system):
        await system.drop("chain")

        assert await system.found() == [
            (
                "chain: message 1 of EVENTS was signed over and is chained no more: "
                "reporting's hashes are lost from here on"
            )
        ]

    async def test_a_checkpoint_that_says_another_size_than_was_signed(self, system):
        await system.database.checkpoints.update_one(
            {"event.data.size": 21}, {"$set": {"event.data.size": 22}}
        )

        assert await system.found() == [
            (
                "chain: the checkpoint size/21 that reporting kept does not hold: "
                "it says another size than was signed"
            )
        ]


class TestFork:
    """F-18: one of the stores was put back to an earlier state, and life went on."""

    async def test_a_log_put_back_shows_where_it_forks(self, system):
        await system.rewrite((await system.messages())[:25])
        for number in range(20):
            await system.jetstream.publish("case.opened.v1", b'{"subject":"again-%d"}' % number)

        assert await system.found() == [f"chain: message 26 of EVENTS {CHAINED}"]

    async def test_two_logs_that_grew_apart_agree_up_to_the_fork(self, system):
        first = await system.messages()
        other = [*first[:25], *(replace(m, body=m.body + b" ") for m in first[25:])]

        async def theirs():
            for m in other:
                yield m.sequence, m.subject, m.body

        async def ours():
            for m in first:
                yield leaf(entry_of(m.sequence, m.subject, m.body))

        checked = await check_chain(theirs(), ours(), (), KEY)

        assert [str(f) for f in checked.findings] == [f"chain: message 26 of EVENTS {CHAINED}"]

    async def test_a_database_put_back_catches_up(self, system):
        links = [d async for d in system.database.chain.find({}, sort=[("_id", 1)])]
        await system.database.chain.delete_many({"_id": {"$gte": links[2]["_id"]}})
        await system.chain().catch_up()

        assert await system.found() == []


class TestClaims:
    @pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"data":{"size":"x"}}', b"\xff"])
    def test_a_message_that_is_no_checkpoint_claims_nothing_that_holds(self, body):
        assert claim_of(4, body).note == ""
