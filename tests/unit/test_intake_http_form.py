"""The citizen's form over HTTP: what becomes of it, within which bounds, and who is told what."""

import gc
import weakref
from base64 import b64decode, b64encode
from datetime import timedelta

import orjson
import pytest

from services.intake.sources.http import form, multipart
from services.intake.sources.http.pace import BURST
from shared.contracts.ingress import Fate
from tests.fakes_http import Entrance, exchange, piece

PATH = "/v1/agencies/a017/form"
TEXT = "Hồ sơ của tôi bị hẹn lại lần thứ ba."
KEY = "4f1c7d0e-drawn-at-random"


@pytest.fixture
async def entrance(tmp_path):
    return await Entrance(tmp_path).open()


@pytest.fixture
async def client(entrance):
    async with entrance.client() as client:
        yield client


def submitted(entrance):
    """The data of every form that was handed on."""
    return [orjson.loads(arrival.body)["data"] for arrival in entrance.handed]


def pointers(answer):
    return [(problem["field"], problem["rule"]) for problem in answer.json()["problems"]]


EVERY_FIELD = {
    "text": TEXT,
    "name": "Trần Thị B",
    "address": "12 phố Huế",
    "phone": "0900000017",
    "email": "b@example.vn",
    "concerns_unit": "an-thai",
    "concerns_office": "chu-tich-an-thai",
    "kind": "complaint",
    "category": "duty",
}
AS_CONTRACTED = {
    "text": TEXT,
    "reporter": {
        "name": "Trần Thị B",
        "address": "12 phố Huế",
        "phone": "0900000017",
        "email": "b@example.vn",
    },
    "concerns": {"unit": "an-thai", "office": "chu-tich-an-thai"},
    "kind": "complaint",
    "category": "duty",
}


class TestFields:
    async def test_json_becomes_a_submitted_form(self, client, entrance):
        answer = await client.post(PATH, json=EVERY_FIELD)

        assert answer.status_code == 202
        assert submitted(entrance) == [AS_CONTRACTED]

    async def test_multipart_becomes_the_same(self, client, entrance):
        answer = await client.post(PATH, files={n: (None, v) for n, v in EVERY_FIELD.items()})

        assert answer.status_code == 202
        assert submitted(entrance) == [AS_CONTRACTED]

    async def test_a_form_is_handed_on_as_the_agencys_of_the_address(self, client, entrance):
        await client.post(PATH, json={"text": TEXT})

        [arrival] = entrance.handed
        event = orjson.loads(arrival.body)
        assert (arrival.entrance, arrival.party) == ("form", "a017")
        assert arrival.type == event["type"] == "form.submitted.v1"
        assert event["time"] == arrival.recorded.isoformat()

    async def test_fields_left_empty_are_not_said(self, client, entrance):
        await client.post(PATH, json={"text": TEXT, "name": "", "kind": "", "phone": None})

        assert submitted(entrance) == [{"text": TEXT}]

    async def test_an_unknown_field_is_named(self, client):
        answer = await client.post(PATH, json={"text": TEXT, "telephone": "0900000017"})

        assert answer.status_code == 400
        assert pointers(answer) == [("/telephone", "extra_forbidden")]

    async def test_a_field_name_that_could_be_a_text_is_not_repeated(self, client):
        answer = await client.post(PATH, json={"text": TEXT, "Nguyễn Văn A": "x"})

        assert pointers(answer) == [("/?", "extra_forbidden")]

    async def test_a_refused_form_is_kept_with_all_that_was_said(self, client, entrance):
        await client.post(PATH, json={"text": TEXT, "telephone": "0900000017"})

        [noted] = entrance.arrivals.noted.values()
        assert noted.fate is Fate.REFUSED
        assert TEXT.encode() in noted.arrival.body

    @pytest.mark.parametrize(
        ("fields", "pointer"),
        [
            ({"text": TEXT, "kind": "rumour"}, "/kind"),
            ({"text": TEXT, "concerns_unit": "An Thái"}, "/concerns_unit"),
            ({"text": TEXT, "phone": "0" * 1001}, "/phone"),
            ({"name": "B"}, "/text"),
            ({"text": 5}, "/text"),
        ],
        ids=str,
    )
    async def test_a_broken_rule_names_the_forms_own_field(self, client, fields, pointer):
        answer = await client.post(PATH, json=fields)

        assert answer.status_code == 422
        assert pointers(answer)[0][0] == pointer

    async def test_a_repeated_field_is_refused_with_both_kept(self, client, entrance):
        two = [("text", (None, "Một")), ("text", (None, "Hai"))]

        answer = await client.post(PATH, files=two)

        assert pointers(answer) == [("/text", "repeated")]
        assert orjson.loads(entrance.handed[0].body)["text"] == "Một\nHai"

    async def test_bytes_that_are_no_utf8_are_refused(self, client):
        answer = await client.post(PATH, files={"text": (None, b"ph\xff")})

        assert pointers(answer) == [("/text", "utf-8")]

    async def test_an_unknown_agency_is_404_unread(self, client, entrance):
        answer = await client.post("/v1/agencies/nobody/form", json={"text": TEXT})

        assert answer.status_code == 404
        assert entrance.handed == []

    async def test_another_content_type_is_415(self, client):
        answer = await client.post(PATH, data={"text": TEXT})

        assert answer.status_code == 415

    @pytest.mark.parametrize("body", [b"{", b"[]", b"1", b""])
    async def test_what_is_no_form_is_400(self, client, body):
        answer = await client.post(PATH, content=body, headers={"Content-Type": "application/json"})

        assert answer.status_code == 400

    async def test_a_value_nested_too_deep_is_400(self, client):
        body = b'{"text": ' + b"[" * 500 + b"]" * 500 + b"}"

        answer = await client.post(PATH, content=body, headers={"Content-Type": "application/json"})

        assert answer.status_code == 400


