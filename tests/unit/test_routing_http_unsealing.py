"""Over HTTP a person is who their token says: to ask, to agree, and to be shown."""

from hashlib import sha256

import orjson
import pytest

from services.routing.domain.opening import open_case
from shared.contracts.case import case_id
from shared.runtime.http.credentials import Credentials, CredentialsBroken
from tests.examples_routing import NOON, ZONE, submission_received
from tests.fakes_routing_http import Face, token
from tests.unit.test_routing_unsealing import RULES, SUPERIOR

CASE = case_id("s1")
KIND = {"Content-Type": "application/cloudevents+json"}
SECOND = "inspectorate"


def hashed(text: str) -> dict[str, str]:
    return {"token_sha256": sha256(text.encode()).hexdigest()}


@pytest.fixture
async def face(tmp_path):
    opened = open_case(submission_received(), RULES, ZONE, NOON)
    face = await Face(tmp_path, [opened], RULES).open()
    entries = orjson.loads(face.path.read_bytes())
    for body, persons in ((SUPERIOR, ("cb-2", "cb-3")), (SECOND, ("kt-1",))):
        entries[body]["persons"] = {person: hashed(token(person)) for person in persons}
    face.path.write_bytes(orjson.dumps(entries))
    return face


def as_person(person: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(person)}"}


async def order(face, verb: str, who: str, **data):
    event = {
        "specversion": "1.0",
        "id": f"{verb}-1",
        "source": "/bodies/x",
        "type": f"case.{verb}-unsealing.v1",
        "subject": CASE,
        "time": NOON.isoformat(),
        "data": data,
    }
    async with face.client() as client:
        headers = KIND | as_person(who)
        return await client.post("/v1/orders", headers=headers, content=orjson.dumps(event))


def asking(person: str = "cb-2") -> dict[str, str]:
    return {"ground": "superior-looks", "person": person, "citation": "Quyết định số 12/QĐ"}


async def agreed(face) -> None:
    assert (await order(face, "ask", "cb-2", **asking())).status_code == 200
    assert (await order(face, "confirm", "kt-1", number=1, person="kt-1")).status_code == 200


async def shown(face, who: str, number: int = 1):
    async with face.client() as client:
        place = f"/v1/cases/{CASE}/unsealings/{number}"
        return await client.post(place, headers=as_person(who))


class TestThePerson:
    async def test_two_people_and_the_case_is_shown_once(self, face):
        await agreed(face)

        first, again = await shown(face, "cb-2"), await shown(face, "cb-2")

        assert (first.status_code, again.status_code) == (200, 404)
        assert first.json()["row"]["case"] == CASE
        assert {look.person for look in face.looks.kept.values()} == {"cb-2"}

    @pytest.mark.parametrize("who", ["cb-3", SUPERIOR])
    async def test_nobody_asks_under_the_code_of_another(self, face, who):
        answer = await order(face, "ask", who, **asking())

        assert answer.status_code == 403
        assert answer.json()["type"].endswith("not-this-person")
        assert face.stream == []

    @pytest.mark.parametrize("who", ["cb-2", SECOND])
    async def test_nobody_agrees_under_the_code_of_another(self, face, who):
        await order(face, "ask", "cb-2", **asking())

        answer = await order(face, "confirm", who, number=1, person="kt-1")

        assert answer.status_code == 403
        assert len(face.stream) == 1

    @pytest.mark.parametrize(("who", "status"), [("cb-3", 404), ("kt-1", 404), (SUPERIOR, 403)])
    async def test_it_is_shown_to_nobody_else(self, face, who, status):
        await agreed(face)

        assert (await shown(face, who)).status_code == status
        assert (await shown(face, "cb-2")).status_code == 200

    async def test_no_client_that_only_looks_uses_it_up(self, face):
        await agreed(face)
        async with face.client() as client:
            for place in (f"/v1/cases/{CASE}/unsealings/1", f"/v1/cases/{CASE}?unsealing=1"):
                for verb in ("GET", "HEAD"):
                    answer = await client.request(verb, place, headers=as_person("cb-2"))
                    assert answer.status_code in {405, 422}

        assert (await shown(face, "cb-2")).status_code == 200

    async def test_a_person_reads_what_their_body_does_and_no_name_but_theirs(self, face):
        async with face.client() as client:
            own = await client.get("/v1/worklist", headers=as_person("cb-2"))
            other = await client.get("/v1/worklist?person=cb-3", headers=as_person("cb-2"))

        assert (own.status_code, other.status_code) == (200, 403)
        assert {look.person for look in face.looks.kept.values()} == {"cb-2"}

    async def test_what_waits_for_a_word_is_told(self, face):
        await order(face, "ask", "cb-2", **asking())
        async with face.client() as client:
            told = await client.get(f"/v1/cases/{CASE}/unsealings", headers=as_person("kt-1"))

        [row] = told.json()["unsealings"]
        assert (row["number"], row["standing"], row["person"]) == (1, "asked", "cb-2")

    async def test_a_token_that_was_taken_away_opens_nothing(self, face):
        entries = orjson.loads(face.path.read_bytes())
        del entries[SUPERIOR]["persons"]["cb-2"]
        face.path.write_bytes(orjson.dumps(entries, option=orjson.OPT_INDENT_2))

        assert (await order(face, "ask", "cb-2", **asking())).status_code == 401


class TestTheFile:
    def test_a_persons_token_is_not_their_partys(self, tmp_path):
        path = tmp_path / "bodies.json"
        path.write_bytes(orjson.dumps({"b1": {"persons": {"cb-1": hashed("t" * 30)}}}))

        found = Credentials(path)

        assert found.party_of("t" * 30) is None
        assert (found.caller_of("t" * 30).party, found.caller_of("t" * 30).person) == ("b1", "cb-1")
        assert found.caller_of("") is None

    def test_two_people_with_one_token_are_refused(self, tmp_path):
        path = tmp_path / "bodies.json"
        twice = {"b1": {"persons": {"cb-1": hashed("t" * 30), "cb-2": hashed("t" * 30)}}}
        path.write_bytes(orjson.dumps(twice))

        with pytest.raises(CredentialsBroken):
            Credentials(path)
