"""Who may say and hear what, on the real server with the file that it really includes."""

import asyncio
from base64 import b64encode
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import nats
import pytest
from nats.aio.client import Client
from nats.js.errors import APIError
from prometheus_client import REGISTRY

from deploy.access.local import LocalAccess
from deploy.access.permissions import (
    agency,
    body,
    public,
    service,
)
from deploy.access.violations import Violation
from deploy.connection import credentials
from deploy.local import LocalStack
from services.intake.handlers import fate_teller, receiver
from services.intake.inbox import Inbox
from services.reporting.flight import StreamFlight
from services.reporting.lookout import Lookout
from shared.contracts import FEED
from shared.contracts.ingress import Fate, FatesAsked
from shared.runtime.bus import Bus
from shared.runtime.streams import declare
from tests.examples_intake import call, rulebook_published, sent
from tests.examples_intake import directory_published as published
from tests.fakes_intake import MemoryArrivals, memory_stores, receiving
from tests.guarded import (
    CALL,
    SEAL,
    SECURITY_EVENT_SECONDS,
    Guarded,
    arrived,
    guarded,
    logged,
    ours,
    province,
    until,
    waiting,
)
from tests.stores.test_intake_stores import in_mongo

__all__ = ["guarded", "ours"]


@asynccontextmanager
async def intake(guarded: Guarded, handler, answerer=None) -> AsyncIterator[None]:
    """Intake's entrance under intake's own key."""
    bus = Bus(guarded.url, "intake", seal=SEAL, seed=guarded.access.seed("svc-intake"))
    bus.admit("intake-feed", handler)
    if answerer is not None:
        bus.answer("intake", "fates", answerer)
    await bus.start()
    try:
        yield
    finally:
        await bus.stop()


class Memory:
    """Intake's receiver over stores in memory."""

    def __init__(self, whom) -> None:
        self.stores, self._whom = memory_stores(), whom
        self.submissions, self.arrivals = self.stores.submissions, self.stores.arrivals

    async def receiver(self):
        await self.stores.rules.keep(
            [published().model_copy(update={"directory": self._whom})], [rulebook_published()]
        )
        return receiver(receiving(self.stores))


ATTACKERS = [f"a{n:02}" for n in range(20)]
VICTIMS = [f"b{n:02}" for n in range(20)]

Say = Callable[[Client, str, str, str], Awaitable[None]]


async def payload(client: Client, subject: str, me: str, other: str) -> None:
    await client.publish(subject, spoof(me, other, data={**call(), "agency": other}))


async def source(client: Client, subject: str, me: str, other: str) -> None:
    await client.publish(subject, spoof(me, other, source=f"/agencies/{other}"))


async def header(client: Client, subject: str, me: str, other: str) -> None:
    names = ("agency", "ce-source", "Nats-User", "Nats-Request-Info")
    await client.publish(subject, spoof(me, other), headers=dict.fromkeys(names, other))


async def reply(client: Client, subject: str, me: str, other: str) -> None:
    await client.publish(subject, spoof(me, other), reply=f"feed.{other}.{CALL}")


DISGUISES: dict[str, Say] = {d.__name__: d for d in (payload, source, header, reply)}


def spoof(me: str, other: str, **more) -> bytes:
    data = more.pop("data", call())
    data["call"] = f"{me}-{other}-{'-'.join(more)}"
    return sent(CALL, data, item=f"{me}-{other}-{len(more)}-{len(data)}", agency=me, **more).body