class TestFiles:
    async def test_a_file_is_handed_on_byte_by_byte(self, client, entrance):
        content = bytes(range(256)) * 700 + b"\r\n--boundary\r\n\r\n--"

        await client.post(
            PATH,
            data={"text": TEXT},
            files={"attachments": ("../../etc/Ảnh chụp.jpg", content, "image/jpeg")},
        )

        [file] = submitted(entrance)[0]["attachments"]
        assert b64decode(file["content"]) == content
        assert (file["name"], file["content_type"]) == ("../../etc/Ảnh chụp.jpg", "image/jpeg")

    async def test_the_place_of_a_cut_changes_nothing(self, entrance):
        body = (
            b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\nM\xe1\xbb\x99t\r\n'
            b'--x\r\nContent-Disposition: form-data; name="attachments"; filename="a"\r\n'
            b"Content-Type: text/plain\r\n\r\n\r\n--y\r\n--x-\r\n--x--\r\n"
        )
        headers = [("Content-Type", "multipart/form-data; boundary=x")]
        for cut in range(1, len(body)):
            pieces = [piece(body[:cut], more=True), piece(body[cut:], more=False)]
            await exchange(entrance.app, *pieces, path=PATH, headers=headers)

        read = {orjson.dumps(data) for data in submitted(entrance)}
        assert len(read) == 1
        [file] = orjson.loads(read.pop())["attachments"]
        assert b64decode(file["content"]) == b"\r\n--y\r\n--x-"

    async def test_json_carries_files_as_the_contract_does(self, client, entrance):
        file = {"name": "a.txt", "content_type": "text/plain", "content": "YQ=="}

        await client.post(PATH, json={"text": TEXT, "attachments": [file]})

        assert submitted(entrance)[0]["attachments"] == [file]

    async def test_what_is_no_base64_is_refused(self, client):
        answer = await client.post(
            PATH, json={"text": TEXT, "attachments": [{"content": "YQ==*YQ=="}]}
        )

        assert pointers(answer) == [("/attachments/0/content", "base64")]

    async def test_an_empty_file_field_of_a_browser_is_no_file(self, client, entrance):
        body = (
            b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\nA\r\n'
            b'--x\r\nContent-Disposition: form-data; name="attachments"; filename=""\r\n'
            b"Content-Type: application/octet-stream\r\n\r\n\r\n--x--\r\n"
        )

        await client.post(
            PATH, content=body, headers={"Content-Type": "multipart/form-data; boundary=x"}
        )

        assert submitted(entrance) == [{"text": "A"}]

    async def test_a_file_in_another_field_is_refused(self, client):
        answer = await client.post(PATH, data={"text": TEXT}, files={"photo": ("a", b"a")})

        assert pointers(answer) == [("/photo", "file")]

    async def test_a_long_name_is_cut_to_what_the_contract_takes(self, client, entrance):
        answer = await client.post(
            PATH, data={"text": TEXT}, files={"attachments": ("a" * 300, b"a")}
        )

        assert answer.status_code == 202
        assert submitted(entrance)[0]["attachments"][0]["name"] == "a" * 255

    @pytest.mark.parametrize("json", [False, True], ids=["multipart", "json"])
    @pytest.mark.parametrize(
        "sizes", [[11], [5, 5, 5, 5, 6], [0] * 21], ids=["one", "together", "many"]
    )
    async def test_files_beyond_a_bound_are_413(self, client, entrance, monkeypatch, sizes, json):
        for module in (form, multipart):
            monkeypatch.setattr(module, "MOST_FILE_BYTES", 10)
            monkeypatch.setattr(module, "MOST_FILES_BYTES", 25)
        if json:
            files = [{"content": b64encode(b"x" * size).decode()} for size in sizes]
            answer = await client.post(PATH, json={"text": TEXT, "attachments": files})
        else:
            files = [("attachments", ("a", b"x" * size)) for size in sizes]
            answer = await client.post(PATH, data={"text": TEXT}, files=files)

        assert answer.status_code == 413
        assert entrance.handed == []

    async def test_files_at_every_bound_are_taken(self, client, entrance, monkeypatch):
        monkeypatch.setattr(multipart, "MOST_FILE_BYTES", 10)
        monkeypatch.setattr(multipart, "MOST_FILES_BYTES", 30)
        files = [("attachments", ("a", b"x" * size)) for size in [10, 10, *[0] * 17, 10]]

        answer = await client.post(PATH, data={"text": TEXT}, files=files)

        assert answer.status_code == 202
        assert len(submitted(entrance)[0]["attachments"]) == 20

    async def test_text_beyond_its_bound_is_413(self, client, monkeypatch):
        monkeypatch.setattr(multipart, "MOST_FIELDS_BYTES", 10)

        answer = await client.post(PATH, files={"text": (None, "12345678901")})

        assert answer.status_code == 413

    async def test_parts_beyond_their_bound_are_413(self, client):
        parts = [("x", (None, "")) for _ in range(multipart.MOST_PARTS + 1)]

        answer = await client.post(PATH, files=parts)

        assert answer.status_code == 413

    @pytest.mark.parametrize(
        "body",
        [
            b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\nhalf a tex',
            b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\nwhole\r\n',
            b"--x\r\nContent-Disposition: form-data\r\n\r\nA\r\n--x--\r\n",
            b"--x\r\n\r\nA\r\n--x--\r\n",
            b"--y\r\n",
            b"--x\r\nA: " + b"a" * 5000 + b"\r\n\r\nA\r\n--x--\r\n",
            b"",
        ],
    )
    async def test_what_is_no_whole_multipart_is_400_and_not_kept(self, client, entrance, body):
        answer = await client.post(
            PATH, content=body, headers={"Content-Type": "multipart/form-data; boundary=x"}
        )

        assert answer.status_code == 400
        assert entrance.handed == []

    @pytest.mark.parametrize("boundary", ["", "; boundary=", f"; boundary={'b' * 300}"])
    async def test_a_boundary_that_is_none_is_400(self, client, boundary):
        answer = await client.post(
            PATH, content=b"--x", headers={"Content-Type": f"multipart/form-data{boundary}"}
        )

        assert answer.status_code == 400

    async def test_a_body_cut_in_the_middle_is_not_kept(self, entrance):
        whole = b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\nA\r\n--x--\r\n'
        headers = [("Content-Type", "multipart/form-data; boundary=x")]

        status, _ = await exchange(
            entrance.app, piece(whole, more=True), path=PATH, headers=headers
        )

        assert status == 400
        assert entrance.handed == []

    def test_what_was_read_is_freed_at_once(self):
        """Or the files of one form would lie in memory while the next ones come."""
        reading = multipart.Multipart(b"x")
        reading.write(b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\nA\r\n--x--\r\n')
        read = weakref.ref(reading.finish())
        gc.disable()
        try:
            del reading
            assert read() is None
        finally:
            gc.enable()


class TestOnce:
    async def test_a_double_click_is_one_submission(self, client, entrance):
        first = await client.post(PATH, json={"text": TEXT}, headers={"Idempotency-Key": KEY})
        second = await client.post(PATH, json={"text": TEXT}, headers={"Idempotency-Key": KEY})

        assert second.json() == first.json() | {"fate": "duplicate"}
        assert len(entrance.submissions.kept) == 1

    async def test_the_key_may_be_a_field(self, client, entrance):
        await client.post(PATH, json={"text": TEXT, "idempotency-key": KEY})
        await client.post(PATH, files={"text": (None, TEXT), "idempotency-key": (None, KEY)})

        assert len(entrance.submissions.kept) == 1

    async def test_two_people_who_say_the_same_are_two(self, client, entrance):
        await client.post(PATH, json={"text": TEXT})
        await client.post(PATH, json={"text": TEXT})

        assert len(entrance.submissions.kept) == 2

    async def test_other_words_under_a_known_key_are_not_lost(self, client, entrance):
        await client.post(PATH, json={"text": TEXT, "idempotency-key": KEY})
        await client.post(PATH, json={"text": "Lời khác.", "idempotency-key": KEY})

        assert len(entrance.submissions.kept) == 2

    async def test_one_key_at_two_agencies_is_two(self, client, entrance):
        await client.post(PATH, json={"text": TEXT, "idempotency-key": KEY})
        await client.post("/v1/agencies/a018/form", json={"text": TEXT, "idempotency-key": KEY})

        assert len(entrance.submissions.kept) == 2

    @pytest.mark.parametrize("key", ["short", "x" * 15, "x" * 256, 5])
    async def test_a_key_that_others_could_draw_is_refused(self, client, key):
        answer = await client.post(PATH, json={"text": TEXT, "idempotency-key": key})

        assert pointers(answer) == [("/idempotency-key", "idempotency-key")]

    async def test_no_id_tells_what_was_said_to_who_guesses_it(self, tmp_path):
        """The same words at the same moment, under another secret, have another id."""
        ids = []
        for number, secret in enumerate((b"a" * 32, b"b" * 32)):
            folder = tmp_path / str(number)
            folder.mkdir()
            entrance = await Entrance(folder, key=secret).open()
            entrance.tick = timedelta(0)
            async with entrance.client() as client:
                await client.post(PATH, json={"text": TEXT})
            [arrival] = entrance.handed
            ids.append((orjson.loads(arrival.body)["id"], arrival.name))

        assert not set(ids[0]) & set(ids[1])


class TestReceipt:
    @pytest.fixture
    async def entrance(self, tmp_path):
        async def receipts(submission):
            return f"code of {submission}"

        return await Entrance(tmp_path, receipts=receipts).open()

    async def test_who_spoke_gets_a_code(self, client):
        said = (await client.post(PATH, json={"text": TEXT})).json()

        assert said["receipt"] == f"code of {said['submission']}"

    async def test_a_refused_form_gets_no_code(self, client):
        answer = await client.post(PATH, json={})

        assert answer.status_code == 422
        assert "receipt" not in answer.json()

    async def test_without_codes_the_receipt_is_null(self, tmp_path):
        entrance = await Entrance(tmp_path).open()
        async with entrance.client() as client:
            answer = await client.post(PATH, json={"text": TEXT})

        assert answer.json()["receipt"] is None

    async def test_while_nothing_can_be_kept_the_answer_is_later(self, client, entrance):
        entrance.away = True

        answer = await client.post(PATH, json={"text": TEXT})

        assert answer.status_code == 503
        assert answer.headers["retry-after"]


class TestEdge:
    async def test_who_sends_much_waits_and_is_kept(self, client, entrance):
        for number in range(BURST + 3):
            answer = await client.post(PATH, json={"text": f"{TEXT} {number}"})
            assert answer.status_code == 202

        assert len(entrance.slept) == 3
        assert len(entrance.submissions.kept) == BURST + 3

    @pytest.mark.parametrize("json", [False, True], ids=["multipart", "json"])
    async def test_nothing_of_the_connection_reaches_a_sending(
        self, client, entrance, capsys, json
    ):
        headers = {"X-Forwarded-For": "203.0.113.99", "User-Agent": "canary", "Cookie": "canary"}
        body = {"json": {"text": TEXT}} if json else {"files": {"text": (None, TEXT)}}

        await client.post(PATH, headers=headers, **body)

        seen = repr(entrance.handed) + "".join(capsys.readouterr())
        assert [c for c in ("203.0.113.99", "canary", "198.51.100.7") if c in seen] == []
