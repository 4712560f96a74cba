"""What a body orders over HTTP: the same ledger, handler and refusals as on the bus."""

import asyncio

import httpx
import orjson
import pytest

from services.routing.http import Seats
from services.routing.http.orders import MOST_BYTES, MOST_ORDERS, PATIENCE_SECONDS
from shared.contracts import CaseAccept, CaseTransfer
from shared.contracts.case import case_id
from shared.runtime.http.body import Bodies
from tests.examples_routing import NOON, accept, conclude, event, matter, sent
from tests.fakes_routing_http import Face
from tests.unit.test_routing_questions import a_case

CASE = case_id("s1")
STRUCTURED = {"Content-Type": "application/cloudevents+json"}
BATCH = {"Content-Type": "application/cloudevents-batch+json"}
BINARY = {
    "Content-Type": "application/json",
    "ce-specversion": "1.0",
    "ce-id": "c-accept",
    "ce-source": "/bodies/ward-front",
    "ce-type": "case.accept.v1",
    "ce-subject": CASE,
    "ce-time": NOON.isoformat(),
}


@pytest.fixture
async def face(tmp_path):
    return await Face(tmp_path, [a_case(n, matter(), "ward-front") for n in ("s1", "s2")]).open()


@pytest.fixture
async def ward(face):
    async with face.client("ward-front") as client:
        yield client


async def post(client, content, headers=STRUCTURED) -> httpx.Response:
    if not isinstance(content, bytes):
        content = content.encode()
    return await client.post("/v1/orders", content=content, headers=headers)


def versioned(version: int, item: str = "c-accept"):
    return event(CaseAccept(version=version), item=item, subject=CASE)


def changed(order, **more) -> bytes:
    content = orjson.loads(order.encode()) | more
    return orjson.dumps({name: value for name, value in content.items() if value is not None})


class TestTaking:
    async def test_an_order_is_answered_when_it_is_kept(self, face, ward):
        answer = await post(ward, accept(CASE))

        assert answer.status_code == 200
        assert answer.json() == {
            "item": "c-accept",
            "fate": "kept",
            "sequence": 1,
            "status": "/v1/fates?sequence=1",
        }
        assert [said.type for said in face.said] == ["case.accepted.v1"]

    async def test_all_three_modes_are_one_order(self, face, ward):
        first = await post(ward, accept(CASE))
        second = await post(ward, b"{}", BINARY)
        third = await post(ward, b"[" + accept(CASE).encode() + b"]", BATCH)

        assert [first.json()["fate"], second.json()["fate"]] == ["kept", "duplicate"]
        assert [(e["code"], e["fate"]) for e in third.json()["orders"]] == [(200, "duplicate")]
        assert len(face.said) == 1

    async def test_sent_again_on_the_bus_it_acts_once(self, face, ward):
        await post(ward, accept(CASE))
        await face.take(sent(accept(CASE), sequence=77))

        assert len(face.said) == 1
        assert face.ledger.sendings[f"command:77:{sent(accept(CASE), 77).recorded.isoformat()}"]

    async def test_who_orders_is_the_token_and_no_field(self, face):
        forged = changed(accept(CASE), source="/bodies/ward-front")
        async with face.client("inspectorate") as client:
            answer = await post(client, forged)

        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/not-lead")
        assert face.stream[0].party == "inspectorate"

    async def test_what_is_not_decided_in_time_is_pending_and_never_kept(self, face, ward):
        face.waits = True

        answer = await post(ward, accept(CASE))

        assert (answer.status_code, answer.json()["fate"]) == (202, "pending")
        assert sum(face.paused) >= PATIENCE_SECONDS
        before = (await ward.get(answer.headers["location"])).json()
        await face.take(*face.stream)
        after = (await ward.get(answer.headers["location"])).json()
        assert before["fates"] == []
        assert [fate["fate"] for fate in after["fates"]] == ["kept"]

    async def test_a_ledger_that_is_away_leaves_it_pending(self, face, ward):
        face.away = True

        answer = await post(ward, accept(CASE))

        assert (answer.status_code, answer.json()["fate"]) == (202, "pending")

    async def test_a_fate_of_another_order_under_the_same_sequence_is_not_its(self, face, ward):
        """As after a stream was made anew, which counts from one again."""
        await face.take(sent(accept(CASE, item="long-ago"), sequence=1))
        face.waits = True

        answer = await post(ward, conclude(CASE))

        assert (answer.status_code, answer.json()["fate"]) == (202, "pending")

    async def test_a_stream_that_does_not_confirm_has_taken_nothing_for_sure(self, face, ward):
        face.lost = True

        answer = await post(ward, accept(CASE))

        assert (answer.status_code, face.said) == (503, [])
        assert int(answer.headers["retry-after"]) > 0
        assert "same id" in answer.json()["detail"]