class TestNoAgencySpeaksAsAnother:
    """20 agencies, 20 others, four disguises: 1,600 attempts each way."""

    async def attempt(self, guarded: Guarded, subject: Callable[[str, str], str]) -> None:
        whom = province(*ATTACKERS, *VICTIMS)
        await guarded.let_in(whom, *map(agency, (*ATTACKERS, *VICTIMS)))
        for me in ATTACKERS:
            async with guarded.connected(agency(me)) as client:
                for other in VICTIMS:
                    for disguise in DISGUISES.values():
                        await disguise(client, subject(me, other), me, other)
                await arrived(client)

    async def test_on_its_subject_the_server_takes_nothing(self, guarded, ours):
        await self.attempt(guarded, lambda _me, other: f"feed.{other}.{CALL}")

        assert await waiting(ours) == {}

    async def test_on_its_subject_every_attempt_is_a_security_event(self, guarded, ours):
        await self.attempt(guarded, lambda _me, other: f"feed.{other}.{CALL}")

        await until(lambda: len(guarded.refused()) >= 1600, SECURITY_EVENT_SECONDS)
        assert Counter(guarded.refused()) == {
            Violation(f"agency-{me}", "publish", f"feed.{other}.{CALL}"): len(DISGUISES)
            for me in ATTACKERS
            for other in VICTIMS
        }

    async def test_on_its_own_subject_no_disguise_makes_it_another(self, guarded, ours):
        await self.attempt(guarded, lambda me, _other: f"feed.{me}.{CALL}")

        assert await waiting(ours) == {f"feed.{me}.{CALL}": 80 for me in ATTACKERS}

    async def test_whatever_it_claims_is_counted_under_its_own_name(self, guarded, ours):
        memory = Memory(province(*ATTACKERS, *VICTIMS))
        await self.attempt(guarded, lambda me, _other: f"feed.{me}.{CALL}")
        async with intake(guarded, await memory.receiver()):
            await until(lambda: len(memory.arrivals.noted) == 1600)

        fates = list(memory.arrivals.noted.values())
        rules = Counter(p.rule for f in fates if f.refusal for p in f.refusal.problems)
        assert Counter(f.arrival.party for f in fates) == dict.fromkeys(ATTACKERS, 80)
        assert rules == {"extra_forbidden": 400, "foreign-source": 400}
        assert {k.event.data.agency for k in memory.submissions.kept} == set(ATTACKERS)

    async def test_a_trace_is_not_sent_to_it_either(self, guarded, ours):
        await guarded.let_in(province("a1", "b1"), agency("a1"))
        async with guarded.connected(agency("a1")) as client:
            trace = {"Nats-Trace-Dest": f"feed.b1.{CALL}"}
            await client.publish(f"feed.a1.{CALL}", logged("a1", "i1"), headers=trace)
            await arrived(client)
            await client.jetstream().publish(f"feed.a1.{CALL}", logged("a1", "i2"))

        assert set(await waiting(ours)) == {f"feed.a1.{CALL}"}

    @pytest.mark.parametrize(
        "target",
        [
            "submission.received.v1",
            "feed.b1.refused",
            "command.b1.case.accept.v1",
            f"feed.b1.{CALL}",
        ],
    )
    async def test_no_answer_of_a_service_is_turned_against_others(self, guarded, ours, target):
        memory = Memory(province("a1", "b1"))
        await guarded.let_in(province("a1", "b1"), agency("a1"))
        before = [(await ours.jetstream().stream_info(s)).state.messages for s in STREAMS]
        async with (
            intake(guarded, await memory.receiver(), fate_teller(memory.arrivals)),
            guarded.connected(agency("a1")) as client,
        ):
            asked = FatesAsked(sequences=(1,)).model_dump_json().encode()
            await client.publish("ask.a1.intake.fates", asked, reply=target)
            await client.request("ask.a1.intake.fates", asked, timeout=5)

        after = [(await ours.jetstream().stream_info(s)).state.messages for s in STREAMS]
        assert after == before


STREAMS = ("FEED", "COMMANDS", "EVENTS", "REFUSALS")


