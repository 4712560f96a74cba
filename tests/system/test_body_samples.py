"""What `docs/routing.md` shows a body's system works as it stands there, on a whole system."""

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from subprocess import CalledProcessError

import httpx
import pytest

from deploy.connection import Address, connected
from deploy.rules import RULE_FILES
from deploy.stream import messages
from shared.contracts.case import case_id
from shared.runtime.streams import EVENTS
from tests.documents import ROOT, SAMPLES, block
from tests.system.test_agency_samples import langnghe, needs, run, up

PAGE = ROOT / "docs" / "routing.md"
AGENCY = "a-so-xay-dung"
TEXTS = 5


@dataclass(frozen=True, slots=True)
class Desk:
    """A running system, and the body that leads most of what was sent to it."""

    addresses: dict[str, str]
    operator: Address
    body: str
    token: str
    cases: set[str]

    def rows(self) -> dict[str, dict]:
        answer = httpx.get(
            f"{self.addresses['routing']}/v1/worklist?which=all",
            headers={"Authorization": f"Bearer {self.token}"},
        )
        return {row["case"]: row for row in answer.raise_for_status().json()["rows"]}

    def announced(self, kind: str) -> set[str]:
        return {said["subject"] for said in asyncio.run(_said(self.operator, kind))}

    def client(self) -> list[list[str]]:
        """What the document's client prints, by line: the case, and what became of it."""
        command = [sys.executable, SAMPLES / "body_client.py", self.addresses["routing"], self.body]
        return [line.split(" ", 1) for line in run(command, TOKEN=self.token).splitlines()]

    def shell(self, case: str, version: int) -> dict:
        words = {
            "ROUTING": self.addresses["routing"],
            "TOKEN": self.token,
            "BODY": self.body,
            "CASE": case,
            "VERSION": str(version),
        }
        return json.loads(run(["bash", "-euo", "pipefail", "-c", block("order.sh", PAGE)], **words))


async def _said(operator: Address, kind: str) -> list[dict]:
    async with connected(operator) as client:
        return [json.loads(m.data) async for m in messages(client, EVENTS, [kind])]


async def _leads(operator: Address, cases: set[str]) -> dict[str, str]:
    async with asyncio.timeout(30):
        while True:
            said = await _said(operator, "case.assigned.v1")
            leads = {s["subject"]: s["data"]["lead"] for s in said if s["subject"] in cases}
            if set(leads) == cases:
                return leads
            await asyncio.sleep(0.1)


def _case(form: str, text: str) -> str:
    """What becomes of a text, once intake knows the rules."""
    for _ in range(100):
        answer = httpx.post(form, files={"text": (None, text)}, timeout=30)
        if answer.status_code == 202:
            return case_id(answer.json()["submission"])
        time.sleep(0.1)
    raise TimeoutError(answer.text)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """Set up as the document tells the operator to."""
    state = tmp_path_factory.mktemp("body") / "state"
    with up(state) as addresses:
        for noun in RULE_FILES:
            langnghe(noun, "publish", ROOT / f"deploy/sample/{noun}.yaml", "--state", state)
        form = f"{addresses['intake']}/v1/agencies/{AGENCY}/form"
        cases = {_case(form, f"Hồ sơ số {n} bị hẹn lại nhiều lần.") for n in range(TEXTS)}
        operator = Address(addresses["nats"], state / "keys" / "nats" / "operator.nk")
        leads = asyncio.run(_leads(operator, cases))
        body = max(leads.values(), key=list(leads.values()).count)
        given = json.loads(langnghe("body", "token", body, "--state", state))
        assert given["token"] not in (state / "keys" / "bodies.json").read_text()
        assert given["token"] not in "".join(p.read_text() for p in (state / "log").glob("*.log"))
        held = {case for case, lead in leads.items() if lead == body}
        yield Desk(addresses, operator, body, given["token"], held)


@pytest.mark.xdist_group("body-samples")
class TestAgainstAWholeSystem:
    """In this order: each goes on where the one before ended."""

    def test_what_curl_sends_is_kept_and_announced(self, desk):
        needs("bash", "curl")
        case = min(desk.cases)
        version = desk.rows()[case]["version"]

        told = desk.shell(case, version)
        again = desk.shell(case, version)

        assert (told["fate"], again["fate"]) == ("kept", "duplicate")
        assert desk.announced("case.accepted.v1") == {case}

    def test_what_the_python_client_accepts_waits_no_more(self, desk):
        waiting = {c for c, row in desk.rows().items() if row["stage"] == "assigned"}

        told = desk.client()

        assert dict(told) == dict.fromkeys(waiting, "kept")
        assert {row["stage"] for row in desk.rows().values()} == {"accepted"}
        assert desk.client() == []

    def test_a_token_that_was_drawn_anew_takes_the_place_of_the_old(self, desk):
        langnghe("body", "token", desk.body, "--state", desk.operator.seed.parents[2])

        with pytest.raises(httpx.HTTPStatusError, match="401"):
            desk.rows()

    def test_a_name_that_is_no_code_gets_no_token(self, desk):
        with pytest.raises(CalledProcessError, match="exit status 2"):
            langnghe("body", "token", "Sở Xây dựng", "--state", desk.operator.seed.parents[2])
