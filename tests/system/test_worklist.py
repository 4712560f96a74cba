"""Real processes: a body asks for its worklist over NATS, and nobody else is told of its cases."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import nats
import nats.errors
import pytest
from typer.testing import CliRunner

from deploy.access.nkeys import draw_once
from deploy.access.permissions import body as as_body
from deploy.casework import whole_case, worklist
from deploy.cli import app
from deploy.command import Order, give
from deploy.connection import connected, credentials, latest_directory
from deploy.demo import SAMPLE, quiet
from deploy.feed import feed
from deploy.items import Reader
from deploy.rules import RULE_FILES, publish_rules
from deploy.stream import messages
from deploy.up import system
from shared.contracts import CaseAccept, CaseAssigned
from shared.contracts.envelope import Event
from shared.contracts.worklist import WorklistAsked
from shared.runtime.streams import EVENTS

WITHIN_SECONDS = 20


@asynccontextmanager
async def connected_as(code, endpoints):
    """As the body itself, with its own key, once the server knows it."""
    user = as_body(code)
    seed = draw_once(Path(endpoints.nats.seed).parent, user.name)
    async with asyncio.timeout(WITHIN_SECONDS):
        while True:
            try:
                client = await nats.connect(
                    endpoints.nats, allow_reconnect=False, **credentials(seed, user)
                )
                break
            except (nats.errors.Error, OSError):
                await asyncio.sleep(0.1)
    try:
        yield client
    finally:
        await client.close()


async def fed(client) -> dict[str, CaseAssigned]:
    """By case, who holds it, once one agency's items of the sample are in."""
    for noun in RULE_FILES:
        await publish_rules(client, SAMPLE / f"{noun}.yaml", noun)
    await quiet(client)
    directory = (await latest_directory(client.jetstream())).directory
    reader = Reader([a.code for a in directory.agencies], None, datetime.now(UTC))
    await feed(client, reader.items(SAMPLE / "feed" / "a-so-xay-dung"), wait_seconds=60, seal=True)
    await quiet(client)
    held = {}
    async for message in messages(client, EVENTS, [CaseAssigned.TYPE]):
        event = Event[CaseAssigned].model_validate_json(message.data)
        held[event.subject] = event.data
    return held


@pytest.mark.xdist_group("demo")
async def test_a_body_is_told_of_its_cases_as_nobody_else_is(tmp_path):
    state = tmp_path / "state"
    async with system(state) as running, connected(running.endpoints.nats) as ours:
        held = await fed(ours)
        lead = next(data.lead for data in held.values())
        mine = {case for case, data in held.items() if lead in {data.lead, *data.cooperating}}
        holders = {body for case in mine for body in (held[case].lead, *held[case].cooperating)}
        other = next(b for b in ("doan-tinh", "hccb-tinh", "ubkt-tinh") if b not in holders)
        [first, *_] = sorted(mine)
        [fate] = await give(ours, "routing", [Order(lead, first, datetime.now(UTC), CaseAccept())])
        await quiet(ours)

        async with connected_as(lead, running.endpoints) as client:
            rows = await worklist(client, lead, WorklistAsked(which="all", limit=3))
            told = await whole_case(client, lead, first)
        async with connected_as(other, running.endpoints) as client:
            theirs = await worklist(client, other, WorklistAsked(which="all"))
            secret = await whole_case(client, other, first)
            nothing = await whole_case(client, other, "never-was")
            with pytest.raises(nats.errors.Error):
                await client.request(f"ask.{lead}.routing.worklist", b"{}", timeout=2)
        commands = await asyncio.to_thread(printed, state, lead, first)

    assert fate.refusal is None
    assert {row.case for row in rows} == mine
    assert rows == sorted(rows, key=lambda row: (row.due or date.max, row.case))
    versions = [event["data"]["version"] for event in told.events]
    assert versions == list(range(1, told.row.version + 1))
    assert told.row.stage == "accepted"
    assert not mine & {row.case for row in theirs}
    assert secret == nothing
    assert secret.status == "not-yours"
    assert commands == {"explain": first, "list": mine, "load": len(mine), "refused": 1}


def printed(state, lead, case):
    """What the command line says of the same."""
    runner = CliRunner()

    def run(*words):
        return runner.invoke(app, [*words, "--state", str(state), "--json"])

    explained = json.loads(run("explain", case).stdout)
    listed = [json.loads(line) for line in run("cases", "list", "--as", lead).stdout.splitlines()]
    loads = [json.loads(line) for line in run("cases", "load").stdout.splitlines()]
    return {
        "explain": explained["row"]["case"],
        "list": {row["case"] for row in listed},
        "load": next(entry["open"] for entry in loads if entry["body"] == lead),
        "refused": run("explain", case, "--as", "nobody").exit_code,
    }
