"""The way back by the command line, on a whole system: taken while it runs, brought back after."""

import json

import pytest

from deploy.backup import NotRestored
from deploy.backup.databases import KEYS, SERVICES
from deploy.cli.keeping import _prepare
from deploy.connection import connected
from deploy.demo import SAMPLE, quiet
from deploy.up import system
from shared.runtime.mongo import open_client
from tests.system.test_chain import run


async def test_the_drill_leads_back():
    status, said = await run("drill")

    assert status == 0, said
    assert [line.split()[0] for line in said.splitlines()] == [
        *("fed", "backed", "fed", "streams", "databases", "both")
    ]


async def test_what_was_backed_up_comes_back_by_command(tmp_path):
    state, archive, keys = tmp_path / "state", tmp_path / "backup", tmp_path / "keys"
    here, to = ("--state", state), (archive, "--keys", keys)
    async with system(state) as running:
        for noun in ("directory", "rulebook", "calendar"):
            assert (await run(noun, "publish", SAMPLE / f"{noun}.yaml", *here))[0] == 0
        async with connected(running.endpoints.nats) as client:
            await quiet(client)
        mongo = open_client(running.endpoints.mongo)
        names = {name for name in await mongo.list_database_names() if name.startswith("langnghe_")}
        assert names == {f"langnghe_{name}" for name in (*SERVICES, *KEYS)}
        mongo.close()
        status, said = await run("backup", state / "keys" / "b", "--keys", keys, *here)
        assert status == 1
        assert "the archive lies in the folder of key files" in said
        status, said = await run("backup", *to, "--json", *here)
        assert status == 0, said
        status, said = await run("restore", *to, *here)
        assert (status, "intake is running" in said) == (1, True)
    status, said = await run("restore", *to, *here)
    assert (status, "not empty" in said) == (1, True)

    held = archive / "mongo" / "intake" / "rulebooks.bson"
    content = held.read_bytes()
    held.write_bytes(content[:-1])
    status, said = await run("restore", *to, "--over", *here)
    assert (status, f"{held} is damaged" in said.replace("\n", "")) == (1, True)
    assert not list(state.glob("*-before-*"))
    held.write_bytes(content)

    status, said = await run("restore", *to, "--over", *here)

    assert status == 0, said
    assert "The gap: " in said
    assert len(list(state.glob("nats-before-*"))) == len(list(state.glob("mongo-before-*"))) == 1
    async with system(state):
        status, said = await run("verify", "--json", *here)
        assert (status, json.loads(said)["verify"]) == (0, "ok")
        assert json.loads((await run("gap", "--json", *here))[1])["texts"] == []


def test_nothing_is_restored_beside_keys_that_are_gone(tmp_path):
    (tmp_path / "mongo").mkdir()

    with pytest.raises(NotRestored, match=r"intake\.kek is not there"):
        _prepare(tmp_path, frozenset(), over=True)
