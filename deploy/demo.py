"""The demonstration: a fictional province's half-year, from its mails to its report."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from nats.aio.client import Client

from deploy.command import Order, give
from deploy.connection import Endpoints, connected, latest_directory, pending
from deploy.feed import Told, feed
from deploy.items import Reader
from deploy.rules import RULE_FILES, publish_rules
from deploy.show import reports
from deploy.stream import messages
from deploy.verify import Finding, verify
from shared.contracts import CaseAccept, CaseAssigned, CaseConclude, CaseOpened, ReportClose
from shared.contracts.case import case_id
from shared.contracts.envelope import Event
from shared.contracts.ingress import Fate
from shared.contracts.submission import submission_id
from shared.contracts.vocabulary import Outcome
from shared.runtime.streams import EVENTS

SAMPLE = Path(__file__).parent / "sample"
PERIOD = "2026-h1"
OPERATOR = "operator"
QUIET_SECONDS = 120.0

Say = Callable[[str], None]


class NotQuiet(Exception):
    """Messages were still under way when the wait was over."""


@dataclass(slots=True)
class Totals:
    """The line that the demonstration ends with."""

    received: int = 0
    duplicates: int = 0
    refused: int = 0
    cases: int = 0
    assigned: int = 0
    conflicts_excluded: int = 0
    dead_letters: int = 0
    reports: int = 0
    verify: str = "not run"
    findings: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


async def run_demo(
    endpoints: Endpoints,
    *,
    say: Say = lambda _text: None,
    on_told: Callable[[Told], None] = lambda _told: None,
    at_stage: Callable[[str], Awaitable[None]] | None = None,
) -> Totals:
    """Feed the sample to a running, empty system, act as its bodies, close, verify.

    `at_stage` is awaited as each stage begins; tests disturb the system there.
    """

    async def stage(name: str, text: str) -> None:
        say(text)
        if at_stage is not None:
            await at_stage(name)

    totals = Totals()
    async with connected(endpoints.nats, "langnghe-demo") as client:
        await stage("rules", "publishing directory, rulebook and calendar")
        for noun in RULE_FILES:
            await publish_rules(client, SAMPLE / f"{noun}.yaml", noun)
        await quiet(client)

        await stage("feed", "feeding mails, calls, letters, forms and records")
        directory = await latest_directory(client.jetstream())
        agencies = [a.code for a in directory.directory.agencies] if directory else []
        reader = Reader(agencies, None, datetime.now(UTC))
        told = await feed(
            client, reader.items(SAMPLE / "feed"), wait_seconds=120, on_told=on_told, seal=True
        )
        totals.received = len(told)
        totals.duplicates = sum(t.fate == Fate.DUPLICATE for t in told)
        totals.refused = sum(t.fate == Fate.REFUSED for t in told)
        totals.dead_letters = sum(t.fate == "dead-letter" for t in told)
        await quiet(client)

        await stage("bodies", "the bodies accept and answer")
        await _answer(client)
        await quiet(client)

        await stage("close", f"closing the period {PERIOD}")
        order = Order(OPERATOR, PERIOD, datetime.now(UTC), ReportClose(period=PERIOD))
        [closed] = await give(client, "reporting", [order])
        if closed.refusal is not None:
            totals.findings.append(closed.refusal.title)
        await quiet(client)

        await stage("verify", "verifying")
        async for message in messages(client, EVENTS, [CaseOpened.TYPE, CaseAssigned.TYPE]):
            if message.subject == CaseOpened.TYPE:
                totals.cases += 1
                continue
            totals.assigned += 1
            data = Event[CaseAssigned].model_validate_json(message.data).data
            totals.conflicts_excluded += bool(data.excluded)
        findings: list[Finding] = await verify(client, endpoints)  # waits for the public edition
        totals.reports = len([report async for report in reports(client, PERIOD)])
    totals.findings += [str(finding) for finding in findings]
    totals.verify = "failed" if totals.findings else "ok"
    return totals


async def quiet(client: Client, seconds: float = QUIET_SECONDS) -> None:
    """Return when no consumer has anything under way, twice in a row."""
    jetstream = client.jetstream()
    waiting: dict[str, int] = {}
    calm = 0
    try:
        async with asyncio.timeout(seconds):
            while calm < 2:  # noqa: PLR2004 - what one consumer finished may start another
                waiting = await pending(jetstream)
                calm = 0 if waiting else calm + 1
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise NotQuiet(f"still under way after {seconds:.0f} s: {waiting}") from None


async def _answer(client: Client) -> None:
    """Do what `answers.jsonl` says, each in the name of the body that leads the case."""
    leads: dict[str, tuple[str, datetime]] = {}
    async for message in messages(client, EVENTS, [CaseAssigned.TYPE]):
        event = Event[CaseAssigned].model_validate_json(message.data)
        leads[event.subject or ""] = (event.data.lead, event.time)
    accepts: list[Order] = []
    concludes: list[Order] = []
    for line in (SAMPLE / "answers.jsonl").read_bytes().splitlines():
        answer = orjson.loads(line)
        case = case_id(submission_id(answer["agency"], answer["item"]))
        if case not in leads:
            continue
        lead, received = leads[case]
        accepted = received + timedelta(days=answer["accept_after_days"])
        accepts.append(Order(lead, case, accepted, CaseAccept()))
        if answer["conclude_after_days"] is not None:
            concluded = received + timedelta(days=answer["conclude_after_days"])
            outcome = Outcome(answer["outcome"])
            concludes.append(Order(lead, case, concluded, CaseConclude(outcome=outcome)))
    await give(client, "routing", accepts)
    await give(client, "routing", concludes)
