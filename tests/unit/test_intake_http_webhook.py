"""The signed webhook for calls (Standard Webhooks 1.0)."""

import hmac
from base64 import b64encode
from datetime import timedelta
from hashlib import sha256

import orjson
import pytest

from services.intake.sources.http import webhook
from tests.examples_intake import NOON, call
from tests.fakes_http import SECRETS, Entrance

PATH = "/v1/agencies/a017/calls"
AT = str(int(NOON.timestamp()))


@pytest.fixture
async def entrance(tmp_path):
    return await Entrance(tmp_path).open()


@pytest.fixture
async def client(entrance):
    async with entrance.client() as client:
        yield client


def signature(body, *, secret=SECRETS["a017"], delivery="msg_1", at=AT):
    signed = f"{delivery}.{at}.".encode() + body
    return "v1," + b64encode(hmac.new(secret, signed, sha256).digest()).decode()


def headers(body, *, delivery="msg_1", at=AT, **more):
    return {
        "Content-Type": "application/json",
        "webhook-id": delivery,
        "webhook-timestamp": at,
        "webhook-signature": signature(body, delivery=delivery, at=at),
    } | {name.replace("_", "-"): value for name, value in more.items()}


async def deliver(client, content, *, path=PATH, **more):
    body = orjson.dumps(content)
    return await client.post(path, content=body, headers=headers(body, **more))