class TestIdsOfAnother:
    async def test_used_up_beforehand_they_cost_it_nothing(self, guarded, ours, mongo_database):
        """Ids and Nats-Msg-Ids of 1,000 events, each guessed right before it is sent."""
        whom = province("a1", "b1")
        await guarded.let_in(whom, agency("a1"), agency("b1"))
        stores = await in_mongo(mongo_database)
        arrivals = stores.arrivals
        await stores.rules.keep(
            [published().model_copy(update={"directory": whom})], [rulebook_published()]
        )
        handler = receiver(receiving(stores))

        async def say(client: Client, code: str, item: str) -> bool:
            ack = await client.jetstream().publish(
                f"feed.{code}.{CALL}", logged(code, item), headers={"Nats-Msg-Id": item}
            )
            return bool(ack.duplicate)

        taken_for_known = []
        async with (
            guarded.connected(agency("a1")) as thief,
            guarded.connected(agency("b1")) as owner,
            intake(guarded, handler),
        ):
            for start in range(0, 1000, 50):
                items = [f"item-{n}" for n in range(start, start + 50)]
                await asyncio.gather(*(say(thief, "a1", item) for item in items))
                taken_for_known += await asyncio.gather(*(say(owner, "b1", i) for i in items))
            async with asyncio.timeout(20):
                while await mongo_database["arrivals"].count_documents({}) < 2000:
                    await asyncio.sleep(0.02)

        kept = await mongo_database["submissions"].count_documents({"agency": "b1"})
        assert not any(taken_for_known)
        assert kept == 1000
        told = await arrivals.fates("b1", FatesAsked(items=("item-0", "item-999")))
        assert [t.fate for t in told] == [Fate.KEPT, Fate.KEPT]

    async def test_a_server_started_again_compares_none_either(self, guarded, ours):
        await declare(ours.jetstream())
        for stream in ("FEED", "COMMANDS"):
            info = await ours.jetstream().stream_info(stream)

            assert not info.config.duplicate_window

    async def test_streams_declared_before_are_mended(self, guarded, ours):
        window = replace(
            (await ours.jetstream().stream_info("FEED")).config, sources=None, duplicate_window=0.1
        )
        await ours.jetstream().update_stream(window)

        await declare(ours.jetstream())

        assert not (await ours.jetstream().stream_info("FEED")).config.duplicate_window


class TestWhatIsAllowed:
    async def test_reporting_sees_every_stream_by_what_it_may_ask(self, guarded, ours):
        async with guarded.connected(service("reporting")) as client:
            now = datetime(2026, 3, 2, tzinfo=UTC)
            figures = await Lookout(StreamFlight(lambda: client), lambda: now).look()

        assert figures["langnghe_stream_messages"]["FEED",] == 0
        assert guarded.refused() == []

    async def test_intake_sees_its_inbox_by_what_it_may_ask(self, guarded, ours):
        async with guarded.connected(service("intake")) as client:
            await Inbox(MemoryArrivals(), lambda: client).reconcile(
                datetime(2026, 3, 2, tzinfo=UTC)
            )

        told = REGISTRY.get_sample_value("langnghe_inbox_missing_messages", {"stream": "FEED"})
        assert (told, guarded.refused()) == (0, [])

    async def test_what_an_agency_may_say_is_confirmed_by_the_stream(self, guarded, ours):
        await guarded.let_in(province("own"), agency("own"))
        async with guarded.connected(agency("own")) as client:
            acks = [await client.jetstream().publish(f"feed.own.{t}", b"{}") for t in FEED]

        assert {ack.stream for ack in acks} == {"FEED"}

    async def test_what_a_body_may_say_is_confirmed_by_the_stream(self, guarded, ours):
        mine = body("mat-tran-tinh")
        await guarded.let_in(province("own"), mine)
        async with guarded.connected(mine) as client:
            ack = await client.jetstream().publish("command.mat-tran-tinh.case.accept.v1", b"{}")

        assert ack.stream == "COMMANDS"

    async def test_a_report_consumer_hears_public_reports_alone(self, guarded, ours):
        async with guarded.connected(public()) as consumer:
            heard = await consumer.subscribe("report.public.>")
            await arrived(consumer)
            async with guarded.connected(service("reporting")) as reporting:
                await reporting.publish("report.internal.u1.s-124.2026-h1", b"inside")
                await reporting.publish("report.public.s-124.u1.2026-h1", b"for all")
                await arrived(reporting)

            assert (await heard.next_msg(5)).data == b"for all"

    async def test_without_a_key_nobody_comes_in(self, guarded):
        with pytest.raises((nats.errors.Error, OSError)):
            await nats.connect(guarded.url, allow_reconnect=False, error_cb=ignore)


