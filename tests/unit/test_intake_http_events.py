"""Agencies' events over HTTP: who may send, what is answered, and when."""

import json
from datetime import timedelta

import orjson
import pytest

from services.intake.handlers.ports import RulesMissing
from services.intake.sources.http import events
from shared.contracts.ingress import Fate
from shared.contracts.submission import submission_id
from shared.runtime.http.problem import RETRY_SECONDS
from tests.examples_intake import NOON, call, sent
from tests.fakes_http import FIRST, TOKENS, Entrance, exchange, piece

CALL = "hotline-call.logged.v1"
STRUCTURED = {"Content-Type": "application/cloudevents+json"}
BATCH = {"Content-Type": "application/cloudevents-batch+json"}
SECRET = "Nguyễn Văn Bí Mật 0912345678"


@pytest.fixture
async def entrance(tmp_path):
    return await Entrance(tmp_path).open()


@pytest.fixture
async def client(entrance):
    async with entrance.client(headers=FIRST) as client:
        yield client


def event(item="item-1", *, agency="a017", data=None, **envelope):
    said = data or call(call=item)
    return orjson.loads(sent(CALL, said, item=item, agency=agency, **envelope).body)


async def post(client, content, headers=STRUCTURED):
    return await client.post("/v1/events", content=orjson.dumps(content), headers=headers)


def is_problem(response, status):
    content = response.json()
    return (
        response.status_code == content["status"] == status
        and response.headers["content-type"] == "application/problem+json"
        and content["type"].startswith("/problems/")
        and bool(content["title"])
    )


class TestOneEvent:
    async def test_a_kept_event_is_answered_with_its_submission(self, client):
        answer = await post(client, event())

        submission = submission_id("a017", "item-1")
        assert answer.status_code == 202
        assert answer.headers["location"] == f"/v1/submissions/{submission}"
        assert answer.json() == {
            "submission": submission,
            "fate": "kept",
            "status": f"/v1/submissions/{submission}",
        }

    async def test_the_same_event_again_is_a_duplicate(self, client):
        first = await post(client, event())
        second = await post(client, event())

        assert second.status_code == 202
        assert second.json() == first.json() | {"fate": "duplicate"}

    async def test_binary_mode_is_the_same_event(self, client, entrance):
        said = event()
        headers = {f"ce-{name}": value for name, value in said.items() if name != "data"}
        headers |= {"Content-Type": "application/json; charset=utf-8"}

        answer = await client.post("/v1/events", json=said["data"], headers=headers)

        assert answer.json()["submission"] == submission_id("a017", "item-1")
        assert orjson.loads(entrance.handed[0].body)["data"] == said["data"]

    async def test_a_sending_is_handed_on_as_the_agencys(self, client, entrance):
        await post(client, event())

        [arrival] = entrance.handed
        assert (arrival.entrance, arrival.party, arrival.type) == ("http", "a017", CALL)
        assert arrival.sequence == 0
        assert arrival.recorded == NOON + timedelta(seconds=1)

    async def test_two_sendings_never_share_a_name(self, client, entrance):
        entrance.tick = timedelta(0)
        await client.post("/v1/events", content=orjson.dumps([event()] * 3), headers=BATCH)

        assert len({arrival.key for arrival in entrance.handed}) == 3

    async def test_the_same_words_at_another_moment_have_another_name(self, client, entrance):
        await post(client, event())
        await post(client, event())

        first, second = entrance.handed
        assert first.name != second.name

    async def test_a_name_is_the_same_whenever_it_is_made(self, client, entrance):
        entrance.tick = timedelta(0)
        await post(client, event())
        await post(client, event())

        first, second = entrance.handed
        assert first.key == second.key

    async def test_nothing_may_keep_an_answer(self, client):
        answer = await post(client, event())

        assert answer.headers["cache-control"] == "no-store"


