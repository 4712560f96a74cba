"""Public reports reach webhooks by the whole path: NATS, MongoDB, TLS; and nothing inside (T-22)."""

import asyncio
import json
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from nats.js import JetStreamContext

from deploy import webhooks
from services.reporting.push import Caller, ConsumerSource, Delivery, Pusher, Subscription
from services.reporting.store import MongoWebhooks
from shared.contracts.report import Edition
from shared.runtime.publish import Publisher
from shared.runtime.streams import REPORTS, webhook_durable
from shared.runtime.tasks import end
from tests.fakes_push import PUBLIC, Leading
from tests.receivers_push import HOST, Authority, authority, counted, sample
from tests.system.test_consumer_samples import report
from tests.unit.test_reporting_push import ADDRESSES, URLS

SECRET = bytes(range(32))
URL = f"https://{HOST}/in"
DAYS = timedelta(days=5)


def hook(code="bao-moi", url=URL, **more) -> Subscription:
    return Subscription.model_validate(
        {"id": code, "url": url, "secrets": [webhooks.shown(SECRET)], **more}
    )


@dataclass
class Pushing:
    """Reporting's pusher on real servers, its net led to a port of this machine."""

    jetstream: JetStreamContext
    standings: MongoWebhooks
    folder: Path
    tls: Authority

    async def add(self, *hooks: Subscription, from_now: bool = False) -> None:
        for each in hooks:
            await webhooks.add(self.jetstream, self.folder, self.standings, each, from_now=from_now)

    async def publish(self, *events) -> None:
        await Publisher(lambda: self.jetstream._nc).publish(events)

    @asynccontextmanager
    async def running(
        self, net, *, source=ConsumerSource, pause_after=DAYS, delays=(0.05,), seconds=20.0
    ):
        resolve = net.resolve
        caller = Caller(resolve, net, self.tls.trusted(), seconds)
        delivery = Delivery(
            self.standings,
            caller.post,
            lambda: datetime.now(UTC),
            pause_after=pause_after,
            delays=delays,
        )
        pusher = Pusher(
            self.folder,
            lambda code: source(lambda: self.jetstream._nc, code),
            self.standings,
            delivery,
            poll_seconds=0.05,
        )
        task = asyncio.create_task(pusher.run())
        try:
            yield task
        finally:
            await end(task)

    async def until(self, condition, code="bao-moi"):
        """Wait until the webhook stands so."""
        async with asyncio.timeout(30):
            while not condition(standing := await self.standings.of(code)):
                await asyncio.sleep(0.02)
        return standing

    async def waiting(self, code="bao-moi") -> tuple[int, int]:
        info = await self.jetstream.consumer_info(REPORTS, webhook_durable(code).name)
        return info.num_pending, info.num_ack_pending


@pytest.fixture
def pushing(jetstream, mongo_database, tmp_path):
    keys = tmp_path / "keys"
    keys.mkdir()
    (tmp_path / "received").mkdir()
    (keys / "secret").write_text(webhooks.shown(SECRET))
    return Pushing(jetstream, MongoWebhooks(mongo_database), keys, authority(tmp_path / "tls"))


@pytest.fixture
def receiving(pushing, tmp_path):
    return lambda port=0: sample(
        pushing.folder / "secret", tmp_path / "received", pushing.tls, port
    )


def ids_of(receiver) -> list[str]:
    """The `webhook-id` of each post, in order."""
    lines = (line for head in receiver.heads for line in head.decode().split("\r\n"))
    return [line.partition(": ")[2] for line in lines if line.startswith("webhook-id")]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


ONE, INSIDE, TWO, THREE = (
    report("p1", 1, 10, 20),
    report("p1", 1, 11, 21, edition=Edition.INTERNAL),
    report("p2", 1, 10, None),
    report("p1", 2, 12, 20),
)


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