class TestConflict:
    async def test_of_two_clerks_one_is_told_that_the_case_has_moved(self, ward):
        first = await post(ward, versioned(1, "clerk-1"))
        transfer = CaseTransfer(to="province-front", citation="Điều 12", version=1)
        second = await post(ward, event(transfer, item="clerk-2", subject=CASE))

        assert first.json()["fate"] == "kept"
        assert second.status_code == 409
        assert second.headers["content-type"] == "application/problem+json"
        [problem] = second.json()["problems"]
        assert (problem["field"], problem["rule"]) == ("/data/version", "version-conflict")
        assert problem["advice"]

    async def test_decided_anew_the_same_id_is_taken(self, ward):
        await post(ward, versioned(2))

        answer = await post(ward, versioned(1))

        assert answer.json()["fate"] == "kept"

    async def test_the_same_again_with_another_version_is_no_other_order(self, ward):
        await post(ward, versioned(1))

        answer = await post(ward, versioned(2))

        assert answer.json()["fate"] == "duplicate"

    @pytest.mark.parametrize(
        ("again", "problem"),
        [
            (accept(CASE, item="other"), "already-accepted"),
            (accept(case_id("s2")), "id-reused"),
        ],
    )
    async def test_what_somebody_did_before_is_a_conflict(self, ward, again, problem):
        await post(ward, accept(CASE))

        answer = await post(ward, again)

        assert (answer.status_code, answer.json()["type"]) == (409, f"/problems/{problem}")

    async def test_two_at_once_are_decided_one_after_the_other(self, ward):
        both = [post(ward, versioned(1, f"clerk-{n}")) for n in (1, 2)]

        answers = await asyncio.gather(*both)

        assert sorted(answer.status_code for answer in answers) == [200, 409]


class TestRefusing:
    @pytest.mark.parametrize(
        ("content", "code", "problem", "told"),
        [
            (b"{", 400, "unreadable", ("/", "json_invalid")),
            (b"[]", 400, "unreadable", ("/", "dict_type")),
            (changed(accept(CASE), type=None), 422, "unknown-type", ("/type", "unknown-type")),
            (
                changed(accept(CASE), type="case.*.v1"),
                422,
                "unknown-type",
                ("/type", "unknown-type"),
            ),
            (
                changed(accept(CASE), type="submission.erase.v1"),
                422,
                "unknown-type",
                ("/type", "unknown-type"),
            ),
            (
                changed(accept(CASE), type="case.close.v1"),
                422,
                "unknown-type",
                ("/type", "unknown-type"),
            ),
            (changed(accept(CASE), subject=None), 422, "broken-contract", ("/subject", "missing")),
            (
                changed(accept(CASE), data={"nota": 1}),
                422,
                "broken-contract",
                ("/data/nota", "extra_forbidden"),
            ),
            (accept("never-was"), 422, "unknown-case", ("/subject", "unknown-case")),
            (conclude(CASE), 422, "not-accepted", ("/subject", "not-accepted")),
        ],
    )
    async def test_each_names_field_rule_and_what_to_do(self, ward, content, code, problem, told):
        answer = await post(ward, content)

        assert (answer.status_code, answer.json()["type"]) == (code, f"/problems/{problem}")
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["cache-control"] == "no-store"
        [said] = answer.json()["problems"]
        assert (said["field"], said["rule"]) == told
        assert said["advice"]

    @pytest.mark.parametrize("type_", ["case.*.v1", "case.>", "submission.erase.v1", "", 7, "a b"])
    async def test_no_type_reaches_another_subject(self, face, ward, type_):
        await post(ward, changed(accept(CASE), type=type_))

        assert face.stream == []

    async def test_a_refused_order_is_refused_on_the_bus_as_well(self, face, ward):
        await post(ward, conclude(CASE))

        assert [said.type for said in face.said] == ["item.refused.v1"]

    async def test_a_batch_is_answered_one_by_one(self, ward):
        orders = [accept(CASE), conclude(CASE), accept("never-was", item="x")]
        content = orjson.dumps([*(orjson.loads(o.encode()) for o in orders), 7])

        answer = await post(ward, content, BATCH)

        assert answer.status_code == 207
        told = answer.json()["orders"]
        assert [entry["code"] for entry in told] == [200, 200, 422, 400]
        assert told[2]["problem"]["type"] == "/problems/unknown-case"

    @pytest.mark.parametrize("content_type", ["text/plain", "application/json", "text/html"])
    async def test_another_media_type_is_refused(self, ward, content_type):
        answer = await post(ward, accept(CASE), {"Content-Type": content_type})

        assert answer.status_code == 415

    async def test_no_refusal_quotes_what_was_sent(self, ward):
        secret = "Nguyễn Thị Bí Mật"
        for content in (
            changed(accept(CASE), data={secret: secret}),
            changed(accept(CASE), type=secret),
            changed(accept(CASE), subject=secret),
            secret.encode(),
        ):
            assert secret not in (await post(ward, content)).text


