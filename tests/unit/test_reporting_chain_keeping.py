"""Keeping the chain: whole after any crash, one checkpoint a day, nothing chained on tampering."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.verify.proofs import Verifier
from services.reporting.chain import Broken, Chain, checkpoint_teller
from services.reporting.chain.keeping import BATCH
from services.reporting.domain.chain import Frontier, Logged, Signer, leaf_of
from shared.runtime.publish import Unconfirmed
from tests.examples_reporting import ZONE
from tests.fakes_chain import MemoryCheckpoints, MemoryLinks, MemoryLog

SIGNER = Signer("langnghe/events", bytes(range(32)))
KEY = Verifier(SIGNER.public)
EVENING = datetime(2026, 5, 11, 16, 59, 59, tzinfo=UTC)
"""A second before local midnight."""


class Died(Exception):
    pass


class Keeping:
    def __init__(self, count=0, at=EVENING):
        self.log, self.links, self.checkpoints = MemoryLog(), MemoryLinks(), MemoryCheckpoints()
        self.at = at
        for number in range(count):
            self.say(number)

    def say(self, number=0):
        self.log.say("case.opened.v1", b'{"subject":"c-%d"}' % number)

    def chain(self, **parts):
        made = {"log": self.log, "links": self.links, "checkpoints": self.checkpoints}
        made |= {"publish": self.log.publish} | parts
        return Chain(
            made["log"],
            made["links"],
            made["checkpoints"],
            made["publish"],
            SIGNER,
            zone=ZONE,
            now=lambda: self.at,
        )

    def expected(self, size):
        return Frontier().extended(map(leaf_of, self.log.messages[:size]))


def signed(keeping):
    return [KEY.read(orjson.loads(m.body)["data"]["signed"]) for m in announced(keeping)]


def announced(keeping):
    return [m for m in keeping.log.messages if m.subject == "audit.checkpoint.v1"]


class TestCatchingUp:
    @pytest.mark.parametrize("count", [0, 1, BATCH, BATCH + 1, 2 * BATCH + 7])
    async def test_every_message_is_chained(self, count):
        keeping = Keeping(count)

        assert await keeping.chain().catch_up() == keeping.expected(count)

    async def test_it_goes_on_where_it_was(self):
        keeping = Keeping(3)
        await keeping.chain().catch_up()
        keeping.say(4)

        assert await keeping.chain().catch_up() == keeping.expected(4)
        assert sorted(keeping.links.links) == [0, 3]

    @given(st.integers(1, 6), st.integers(0, 6))
    def test_two_replicas_make_one_chain(self, ahead, more):
        """The second read before the first kept: it loses, and goes on from what stands."""
        asyncio.run(self.race(ahead, more))

    async def race(self, ahead, more):
        keeping = Keeping(ahead)

        class Late(MemoryLog):
            async def read(self, start, most):
                found = await keeping.log.read(start, most)
                if not keeping.links.links:
                    for number in range(more):
                        keeping.say(100 + number)
                    await keeping.chain().catch_up()
                return found

        assert await keeping.chain(log=Late()).catch_up() == keeping.expected(ahead + more)
        leaves = [leaf async for leaf in keeping.links.leaves()]
        assert leaves == [leaf_of(m) for m in keeping.log.messages]

    async def test_its_head_is_what_is_chained(self):
        keeping = Keeping(5)
        chain = keeping.chain()
        assert (await chain.head()).size == 0

        await chain.catch_up()

        assert (await chain.head()).size == 5


class TestTampering:
    async def chained(self, count=5):
        keeping = Keeping(count)
        await keeping.chain().catch_up()
        return keeping

    async def test_a_log_that_ends_early_is_said(self):
        keeping = await self.chained()
        del keeping.log.messages[3:]

        with pytest.raises(Broken, match="ends before message 5"):
            await keeping.chain().catch_up()

    async def test_another_last_message_is_said(self):
        keeping = await self.chained()
        keeping.log.messages[4] = replace(keeping.log.messages[4], body=b"{}")

        with pytest.raises(Broken, match="message 5 is not the one"):
            await keeping.chain().catch_up()

    async def test_a_lost_last_message_is_said_though_others_follow(self):
        keeping = await self.chained()
        keeping.say(6)
        del keeping.log.messages[4]

        with pytest.raises(Broken, match="message 5 was chained and is missing"):
            await keeping.chain().catch_up()

    async def test_a_gap_is_an_alarm(self):
        keeping = await self.chained()
        keeping.say(6)
        keeping.log.messages.append(Logged(8, "case.opened.v1", b"{}"))

        with pytest.raises(Broken, match="message 7 is missing"):
            await keeping.chain().catch_up()
        assert (await keeping.chain().head()).size == 6

    async def test_nothing_is_signed_over_it(self):
        keeping = await self.chained()
        del keeping.log.messages[4]

        with pytest.raises(Broken):
            await keeping.chain().step()
        assert not keeping.checkpoints.kept
        assert not announced(keeping)


class TestCheckpoints:
    async def test_a_day_has_one(self):
        keeping = Keeping(3)
        chain = keeping.chain()
        for _ in range(3):
            await chain.step()

        assert [head.size for head in signed(keeping)] == [3]

    async def test_the_next_begins_at_local_midnight(self):
        keeping = Keeping(3)
        chain = keeping.chain()
        await chain.step()
        keeping.say(4)
        keeping.at = EVENING + timedelta(seconds=1)
        await chain.step()

        assert [head.size for head in signed(keeping)] == [3, 5]
        assert signed(keeping)[1].root == keeping.expected(5).root()

    async def test_a_new_process_makes_no_second_one(self):
        keeping = Keeping(3)
        await keeping.chain().step()
        await keeping.chain().step()

        assert len(announced(keeping)) == 1

    async def test_an_empty_log_has_none(self):
        keeping = Keeping()
        await keeping.chain().step()

        assert not announced(keeping)

    async def test_one_that_a_crash_left_is_announced_as_it_was_kept(self):
        keeping = Keeping(3)

        async def die(_events):
            raise Died

        with pytest.raises(Died):
            await keeping.chain(publish=die).step()
        keeping.say(4)
        keeping.at += timedelta(milliseconds=500)
        await keeping.chain().step()

        assert [head.size for head in signed(keeping)] == [3]

    async def test_two_replicas_at_midnight_announce_the_same(self):
        keeping = Keeping(3)
        told = []

        async def publish(events):
            told.extend(events)

        class Unmarked(MemoryCheckpoints):
            """Each replica announces before the other has marked it."""

            async def announced(self, events):
                pass

        both = Unmarked()
        await keeping.chain(checkpoints=both, publish=publish).step()
        keeping.say(4)
        await keeping.chain(checkpoints=both, publish=publish).step()

        assert len(told) == 2
        assert told[0] == told[1]

    async def test_what_it_waits_for_is_told(self):
        keeping = Keeping(3)

        async def away(_events):
            raise Unconfirmed

        chain = keeping.chain(publish=away)
        chain._passing = (Unconfirmed,)
        task = asyncio.create_task(chain.run())
        while not chain.waits_for:
            await asyncio.sleep(0)
        task.cancel()

        assert chain.waits_for == "Unconfirmed"

    async def test_a_break_is_told_and_does_not_end_the_process(self):
        keeping = Keeping(3)
        await keeping.chain().catch_up()
        del keeping.log.messages[2]
        chain = keeping.chain()
        task = asyncio.create_task(chain.run())
        while not chain.waits_for:
            await asyncio.sleep(0)

        assert not task.done()
        assert chain.waits_for == "the log ends before message 3, which was chained"
        task.cancel()


class TestOnRequest:
    async def ask(self, keeping, party):
        teller = checkpoint_teller(keeping.chain(), SIGNER.public)
        return orjson.loads(await teller(party, b""))

    async def test_anybody_who_may_ask_gets_one_as_a_witness(self):
        keeping = Keeping(3)

        told = await self.ask(keeping, "mat-tran-tinh")

        assert KEY.read(told["checkpoint"]).size == 3
        assert told["key"] == SIGNER.public
        assert not announced(keeping)

    async def test_the_operators_is_announced(self):
        keeping = Keeping(3)

        told = await self.ask(keeping, "operator")

        assert signed(keeping) == [KEY.read(told["checkpoint"])]

    async def test_an_empty_log_has_none(self):
        told = await self.ask(Keeping(), "operator")

        assert (told["checkpoint"], told["problem"]) == ("", "nothing was announced yet")

    async def test_nothing_is_signed_over_a_broken_log(self):
        keeping = Keeping(3)
        await keeping.chain().catch_up()
        keeping.log.messages.clear()

        told = await self.ask(keeping, "operator")

        assert told["checkpoint"] == ""
        assert told["problem"] == "the log ends before message 3, which was chained"


class TestKey:
    def test_it_is_read_as_it_was_drawn(self):
        assert (
            Signer.from_text(Signer.drawn("x", bytes(32))).public == Signer("x", bytes(32)).public
        )

    @pytest.mark.parametrize(
        "text",
        ["", "PRIVATE+KEY+", SIGNER.public, Signer.drawn("x", bytes(32)).replace("+x+", "+y+")],
    )
    def test_what_is_none_is_said(self, text):
        with pytest.raises(ValueError):
            Signer.from_text(text)
