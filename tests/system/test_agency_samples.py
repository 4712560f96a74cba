"""What `docs/agencies.md` shows an agency works as it stands there, against a whole system."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nats
import pytest

from deploy.connection import Address, connected
from deploy.rules import RULE_FILES
from deploy.stream import messages
from shared.contracts.submission import submission_id
from shared.runtime.streams import EVENTS
from tests.documents import ROOT, SAMPLES, block

AGENCY = "a-so-xay-dung"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def run(command, *, given="", **environment) -> str:
    return subprocess.run(
        list(map(str, command)),
        input=given.encode(),
        capture_output=True,
        check=True,
        timeout=60,
        env=ENVIRONMENT | environment,
    ).stdout.decode()


def langnghe(*arguments) -> str:
    return run([sys.executable, "-m", "deploy", *arguments])


@dataclass(frozen=True, slots=True)
class System:
    """A running system; of the agency what its operator gives it: key, token, secret."""

    addresses: dict[str, str]
    operator: Address
    seed: Path
    token: str
    secret: str

    def client(self, event: str) -> dict:
        """What the document's client says of an event."""
        url = self.addresses["nats"]
        command = [sys.executable, SAMPLES / "feed_client.py", url, AGENCY, self.seed]
        return json.loads(run(command, given=event))

    def shell(self, name: str) -> dict:
        """What a shell command of the document prints."""
        words = {"INTAKE": self.addresses["intake"], "TOKEN": self.token, "SECRET": self.secret}
        return json.loads(run(["bash", "-euo", "pipefail", "-c", block(name)], **words))

    def announces(self, submission: str) -> bool:
        """Whether the submission is in the log of events within some seconds."""
        return asyncio.run(_announced(self.operator, submission))

    def key(self) -> str:
        return json.loads(asyncio.run(_asked(self, "key", b"")))["key"]


async def _announced(operator: Address, submission: str) -> bool:
    async with connected(operator) as client:
        for _ in range(50):
            async for message in messages(client, EVENTS, ["submission.received.v1"]):
                if json.loads(message.data)["subject"] == submission:
                    return True
            await asyncio.sleep(0.1)
    return False


async def _asked(system: System, question: str, content: bytes) -> bytes:
    client = await nats.connect(
        system.addresses["nats"], nkeys_seed=str(system.seed), inbox_prefix=f"_INBOX_{AGENCY}"
    )
    try:
        return (await client.request(f"ask.{AGENCY}.intake.{question}", content, timeout=10)).data
    finally:
        await client.close()


@contextmanager
def up(state: Path):
    command = [sys.executable, "-m", "deploy", "up", "--state", str(state), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=ENVIRONMENT)
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    """Set up as the document tells the operator to."""
    state = tmp_path_factory.mktemp("agency") / "state"
    with up(state) as addresses:
        for noun in RULE_FILES:
            langnghe(noun, "publish", ROOT / f"deploy/sample/{noun}.yaml", "--state", state)
        seed = langnghe("nats", "key", f"agency-{AGENCY}", "--state", state).strip()
        given = json.loads(langnghe("agency", "token", AGENCY, "--state", state))
        operator = Address(addresses["nats"], state / "keys" / "nats" / "operator.nk")
        system = System(addresses, operator, Path(seed), given["token"], given["webhook_secret"])
        _wait_until_let_in(system)
        yield system


def _wait_until_let_in(system: System) -> None:
    async def let_in() -> bool:
        try:
            client = await nats.connect(
                system.addresses["nats"],
                nkeys_seed=str(system.seed),
                allow_reconnect=False,
                error_cb=_quiet,
            )
        except (nats.errors.Error, OSError):
            return False
        await client.close()
        return True

    for _ in range(100):
        if asyncio.run(let_in()):
            return
        time.sleep(0.1)
    raise TimeoutError


async def _quiet(_error: Exception) -> None:
    pass


def needs(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")


@pytest.mark.xdist_group("agency-samples")
class TestAgainstAWholeSystem:
    def test_what_the_python_client_sends_becomes_a_submission(self, system):
        event = json.loads(block("call.json"))

        told = system.client(block("call.json"))

        assert told["fate"] == "kept"
        assert told["submission"] == submission_id(AGENCY, event["id"])
        assert system.announces(told["submission"])

    def test_the_same_again_is_a_duplicate(self, system):
        first = system.client(block("call.json"))

        again = system.client(block("call.json"))

        assert (again["fate"], again["submission"]) == ("duplicate", first["submission"])

    def test_what_breaks_the_contract_is_told_by_field(self, system):
        told = system.client(block("call.json").replace('"note"', '"nota"').replace("0042", "43"))

        rules = {(p["field"], p["rule"]) for p in told["refusal"]["problems"]}
        assert rules == {("/data/note", "missing"), ("/data/nota", "extra_forbidden")}

    def test_what_the_sample_seals_becomes_a_submission(self, system):
        event = block("call.json").replace("000042", "000044").replace("30.42", "30.44")
        sealed = run([sys.executable, SAMPLES / "seal.py", AGENCY, system.key()], given=event)

        told = system.client(sealed)

        assert "hẹn lại" in event
        assert json.loads(sealed)["data"].keys() == {"sealed"}
        assert told["fate"] == "kept"
        assert system.announces(told["submission"])

    def test_what_curl_sends_becomes_a_submission(self, system):
        needs("bash", "curl")

        told = system.shell("post.sh")

        assert (told["fate"], told["submission"]) == (
            "kept",
            submission_id(AGENCY, "soden-2026-0457"),
        )
        assert system.announces(told["submission"])

    def test_what_the_webhook_sends_becomes_a_submission(self, system):
        needs("bash", "curl", "openssl", "base64", "od")

        told = system.shell("call.sh")

        assert told["fate"] == "kept"
        assert system.announces(told["submission"])