class TestBounds:
    @pytest.mark.parametrize(
        ("size", "headers"), [(MOST_BYTES + 1, STRUCTURED), (1024 * 1024 + 1, BATCH)]
    )
    async def test_too_large_a_body_is_refused(self, face, ward, size, headers):
        answer = await post(ward, b" " * size, headers)

        assert (answer.status_code, face.stream) == (413, [])

    async def test_too_large_an_order_in_a_batch_is_refused_alone(self, ward):
        large = orjson.loads(changed(accept("x"), note="x" * MOST_BYTES))
        content = orjson.dumps([large, orjson.loads(accept(CASE).encode())])

        answer = await post(ward, content, BATCH)

        assert [entry["code"] for entry in answer.json()["orders"]] == [413, 200]

    async def test_too_many_orders_are_refused(self, face, ward):
        order = orjson.loads(accept(CASE).encode())

        answer = await post(ward, orjson.dumps([order] * (MOST_ORDERS + 1)), BATCH)

        assert (answer.status_code, face.stream) == (413, [])

    async def test_a_body_that_comes_too_slowly_is_refused(self, tmp_path):
        face = await Face(tmp_path, [], bodies=Bodies(seconds=0.0)).open()

        async def slowly():
            yield b"{"
            await asyncio.Event().wait()

        async with face.client("ward-front") as client:
            answer = await client.post("/v1/orders", content=slowly(), headers=STRUCTURED)

        assert (answer.status_code, answer.json()["type"]) == (408, "/problems/too-slow")

    @pytest.mark.parametrize(("seats", "code"), [(Seats(0, 9), 429), (Seats(9, 0), 503)])
    async def test_one_too_many_at_once_is_told_to_come_later(self, tmp_path, seats, code):
        face = await Face(tmp_path, [a_case("s1", matter(), "ward-front")], seats=seats).open()
        async with face.client("ward-front") as client:
            answers = [await post(client, accept(CASE)), await client.get("/v1/worklist")]

        assert [answer.status_code for answer in answers] == [code, code]
        assert all(int(answer.headers["retry-after"]) > 0 for answer in answers)
        assert face.stream == []

    async def test_a_seat_is_free_again_however_a_request_ends(self, tmp_path):
        face = await Face(
            tmp_path, [a_case("s1", matter(), "ward-front")], seats=Seats(1, 1)
        ).open()
        async with face.client("ward-front") as client:
            for content in (b"{", conclude(CASE), accept(CASE)):
                answer = await post(client, content)

        assert answer.status_code == 200
