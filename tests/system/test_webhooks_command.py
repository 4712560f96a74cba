"""`langnghe webhook` against a whole guarded system: registered, let in, called, listed, removed."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.up import system
from tests.guarded import At
from tests.system.test_consumer_samples import report, say

NOWHERE = "https://hooks.example.invalid/in?token=xyz"
"""A name that no resolver knows (RFC 6761)."""


class Command:
    def __init__(self, state):
        self._state = state

    async def __call__(self, *words, code=0):
        def call():
            return CliRunner().invoke(app, ["webhook", *words, "--state", str(self._state)])

        told = await asyncio.to_thread(call)
        assert told.exit_code == code, told.output
        return told

    async def listed(self):
        told = await self("list", "--json")
        return {each["webhook"]: each for each in map(json.loads, told.stdout.splitlines())}

    async def until(self, condition):
        async with asyncio.timeout(60):
            while not condition(listed := await self.listed()):
                await asyncio.sleep(0.2)
        return listed


@pytest.fixture
def command(tmp_path):
    return Command(tmp_path / "state")


async def test_from_add_to_remove_on_a_guarded_system(tmp_path, command):
    state = tmp_path / "state"
    async with system(state) as running:
        guarded = At(state, running.endpoints.nats)
        await say(guarded, running.endpoints.nats, [report("p1", 1, 10), report("p2", 1, 10)])
        told = json.loads((await command("add", "bao-moi", "--url", NOWHERE)).stdout)
        tried = await running.guard(command.until(lambda all_: all_["bao-moi"]["failures"]))
        trial = await command("test", "bao-moi", code=1)
        again = await command("add", "bao-moi", "--url", NOWHERE, code=1)
        rotated = json.loads((await command("rotate", "bao-moi")).stdout)
        both = (await command.listed())["bao-moi"]["secrets"]
        await command("rotate", "bao-moi", "--drop-old")
        one = (await command.listed())["bao-moi"]["secrets"]
        resumed = await command("resume", "bao-moi")
        refused = guarded.refused()
        await command("remove", "bao-moi")
        left = await command.listed()
        gone = await command("test", "bao-moi", code=1)
        log = (state / "log" / "reporting.log").read_text()

    assert told["secret"].startswith("whsec_")
    assert told["secret"] != rotated["secret"]
    one_line = tried["bao-moi"]
    assert (one_line["host"], one_line["reason"]) == ("hooks.example.invalid", "ConnectError")
    assert (one_line["number"], one_line["waiting"], one_line["paused"]) == (1, 2, None)
    assert "did not take it: ConnectError" in trial.output
    assert "There is a webhook bao-moi" in again.output
    assert (both, one) == (2, 1)
    assert "was not paused" in resumed.output
    assert left == {}
    assert "There is no webhook bao-moi" in gone.output
    assert refused == []
    assert not any(word in log for word in (told["secret"], "xyz", "example.invalid"))


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (("bao-moi", "--url", "http://hooks.example.org/"), "https://"),
        (("bao-moi", "--url", "https://127.0.0.1/"), "a number is none"),
        (("bao-moi", "--url", "https://hooks.example.org:8443/"), "port 443"),
        (("Báo", "--url", "https://hooks.example.org/"), "codes"),
        (("bao-moi", "--url", "https://hooks.example.org/", "--forms", "S 124"), "codes"),
    ],
)
async def test_what_cannot_be_registered_is_refused_before_anything_is_asked(
    command, words, advice
):
    assert advice in (await command("add", *words, code=2)).output


async def test_without_a_system_it_says_what_to_do(command):
    told = await command("add", "bao-moi", "--url", "https://hooks.example.org/", code=1)

    assert "langnghe up" in told.output
