"""The public edition over the bus: issued by itself, safe, and revised only by enough."""

import asyncio
from datetime import UTC, date, datetime

import pytest

from deploy.attack import whole
from deploy.command import Order, give
from deploy.connection import connected
from deploy.demo import OPERATOR, PERIOD, quiet, run_demo
from deploy.show import reports
from deploy.up import system
from services.reporting.domain.disclosure import Knowledge, attack
from shared.contracts import DialogueHeld, ReportRevise
from shared.contracts.envelope import Event
from shared.contracts.report import Edition
from shared.runtime.mongo import open_client
from tests.examples_reporting import FORMS

AGENCY = "a-so-y-te"
KNOWN = Knowledge.of(FORMS)
DIALOGUE = {"dialogue-participants", "dialogue-opinions-received", "dialogue-opinions-accepted"}


def late_dialogue(number, participants, received, accepted):
    return Event[DialogueHeld](
        id=f"doi-thoai-muon-{number}",
        source=f"/agencies/{AGENCY}",
        type=DialogueHeld.TYPE,
        time=datetime.now(UTC),
        data=DialogueHeld(
            held=date(2026, 3, 1),
            participants=participants,
            opinions_received=received,
            opinions_accepted=accepted,
        ),
    )


async def public(client, mongo):
    """All public reports, when no closing waits to be issued."""
    closings = mongo["langnghe_reporting"]["closings"]
    async with asyncio.timeout(120):
        while await closings.count_documents({"waits": {"$ne": []}}):
            await asyncio.sleep(0.2)
    return [report async for report in reports(client, PERIOD, Edition.PUBLIC)]


async def revise(client, late):
    await client.jetstream().publish(f"feed.{AGENCY}.{late.type}", late.encode())
    await quiet(client)
    await give(
        client,
        "reporting",
        [Order(OPERATOR, PERIOD, datetime.now(UTC), ReportRevise(period=PERIOD))],
    )


@pytest.mark.xdist_group("demo")
async def test_the_sample_has_a_public_edition_that_gives_nothing_away(tmp_path):
    async with system(tmp_path / "state") as running:
        totals = await running.guard(run_demo(running.endpoints))
        mongo = open_client(running.endpoints.mongo)
        async with connected(running.endpoints.nats) as client:
            first = await public(client, mongo)
            await revise(client, late_dialogue(1, 3, 2, 1))
            few = await public(client, mongo)
            await revise(client, late_dialogue(2, 60, 40, 20))
            many = await public(client, mongo)
            internal = [report async for report in reports(client, PERIOD)]
        mongo.close()

    assert totals.verify == "ok", totals.findings
    cells = [
        cell
        for report in first
        for column, cell in zip(report.columns, report.totals, strict=True)
        if f"{report.form}.{column.code}" not in KNOWN.exempt
    ]
    share = sum(cell is not None for cell in cells) / len(cells)
    print(f"{len(first)} public reports; {share:.1%} of their totals are shown")
    assert share > 0
    assert {(r.form, r.unit) for r in first} <= {(r.form, r.unit) for r in internal}
    assert not [cell for cell in cells if cell is not None and 0 < cell < 10]
    assert few == first
    revised = [report for report in many if report.revision == 2]
    assert {report.form for report in revised} == {"s-124"}
    assert not attack(whole(many), KNOWN)
