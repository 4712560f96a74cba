"""Who is let in and shown out while the server runs, and the whole system behind its guard."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import nats
import pytest
import yaml
from nats.aio.client import Client
from typer.testing import CliRunner

from deploy.access.cli import nats_app
from deploy.access.doorkeeper import Doorkeeper
from deploy.access.local import LocalAccess
from deploy.access.nkeys import draw_once
from deploy.access.permissions import (
    OPERATOR,
    User,
    agency,
)
from deploy.access.permissions import system as doorkeeper
from deploy.connection import Address, connected
from deploy.local import LocalStack, PartFailed
from deploy.local.stack import today
from deploy.rules import RULE_FILES, publish_rules
from deploy.up import system
from shared.contracts import DirectoryPublished
from shared.contracts.ingress import Fate, FatesAsked, FatesTold, Refused
from shared.runtime.tasks import end
from tests.examples_reporting import event
from tests.guarded import (
    CALL,
    At,
    Guarded,
    arrived,
    guarded,
    logged,
    ours,
    province,
    until,
)

__all__ = ["guarded", "ours"]

SAMPLE = Path(__file__).parents[2] / "deploy" / "sample"


class TestAReload:
    async def test_lets_a_new_agency_in_while_the_others_go_on(self, guarded, ours):
        await guarded.let_in(province("a1"), agency("a1"))
        async with guarded.connected(agency("a1")) as client:
            jetstream = client.jetstream()

            async def go_on():
                return [
                    await jetstream.publish(f"feed.a1.{CALL}", logged("a1", f"i{n}"))
                    for n in range(400)
                ]

            going = asyncio.create_task(go_on())
            await guarded.let_in(province("a1", "a2"), agency("a2"))
            acks = await going

        assert [ack.seq for ack in acks] == list(range(1, 401))

    async def test_shows_out_one_whose_entry_has_ended(self, guarded, ours):
        await guarded.let_in(province("a1", "a2"), agency("a1"), agency("a2"))
        async with guarded.connected(agency("a1")) as client:
            await guarded.let_in(province("a2"))

            await until(lambda: not client.is_connected)
            assert not await guarded.lets_in(agency("a1"))

    async def test_lets_a_new_agency_in_only_when_it_is_heard(self, guarded, ours):
        """From the first moment at which it comes in, what it says is confirmed."""
        new = [agency(f"n{n}") for n in range(10)]
        for user in new:
            draw_once(guarded.access.keys, user.name)
        whom = province(*(f"n{n}" for n in range(10)))
        renewing = asyncio.create_task(
            guarded.access.renew(whom, today(), guarded.stack.reload_access)
        )

        async def say(user: User) -> str | None:
            """The stream that confirmed it; None if the server showed the user out before.

            A server that reads its file sends away whoever is just greeting it.
            """
            try:
                async with guarded.connected(user) as client:
                    try:
                        ack = await client.jetstream().publish(user.publish[0], b"{}", timeout=3)
                    except nats.errors.Error:
                        if client.is_connected:
                            raise AssertionError("it was let in and not heard") from None
                        return None
                    return ack.stream
            except (nats.errors.Error, OSError):
                return None

        async def come_in_and_say(user: User) -> str:
            while (stream := await say(user)) is None:
                await asyncio.sleep(0)
            return stream

        assert await asyncio.gather(*map(come_in_and_say, new)) == ["FEED"] * 10
        await renewing

    async def test_of_unchanged_rules_is_not_asked_for(self, guarded):
        asked = []

        async def reload() -> None:
            asked.append("once more")

        draw_once(guarded.access.keys, "agency-a1")
        await guarded.access.renew(province("a1"), today(), reload)
        asked.clear()
        await guarded.access.renew(province("a1"), today(), reload)

        assert asked == []

    async def test_of_a_broken_file_is_said_with_the_servers_reason(self, guarded, ours):
        access_file = guarded.state / "nats-access.conf"
        standing = access_file.read_bytes()
        access_file.write_bytes(standing.replace(b'"users"', b'"users', 1))

        with pytest.raises(PartFailed, match=r"does not take its access file: .*[Pp]arse error"):
            await guarded.stack.reload_access()

        access_file.write_bytes(standing)
        await guarded.stack.reload_access()

    async def test_the_doorkeeper_may_ask_for_it_and_for_nothing_else(self, guarded, ours):
        async with guarded.connected(doorkeeper()) as client:
            known = json.loads((await client.request("$SYS.REQ.SERVER.PING")).data)
            asked = f"$SYS.REQ.SERVER.{known['server']['id']}"
            told = json.loads((await client.request(f"{asked}.RELOAD")).data)
            for verb in ("KICK", "LDM", "CONNZ"):
                await client.publish(f"{asked}.{verb}", b"{}")
            await arrived(client)

        assert "error" not in told
        await until(lambda: len(guarded.refused()) >= 3)
        assert {v.subject.rpartition(".")[2] for v in guarded.refused()} == {"KICK", "LDM", "CONNZ"}


@pytest.fixture
async def kept(guarded, ours) -> AsyncIterator[Guarded]:
    """With a doorkeeper, which alone lets in and out; a1 and a2 are in."""
    await guarded.let_in(province("a1", "a2"), agency("a1"), agency("a2"))
    published = DirectoryPublished(version=1, directory=province("a1", "a2"))
    await ours.jetstream().publish(DirectoryPublished.TYPE, event(published).encode())
    doorkeeper = Doorkeeper(guarded.access, guarded.stack.reload_access, today)
    url = Address(guarded.url, guarded.access.seed(OPERATOR))
    keeping = asyncio.create_task(doorkeeper.keep(url))
    yield guarded
    await end(keeping)


class TestAKey:
    """The commands alone are given; the doorkeeper does the rest."""

    def command(self, guarded: Guarded, *arguments: str) -> None:
        result = CliRunner().invoke(nats_app, [*arguments, "--state", str(guarded.state)])
        assert result.exit_code == 0, result.output

    async def test_that_is_forgotten_cuts_who_is_connected_by_it_and_nobody_else(self, kept):
        async with kept.connected(agency("a1")) as gone, kept.connected(agency("a2")) as stays:
            self.command(kept, "forget", "agency-a1")
            await until(lambda: not gone.is_connected)
            ack = await stays.jetstream().publish(f"feed.a2.{CALL}", logged("a2", "i1"))

        assert ack.stream == "FEED"
        assert stays.stats["reconnects"] == 0

    async def test_that_is_forgotten_opens_no_more(self, kept):
        seed = kept.access.seed("agency-a1").read_bytes()
        self.command(kept, "forget", "agency-a1")
        kept.access.seed("agency-a1").write_bytes(seed)  # its owner still has it

        async with asyncio.timeout(10):
            while await kept.lets_in(agency("a1")):
                await asyncio.sleep(0.02)
        assert await kept.lets_in(agency("a2"))

    async def test_drawn_anew_after_that_opens_again(self, kept):
        self.command(kept, "forget", "agency-a1")
        self.command(kept, "key", "agency-a1")

        async with asyncio.timeout(10):
            while not await kept.lets_in(agency("a1")):
                await asyncio.sleep(0.02)

    async def test_is_changed_for_another_while_both_hold(self, kept):
        """Connected by the old one all the time, until by the new one nothing is missed."""
        before = kept.access.seed("agency-a1").read_bytes()
        async with kept.connected(agency("a1")) as old:
            self.command(kept, "key", "agency-a1", "--new")
            async with asyncio.timeout(10):
                while not await kept.lets_in(agency("a1")):
                    await asyncio.sleep(0.02)
            async with kept.connected(agency("a1")) as new:
                acks = [
                    await client.jetstream().publish(f"feed.a1.{CALL}", logged("a1", item))
                    for client, item in ((old, "i1"), (new, "i2"))
                ]
                self.command(kept, "forget", "agency-a1", "--old")
                await until(lambda: not old.is_connected)
                last = await new.jetstream().publish(f"feed.a1.{CALL}", logged("a1", "i3"))

        assert [ack.seq for ack in (*acks, last)] == [1, 2, 3]
        kept.access.seed("agency-a1").write_bytes(before)
        assert not await kept.lets_in(agency("a1"))


class TestTheWholeSystem:
    async def test_an_agency_comes_in_and_is_answered_and_nobody_breaks_a_rule(self, tmp_path):
        """Rules, a new agency, its key, its events, its answers; then the same folder again."""
        state = tmp_path / "state"
        new = agency("a-moi")
        async with system(state) as running:
            guarded = At(state, running.endpoints.nats)
            async with connected(running.endpoints.nats) as ours:
                for noun in RULE_FILES:
                    await publish_rules(ours, SAMPLE / f"{noun}.yaml", noun)
                draw_once(guarded.access.keys, new.name)
                assert not await guarded.lets_in(new)
                await publish_rules(ours, with_agency("a-moi", tmp_path), "directory")
                async with asyncio.timeout(10):
                    while not await guarded.lets_in(new):
                        await asyncio.sleep(0.05)

            async with guarded.connected(new) as client:
                refusals = await client.subscribe("feed.a-moi.refused")
                fate = await self.said_until_kept(client)
                await client.jetstream().publish(f"feed.a-moi.{CALL}", b"{}", timeout=5)
                refused = json.loads((await refusals.next_msg(20)).data)

        assert fate == Fate.KEPT
        assert Refused.model_validate(refused["data"]).party == "a-moi"
        assert guarded.refused() == []

        async with LocalStack(state, access=LocalAccess(state)) as stack:
            assert await At(state, stack.nats_url).lets_in(new)

    async def said_until_kept(self, client: Client) -> Fate:
        """The server may have heard of a new agency before intake has, which then refuses it."""
        for attempt in range(50):
            said = logged("a-moi", f"good-{attempt}")
            ack = await client.jetstream().publish(f"feed.a-moi.{CALL}", said, timeout=5)
            if (fate := await self.fate(client, ack.seq)) == Fate.KEPT:
                break
        return fate

    async def fate(self, client: Client, sequence: int) -> Fate:
        asked = FatesAsked(sequences=(sequence,)).model_dump_json().encode()
        async with asyncio.timeout(20):
            while True:
                answer = await client.request("ask.a-moi.intake.fates", asked, timeout=5)
                told = FatesTold.model_validate_json(answer.data)
                if told.fates:
                    return told.fates[0].fate
                await asyncio.sleep(0.05)


def with_agency(code: str, folder: Path) -> Path:
    content = yaml.safe_load((SAMPLE / "directory.yaml").read_text())
    content["agencies"].append({"code": code, "unit": "tinh"})
    file = folder / "directory.yaml"
    file.write_text(yaml.safe_dump(content, allow_unicode=True))
    return file
