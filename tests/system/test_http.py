"""The HTTP entrance behind a real server on loopback: senders' own libraries, and bad lines."""

import asyncio
import logging
from contextlib import asynccontextmanager, suppress

import httpx
import orjson
import pytest
import uvicorn
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent

from services.intake.sources.http import events, form
from shared.contracts.submission import submission_id
from tests.examples_intake import NOON, call
from tests.fakes_http import FIRST, TOKENS, Entrance

CALL = "hotline-call.logged.v1"


@pytest.fixture
async def entrance(tmp_path):
    return await Entrance(tmp_path).open()


@asynccontextmanager
async def served(app):
    """A server of its own on a free port, as `langnghe serve` runs it."""
    config = uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = server.force_exit = True
        await running


@pytest.fixture
async def port(entrance):
    async with served(entrance.app) as port:
        yield port


@pytest.fixture
async def client(port):
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=FIRST) as client:
        yield client


def sdk_event(item="item-1", **more):
    attributes = {
        "id": item,
        "source": "/agencies/a017",
        "type": CALL,
        "time": NOON,
        "datacontenttype": "application/json",
        "subject": "Phường An Thái 100%",
    }
    return CloudEvent(attributes | more, call(call=item))


class TestOfficialSdk:
    async def test_an_event_sent_in_binary_mode_is_kept(self, client, entrance):
        message = to_binary_event(sdk_event())

        answer = await client.post("/v1/events", headers=message.headers, content=message.body)

        assert (answer.status_code, answer.json()["fate"]) == (202, "kept")
        assert orjson.loads(entrance.handed[0].body)["subject"] == "Phường An Thái 100%"

    async def test_an_event_sent_in_structured_mode_is_kept(self, client):
        message = to_structured_event(sdk_event())

        answer = await client.post("/v1/events", headers=message.headers, content=message.body)

        assert answer.json()["submission"] == submission_id("a017", "item-1")

    async def test_events_sent_as_a_batch_are_kept(self, client, entrance):
        batch = [orjson.loads(to_structured_event(sdk_event(f"item-{n}")).body) for n in range(50)]

        answer = await client.post(
            "/v1/events",
            content=orjson.dumps(batch),
            headers={"Content-Type": "application/cloudevents-batch+json"},
        )

        assert answer.status_code == 202
        assert len(entrance.submissions.kept) == 50

    async def test_both_modes_are_one_event(self, client):
        first, second = to_binary_event(sdk_event()), to_structured_event(sdk_event())
        await client.post("/v1/events", headers=first.headers, content=first.body)

        answer = await client.post("/v1/events", headers=second.headers, content=second.body)

        assert answer.json()["fate"] == "duplicate"

    async def test_bytes_of_json_are_what_they_say(self, client):
        event = CloudEvent(
            {"id": "item-1", "source": "/x", "type": CALL, "time": NOON}, orjson.dumps(call())
        )
        message = to_structured_event(event)

        answer = await client.post("/v1/events", headers=message.headers, content=message.body)

        assert answer.status_code == 202


class TestAgencies:
    async def test_a_token_does_not_reach_anothers_name(self, client, entrance):
        """T-01 through a whole server; the many ways are tried beside the reader."""
        for send in (to_binary_event, to_structured_event):
            message = send(sdk_event(source="/agencies/a018"))
            answer = await client.post("/v1/events", headers=message.headers, content=message.body)
            assert answer.status_code == 403

        assert entrance.submissions.kept == []


async def connected(port):
    return await asyncio.open_connection("127.0.0.1", port)


def head(length, *more):
    lines = [
        "POST /v1/events HTTP/1.1",
        "Host: entrance",
        f"Authorization: Bearer {TOKENS['a017']}",
        "Content-Type: application/cloudevents+json",
        f"Content-Length: {length}",
        *more,
    ]
    return "\r\n".join((*lines, "", "")).encode()


BODY = to_structured_event(sdk_event()).body


