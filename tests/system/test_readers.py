"""A reader takes published reports by its own durable consumer, and nothing else of them."""

import json

import nats.errors
import pytest
from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.errors import APIError

from deploy import webhooks
from deploy.access.permissions import public, reader, service
from deploy.access.readers import declare_readers
from deploy.local.stack import today
from services.reporting.push import ConsumerSource, Subscription
from shared.runtime.streams import EVENTS, REPORTS
from tests.fakes_push import MemoryStandings
from tests.guarded import (
    SECURITY_EVENT_SECONDS,
    Guarded,
    arrived,
    guarded,
    ours,
    province,
    until,
)

__all__ = ["guarded", "ours"]

PUBLIC_ONE, PUBLIC_TWO = "report.public.s-124.u1.2026-h1", "report.public.s-124.u2.2026-h1"
INTERNAL = "report.internal.u1.s-124.2026-h1"
SOON, SHORT = 0.5, 0.1


@pytest.fixture
async def published(guarded: Guarded, ours):
    """Two public reports with an internal one between them, and two readers let in."""
    async with guarded.connected(service("reporting")) as reporting:
        for subject in (PUBLIC_ONE, INTERNAL, PUBLIC_TWO):
            await reporting.jetstream().publish(subject, subject.encode())
    one, other = reader("one"), reader("other")
    await guarded.let_in(province("a1"), one, other)
    await declare_readers(ours.jetstream(), [one.name, other.name, "agency-a1", "public"])
    return one, other


async def take(client, name: str, count: int = 10) -> list[nats.aio.msg.Msg]:
    found = await client.jetstream().pull_subscribe_bind(name, REPORTS)
    return await found.fetch(count, timeout=SOON)


async def said(ask) -> str:
    """What the server answers one who may not ask: nothing."""
    try:
        await ask
    except (nats.errors.Error, TimeoutError, APIError) as error:
        return type(error).__name__
    return "answered"


class TestWhatAReaderTakes:
    async def test_public_reports_from_before_it_came_and_no_internal_one(self, guarded, published):
        async with guarded.connected(published[0]) as client:
            taken = await take(client, "reader-one")

        assert [m.data.decode() for m in taken] == [PUBLIC_ONE, PUBLIC_TWO]

    async def test_what_it_confirmed_does_not_come_again_and_the_rest_does(
        self, guarded, published, ours
    ):
        async with guarded.connected(published[0]) as client:
            first, second = await take(client, "reader-one")
            await first.ack_sync(timeout=5)
            await second.nak()
            await arrived(client)
        async with guarded.connected(published[0]) as client:
            again = await take(client, "reader-one")
        about = await ours.jetstream().consumer_info(REPORTS, "reader-one")

        assert [m.data.decode() for m in again] == [PUBLIC_TWO]
        assert about.ack_floor.consumer_seq == 1

    async def test_it_takes_for_itself_alone(self, guarded, published):
        async with guarded.connected(published[0]) as client:
            for message in await take(client, "reader-one"):
                await message.ack_sync(timeout=5)
        async with guarded.connected(published[1]) as client:
            assert len(await take(client, "reader-other")) == 2

    async def test_declared_again_it_stands_where_it_stood(self, guarded, published, ours):
        async with guarded.connected(published[0]) as client:
            for message in await take(client, "reader-one"):
                await message.ack_sync(timeout=5)

        await declare_readers(ours.jetstream(), [published[0].name])

        about = await ours.jetstream().consumer_info(REPORTS, "reader-one")
        assert (about.num_pending, about.num_ack_pending) == (0, 0)


WIDER = ("report.>", "report.internal.>", "report.public.>", ">")


