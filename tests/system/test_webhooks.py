"""Public reports reach webhooks by the whole path: NATS, MongoDB, TLS; nothing is lost."""

import asyncio
import json
from datetime import timedelta

import orjson
import pytest

from deploy import webhooks
from services.reporting.push import ConsumerSource
from tests.fakes_push import PUBLIC, Leading
from tests.pushing import (
    INSIDE,
    ONE,
    THREE,
    TWO,
    free_port,
    hook,
    ids_of,
    pushing,
    receiving,
    settled,
)
from tests.receivers_push import HOST, counted

__all__ = ["pushing", "receiving"]


class TestDelivery:
    async def test_the_sample_checks_keeps_and_counts_each_public_report_over_tls(
        self, pushing, receiving, tmp_path
    ):
        await pushing.publish(ONE, INSIDE, TWO)
        await pushing.add(hook())
        async with receiving() as receiver, pushing.running(net := Leading(receiver.port)):
            first = await receiver.said(2)
            await pushing.publish(THREE)
            later = await receiver.said(1)
            await pushing.until(lambda s: s.number == 3 and s.delivered)

        assert first == [f"1: {ONE.id}", f"2: {TWO.id}"]
        assert later == [f"3: {THREE.id}"]
        assert set(net.connected) == {(PUBLIC, 443)}
        files = (tmp_path / "received").glob("*.json")
        kept = [json.loads(file.read_text(encoding="utf-8")) for file in files]
        assert {event["data"]["edition"] for event in kept} == {"public"}
        assert sorted(event["sequence"] for event in kept) == ["1", "2", "3"]

    async def test_from_now_leaves_out_what_was_published(self, pushing, receiving):
        await pushing.publish(ONE, TWO)
        await pushing.add(hook(), from_now=True)
        await pushing.publish(THREE)
        async with receiving() as receiver, pushing.running(Leading(receiver.port)):
            assert await receiver.said(1) == [f"1: {THREE.id}"]

    async def test_what_the_secret_does_not_sign_is_not_taken(self, pushing, receiving):
        (pushing.folder / "secret").write_text(webhooks.shown(bytes(32)))
        await pushing.publish(ONE)
        await pushing.add(hook())
        async with receiving() as receiver, pushing.running(Leading(receiver.port)):
            assert await receiver.said(1) == ["not signed by our secret, or too old"]
            assert (await pushing.until(lambda s: s.failures)).reason == "401"

    async def test_while_a_secret_changes_old_and_new_both_hold(self, pushing, receiving):
        await pushing.add(hook())
        webhooks.rotate(pushing.folder, "bao-moi", bytes(32))
        await pushing.publish(ONE)
        async with receiving() as receiver, pushing.running(Leading(receiver.port)):
            assert await receiver.said(1) == [f"1: {ONE.id}"]
            webhooks.drop_old(pushing.folder, "bao-moi")
            await asyncio.sleep(0.2)  # the file is looked at every 0.05 s here
            await pushing.publish(TWO)
            assert await receiver.said(1) == ["not signed by our secret, or too old"]


class Dying(ConsumerSource):
    """Takes, and never gets to confirm: as if the process ended after the post."""

    dead: asyncio.Event

    async def take(self):
        taken = await super().take()
        if taken is None:
            return None
        return _Dying(taken, self.dead)


class _Dying:
    def __init__(self, taken, dead):
        self.content, self.sequence, self._dead = taken.content, taken.sequence, dead

    async def done(self):
        self._dead.set()
        await asyncio.Event().wait()

    async def later(self, seconds):
        raise AssertionError(seconds)


class Closing(ConsumerSource):
    """Tells that nothing is taken any more."""

    closed: asyncio.Event

    async def close(self):
        await super().close()
        self.closed.set()


class TestCrashes:
    async def test_between_post_and_confirmation_it_comes_again_with_the_same_id(
        self, pushing, monkeypatch
    ):
        monkeypatch.setattr(webhooks, "ACK_WAIT_SECONDS", 1.0)
        await pushing.publish(ONE, TWO)
        await pushing.add(hook())
        Dying.dead = asyncio.Event()
        answer = b"HTTP/1.1 204 No Content\r\n\r\n"
        async with counted(answer, pushing.tls.served()) as receiver:
            net = Leading(receiver.port)
            async with pushing.running(net, source=Dying):
                await Dying.dead.wait()
            async with pushing.running(net):
                await pushing.until(lambda s: s.number == 2)
                await settled(pushing)

        assert ids_of(receiver) == [ONE.id, ONE.id, TWO.id]

    async def test_a_receiver_that_has_it_already_says_so_and_misses_nothing(
        self, pushing, receiving, monkeypatch
    ):
        monkeypatch.setattr(webhooks, "ACK_WAIT_SECONDS", 1.0)
        await pushing.publish(ONE, TWO)
        await pushing.add(hook())
        Dying.dead = asyncio.Event()
        async with receiving() as receiver:
            net = Leading(receiver.port)
            async with pushing.running(net, source=Dying):
                await Dying.dead.wait()
            async with pushing.running(net):
                told = await receiver.said(3)

        assert told == [f"1: {ONE.id}", "1: came again", f"2: {TWO.id}"]