class TestBadLines:
    @pytest.mark.parametrize("how", ["closed", "half-closed", "reset"])
    async def test_a_body_cut_in_the_middle_is_not_kept(self, port, client, entrance, how):
        reader, writer = await connected(port)
        writer.write(head(len(BODY)) + BODY[:-1])
        await writer.drain()
        if how == "half-closed":
            writer.write_eof()
        elif how == "closed":
            writer.close()
        else:
            writer.transport.abort()

        with suppress(ConnectionError):
            assert b"202" not in await asyncio.wait_for(reader.read(), 5)
        await client.get("/v1/nothing")  # the server has seen the end of the line before this
        assert entrance.handed == []

    async def test_a_chunked_body_cut_in_the_middle_is_not_kept(self, port, entrance):
        reader, writer = await connected(port)
        request = head(0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
        writer.write(request + b"%x\r\n%s\r\n" % (len(BODY), BODY))
        writer.write_eof()

        answer = await asyncio.wait_for(reader.read(), 5)

        assert b"202" not in answer
        assert entrance.handed == []

    async def test_a_slow_sender_is_answered_when_all_is_there(self, port, entrance):
        reader, writer = await connected(port)
        writer.write(head(len(BODY), "Connection: close"))
        for place in range(0, len(BODY), 64):
            assert entrance.handed == []
            writer.write(BODY[place : place + 64])
            await writer.drain()
            await asyncio.sleep(0)

        answer = await asyncio.wait_for(reader.read(), 5)

        assert answer.startswith(b"HTTP/1.1 202")
        assert len(entrance.submissions.kept) == 1

    async def test_too_long_a_body_is_refused_before_it_is_sent(self, port):
        reader, writer = await connected(port)
        writer.write(head(events.MOST_BYTES + 1, "Expect: 100-continue"))

        answer = await asyncio.wait_for(reader.readline(), 5)

        assert answer.startswith(b"HTTP/1.1 413")
        writer.close()

    async def test_a_chunked_body_beyond_the_bound_is_refused_while_it_comes(
        self, port, monkeypatch
    ):
        monkeypatch.setattr(events, "MOST_BYTES", 1000)
        reader, writer = await connected(port)
        request = head(0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
        writer.write(request + b"3e9\r\n" + b"x" * 1001 + b"\r\n")

        answer = await asyncio.wait_for(reader.readline(), 5)

        assert answer.startswith(b"HTTP/1.1 413")
        writer.close()

    @pytest.mark.parametrize("path", ["/v1/events", "/v1/nothing", "/v1/agencies/a017/calls"])
    async def test_a_sender_that_writes_all_before_it_reads_sees_its_refusal(self, client, path):
        answer = await client.post(path, content=b"x" * 5_000_000)

        assert answer.status_code >= 400
        assert answer.headers["content-type"] == "application/problem+json"

    async def test_what_could_not_be_kept_is_kept_when_it_comes_again(self, client, entrance):
        """F-06: refused visibly, recovers without a restart."""
        message = to_structured_event(sdk_event())
        sending = {"headers": message.headers, "content": message.body}
        entrance.away = True
        first = await client.post("/v1/events", **sending)
        entrance.away = False

        second = await client.post("/v1/events", **sending)

        assert (first.status_code, second.status_code) == (503, 202)
        assert int(first.headers["retry-after"]) > 0
        assert second.json()["fate"] == "kept"


class TestForm:
    async def test_a_form_with_large_files_is_kept(self, client, entrance):
        files = [("attachments", (f"{n}.bin", bytes(form.MEGABYTE * 8))) for n in range(3)]

        answer = await client.post(
            "/v1/agencies/a017/form", data={"text": "Xin xem tệp đính kèm."}, files=files
        )

        assert answer.status_code == 202
        assert len(orjson.loads(entrance.handed[0].body)["data"]["attachments"]) == 3


class Heard(logging.Handler):
    """Hears what reaches the root logger, as a service's own handler does."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.text = ""

    def emit(self, record):
        if not record.name.startswith(("httpx", "httpcore")):  # the sender's own
            self.text += f"{record.name} {record.getMessage()}\n"


@pytest.fixture
def heard():
    handler, root = Heard(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.setLevel(level)
    root.removeHandler(handler)


class TestPrivacy:
    """T-20, T-21."""

    CANARIES = ("203.0.113.99", "canary", TOKENS["a017"], "0900000017")

    @pytest.mark.parametrize("path", ["/v1/events", "/v1/agencies/a017/form", "/v1/canary"])
    async def test_no_log_line_tells_who_sent(self, client, heard, capsys, path):
        message = to_structured_event(sdk_event())
        headers = {"X-Forwarded-For": "203.0.113.99", "User-Agent": "canary"}

        await client.post(path, headers={**message.headers, **headers}, content=message.body)
        await client.post(path, headers=headers, files={"text": (None, "canary")})
        await client.get(f"{path}?canary", headers=headers)

        logged = heard.text + "".join(capsys.readouterr())
        assert [canary for canary in self.CANARIES if canary in logged] == []
