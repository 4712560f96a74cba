"""A mixed letter is split and a duplicate joined on the bus: who reads them, and what is counted."""

from datetime import UTC, datetime

from deploy.casework import Explainer, Names, whole_case
from deploy.cli.casework import listed
from deploy.command import Order, give
from deploy.connection import connected
from deploy.demo import OPERATOR, PERIOD, SAMPLE, quiet
from deploy.rules import RULE_FILES, publish_rules
from deploy.show import reports
from deploy.up import system
from deploy.verify import verify
from deploy.verify.totals import ZONE
from shared.contracts import CaseJoin, CaseSplit, ReportClose
from shared.contracts.case import case_id, part_id
from shared.contracts.ingress import Fate
from shared.contracts.order import SplitPart
from shared.contracts.submission import submission_id
from shared.contracts.vocabulary import Kind
from shared.runtime.mongo import open_client
from tests.system.happening import AGENCY, Happening, let_in, letter

CITED = "Thông tư số 05/2021/TT-TTCP"
SPLIT = CaseSplit(parts=(SplitPart(kind=Kind.DENUNCIATION),), citation=CITED)
ACTED = datetime(2026, 5, 20, 2, 0, tzinfo=UTC)
"""Within the period that is closed."""


async def ordered(client, party, case, data):
    order = Order(party, case, ACTED, data)
    [fate] = await give(client, "routing", [order])
    await quiet(client)
    return fate.fate if fate.refusal is None else fate.refusal.type


async def lead_of(running, case):
    mongo = open_client(running.endpoints.mongo)
    try:
        return (await mongo["langnghe_intake"]["cases"].find_one({"_id": case}))["lead"]
    finally:
        mongo.close()


async def test_letters_that_are_split_and_joined_hold_together_everywhere(tmp_path):
    let_in(tmp_path / "state", [AGENCY])
    async with (
        system(tmp_path / "state") as running,
        connected(running.endpoints.nats) as client,
    ):
        for noun in RULE_FILES:
            await publish_rules(client, SAMPLE / f"{noun}.yaml", noun)
        await quiet(client)
        happening = Happening(running, client)
        letters = [letter(1, "Phản ánh hồ sơ bị hẹn lại."), letter(2, "Phản ánh việc khác hẳn.")]
        assert await happening.events(letters) == ["kept"] * 2
        await quiet(client)
        first, second = (case_id(submission_id(AGENCY, f"letter-{n}")) for n in (1, 2))
        lead, part = await lead_of(running, first), part_id(first, Kind.DENUNCIATION)

        assert await ordered(client, lead, first, SPLIT) == Fate.KEPT
        assert await ordered(client, lead, first, SPLIT) == Fate.DUPLICATE
        join = CaseJoin(into=first, citation=CITED)
        assert await ordered(client, lead, second, join) == Fate.KEPT

        holder = await lead_of(running, part)
        assert await happening.ask(holder, "text", case=part) == "told"
        assert await happening.ask(lead, "text", case=second) == "told"
        told = await whole_case(client, OPERATOR, first)
        assert told.status == "not-yours"
        said = await _explained(client, lead, second)
        assert f"nhập vụ việc trùng vào vụ việc {first}" in said

        [closed] = await give(
            client, "reporting", [Order(OPERATOR, PERIOD, datetime.now(UTC), ReportClose(period=PERIOD))]
        )  # fmt: skip
        assert closed.fate is Fate.KEPT
        await quiet(client)
        assert await _columns(client, ("1", "8", "9", "12", "13")) == [3, 3, 2, 1, 1]
        assert await verify(client, running.endpoints) == []
        await happening.http.aclose()


async def _explained(client, body, case):
    told = await whole_case(client, body, case)
    assert "nhập vụ việc trùng" in listed(told.row)
    return "\n".join(Explainer(await Names.of(client), "vi", ZONE).lines(told))


async def _columns(client, codes):
    """Of the whole province's Form 01/XLD."""
    forms = [form async for form in reports(client, PERIOD) if form.form == "01-xld"]
    whole = max(forms, key=lambda form: form.totals[0])
    cells = dict(zip((c.code for c in whole.columns), whole.totals, strict=True))
    return [cells[code] for code in codes]