async def settled(pushing: Pushing, code="bao-moi") -> None:
    async with asyncio.timeout(20):
        while await pushing.waiting(code) != (0, 0):
            await asyncio.sleep(0.05)


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

    async def test_one_that_is_removed_is_called_no_more(self, pushing):
        await pushing.add(hook())
        broken = b"HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n"
        async with (
            counted(broken, pushing.tls.served()) as receiver,
            pushing.running(net := Leading(receiver.port)),
        ):
            await pushing.publish(ONE)
            await pushing.until(lambda s: s.failures)
            await webhooks.remove(pushing.jetstream, pushing.folder, pushing.standings, "bao-moi")
            await asyncio.sleep(0.3)
            called = len(net.connected)
            await pushing.publish(TWO)
            await asyncio.sleep(0.3)

        assert len(net.connected) == called


class TestWhatIsNeverReached:
    async def test_no_address_leads_to_this_machine(self, pushing):
        """Every case of the unit test by the whole path: what was written, what a name gives."""
        by_url = [hook(f"url-{place}", url) for place, url in enumerate(URLS)]
        by_name = [
            hook(f"name-{place}", f"https://n{place}.example.org/in")
            for place in range(len(ADDRESSES) * 2)
        ]
        found = {
            f"n{2 * place + mixed}.example.org": [PUBLIC] * mixed + [address]
            for place, address in enumerate(ADDRESSES)
            for mixed in (0, 1)
        }
        await pushing.publish(ONE)
        await pushing.add(*by_url, *by_name)
        async with counted() as inside:
            net = Leading(inside.port)

            async def resolve(host):
                net.asked.append(host)
                return found[host]

            net.resolve = resolve
            async with pushing.running(net, delays=(60.0,)):
                for each in (*by_url, *by_name):
                    standing = await pushing.until(lambda s: s.failures, each.id)
                    assert standing.reason == "refused", each.url

            assert (net.connected, inside.count) == ([], 0)
            assert set(net.asked) == found.keys()
            assert len(by_url) + len(by_name) >= 60

    async def test_a_name_that_is_bound_anew_is_reached_once(self, pushing):
        await pushing.publish(ONE, TWO)
        await pushing.add(hook())
        answer = b"HTTP/1.1 204 No Content\r\n\r\n"
        async with counted(answer, pushing.tls.served()) as receiver:
            net = Leading(receiver.port, [PUBLIC, "127.0.0.1"])
            async with pushing.running(net, delays=(60.0,)):
                standing = await pushing.until(lambda s: s.number == 2 and s.failures)

        assert standing.reason == "refused"
        assert (net.connected, receiver.count) == ([(PUBLIC, 443)], 1)

    async def test_a_redirect_to_this_machine_is_a_failure(self, pushing):
        await pushing.publish(ONE)
        await pushing.add(hook())
        async with counted() as inside:
            moved = (
                "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n"
                f"Location: http://127.0.0.1:{inside.port}/\r\n\r\n"
            )
            async with counted(moved.encode(), pushing.tls.served()) as receiver:
                net = Leading(receiver.port)
                async with pushing.running(net, delays=(60.0,)):
                    standing = await pushing.until(lambda s: s.failures)

            assert standing.reason == "302"
            assert (receiver.count, inside.count, len(net.connected)) == (1, 0, 1)

    @pytest.mark.parametrize("wrong", ["host", "authority", "no TLS"])
    async def test_who_cannot_show_the_hosts_certificate_is_told_nothing(
        self, pushing, wrong, tmp_path
    ):
        other = authority(tmp_path / "other", "other.example.org" if wrong == "host" else HOST)
        served = None if wrong == "no TLS" else other.served()
        if wrong == "host":
            pushing.tls = other
        await pushing.publish(ONE)
        await pushing.add(hook())
        async with (
            counted(b"HTTP/1.1 204 No Content\r\n\r\n", served) as receiver,
            pushing.running(Leading(receiver.port), delays=(60.0,), seconds=1.0),
        ):
            await pushing.until(lambda s: s.failures)

        assert receiver.heads == []


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
