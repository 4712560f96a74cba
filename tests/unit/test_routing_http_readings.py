"""What a body reads over HTTP: the one rule of access, pages, and who may ask at all."""

import json
import logging
import random
from collections import Counter

import pytest

from services.routing import questions
from services.routing.domain.competence import assign
from services.routing.domain.directory import DirectoryIndex
from services.routing.domain.lifecycle import Stage
from shared.contracts.case import case_id
from tests.examples_routing import BODIES, TODAY, accept, index, matter, rules_in_force
from tests.fakes_routing_http import Face, token
from tests.unit.test_routing_properties import RULES, a_matter, concerned_bodies, province
from tests.unit.test_routing_questions import a_case, changed

PROVINCES, PAIRS, CASES = 50, 40, 8
CASE = case_id("s1")
SEVEN = [
    a_case(f"s{n}", matter(), "ward-front", ("province-front",) if n % 3 == 0 else ())
    for n in range(7)
]
PATHS = ("/v1/worklist", f"/v1/cases/{CASE}", "/v1/load", "/v1/fates")


@pytest.fixture
async def face(tmp_path):
    return await Face(tmp_path, SEVEN).open()


@pytest.fixture
async def ward(face):
    async with face.client("ward-front") as client:
        yield client


class Attempts:
    """What 2,000 random pairs of a body and a case came to, against the rows of the directory."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.tried = self.allowed = 0
        self.outside, self.kept_back = Counter(), Counter()

    async def make(self) -> "Attempts":
        for seed in range(PROVINCES):
            await self._province(random.Random(seed))
        return self

    async def _province(self, chance: random.Random) -> None:
        before = province(chance)
        now = changed(chance, before)
        opened = []
        for number in range(CASES):
            about = a_matter(chance, before)
            found = assign(about, DirectoryIndex(before), RULES, TODAY)
            stage = chance.choice([*Stage])
            opened.append(a_case(f"s{number}", about, found.lead, found.cooperating, stage=stage))
        rules = rules_in_force(directory=DirectoryIndex(now), rulebook=RULES)
        bodies = sorted({b.code for b in now.bodies} | {now.outside_desk})
        face = await Face(self.folder, opened, rules, codes=bodies).open()
        for _ in range(PAIRS):
            await self._pair(face, chance.choice(bodies), chance.choice(opened), now)

    async def _pair(self, face, body, case, now) -> None:
        there = body == now.outside_desk or any(
            b.code == body and b.in_force(TODAY) for b in now.bodies
        )
        may = [c for c in face.opened if there and body in self._rule(c, now)]
        async with face.client(body) as client:
            rows = (await client.get("/v1/worklist?which=all&limit=200")).json().get("rows", [])
            told = await client.get(f"/v1/cases/{case.state.case}")
            counts = (await client.get("/v1/load")).json().get("bodies", [])
        [count] = counts or [{"body": body, "open": 0}]
        listed = case.state.case in {row["case"] for row in rows}
        self.tried += 1
        self.allowed += case in may
        self._note("list", listed, case in may)
        self._note("open", told.status_code == 200, case in may)
        right = sum(c.state.open for c in may)
        self.outside["count"] += count["open"] > right
        self.kept_back["count"] += count["open"] < right
        self.outside["name"] += count["body"] != body

    def _rule(self, case, now) -> set[str]:
        """Who may read it: told by its announcement and the rows, not by what is tested."""
        said = case.events[0].data
        return {said.lead, *said.cooperating} - concerned_bodies(now, case.state.matter)

    def _note(self, way: str, was_read: bool, allowed: bool) -> None:
        self.outside[way] += was_read and not allowed
        self.kept_back[way] += allowed and not was_read


class TestTheRuleOfAccess:
    """T-07 through HTTP."""

    async def test_of_2_000_pairs_none_is_read_outside_it(self, tmp_path):
        attempts = await Attempts(tmp_path).make()

        assert attempts.tried == PROVINCES * PAIRS
        assert attempts.outside.total() == attempts.kept_back.total() == 0
        assert attempts.allowed > 100, "a promise kept because nothing was tried is none"

    async def test_without_it_the_same_pairs_read_by_every_way(self, tmp_path, monkeypatch):
        monkeypatch.setattr(questions, "may_touch", lambda *_: True)

        attempts = await Attempts(tmp_path).make()

        assert min(attempts.outside[way] for way in ("list", "open", "count")) > 10

    async def test_anothers_case_is_answered_like_none(self, face):
        async with face.client("inspectorate") as client:
            theirs = await client.get(f"/v1/cases/{CASE}")
            nothing = await client.get("/v1/cases/never-was")

        assert theirs.status_code == 404
        assert theirs.content == nothing.content
        [problem] = theirs.json()["problems"]
        assert problem["advice"]

    async def test_no_body_sees_the_fates_of_anothers_orders(self, face, ward):
        await ward.post(
            "/v1/orders",
            content=accept(CASE).encode(),
            headers={"Content-Type": "application/cloudevents+json"},
        )

        async with face.client("inspectorate") as client:
            theirs = await client.get("/v1/fates?item=c-accept&sequence=1")
        mine = await ward.get("/v1/fates?item=c-accept&item=other&sequence=1")

        assert theirs.json()["fates"] == []
        assert [fate["fate"] for fate in mine.json()["fates"]] == ["kept"]

    @pytest.mark.parametrize("parameter", ["body=ward-front", "party=ward-front"])
    @pytest.mark.parametrize("path", PATHS)
    async def test_nobody_asks_in_anothers_name(self, face, path, parameter):
        async with face.client("inspectorate") as client:
            answer = await client.get(f"{path}?{parameter}")

        assert answer.status_code == 422


class TestWhoAsks:
    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", "Basic d2FyZDp4"])
    async def test_without_the_right_token_nothing_is_told(self, face, path, header):
        headers = {} if header is None else {"Authorization": header}
        async with face.client() as client:
            answer = await client.get(path, headers=headers)

        assert (answer.status_code, answer.json()["type"]) == (401, "/problems/unauthorized")
        assert answer.headers["www-authenticate"].startswith("Bearer")

    async def test_without_the_right_token_nothing_is_read_of_an_order(self, face):
        async with face.client() as client:
            answer = await client.post("/v1/orders", content=b"x" * 5_000_000)

        assert (answer.status_code, face.stream) == (401, [])

    @pytest.mark.parametrize("path", PATHS)
    async def test_a_body_that_is_in_the_directory_no_more_is_shut_out(self, tmp_path, path):
        ended = [b.model_copy(update={"valid_to": TODAY}) for b in BODIES if b.code == "ward-front"]
        others = [b for b in BODIES if b.code != "ward-front"]
        rules = rules_in_force(directory=index(bodies=(*others, *ended)))
        face = await Face(tmp_path, SEVEN, rules).open()
        async with face.client("ward-front") as client:
            read = await client.get(path)
            order = await client.post("/v1/orders", content=accept(CASE).encode())
        async with face.client("province-front") as client:
            other = await client.get("/v1/worklist")

        assert (read.status_code, order.status_code, other.status_code) == (403, 403, 200)
        assert read.json()["type"] == "/problems/not-a-body"
        assert face.stream == []

    async def test_the_outside_desk_is_let_in(self, tmp_path):
        rules = rules_in_force()
        desk = rules.directory.outside_desk
        face = await Face(tmp_path, [a_case("s1", matter(), desk)], rules, codes=[desk]).open()
        async with face.client(desk) as client:
            rows = (await client.get("/v1/worklist")).json()["rows"]

        assert [row["case"] for row in rows] == [CASE]

    async def test_the_operators_name_opens_nothing(self, tmp_path):
        face = await Face(tmp_path, SEVEN, codes=["operator"]).open()
        async with face.client("operator") as client:
            answer = await client.get("/v1/load")

        assert answer.status_code == 403

    @pytest.mark.parametrize("path", PATHS)
    async def test_while_nobody_knows_the_bodies_all_are_told_to_come_later(self, face, path):
        face.rules = None
        async with face.client("ward-front") as client:
            answer = await client.get(path)

        assert answer.status_code == 503


class TestPages:
    @pytest.mark.parametrize("limit", [1, 3, 7, 50])
    async def test_the_links_lead_through_every_case_once(self, ward, limit):
        found, path = [], f"/v1/worklist?limit={limit}&which=open"
        while path:
            answer = await ward.get(path)
            found += [row["case"] for row in answer.json()["rows"]]
            path = answer.links.get("next", {}).get("url")

        assert sorted(found) == sorted(case.state.case for case in SEVEN)

    async def test_a_long_history_is_linked_part_by_part(self, face, ward, monkeypatch):
        [first] = face.cases.openings[CASE]
        face.cases.openings[CASE] = tuple(
            first.model_copy(update={"data": first.data.model_copy(update={"version": n})})
            for n in range(1, 8)
        )
        monkeypatch.setattr(questions, "MOST_BYTES", 2 * len(first.encode()) + 10)
        versions, path = [], f"/v1/cases/{CASE}"
        while path:
            answer = await ward.get(path)
            versions += [said["data"]["version"] for said in answer.json()["events"]]
            path = answer.links.get("next", {}).get("url")

        assert versions == [1, 2, 3, 4, 5, 6, 7]

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("limit=0", "/limit"),
            ("limit=201", "/limit"),
            ("limit=x", "/limit"),
            ("which=mine", "/which"),
            ("due_by=soon", "/due_by"),
            ("after=%C3%A9", "/after"),
            ("limit=1&limit=2", "/"),
        ],
    )
    async def test_a_wrong_parameter_is_named(self, ward, query, field):
        answer = await ward.get(f"/v1/worklist?{query}")

        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid")
        [problem] = answer.json()["problems"]
        assert problem["field"] == field
        assert problem["advice"]

    @pytest.mark.parametrize("path", PATHS)
    async def test_the_answer_is_that_of_the_bus_and_stored_by_nobody(self, face, ward, path):
        name = path.split("/")[2]
        teller = {
            "worklist": (face.tellers.worklist, b"{}"),
            "cases": (face.tellers.case, json.dumps({"case": CASE}).encode()),
            "load": (face.tellers.load, b"{}"),
            "fates": (face.tellers.fates, b"{}"),
        }
        tell, question = teller[name]

        answer = await ward.get(path)

        assert answer.content == await tell("ward-front", question)
        assert answer.headers["cache-control"] == "no-store"

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "POST"])
    async def test_nothing_else_is_done_to_a_case(self, ward, method):
        answer = await ward.request(method, f"/v1/cases/{CASE}")

        assert answer.status_code == 405


class TestPrivacy:
    async def test_no_log_line_tells_who_asked_or_what(self, face, ward, capsys, caplog):
        caplog.set_level(logging.DEBUG)
        face.away = True
        for path in (*PATHS, "/v1/worklist?after=canary", "/v1/canary"):
            await ward.get(path)
        await ward.post("/v1/orders", content=b"canary")

        ours = "".join(r.getMessage() for r in caplog.records if not r.name.startswith("http"))
        logged = ours + "".join(capsys.readouterr())
        assert [c for c in ("canary", token("ward-front"), CASE) if c in logged] == []
