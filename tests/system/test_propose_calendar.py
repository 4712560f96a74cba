"""`langnghe calendar propose` beside the calendar in force: it shows, and publishes nothing."""

import asyncio

import pytest
from typer.testing import CliRunner

from deploy.cli.ruling import app
from deploy.connection import latest
from deploy.sample.compose import HERE
from shared.contracts import CalendarPublished


@pytest.fixture
def command(nats_server, jetstream):
    environment = {"LANGNGHE_NATS_URL": nats_server.url, "LANGNGHE_MONGO_URL": "mongodb://none"}

    async def run(*arguments):
        words = ["calendar", *map(str, arguments)]
        ran = await asyncio.to_thread(CliRunner().invoke, app, words, env=environment)
        assert ran.exit_code == 0, ran.output
        return ran.output

    return run


async def test_it_is_compared_with_what_is_in_force_and_may_be_published_by_a_person(
    command, jetstream, tmp_path
):
    out = tmp_path / "next.yaml"
    none = await command("propose", 2026)
    await command("publish", HERE / "calendar.yaml")

    first = await command("propose", 2026)
    await command("propose", 2027, "--out", out)

    assert "no calendar is in force" in none
    assert "compared with version 1 in force" in first
    assert "2026-01-02" in first
    assert (await latest(jetstream, CalendarPublished)).data.version == 1

    await command("publish", out, "--no-effect")
    standing = (await latest(jetstream, CalendarPublished)).data
    assert (standing.version, standing.calendar.last_year) == (2, 2027)
