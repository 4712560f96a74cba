"""Real processes: what a sender takes back ends or goes on, and every count knows it."""

from datetime import timedelta

import pytest

from deploy.access.permissions import OPERATOR
from deploy.command import Order, give
from deploy.connection import connected
from deploy.demo import quiet
from deploy.stream import messages
from deploy.up import system
from deploy.verify import verify
from shared.contracts import (
    CATALOGUE,
    CaseAssigned,
    CaseConclude,
    CaseConcluded,
    CaseOpened,
    CasePause,
    CaseWithdraw,
    CaseWithdrawn,
    ReportClose,
    ReportPublished,
)
from shared.contracts.envelope import Event
from shared.contracts.vocabulary import Kind, Outcome
from shared.runtime.streams import EVENTS, REPORTS
from tests.system.test_worklist import fed

CITED = "Luật Tố cáo 2018, Điều 34"
PERIOD = "2026-h1"


async def said(client, *contracts):
    found = [
        Event[CATALOGUE[message.subject]].model_validate_json(message.data)
        async for message in messages(client, EVENTS, [c.TYPE for c in contracts])
    ]
    return {event.subject: event for event in found}


class Desk:
    """Orders in the name of whoever leads a case, a day after the receipt."""

    def __init__(self, client, opened, leads) -> None:
        self.client, self.opened, self.leads = client, opened, leads

    def of(self, kind: Kind) -> str:
        fitting = (
            case
            for case, event in sorted(self.opened.items())
            if event.data.kind is kind and event.data.eligibility == "eligible"
        )
        return next(fitting)

    async def order(self, case: str, order) -> str:
        at = self.opened[case].data.received + timedelta(days=1)
        lead = self.leads[case].data.lead
        [fate] = await give(self.client, "routing", [Order(lead, case, at, order)])
        return fate.refusal.type if fate.refusal else "kept"

    async def withdraw(self, case: str, goes_on: str | None = None) -> str:
        asked = self.opened[case].data.received + timedelta(hours=1)
        return await self.order(case, CaseWithdraw(asked=asked, goes_on=goes_on))


@pytest.mark.xdist_group("demo")
async def test_a_withdrawal_is_counted_as_it_ended(tmp_path):
    async with system(tmp_path / "state") as running, connected(running.endpoints.nats) as client:
        await fed(client)
        opened = await said(client, CaseOpened)
        desk = Desk(client, opened, await said(client, CaseAssigned))
        ends, goes_on, none = map(desk.of, (Kind.COMPLAINT, Kind.DENUNCIATION, Kind.REFLECTION))

        fates = [
            await desk.withdraw(ends),
            await desk.order(ends, CaseConclude(outcome=Outcome.RIGHT)),
            await desk.withdraw(goes_on, "signs-of-violation"),
            await desk.order(goes_on, CasePause(clock="denunciation-settle", citation=CITED)),
            await desk.withdraw(none),
        ]
        await quiet(client)
        close = ReportClose(period=PERIOD)
        at = max(event.time for event in opened.values())
        await give(client, "reporting", [Order(OPERATOR, PERIOD, at, close)])
        await quiet(client)
        withdrawn, concluded = await said(client, CaseWithdrawn), await said(client, CaseConcluded)
        unit = opened[ends].data.unit
        settled = await column(client, unit, "14")
        findings = await verify(client, running.endpoints)

    assert fates == [
        "kept",
        "/problems/already-concluded",
        "kept",
        "/problems/goes-on",
        "/problems/no-withdrawal",
    ]
    assert withdrawn.keys() == {ends, goes_on}
    assert {case: event.data.outcome for case, event in concluded.items()} == {
        ends: Outcome.WITHDRAWN
    }
    assert settled == 1
    assert [str(finding) for finding in findings] == []


async def column(client, unit, code):
    """The unit's own figure in Form 01/XLD."""
    subject = f"report.internal.{unit}.01-xld.{PERIOD}"
    [message] = [m async for m in messages(client, REPORTS, [subject])]
    report = Event[ReportPublished].model_validate_json(message.data).data
    [own] = [row for row in report.rows if row.own]
    return dict(zip((c.code for c in report.columns), own.cells, strict=True))[code]
