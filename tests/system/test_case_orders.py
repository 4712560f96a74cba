"""Bodies order on the bus: a case is handed on, concerns more, is referred and taken up again."""

from datetime import UTC, datetime

from deploy.command import Order, give
from deploy.connection import connected
from deploy.demo import SAMPLE, quiet
from deploy.rules import RULE_FILES, publish_rules
from deploy.stream import messages
from deploy.up import system
from deploy.verify import verify
from shared.contracts import (
    CaseAccept,
    CaseAmend,
    CaseAssigned,
    CaseDecline,
    CaseRefer,
    CaseReopen,
    CaseTransfer,
)
from shared.contracts.case import Assigning, Ground, Referral, case_id
from shared.contracts.envelope import Event
from shared.contracts.ingress import Fate
from shared.contracts.vocabulary import Concern
from shared.runtime.mongo import open_client
from shared.runtime.streams import EVENTS
from tests.system.happening import Happening

CITED = "Điều 12 Luật Tố cáo 2018"


class Desk:
    """Bodies at work on one case of the sample province."""

    def __init__(self, happening, case):
        self.happening, self.case = happening, case

    async def order(self, party, order):
        at = datetime.now(UTC)
        [fate] = await give(self.happening.client, "routing", [Order(party, self.case, at, order)])
        await quiet(self.happening.client)
        return fate.fate if fate.refusal is None else fate.refusal.type

    async def assignments(self):
        found = [
            Event[CaseAssigned].model_validate_json(message.data)
            async for message in messages(self.happening.client, EVENTS, [CaseAssigned.TYPE])
        ]
        return [event.data for event in found if event.subject == self.case]

    async def lead(self):
        return max(await self.assignments(), key=lambda said: said.version).lead

    async def reads(self, body):
        told = await self.happening.ask(body, "text", case=self.case)
        return told == "told"


async def test_access_follows_the_case_wherever_it_goes(tmp_path):
    async with (
        system(tmp_path / "state") as running,
        connected(running.endpoints.nats) as client,
    ):
        for noun in RULE_FILES:
            await publish_rules(client, SAMPLE / f"{noun}.yaml", noun)
        await quiet(client)
        happening = Happening(running, client)
        submission, _ = await happening.form("Cán bộ hẹn lại hồ sơ nhiều lần.", one=b"x")
        await quiet(client)
        desk = Desk(happening, case_id(submission))

        first = await desk.lead()
        assert await desk.reads(first)
        declined = CaseDecline(ground=Ground.NOT_COMPETENT, citation=CITED)
        assert await desk.order(first, declined) == Fate.KEPT
        second = await desk.lead()
        assert second != first
        assert (await desk.reads(first), await desk.reads(second)) == (False, True)
        assert await desk.order(first, CaseAccept()) == "/problems/not-lead"

        assert await desk.order(second, CaseAccept()) == Fate.KEPT
        refer = CaseRefer(way=Referral.FORWARDED, citation=CITED)
        assert await desk.order(second, refer) == Fate.KEPT
        assert await desk.order(second, CaseReopen(citation=CITED)) == Fate.KEPT

        office = await an_office_in(running.endpoints, second)
        amend = CaseAmend(concerns=(Concern(office=office),))
        assert await desk.order(second, amend) == Fate.KEPT
        third = await desk.lead()
        assert third not in {first, second}
        assert (await desk.reads(second), await desk.reads(third)) == (False, True)
        back = CaseTransfer(to=second, citation=CITED)
        assert await desk.order(third, back) == "/problems/receiver-concerned"

        said = sorted(await desk.assignments(), key=lambda each: each.version)
        assert [each.why for each in said] == [
            Assigning.OPENING,
            Assigning.DECLINE,
            Assigning.CONCERNS,
        ]
        assert await verify(client, running.endpoints) == []
        await happening.http.aclose()


async def an_office_in(endpoints, body):
    """An office that is a member of the body, as routing knows it."""
    mongo = open_client(endpoints.mongo)
    try:
        [document] = await mongo["langnghe_routing"]["directories"].find().to_list(1)
    finally:
        mongo.close()
    found = next(each for each in document["content"]["bodies"] if each["code"] == body)
    return found["members"][0]
