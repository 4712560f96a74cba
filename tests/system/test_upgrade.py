"""An older and a newer version of a service side by side, and the way back (F-16)."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import nats
import pytest

from deploy.command import Order, give
from deploy.keys import ensure_keys
from deploy.local import LocalStack
from deploy.process import Process, free_port
from deploy.services import serve_command
from deploy.stream import messages
from shared.contracts import (
    CalendarPublished,
    CaseAccept,
    CaseAccepted,
    CaseAssigned,
    CaseOpened,
    DirectoryPublished,
    RulebookPublished,
)
from shared.contracts.case import case_id
from shared.contracts.envelope import Event
from shared.contracts.ingress import Fate
from shared.runtime.mongo import open_client
from shared.runtime.publish import Publisher
from shared.runtime.streams import CONSUMERS, DEAD_LETTERS, EVENTS, declare
from tests.documents import ROOT
from tests.examples_routing import calendar, directory, published, rulebook, submission_received
from tests.system.newer_service import DEFAULT, NewerSubmission

ROUNDS, A_ROUND = 20, 20
CONSUMERS_HERE = [d for d in CONSUMERS.values() if not d.name.startswith("intake")]
RULES = (
    DirectoryPublished(version=3, directory=directory()),
    RulebookPublished(version=5, rulebook=rulebook()),
    CalendarPublished(version=7, calendar=calendar()),
)


class Upgrade:
    """Routing and reporting, one replica of each version, on the same streams and stores."""

    def __init__(self, stack: LocalStack, client: nats.NATS, folder: Path) -> None:
        self.client, self._stack, self._folder = client, stack, folder
        self.publisher = Publisher(lambda: client)
        self.mongo = open_client(stack.mongo_url)
        self.older = self._version("older", serve_command)
        self.newer = self._version(
            "newer", lambda name: [sys.executable, "-m", "tests.system.newer_service", name]
        )
        self._numbers = count()
        self.urgency: dict[str, str | None] = {}
        """By submission: what it says, None where an older intake announced it."""

    def _version(self, version, command) -> list[Process]:
        return [
            Process(
                f"{version}-{name}",
                command(name),
                self._folder / "log" / f"{version}-{name}.log",
                {
                    "LANGNGHE_NATS_URL": self._stack.nats_url,
                    "LANGNGHE_MONGO_URL": self._stack.mongo_url,
                    "LANGNGHE_KEYS": str(self._folder / "keys"),
                    "LANGNGHE_HTTP_PORT": str(free_port()),
                    "PYTHONPATH": str(ROOT),
                    "PYTHONUNBUFFERED": "1",
                },
            )
            for name in ("routing", "reporting")
        ]

    async def start(self, replicas: Iterable[Process]) -> None:
        await asyncio.gather(*(each.start() for each in replicas))

    async def stop(self, replicas: Iterable[Process]) -> None:
        await asyncio.gather(*(each.stop() for each in replicas))

    async def announce(self) -> None:
        """Submissions as intakes of both versions announce them, one by one; until all is quiet."""
        for number in range(A_ROUND):
            name = f"s{next(self._numbers)}"
            event = submission_received(name)
            self.urgency[name] = "high" if number % 2 else None
            if number % 2:
                data = NewerSubmission(**dict(event.data), urgency="high")
                event = Event[NewerSubmission](**{**dict(event), "data": data})
            await self.publisher.publish([event])
        await self.quiet()

    async def quiet(self) -> None:
        """Return when routing and reporting have nothing under way, twice in a row."""
        jetstream, calm = self.client.jetstream(), 0
        async with asyncio.timeout(60):
            while calm < 2:
                states = [await jetstream.consumer_info(d.stream, d.name) for d in CONSUMERS_HERE]
                waits = any(state.num_pending or state.num_ack_pending for state in states)
                calm = 0 if waits else calm + 1
                await asyncio.sleep(0.05)

    async def said(self, contract) -> list[dict]:
        return [
            json.loads(message.data)
            async for message in messages(self.client, EVENTS, [contract.TYPE])
        ]

    async def opened(self) -> dict[str, str | None]:
        """By submission: the urgency that its case was opened with, None if by an older one."""
        found = await self.said(CaseOpened)
        assert len(found) == len({each["subject"] for each in found})
        return {each["data"]["submission"]: each["data"].get("urgency") for each in found}

    async def accept_all(self) -> list:
        leads = {each["subject"]: each["data"]["lead"] for each in await self.said(CaseAssigned)}
        at = datetime.now(UTC)
        orders = [Order(lead, case, at, CaseAccept()) for case, lead in leads.items()]
        return [each.fate for each in await give(self.client, "routing", orders)]

    async def rows(self) -> list[dict]:
        rows = self.mongo["langnghe_reporting"]["case_rows"]
        return [row async for row in rows.find({})]

    async def dead(self) -> int:
        return (await self.client.jetstream().stream_info(DEAD_LETTERS)).state.messages


@pytest.fixture
async def upgrade(tmp_path) -> AsyncIterator[Upgrade]:
    async with running(tmp_path) as upgrade:
        yield upgrade


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Upgrade]:
    async with LocalStack(folder) as stack:
        client = await nats.connect(stack.nats_url)
        await declare(client.jetstream())
        ensure_keys(folder)
        upgrade = Upgrade(stack, client, folder)
        await upgrade.publisher.publish([published(rules) for rules in RULES])
        try:
            yield upgrade
        finally:
            await upgrade.stop([*upgrade.older, *upgrade.newer])
            upgrade.mongo.close()
            await client.close()


async def test_two_versions_share_the_work_and_either_goes_on_alone(upgrade):
    """The newer beside the older, then alone, then the older alone: an upgrade, and the way back."""
    await upgrade.start([*upgrade.older, *upgrade.newer])
    for _ in range(ROUNDS):
        await upgrade.announce()
        opened = await upgrade.opened()
        met = {(upgrade.urgency[name], by is not None) for name, by in opened.items()}
        if len(met) == 4:  # each version has read what each version wrote
            break
    assert len(met) == 4
    await upgrade.stop(upgrade.older)
    await upgrade.announce()
    await upgrade.start(upgrade.older)
    await upgrade.stop(upgrade.newer)
    await upgrade.announce()
    fates = await upgrade.accept_all()
    await upgrade.quiet()

    opened, every = await upgrade.opened(), upgrade.urgency
    assert opened.keys() == every.keys()
    assert all(by in {None, every[name] or DEFAULT} for name, by in opened.items())
    assert Counter(fates) == {Fate.KEPT: len(every)}
    accepted = Counter(each["subject"] for each in await upgrade.said(CaseAccepted))
    assert accepted == dict.fromkeys(map(case_id, every), 1)
    assert await upgrade.dead() == 0
    assert {row["_id"] for row in await upgrade.rows()} == set(map(case_id, every))
    assert all({"opened", "accepted"} <= row.keys() for row in await upgrade.rows())