class TestWhatItMayNot:
    @pytest.mark.parametrize("pattern", WIDER)
    @pytest.mark.parametrize("name", ["reader-one", "reader-other", "mine"])
    async def test_no_filter_is_its_own_choice(self, guarded, published, ours, name, pattern):
        config = {"durable_name": name, "filter_subject": pattern, "ack_policy": "explicit"}
        wish = json.dumps({"stream_name": REPORTS, "config": config}).encode()
        ways = {
            f"$JS.API.CONSUMER.CREATE.{REPORTS}",
            f"$JS.API.CONSUMER.CREATE.{REPORTS}.{name}",
            f"$JS.API.CONSUMER.CREATE.{REPORTS}.{name}.{pattern}",
            f"$JS.API.CONSUMER.DURABLE.CREATE.{REPORTS}.{name}",
        }
        before = await standing(ours)
        async with guarded.connected(published[0]) as client:
            for way in ways:
                assert await said(client.request(way, wish, timeout=SHORT)) != "answered"

        assert await standing(ours) == before
        await until(lambda: {v.subject for v in guarded.refused()} >= ways, SECURITY_EVENT_SECONDS)

    async def test_what_it_takes_by_anothers_consumer_is_nothing(self, guarded, published, ours):
        async with guarded.connected(published[0]) as client:
            assert await said(take(client, "reader-other")) != "answered"

        about = await ours.jetstream().consumer_info(REPORTS, "reader-other")
        assert (about.num_pending, about.num_ack_pending) == (2, 0)

    async def test_no_report_comes_by_its_number_or_subject(self, guarded, published):
        async with guarded.connected(published[0]) as client:
            jetstream = client.jetstream(timeout=SOON)
            assert await said(jetstream.get_msg(REPORTS, 2)) != "answered"
            assert await said(jetstream.get_msg(REPORTS, 2, direct=True)) != "answered"
            assert await said(jetstream.get_last_msg(REPORTS, INTERNAL, direct=True)) != "answered"

    async def test_the_public_key_has_no_part_of_jetstream(self, guarded, published):
        async with guarded.connected(public()) as client:
            assert await said(take(client, "reader-one")) != "answered"
            assert (
                await said(client.jetstream(timeout=SOON).consumer_info(REPORTS, "reader-one"))
                != "answered"
            )

    async def test_a_request_for_more_is_answered_into_no_stream(self, guarded, published, ours):
        """The reply subject is the asker's to choose; it leads nowhere but to its own account."""
        async with guarded.connected(published[0]) as client:
            for target in ("case.opened.v1", "feed.a1.refused", "report.public.x.y.z"):
                await client.publish(
                    "$JS.API.CONSUMER.MSG.NEXT.REPORTS.reader-one",
                    json.dumps({"batch": 10, "no_wait": True}).encode(),
                    reply=target,
                )
            await arrived(client)

        counts = [
            (await ours.jetstream().stream_info(s)).state.messages
            for s in (EVENTS, "REFUSALS", REPORTS)
        ]
        assert counts == [0, 0, 3]


async def standing(ours) -> dict:
    return {c.name: c.config.filter_subject for c in await ours.jetstream().consumers_info(REPORTS)}


async def test_why_nobody_outside_may_make_a_consumer(guarded, ours):
    """With one that its maker chose a target for, the server writes reports into another stream."""
    await ours.subscribe("directory.published.v1")
    await arrived(ours)
    await ours.jetstream().add_consumer(
        REPORTS,
        ConsumerConfig(
            durable_name="mine",
            filter_subject="report.public.>",
            deliver_subject="directory.published.v1",
            ack_policy=AckPolicy.NONE,
        ),
    )
    async with guarded.connected(service("reporting")) as reporting:
        await reporting.jetstream().publish(PUBLIC_ONE, b"a report")

    async def written() -> int:
        return int((await ours.jetstream().stream_info(EVENTS)).state.messages)

    for _ in range(100):
        if await written():
            break
        await arrived(ours)
    assert await written() == 1


class TestWebhooks:
    """Reporting takes for webhooks; the server lets it do so for those that are registered."""

    @pytest.fixture
    async def registered(self, guarded, published, ours):
        keys = guarded.state / "keys"
        wanted = {"url": "https://hooks.example.org/", "secrets": [webhooks.shown(bytes(32))]}
        for code in ("one", "other"):
            hook = Subscription.model_validate({"id": code, **wanted})
            await webhooks.add(ours.jetstream(), keys, MemoryStandings(), hook, from_now=False)
        await webhooks.remove(ours.jetstream(), keys, MemoryStandings(), "other")
        await guarded.access.renew(province("a1"), today(), guarded.stack.reload_access)

    async def test_it_takes_in_order_and_confirms(self, guarded, ours, registered):
        async with guarded.connected(service("reporting")) as client:
            source = ConsumerSource(lambda: client, "one")
            first = await source.take()
            await first.done()
            second = await source.take()
            await second.done()
            refused = guarded.refused()

        about = await ours.jetstream().consumer_info(REPORTS, "webhook-one")
        assert [first.content.decode(), second.content.decode()] == [PUBLIC_ONE, PUBLIC_TWO]
        assert (about.num_pending, about.num_ack_pending) == (0, 0)
        assert refused == []

    @pytest.mark.parametrize("name", ["reader-one", "webhook-other"])
    async def test_from_readers_and_what_is_not_registered_it_takes_nothing(
        self, guarded, ours, registered, name
    ):
        async with guarded.connected(service("reporting")) as client:
            assert await said(take(client, name)) != "answered"

        ways = {f"$JS.API.CONSUMER.MSG.NEXT.{REPORTS}.{name}"}
        await until(lambda: {v.subject for v in guarded.refused()} >= ways, SECURITY_EVENT_SECONDS)
