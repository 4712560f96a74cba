"""A closed period on real servers: counted again, and built again from the stream alone."""

from datetime import UTC, date, datetime

import pytest

from deploy.command import Order, give
from deploy.connection import connected
from deploy.counting import count
from deploy.demo import OPERATOR, PERIOD, quiet, run_demo
from deploy.rebuild import rebuild_reporting
from deploy.show import find_report, reports
from deploy.up import system
from deploy.verify import verify
from shared.contracts import DialogueHeld, ReportRevise
from shared.contracts.envelope import Event
from shared.contracts.ingress import Fate
from shared.runtime.mongo import open_client

AGENCY, UNIT = "a-so-y-te", "so-y-te"


def late_dialogue():
    """A dialogue of the period that nobody had written down."""
    return Event[DialogueHeld](
        id="doi-thoai-muon",
        source=f"/agencies/{AGENCY}",
        type=DialogueHeld.TYPE,
        time=datetime.now(UTC),
        data=DialogueHeld(
            held=date(2026, 3, 1), participants=20, opinions_received=7, opinions_accepted=3
        ),
    )


@pytest.mark.xdist_group("demo")
async def test_what_comes_late_is_a_revision_and_rebuilding_changes_no_figure(tmp_path):
    async with system(tmp_path / "state") as running:
        totals = await running.guard(run_demo(running.endpoints))
        mongo = open_client(running.endpoints.mongo)
        async with connected(running.endpoints.nats) as client:
            first = {(r.form, r.unit): r async for r in reports(client, PERIOD)}
            closed = await find_report(client, UNIT, "s-124", PERIOD)
            late = late_dialogue()
            await client.jetstream().publish(f"feed.{AGENCY}.{late.type}", late.encode())
            await quiet(client)
            order = Order(OPERATOR, PERIOD, datetime.now(UTC), ReportRevise(period=PERIOD))
            [fate] = await give(client, "reporting", [order])
            told = [r async for r in reports(client, PERIOD)]
            revised = [r for r in told if r.revision == 2]

            place = {"unit": UNIT, "form": "s-124", "period": PERIOD}
            then = await count(client, OPERATOR, {**place, "known": closed.time.isoformat()})
            now = await count(client, OPERATOR, place)
            own = await count(client, "ttnd-so-y-te", place)
            others = await count(client, "ubmttq-tinh", place)

            rows = mongo["langnghe_reporting"]["case_rows"]
            before = await rows.count_documents({})
            await rows.delete_many({"_id": {"$gt": "8"}})
            await rows.update_many({}, {"$set": {"submission.data.unit": UNIT}})
            counted = await rebuild_reporting(client, running.endpoints, 60)
            after = await rows.count_documents({})
            findings = await verify(client, running.endpoints)
            last = [r async for r in reports(client, PERIOD)]
        mongo.close()

    assert totals.verify == "ok", totals.findings
    assert fate.fate is Fate.KEPT
    assert {r.form for r in revised} == {"s-124"}
    assert UNIT in {r.unit for r in revised}
    for report in revised:
        assert {c.column for c in report.changes} == {
            "dialogues",
            "dialogue-participants",
            "dialogue-opinions-received",
            "dialogue-opinions-accepted",
        }
        assert [cause.about for cause in report.causes] == ["recorded"]
        assert report.digest != first[report.form, report.unit].digest
        assert report.covers > first[report.form, report.unit].covers
    assert then.counted.totals == first["s-124", UNIT].totals
    [newest] = [r for r in revised if r.unit == UNIT]
    assert now.counted.totals == own.counted.totals == newest.totals != then.counted.totals
    assert (others.status, others.counted) == ("not-yours", None)
    assert len(told) == len(first) + len(revised)
    assert (counted[PERIOD].same, counted[PERIOD].differ) == ((1, 2), ())
    assert after == before
    assert last == told
    assert [str(finding) for finding in findings] == []
