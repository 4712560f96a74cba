"""Routing's whole service behind a real server, on a real NATS and a real MongoDB."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from importlib import import_module

import httpx
import nats
import orjson
import pytest
import uvicorn

from deploy.keys import ensure_keys
from services.routing.app import Settings, create_app
from services.routing.http import orders
from shared.contracts import (
    CalendarPublished,
    CaseAccept,
    CaseAssigned,
    DirectoryPublished,
    RulebookPublished,
)
from shared.contracts.case import case_id
from shared.runtime.publish import Publisher, Unconfirmed
from tests.examples_routing import (
    calendar,
    directory,
    event,
    published,
    rulebook,
    submission_received,
)
from tests.fakes_routing_http import as_body, token

BODIES = ("ward-front", "province-front", "inspectorate")
STRUCTURED = {"Content-Type": "application/cloudevents+json"}
ACCEPTED = "case.accepted.v1"
WITHIN_SECONDS = 20


def order(name="s1", item="c-accept", **more) -> bytes:
    data = CaseAccept(**more)
    return event(data, item=item, subject=case_id(name), time=datetime.now(UTC)).encode()


async def until(found, seconds=WITHIN_SECONDS):
    """What `found` answers, once that is something."""
    async with asyncio.timeout(seconds):
        while not (answer := await found()):
            await asyncio.sleep(0.02)
        return answer


class World:
    """The servers, and as many processes of routing as a test starts, one after the other."""

    def __init__(self, jetstream, nats_server, mongo_url, prefix, keys):
        self.jetstream, self.nats_server = jetstream, nats_server
        self.settings = Settings(
            nats_url=nats_server.url, mongo_url=mongo_url, mongo_prefix=prefix, keys=keys
        )

    @asynccontextmanager
    async def routing(self):
        """A process's port, from when it is ready to when it is stopped."""
        app = create_app(self.settings)
        config = uvicorn.Config(
            app, port=0, log_config=None, access_log=False, timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            async with self.client(port) as client:

                async def ready():
                    return (await client.get("/readyz")).status_code == 200

                await until(ready)
            yield port
        finally:
            server.should_exit = True  # in good order: nothing of it runs on
            await running

    def client(self, port, body=None):
        headers = as_body(body) if body else {}
        return httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=WITHIN_SECONDS
        )

    async def say(self, said):
        await self.jetstream.publish(said.type, said.encode(), stream="EVENTS")

    async def opened(self, *names):
        """Cases of these submissions, once they are assigned."""
        rules = (
            DirectoryPublished(version=1, directory=directory()),
            RulebookPublished(version=1, rulebook=rulebook()),
            CalendarPublished(version=1, calendar=calendar()),
        )
        for each in rules:
            await self.say(published(each))
        for name in names:
            await self.say(submission_received(name, datetime.now(UTC)))

        async def all_assigned():
            return len(await self.said(CaseAssigned.TYPE)) >= len(names)

        await until(all_assigned)

    async def said(self, *types):
        """What lies in the log of these types, in order."""
        info = await self.jetstream.stream_info("EVENTS")
        messages = [
            await self.jetstream.get_msg("EVENTS", sequence)
            for sequence in range(1, info.state.last_seq + 1)
        ]
        return [orjson.loads(m.data) for m in messages if m.subject in types]

    async def all_taken(self):
        async def nothing_left():
            info = await self.jetstream.consumer_info("COMMANDS", "routing-commands")
            return not (info.num_pending or info.num_ack_pending)

        await until(nothing_left)

    async def handed_in(self):
        return (await self.jetstream.stream_info("COMMANDS")).state.last_seq


@pytest.fixture(autouse=True)
def _in_our_process(monkeypatch):
    """A service sets up logging once and for all, and ends its process when it is stopped."""
    monkeypatch.setattr("services.routing.app.configure_logging", lambda _name: None)
    monkeypatch.setattr("services.routing.app.end_process", lambda: None)