class TestRefusals:
    async def test_a_broken_contract_names_the_field(self, client):
        answer = await post(client, event(data=call(caler=SECRET)))

        assert is_problem(answer, 422)
        assert answer.json()["problems"] == [
            {
                "field": "/data/caler",
                "rule": "extra_forbidden",
                "advice": "Take this field out, or correct its name: the contract does not know it.",
            }
        ]

    @pytest.mark.parametrize(
        "content",
        [
            event(source=SECRET),
            event(type=SECRET),
            event(data=call(note=[SECRET])),
            event(data=call(**{SECRET: SECRET})),
            [SECRET],
            {"data": {}, "data_base64": SECRET},
        ],
        ids=["source", "type", "value", "name", "list", "base64"],
    )
    async def test_no_answer_quotes_what_was_sent(self, client, content):
        answer = await post(client, content)

        assert "Nguyễn" not in json.dumps(answer.json(), ensure_ascii=False)
        assert "0912345678" not in answer.text

    @pytest.mark.parametrize("body", [b"{", b"[]", b"\xff\xfe", b"", b"null"])
    async def test_what_cannot_be_read_is_a_problem(self, client, body):
        answer = await client.post("/v1/events", content=body, headers=STRUCTURED)

        assert is_problem(answer, 400)

    async def test_what_cannot_be_read_is_kept_as_refused(self, client, entrance):
        await client.post("/v1/events", content=b"{half", headers=STRUCTURED)

        [noted] = entrance.arrivals.noted.values()
        assert (noted.fate, noted.arrival.body) == (Fate.REFUSED, b"{half")

    async def test_a_text_in_place_of_a_type_is_not_written_down(self, client, entrance):
        await post(client, event(type=SECRET))

        assert [arrival.type for arrival in entrance.handed] == [""]

    async def test_another_content_type_is_415(self, client, entrance):
        answer = await client.post("/v1/events", content=b"<a/>", headers={"Content-Type": "a/xml"})

        assert is_problem(answer, 415)
        assert entrance.handed == []

    async def test_a_compressed_body_is_415(self, client):
        answer = await post(client, event(), STRUCTURED | {"Content-Encoding": "gzip"})

        assert is_problem(answer, 415)

    async def test_a_declared_length_beyond_the_bound_is_413_unread(self, entrance):
        headers = {**FIRST, **STRUCTURED, "Content-Length": str(events.MOST_BYTES + 1)}

        status, _ = await exchange(entrance.app, headers=headers.items())

        assert status == 413

    async def test_a_body_that_grows_beyond_the_bound_is_413_at_once(self, entrance, monkeypatch):
        monkeypatch.setattr(events, "MOST_BYTES", 10)
        pieces = [piece(b"12345678", more=True), piece(b"9abcdefg", more=True)]

        status, _ = await exchange(
            entrance.app, *pieces, headers=[*FIRST.items(), *STRUCTURED.items()]
        )

        assert status == 413

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/v1/events", 405),
            ("PROPFIND", "/v1/events", 405),
            ("DELETE", "/v1/submissions/x", 405),
            ("POST", "/v1/event", 404),
            ("GET", "/v1/events/", 404),
            ("GET", "/v1/", 404),
        ],
    )
    async def test_an_unknown_path_or_method_is_a_problem(self, client, method, path, status):
        answer = await client.request(method, path)

        assert is_problem(answer, status)

    async def test_a_wrong_method_is_told_the_right_ones(self, client):
        answer = await client.get("/v1/events")

        assert answer.headers["allow"] == "OPTIONS, POST"