class TestSignature:
    async def test_a_signed_call_is_kept(self, client, entrance):
        answer = await deliver(client, call())

        assert (answer.status_code, answer.json()["fate"]) == (202, "kept")
        assert [kept.event.data.agency for kept in entrance.submissions.kept] == ["a017"]

    async def test_the_published_example_of_the_standard_is_verified(self, client, entrance):
        """`docs` of standard-webhooks: the reference libraries' own test vector."""
        entrance.path.write_bytes(
            orjson.dumps({"a017": {"webhook_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}})
        )
        entrance.at = NOON.fromtimestamp(1614265330, NOON.tzinfo)
        vector = {
            "Content-Type": "application/json",
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        }

        answer = await client.post(PATH, content=b'{"test": 2432232314}', headers=vector)

        assert answer.status_code == 422

    async def test_one_right_signature_among_others_is_enough(self, client):
        body = orjson.dumps(call())
        several = f"v1,AAAA v2,{'x' * 40} {signature(body)}"

        answer = await client.post(
            PATH, content=body, headers=headers(body, webhook_signature=several)
        )

        assert answer.status_code == 202

    @pytest.mark.parametrize(
        "change",
        [
            {"webhook_signature": ""},
            {"webhook_signature": "v1,"},
            {"webhook_signature": signature(b"another body")},
            {"webhook_signature": signature(orjson.dumps(call()), secret=SECRETS["a018"])},
            {"webhook_signature": signature(orjson.dumps(call())).replace("v1,", "v1a,")},
            {
                "webhook_signature": " ".join(
                    ["v1,AAAA"] * webhook.MOST_SIGNATURES + [signature(orjson.dumps(call()))]
                )
            },
            {"webhook_id": "msg_2"},
            {"webhook_id": ""},
            {"webhook_id": "x" * (webhook.MOST_ID + 1)},
            {"webhook_timestamp": str(int(AT) + 1)},
            {"webhook_timestamp": "soon"},
            {"webhook_timestamp": "9" * 30},
            {"webhook_timestamp": ""},
        ],
        ids=str,
    )
    async def test_anything_else_is_401_and_not_kept(self, client, entrance, change):
        body = orjson.dumps(call())

        answer = await client.post(PATH, content=body, headers=headers(body, **change))

        assert answer.status_code == 401
        assert entrance.handed == []

    async def test_an_unknown_agency_and_a_wrong_signature_get_one_answer(self, client):
        unknown = await deliver(client, call(), path="/v1/agencies/nobody/calls")
        wrong = await deliver(client, call(), path="/v1/agencies/a018/calls")

        assert unknown.status_code == wrong.status_code == 401
        assert unknown.content == wrong.content

    @pytest.mark.parametrize("minutes", [-6, 6])
    async def test_a_delivery_of_another_time_is_401(self, client, minutes):
        at = str(int((NOON + timedelta(minutes=minutes)).timestamp()))

        answer = await deliver(client, call(), at=at)

        assert answer.status_code == 401

    async def test_a_delivery_within_five_minutes_is_taken(self, client):
        at = str(int((NOON - timedelta(minutes=4)).timestamp()))

        answer = await deliver(client, call(), at=at)

        assert answer.status_code == 202


class TestCall:
    async def test_a_delivery_that_comes_twice_is_one_call(self, client, entrance):
        await deliver(client, call(call="1"))
        again = await deliver(client, call(call="2"))

        assert again.json()["fate"] == "duplicate"
        assert len(entrance.submissions.kept) == 1

    async def test_the_deliverys_id_names_the_call_unreadably(self, client, entrance):
        await deliver(client, call(), delivery="0912345678")

        event = orjson.loads(entrance.handed[0].body)
        assert event["source"] == "/agencies/a017"
        assert "0912345678" not in event["id"]

    @pytest.mark.parametrize(
        ("more", "began"),
        [
            ({"time": "2026-05-11T08:00:00+07:00"}, "2026-05-11T08:00:00+07:00"),
            ({"ended": "2026-05-11T08:10:00+07:00"}, "2026-05-11T08:10:00+07:00"),
            ({}, NOON.isoformat()),
        ],
    )
    async def test_a_call_is_as_old_as_it_is_known_to_be(self, client, entrance, more, began):
        await deliver(client, call(**more))

        assert orjson.loads(entrance.handed[0].body)["time"] == began

    async def test_a_broken_contract_names_the_field(self, client):
        answer = await deliver(client, {"call": "1"})

        assert answer.status_code == 422
        assert answer.json()["problems"][0]["field"] == "/data/note"

    @pytest.mark.parametrize("body", [b"{", b"[1]", b"1", b""])
    async def test_what_cannot_be_read_is_400_and_kept_as_refused(self, client, entrance, body):
        answer = await client.post(PATH, content=body, headers=headers(body))

        assert answer.status_code == 400
        assert [arrival.body for arrival in entrance.handed] == [body]

    async def test_another_content_type_is_415(self, client):
        body = b"a=1"

        answer = await client.post(
            PATH, content=body, headers=headers(body, Content_Type="text/plain")
        )

        assert answer.status_code == 415

    async def test_while_nothing_can_be_kept_the_answer_is_later(self, client, entrance):
        entrance.away = True

        answer = await deliver(client, call())

        assert answer.status_code == 503
        assert answer.headers["retry-after"]


class TestRecords:
    @pytest.fixture
    def taken(self):
        return []

    @pytest.fixture
    async def client(self, tmp_path, taken):
        async def call_records(agency, form, records):
            taken.append((agency, form, records))
            return {"calls": len(records)}

        entrance = await Entrance(tmp_path, call_records=call_records).open()
        async with entrance.client() as client:
            yield client

    @pytest.mark.parametrize("form", webhook.FORMS)
    async def test_records_are_handed_on_as_the_agencys(self, client, taken, form):
        answer = await deliver(client, {"form": form, "records": [{"uniqueid": "1"}]})

        assert (answer.status_code, answer.json()) == (202, {"calls": 1})
        assert taken == [("a017", form, [{"uniqueid": "1"}])]

    @pytest.mark.parametrize(
        ("content", "field"),
        [
            ({"form": "xml", "records": []}, "/form"),
            ({"records": []}, "/form"),
            ({"form": "cel", "records": {}}, "/records"),
            ({"form": "cel", "records": [1]}, "/records"),
        ],
        ids=str,
    )
    async def test_broken_records_name_the_field(self, client, taken, content, field):
        answer = await deliver(client, content)

        assert answer.status_code == 400
        assert answer.json()["problems"][0]["field"] == field
        assert taken == []

    async def test_records_beyond_the_bound_are_413(self, client, taken, monkeypatch):
        monkeypatch.setattr(webhook, "MOST_RECORDS", 2)

        answer = await deliver(client, {"form": "cel", "records": [{}] * 3})

        assert answer.status_code == 413
        assert taken == []

    async def test_records_need_a_signature(self, client, taken):
        body = orjson.dumps({"form": "cel", "records": []})

        answer = await client.post(
            PATH, content=body, headers=headers(body, webhook_signature="v1,AAAA")
        )

        assert answer.status_code == 401
        assert taken == []

    async def test_an_instance_without_an_exchange_refuses_records(self, tmp_path):
        entrance = await Entrance(tmp_path).open()
        async with entrance.client() as client:
            answer = await deliver(client, {"form": "cel", "records": []})

        assert answer.status_code == 422
        assert {p["field"] for p in answer.json()["problems"]} >= {"/data/records"}
