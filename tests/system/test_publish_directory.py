"""`langnghe directory publish`: the difference is shown, and only then published."""

import asyncio

import orjson
import pytest
from typer.testing import CliRunner

from deploy.cli.ruling import app
from deploy.connection import latest_directory
from deploy.rules import Invalid, propose, publish_proposal
from deploy.sample.compose import HERE

NEW_UNIT = "  - {code: xa-moi, name: {vi: Xã Mới}, level: 2, parent: tinh}\n"


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "directory"
    path.mkdir()
    text = (HERE / "directory.yaml").read_text()
    (path / "directory.yaml").write_text(text.replace("units:\n", "units:\n" + NEW_UNIT))
    return path


@pytest.fixture
def command(nats_server, jetstream):
    environment = {"LANGNGHE_NATS_URL": nats_server.url, "LANGNGHE_MONGO_URL": "mongodb://none"}

    async def run(*arguments):
        words = ["directory", "publish", *map(str, arguments)]
        return await asyncio.to_thread(CliRunner().invoke, app, words, env=environment)

    return run


async def test_a_dry_run_shows_the_difference_and_publishes_nothing(command, jetstream, folder):
    await command(HERE / "directory.yaml")

    ran = await command(folder, "--dry-run", "--no-effect", "--json")

    assert orjson.loads(ran.stdout) == {
        "proposed": "directory",
        "version": 2,
        "changes": [{"part": "units", "how": "added", "count": 1, "first": ["xa-moi"]}],
    }
    assert (await latest_directory(jetstream)).version == 1


async def test_the_difference_is_shown_before_the_version_that_holds(command, jetstream, folder):
    await command(HERE / "directory.yaml")

    ran = await command(folder, "--no-effect")

    lines = [line.strip() for line in ran.output.splitlines()]
    assert lines == [
        "directory: differs from version 1",
        "units added: 1: xa-moi",
        "directory: version 2 holds",
    ]
    assert (await latest_directory(jetstream)).version == 2


async def test_the_same_directory_again_is_no_new_version(command, jetstream):
    await command(HERE / "directory.yaml")

    ran = await command(HERE / "directory.yaml")

    assert "is the same as version 1" in ran.output
    assert (await latest_directory(jetstream)).version == 1


@pytest.mark.parametrize("more", [(), ("--json",), ("--dry-run",)])
async def test_where_routing_does_not_say_what_would_move_nothing_is_published(
    command, jetstream, folder, more
):
    await command(HERE / "directory.yaml")

    ran = await command(folder, *more)

    assert ran.exit_code == 1
    assert "Routing does not answer" in ran.output
    assert "--no-effect" in ran.output
    assert (await latest_directory(jetstream)).version == 1


async def test_a_broken_directory_is_not_published(command, jetstream, folder):
    (folder / "units.csv").write_text("code,name,level,parent\nx,Xã,2,nowhere\n")

    ran = await command(folder)

    assert ran.exit_code == 1
    assert "units.csv: line 2" in ran.output
    assert await latest_directory(jetstream) is None


async def test_what_was_compared_with_an_older_version_is_refused(jetstream, folder):
    client = jetstream._nc
    stale = await propose(client, folder, "directory")
    await publish_proposal(client, await propose(client, HERE / "directory.yaml", "directory"))

    with pytest.raises(Invalid, match="somebody else"):
        await publish_proposal(client, stale)


async def test_more_than_the_server_takes_is_said(jetstream, folder):
    client = jetstream._nc
    proposal = await propose(client, folder, "directory")
    client._max_payload = 10_000

    with pytest.raises(Invalid, match="max_payload"):
        await publish_proposal(client, proposal)