class TestWho:
    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Authorization": "Bearer"},
            {"Authorization": "Bearer wrong"},
            {"Authorization": f"Basic {TOKENS['a017']}"},
            {"Authorization": TOKENS["a017"]},
            {"Authorization": f"Bearer {TOKENS['a017']}x"},
            {"Authorization": "Bearer a017"},
        ],
        ids=str,
    )
    async def test_none_and_a_wrong_token_get_one_answer(self, entrance, headers):
        async with entrance.client() as client:
            answer = await post(client, event(), STRUCTURED | headers)

        assert is_problem(answer, 401)
        assert answer.json()["title"] == "The credential is missing or not the right one."
        assert answer.headers["www-authenticate"] == 'Bearer realm="langnghe"'
        assert entrance.handed == []

    async def test_a_token_in_the_address_is_no_credential(self, entrance):
        async with entrance.client() as client:
            answer = await client.post(
                f"/v1/events?access_token={TOKENS['a017']}", json=event(), headers=STRUCTURED
            )

        assert is_problem(answer, 401)

    @pytest.mark.parametrize("claimed", ["{}", "{}/", "{}#a017", "a017/../{}"])
    async def test_an_event_that_names_another_agency_is_refused(self, client, entrance, claimed):
        targets = ["a018", "a019", "A017", *(f"a{number}" for number in range(100, 117))]
        spoofs = [event(t, source="/agencies/" + claimed.format(t)) for t in targets]

        for spoof in spoofs:
            assert is_problem(await post(client, spoof), 403)
        assert entrance.submissions.kept == []

    async def test_no_attribute_or_header_makes_a_sender_another(self, entrance):
        spoofs = {"party": "a018", "subject": "feed.a018.x", "agencyid": "a018"}
        headers = {"X-Agency": "a018", "Reply-To": "feed.a018", "From": "a018"}
        async with entrance.client(headers=FIRST) as client:
            await post(client, event(**spoofs), STRUCTURED | headers)

        assert [kept.event.data.agency for kept in entrance.submissions.kept] == ["a017"]


class TestBatch:
    async def test_a_batch_that_is_kept_is_listed_in_order(self, client):
        answer = await post(client, [event("item-1"), event("item-2")], BATCH)

        assert answer.status_code == 202
        assert [entry["submission"] for entry in answer.json()["events"]] == [
            submission_id("a017", "item-1"),
            submission_id("a017", "item-2"),
        ]

    async def test_a_mixed_batch_tells_each_events_own_fate(self, client):
        batch = [event("item-1"), 5, event("item-3", time="yesterday"), event("item-1")]

        answer = await post(client, batch, BATCH)

        assert answer.status_code == 207
        assert [entry["code"] for entry in answer.json()["events"]] == [202, 400, 422, 202]
        assert answer.json()["events"][2]["problem"]["problems"][0]["field"] == "/time"

    async def test_an_empty_batch_is_nothing_to_keep(self, client):
        answer = await post(client, [], BATCH)

        assert (answer.status_code, answer.json()) == (202, {"events": []})

    async def test_a_batch_beyond_the_bound_is_413(self, client, entrance):
        answer = await post(client, [{}] * (events.MOST_EVENTS + 1), BATCH)

        assert is_problem(answer, 413)
        assert entrance.handed == []


class TestWhatReceivedMeans:
    async def test_while_nothing_can_be_kept_the_answer_is_later(self, client, entrance):
        entrance.away = True

        answer = await post(client, event())

        assert is_problem(answer, 503)
        assert answer.headers["retry-after"] == str(RETRY_SECONDS)

    async def test_before_there_are_rules_the_answer_is_later(self, entrance):
        async def no_rules(_arrivals):
            raise RulesMissing

        entrance.accept = no_rules
        async with entrance.client(headers=FIRST) as client:
            answer = await post(client, event())

        assert is_problem(answer, 503)

    async def test_an_error_is_a_problem_that_quotes_nothing(self, entrance, capsys):
        async def broken(_arrivals):
            raise ValueError(SECRET)

        entrance.accept = broken
        async with entrance.client(headers=FIRST) as client:
            answer = await post(client, event())

        assert is_problem(answer, 500)
        assert "Nguyễn" not in answer.text + "".join(capsys.readouterr())

    async def test_a_body_cut_in_the_middle_is_not_kept(self, entrance):
        half = piece(orjson.dumps(event())[:40], more=True)

        status, problem = await exchange(
            entrance.app, half, headers=[*FIRST.items(), *STRUCTURED.items()]
        )

        assert (status, problem["type"]) == (400, "/problems/cut-short")
        assert entrance.handed == []

    async def test_a_body_that_comes_byte_by_byte_is_kept_whole(self, entrance):
        body = orjson.dumps(event())
        pieces = [piece(body[n : n + 1], more=n + 1 < len(body)) for n in range(len(body))]

        status, _ = await exchange(
            entrance.app, *pieces, headers=[*FIRST.items(), *STRUCTURED.items()]
        )

        assert status == 202
        assert len(entrance.submissions.kept) == 1