class TestReceiversThatAreAway:
    async def test_nothing_is_lost_and_the_order_stays(self, pushing, receiving):
        port = free_port()
        await pushing.publish(ONE, INSIDE, TWO)
        await pushing.add(hook())
        async with pushing.running(Leading(port)):
            standing = await pushing.until(lambda s: s.failures >= 3)
            assert (standing.number, await pushing.waiting()) == (1, (1, 1))
            await pushing.publish(THREE)
            async with receiving(port) as receiver:
                told = await receiver.said(3)
                await settled(pushing)

        assert told == [f"1: {ONE.id}", f"2: {TWO.id}", f"3: {THREE.id}"]

    async def test_one_that_is_paused_is_not_called_and_goes_on_without_a_gap(
        self, pushing, receiving
    ):
        port = free_port()
        await pushing.publish(ONE)
        await pushing.add(hook())
        net = Leading(port)
        async with pushing.running(net, pause_after=timedelta(0)):
            await pushing.until(lambda s: s.paused)
            called = len(net.connected)
            await pushing.publish(TWO, THREE)
            async with receiving(port) as receiver:
                await asyncio.sleep(0.3)  # several looks at whether it is still paused
                assert len(net.connected) == called
                await pushing.standings.resume("bao-moi")
                told = await receiver.said(3)

        assert told == [f"1: {ONE.id}", f"2: {TWO.id}", f"3: {THREE.id}"]

    async def test_one_that_never_answers_delays_no_other(self, pushing, receiving):
        await pushing.publish(ONE, TWO)
        await pushing.add(hook("slow", f"https://slow.{HOST}/"), hook())
        async with receiving() as receiver, counted(None) as slow:

            class Two(Leading):
                async def resolve(self, host):
                    return [PUBLIC if host == HOST else "93.184.215.15"]

                async def connect_tcp(self, host, port, *more, **named):
                    self.port = receiver.port if host == PUBLIC else slow.port
                    return await super().connect_tcp(host, port, *more, **named)

            async with pushing.running(Two(0)):
                await slow.connected.wait()
                told = await receiver.said(2)
                await settled(pushing)
                standing = await pushing.standings.of("slow")

        assert told == [f"1: {ONE.id}", f"2: {TWO.id}"]
        assert (standing.failures, standing.delivered) == (0, None)

    async def test_a_fault_of_ours_with_one_stops_no_other_and_it_is_begun_again(self, pushing):
        await pushing.publish(ONE, TWO)
        await pushing.add(hook("odd", f"https://odd.{HOST}/"), hook())
        answer = b"HTTP/1.1 204 No Content\r\n\r\n"
        async with counted(answer, pushing.tls.served()) as receiver:
            net, faults = Leading(receiver.port), []

            async def resolve(host):
                if host != HOST:
                    faults.append(host)
                    raise ZeroDivisionError
                return [PUBLIC]

            net.resolve = resolve
            async with pushing.running(net) as pusher:
                await settled(pushing)
                assert not pusher.done()

        assert (await pushing.standings.of("bao-moi")).number == 2
        assert faults

    async def test_when_the_bus_died_nothing_is_lost_and_a_repeat_is_known(
        self, pushing, nats_server, monkeypatch
    ):
        """A server that is killed may forget a confirmation that it gave a moment before."""
        monkeypatch.setattr(webhooks, "ACK_WAIT_SECONDS", 1.0)
        await pushing.publish(ONE)
        await pushing.add(hook())
        answer = b"HTTP/1.1 204 No Content\r\n\r\n"
        async with (
            counted(answer, pushing.tls.served()) as receiver,
            pushing.running(Leading(receiver.port)),
        ):
            await settled(pushing)
            await asyncio.to_thread(nats_server.kill)
            await asyncio.to_thread(nats_server.start)
            async with asyncio.timeout(20):
                while not pushing.jetstream._nc.is_connected:
                    await asyncio.sleep(0.05)
            await pushing.publish(TWO)
            await pushing.until(lambda s: s.number == 2 and not s.failures)
            await settled(pushing)

        assert list(dict.fromkeys(ids_of(receiver))) == [ONE.id, TWO.id]

    async def test_one_that_is_removed_is_called_no_more_and_takes_nothing(self, pushing):
        await pushing.add(hook())
        Closing.closed = asyncio.Event()
        broken = b"HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n"
        async with (
            counted(broken, pushing.tls.served()) as receiver,
            pushing.running(net := Leading(receiver.port), source=Closing),
        ):
            await pushing.publish(ONE)
            await pushing.until(lambda s: s.failures)
            await webhooks.remove(pushing.jetstream, pushing.folder, pushing.standings, "bao-moi")
            async with asyncio.timeout(20):
                await Closing.closed.wait()
            called = len(net.connected)
            await pushing.publish(TWO)

        assert len(net.connected) == called


class TestTheFile:
    async def test_secrets_lie_where_only_their_owner_reads(self, pushing):
        await pushing.add(hook())
        file = pushing.folder / "webhooks.json"

        assert file.stat().st_mode & 0o077 == 0
        assert len(orjson.loads(file.read_bytes())) == 1

    async def test_a_code_is_taken_once_and_keeps_where_it_stands(self, pushing):
        await pushing.add(hook())
        await pushing.standings.numbered("bao-moi", 7)

        with pytest.raises(webhooks.Unregistered):
            await pushing.add(hook())
        assert (await pushing.standings.of("bao-moi")).number == 1

    async def test_while_it_is_broken_the_webhooks_before_it_stand(self, pushing, receiving):
        await pushing.add(hook())
        async with receiving() as receiver, pushing.running(Leading(receiver.port)):
            await pushing.publish(ONE)
            assert await receiver.said(1) == [f"1: {ONE.id}"]
            (pushing.folder / "webhooks.json").write_text("{")
            await asyncio.sleep(0.2)
            await pushing.publish(TWO)
            assert await receiver.said(1) == [f"2: {TWO.id}"]