@pytest.fixture
async def world(jetstream, nats_server, servers, mongo_database, tmp_path):
    keys = ensure_keys(tmp_path / "state")
    entries = {b: {"token_sha256": sha256(token(b).encode()).hexdigest()} for b in BODIES}
    (keys / "bodies.json").write_bytes(orjson.dumps(entries))
    made = World(jetstream, nats_server, servers.mongo_url, mongo_database.name, keys)
    yield made
    await mongo_database.client.drop_database(f"{mongo_database.name}_routing")


async def post(client, content, **headers):
    return await client.post("/v1/orders", content=content, headers=STRUCTURED | headers)


class TestOneLedger:
    async def test_an_order_over_http_and_again_on_the_bus_acts_once(self, world):
        async with world.routing() as port, world.client(port, "ward-front") as client:
            await world.opened("s1")

            first = await post(client, order())
            await world.jetstream.publish("command.ward-front.case.accept.v1", order())
            await world.all_taken()
            again = await post(client, order())
            fates = (await client.get("/v1/fates?item=c-accept")).json()["fates"]

            assert (first.status_code, first.json()["fate"]) == (200, "kept")
            assert again.json()["fate"] == "duplicate"
            assert [fate["fate"] for fate in fates] == ["kept", "duplicate", "duplicate"]
            assert len(await world.said(ACCEPTED)) == 1

    async def test_of_two_clerks_at_once_one_gets_a_conflict(self, world):
        async with world.routing() as port, world.client(port, "ward-front") as client:
            await world.opened("s1")
            [row] = (await client.get("/v1/worklist")).json()["rows"]

            answers = await asyncio.gather(
                *(post(client, order(item=f"clerk-{n}", version=row["version"])) for n in (1, 2))
            )
            await world.all_taken()

            assert sorted(answer.status_code for answer in answers) == [200, 409]
            assert len(await world.said(ACCEPTED)) == 1

    async def test_whichever_replica_decides_each_sender_is_told(self, world):
        names = [f"s{n}" for n in range(12)]
        async with (
            world.routing() as port,
            world.routing() as other,
            world.client(port, "ward-front") as one,
            world.client(other, "ward-front") as two,
        ):
            await world.opened(*names)

            answers = await asyncio.gather(
                *(post(c, order(name, name)) for c in (one, two) for name in names)
            )
            await world.all_taken()

            fates = [answer.json()["fate"] for answer in answers]
            assert sorted(fates) == ["duplicate"] * 12 + ["kept"] * 12
            assert len(await world.said(ACCEPTED)) == 12


class TestReading:
    async def test_a_body_reads_its_cases_and_nobody_else_does(self, world):
        async with world.routing() as port:
            await world.opened("s1", "s2")
            async with world.client(port, "ward-front") as ward:
                first = await ward.get("/v1/worklist?limit=1")
                second = await ward.get(first.links["next"]["url"])
                told = await ward.get(f"/v1/cases/{case_id('s1')}")
                load = (await ward.get("/v1/load")).json()
            async with world.client(port, "inspectorate") as other:
                theirs = await other.get(f"/v1/cases/{case_id('s1')}")
                nothing = await other.get("/v1/cases/never-was")
                rows = (await other.get("/v1/worklist?which=all")).json()["rows"]

        listed = {row["case"] for page in (first, second) for row in page.json()["rows"]}
        assert listed == {case_id("s1"), case_id("s2")}
        assert "next" not in second.links
        assert load["bodies"] == [{"body": "ward-front", "open": 2}]
        assert told.json()["row"]["lead"] == "ward-front"
        assert (theirs.status_code, theirs.content, rows) == (404, nothing.content, [])

    async def test_a_body_that_leaves_the_directory_is_shut_out(self, world):
        async with world.routing() as port, world.client(port, "inspectorate") as client:
            await world.opened("s1")
            before = await client.get("/v1/worklist")
            left = directory(
                bodies=tuple(b for b in directory().bodies if b.code != "inspectorate")
            )
            await world.say(published(DirectoryPublished(version=2, directory=left)))

            async def shut_out():
                return (await client.get("/v1/worklist")).status_code == 403

            await until(shut_out)
            ordered = await post(client, order())

            assert before.status_code == 200
            assert ordered.status_code == 403
            assert await world.handed_in() == 0