HEADERS = {
    "X-Forwarded-For": "203.0.113.99",
    "Forwarded": "for=203.0.113.99",
    "X-Real-IP": "203.0.113.99",
    "User-Agent": "canary-agent",
    "Cookie": "canary-cookie",
    "Referer": "http://canary-page",
}
CANARIES = (b"203.0.113.99", b"canary", b"198.51.100.7", TOKENS["a017"].encode())


class TestEdge:
    @pytest.mark.parametrize("mode", ["binary", "structured", "batched"])
    async def test_nothing_of_the_connection_reaches_a_sending(self, client, entrance, mode):
        said = event()
        headers, content = {
            "structured": (STRUCTURED, said),
            "batched": (BATCH, [said]),
            "binary": (
                {f"ce-{name}": value for name, value in said.items() if name != "data"}
                | {"Content-Type": "application/json"},
                said["data"],
            ),
        }[mode]

        await post(client, content, HEADERS | headers)

        [arrival] = entrance.handed
        assert [c for c in CANARIES if c in repr(arrival).encode()] == []

    async def test_nothing_of_the_connection_is_logged(self, client, capsys):
        await post(client, event(), STRUCTURED | HEADERS)
        await client.post("/v1/events", content=b"{", headers=STRUCTURED | HEADERS)
        await client.get("/v1/nothing", headers=HEADERS)

        logged = "".join(capsys.readouterr()).encode()
        assert [c for c in CANARIES if c in logged] == []


class TestHandshake:
    """HTTP Web Hooks for Event Delivery 1.0.2, section 4."""

    async def test_a_sender_that_asks_is_allowed(self, entrance):
        async with entrance.client() as client:
            answer = await client.options(
                "/v1/events", headers={"WebHook-Request-Origin": "sender.example.com"}
            )

        assert answer.headers["webhook-allowed-origin"] == "*"
        assert answer.headers["webhook-allowed-rate"] == "*"
        assert "POST" in answer.headers["allow"]

    async def test_who_does_not_ask_is_allowed_nothing(self, entrance):
        async with entrance.client() as client:
            answer = await client.options("/v1/events")

        assert "webhook-allowed-origin" not in answer.headers


class TestFate:
    async def test_an_agency_sees_its_own(self, client):
        location = (await post(client, event())).headers["location"]

        answer = await client.get(location)

        assert answer.json() == {
            "submission": submission_id("a017", "item-1"),
            "item": "item-1",
            "fate": "kept",
        }

    async def test_anothers_and_none_get_one_answer(self, client):
        location = (await post(client, event())).headers["location"]
        other = {"Authorization": f"Bearer {TOKENS['a018']}"}

        anothers = await client.get(location, headers=other)
        none = await client.get(f"/v1/submissions/{submission_id('a018', 'x')}", headers=other)
        no_id = await client.get("/v1/submissions/x", headers=other)

        assert is_problem(anothers, 404)
        assert anothers.json() == none.json() == no_id.json()

    async def test_nobody_sees_one_without_a_token(self, entrance):
        async with entrance.client() as client:
            answer = await client.get(f"/v1/submissions/{submission_id('a017', 'item-1')}")

        assert is_problem(answer, 401)