async def ignore(_error: Exception) -> None:
    pass


class TestAFlood:
    QUOTA = 50

    async def test_is_refused_to_its_sender_alone(self, guarded, ours):
        await guarded.let_in(province("a1", "b1"), agency("a1"), agency("b1"))
        config = (await ours.jetstream().stream_info("FEED")).config
        await ours.jetstream().update_stream(replace(config, max_msgs_per_subject=self.QUOTA))

        async def say(client: Client, code: str, number: int) -> int | str:
            try:
                body_ = logged(code, f"item-{number}")
                ack = await client.jetstream().publish(f"feed.{code}.{CALL}", body_)
            except APIError as error:
                return str(error.description)
            return ack.seq

        async with guarded.connected(agency("a1")) as flood, guarded.connected(agency("b1")) as b:
            said = await asyncio.gather(*(say(flood, "a1", n) for n in range(4 * self.QUOTA)))
            others = await asyncio.gather(*(say(b, "b1", n) for n in range(self.QUOTA)))

        taken = {answer for answer in said if isinstance(answer, int)}
        assert {a for a in said if isinstance(a, str)} == {"maximum messages per subject exceeded"}
        assert len(taken) == self.QUOTA
        assert all(isinstance(answer, int) for answer in others)
        assert await waiting(ours) == {f"feed.{c}.{CALL}": self.QUOTA for c in ("a1", "b1")}

        memory = Memory(province("a1", "b1"))
        async with intake(guarded, await memory.receiver()):
            await until(lambda: len(memory.arrivals.noted) == 2 * self.QUOTA)
        decided = {f.arrival.sequence for f in memory.arrivals.noted.values() if f.subject}
        assert taken <= decided

    async def test_of_made_up_types_is_no_way_round_the_quota(self, guarded, ours):
        await guarded.let_in(province("a1"), agency("a1"))
        async with guarded.connected(agency("a1")) as client:
            for n in range(50):
                await client.publish(f"feed.a1.hotline-call.logged.v{n + 2}", b"{}")
            await arrived(client)

        assert await waiting(ours) == {}


class TestTheDisk:
    CANARY = "Nguyễn Thị Mật nói rằng".encode()

    @pytest.mark.parametrize(("encrypted", "seen"), [(True, False), (False, True)])
    async def test_only_an_unguarded_server_stores_in_clear(
        self, tmp_path, loop_thread, encrypted, seen
    ):
        state = tmp_path / "state"
        access = LocalAccess(state) if encrypted else None
        async with LocalStack(state, parts=("nats",), access=access) as stack:
            seed = access.seed("operator") if access else None
            client = await nats.connect(stack.nats_url, **credentials(seed))
            await declare(client.jetstream())
            await client.jetstream().publish(f"feed.a1.{CALL}", self.CANARY)
            await client.close()

        files = [file for file in (state / "nats").rglob("*") if file.is_file()]
        forms = (self.CANARY, b64encode(self.CANARY), b"hotline-call.logged")
        assert any(form in file.read_bytes() for file in files for form in forms) is seen

    async def test_what_it_stored_is_there_again_after_a_restart(self, tmp_path):
        access = LocalAccess(tmp_path)
        for sequence in (1, 2):
            async with LocalStack(tmp_path, parts=("nats",), access=access) as stack:
                client = await nats.connect(stack.nats_url, **credentials(access.seed("operator")))
                await declare(client.jetstream())
                ack = await client.jetstream().publish(f"feed.a1.{CALL}", self.CANARY)
                await client.close()

                assert ack.seq == sequence