@pytest.fixture
def unannounced(monkeypatch):
    """A bus that publishes nothing of an acceptance until its event is set."""
    mended, publish = asyncio.Event(), Publisher.publish

    async def stopped(self, events):
        if not mended.is_set() and any(said.type == ACCEPTED for said in events):
            raise Unconfirmed("died in between")
        await publish(self, events)

    monkeypatch.setattr(Publisher, "publish", stopped)
    return mended


class TestACrash:
    """Between the write that keeps an order and the publishing of what follows from it."""

    async def test_what_was_kept_is_announced_by_who_runs_next(self, world, unannounced):
        async with world.routing() as port, world.client(port, "ward-front") as client:
            await world.opened("s1")
            answer = await post(client, order())
        before = await world.said(ACCEPTED)
        unannounced.set()

        async with world.routing():
            await world.all_taken()
            after = await world.said(ACCEPTED)

        assert (answer.status_code, answer.json()["fate"]) == (200, "kept")
        assert before == []
        assert [said["subject"] for said in after] == [case_id("s1")]

    async def test_the_next_sending_acts_no_second_time(self, world, unannounced):
        async with world.routing() as port, world.client(port, "ward-front") as client:
            await world.opened("s1")
            await post(client, order())
        unannounced.set()

        async with world.routing() as port, world.client(port, "ward-front") as client:
            again = await post(client, order())
            await world.all_taken()

            assert again.json()["fate"] == "duplicate"
            assert len(await world.said(ACCEPTED)) == 1

    async def test_without_nats_nothing_is_answered_as_taken(self, world):
        async with world.routing() as port, world.client(port, "ward-front") as client:
            await world.opened("s1")
            await asyncio.to_thread(world.nats_server.kill)
            away = await post(client, order())
            await asyncio.to_thread(world.nats_server.start)

            async def taken():
                answer = await post(client, order())
                return answer if answer.status_code == 200 else None

            answer = await until(taken)
            after = await nats.connect(world.nats_server.url)
            world.jetstream = after.jetstream()
            await world.all_taken()

            assert (away.status_code, away.json()["type"]) == (503, "/problems/later")
            assert answer.json()["fate"] in {"kept", "duplicate"}
            assert len(await world.said(ACCEPTED)) == 1
            await after.close()


def head(length, *more):
    lines = [
        "POST /v1/orders HTTP/1.1",
        "Host: routing",
        f"Authorization: Bearer {token('ward-front')}",
        "Content-Type: application/cloudevents+json",
        f"Content-Length: {length}",
        *more,
    ]
    return "\r\n".join((*lines, "", "")).encode()


class TestBadLines:
    async def test_a_body_cut_in_the_middle_orders_nothing(self, world):
        async with world.routing() as port, world.client(port, "ward-front") as client:
            await world.opened("s1")
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(head(len(order())) + order()[:-1])
            writer.write_eof()

            answer = await asyncio.wait_for(reader.read(), WITHIN_SECONDS)
            await client.get("/v1/nothing")

            assert b" 200 " not in answer
            assert await world.handed_in() == 0

    async def test_too_long_a_body_is_refused_before_it_is_sent(self, world):
        async with world.routing() as port:
            await world.opened("s1")
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(head(orders.MOST_BYTES + 1, "Expect: 100-continue"))

            answer = await asyncio.wait_for(reader.readline(), WITHIN_SECONDS)

            assert answer.startswith(b"HTTP/1.1 413")
            writer.close()

    async def test_who_sends_slowly_is_cut_off(self, world, monkeypatch):
        monkeypatch.setattr(import_module("services.routing.http.routes"), "BODY_SECONDS", 0.2)
        async with world.routing() as port:
            await world.opened("s1")
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(head(len(order())) + order()[:-1])

            answer = await asyncio.wait_for(reader.read(), WITHIN_SECONDS)

            assert answer.startswith(b"HTTP/1.1 408")
            assert await world.handed_in() == 0
            writer.close()
