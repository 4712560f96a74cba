"""Reporting's real process dies by SIGKILL while it publishes: each report is out exactly once."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from deploy.keys import ensure_keys
from deploy.local import LocalStack
from deploy.process import free_port
from services.reporting.closing import Closer, Order
from services.reporting.issuing import Desk
from services.reporting.store import MongoClosings, MongoReports, MongoRules
from shared.runtime.mongo import open_client, open_database
from shared.runtime.publish import Unconfirmed
from tests.examples_reporting import ZONE
from tests.fakes_reporting import MemoryFlight, MemoryRows
from tests.killing_reporting import (
    POLL_SECONDS,
    SECONDS,
    Ordeal,
    broken,
    code,
    replica,
    undisturbed,
)
from tests.killing_reporting import rules as publications

MONTH, AT = 3, datetime(2026, 1, 1, tzinfo=UTC)
PARTS = (0.3, 0.4, 0.5)
"""Of what is to come when it is killed."""


async def test_killed_started_twice_and_told_late_each_revision_of_each_report_is_out_once(
    tmp_path,
):
    async with Ordeal.on(tmp_path) as ordeal:
        kills = await ordeal.month(MONTH, PARTS)
        found = await ordeal.said()

    assert [kill.in_the_middle for kill in kills] == [True] * len(kills), kills
    assert broken(found, await undisturbed([MONTH])) == []
    assert max(len(said) for said in found.values()) >= 2


async def test_a_closing_that_waits_while_nats_is_away_ends_no_process(tmp_path):
    """The schedule goes on with it before there is a connection to ask which reports are out."""
    ensure_keys(tmp_path)
    async with LocalStack(tmp_path, parts=("mongo",)) as stack:
        await closed_and_kept(stack.mongo_url)
        reporting = replica(tmp_path, 0, f"nats://127.0.0.1:{free_port()}", stack.mongo_url)
        await reporting.start()
        async with asyncio.timeout(SECONDS):
            while '"schedule"' not in reporting.log_end():
                await asyncio.sleep(POLL_SECONDS)
        told = [json.loads(line) for line in reporting.log_end().splitlines() if "schedule" in line]
        await reporting.stop()

    assert [(each["event"], each["reason"]) for each in told] == [("waits", "Unconfirmed")]


async def closed_and_kept(mongo_url):
    """A closing whose reports are kept and not out, as a crash leaves it."""
    mongo = open_client(mongo_url)
    database = open_database(mongo, "langnghe_reporting")
    rules, closings, reports = (of(database) for of in (MongoRules, MongoClosings, MongoReports))
    directory, rulebook = publications()
    await rules.add_once([directory], [rulebook])
    closer = Closer(MemoryRows(), rules, closings, MemoryFlight(), zone=ZONE)
    await closer.close(Order.by_itself(code(MONTH), 1), AT)

    async def away(_events):
        raise Unconfirmed

    with pytest.raises(Unconfirmed):
        await Desk(rules, closings, reports, away).issue()
    mongo.close()


async def test_a_report_that_is_missing_twice_out_or_another_is_named():
    expected = await undisturbed([MONTH])
    first, second, third, *_ = (each for each in sorted(expected) if "01-xld" in each)
    changed = {
        **{subject: said for subject, said in expected.items() if subject != first},
        second: [expected[second][0], *expected[second]],
        third: [(1, "another"), *expected[third][1:]],
    }

    assert broken(expected, expected) == []
    assert broken(changed, expected) == sorted(
        [
            f"{first} is missing",
            f"{second} has the revisions [1, 1, 2]",
            f"{third} begins with another report",
        ]
    )
