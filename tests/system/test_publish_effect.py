"""Real processes: what a new version would move is shown first, and is what it moves."""

import asyncio
from collections import Counter
from datetime import date, timedelta

import orjson
import pytest
import yaml
from typer.testing import CliRunner

from deploy.casework import effect_of
from deploy.cli import app
from deploy.connection import connected, latest_directory
from deploy.demo import SAMPLE, quiet
from deploy.rules import RULE_FILES, read_rules
from deploy.up import system
from shared.runtime.mongo import open_client
from tests.system.happening import Happening
from tests.system.test_worklist import fed

WITHIN_SECONDS = 30


async def run(state, *words):
    return await asyncio.to_thread(CliRunner().invoke, app, [*words, "--state", str(state)])


def without(body, folder):
    """The sample's directory, in which this body ended today."""
    content = yaml.safe_load((SAMPLE / "directory.yaml").read_text())
    [entry] = [each for each in content["bodies"] if each["code"] == body]
    entry["valid_to"] = date.today()  # noqa: DTZ011 - of this machine, as the services' own
    file = folder / "directory.yaml"
    file.write_text(yaml.safe_dump(content, allow_unicode=True))
    return file


def with_days_off(folder):
    """The sample's calendar with a fortnight off, from tomorrow on."""
    content = yaml.safe_load((SAMPLE / "calendar.yaml").read_text())
    days = (date.today() + timedelta(days=n) for n in range(1, 15))  # noqa: DTZ011
    content["holidays"] += [{"day": day, "name": {"vi": "Nghỉ"}} for day in days]
    content["last_year"] = max(content["last_year"], date.today().year + 1)  # noqa: DTZ011
    file = folder / "calendar.yaml"
    file.write_text(yaml.safe_dump(content, allow_unicode=True))
    return file


async def swept(client, noun, file):
    """Once no case is left that these rules, in force now, would move."""
    rules = read_rules(file, RULE_FILES[noun])
    async with asyncio.timeout(WITHIN_SECONDS):
        while True:
            left = await effect_of(client, noun, rules, lambda *_: None)
            if not (left.moves or left.terms):
                return
            await asyncio.sleep(0.2)


async def fired(endpoints):
    """What sweeps announced of every case, as routing kept it."""
    mongo = open_client(endpoints.mongo)
    try:
        documents = await mongo["langnghe_routing"]["cases"].find({}, {"fired": 1}).to_list(None)
    finally:
        mongo.close()
    return [event for document in documents for event in document["fired"]]


@pytest.mark.xdist_group("demo")
async def test_as_many_move_as_were_said_to(tmp_path):
    state = tmp_path / "state"
    async with system(state) as running, connected(running.endpoints.nats) as client:
        held = await fed(client)
        there = (await latest_directory(client.jetstream())).directory
        leads = Counter(said.lead for said in held.values() if said.lead != there.fallback_body)
        lead = leads.most_common(1)[0][0]
        file = without(lead, tmp_path)

        shown = await run(state, "directory", "publish", str(file), "--dry-run", "--lang", "en")
        published = await run(state, "directory", "publish", str(file), "--json")
        await swept(client, "directory", file)
        moved = [e for e in await fired(running.endpoints) if e["data"].get("why") == "rules"]

        happening = Happening(running, client)
        await happening.form("Cán bộ hẹn lại hồ sơ nhiều lần.", one=b"x")
        await quiet(client)
        days = with_days_off(tmp_path)
        told = await run(state, "calendar", "publish", str(days), "--json")
        await swept(client, "calendar", days)
        events = await fired(running.endpoints)
        restated = [e for e in events if e["data"].get("why") == "calendar"]
        await happening.http.aclose()

    effect = orjson.loads(published.stdout)["effect"]
    assert effect["moves"] == len(moved) >= leads[lead]
    assert f"{effect['moves']} open cases would move" in shown.output
    assert "is no longer in force in the directory." in shown.output
    [entry] = [each for each in effect["bodies"] if each["body"] == lead]
    assert (entry["leave"], entry["arrive"]) == (effect["moves"], 0)
    assert {move["case"] for move in effect["first"]} <= {e["subject"] for e in moved}
    effect = orjson.loads(told.stdout)["effect"]
    assert effect["terms"] == len(restated) > 0
    assert effect["earliest"] == min(e["data"]["due"] for e in restated)
