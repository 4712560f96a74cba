"""Reporting's real process, killed while it publishes: what is out, and what must be.

Each month is closed, and revised once something came late. `Ordeal` runs NATS, MongoDB and one
or two replicas of reporting, and ends them with SIGKILL at a named report. `undisturbed` tells, in
memory, what both counts of a month say when nobody is killed.
"""

import asyncio
import os
import signal
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg

from deploy.command import Order, give
from deploy.keys import ensure_keys
from deploy.local import LocalStack
from deploy.process import Process, free_port
from deploy.services import serve_command
from deploy.stream import messages
from services.reporting.closing import Closer
from services.reporting.closing import Order as Count
from services.reporting.domain.change import change
from services.reporting.issuing import Desk
from services.reporting.store import MongoClosings
from shared.contracts import ReportClose, ReportPublished, ReportRevise
from shared.contracts.envelope import AnyEvent, Event
from shared.contracts.report import Edition
from shared.runtime.mongo import open_client, open_database
from shared.runtime.publish import Publisher
from shared.runtime.streams import CONSUMERS, OWN_WINDOW, REPORTS, declare
from tests.examples_reporting import (
    ZONE,
    directory_published,
    period_rule,
    rulebook_published,
    submission_received,
    unit,
)
from tests.fakes_reporting import (
    MemoryClosings,
    MemoryFlight,
    MemoryReports,
    MemoryRows,
    MemoryRules,
)

WARDS = tuple(f"w-{number:03}" for number in range(250))
CLOSED, REVISED = 3 * (len(WARDS) + 1), 2 * (len(WARDS) + 1)
"""Reports of a closing, and those that a late case changes: its result, `03-kqgq`, stays."""
YEAR, MONTHS = 2025, range(1, 13)
MOMENT = 0.2
"""Seconds for which the stream is let tell ids apart, in order to forget them."""
SECONDS, POLL_SECONDS = 120.0, 0.05

Said = dict[str, list[tuple[int, str]]]
"""Revision and digest of each report, by subject, as the stream has them."""


def rules() -> tuple[AnyEvent, AnyEvent]:
    country = (unit("country", level=1), *(unit(ward, "country") for ward in WARDS))
    months = tuple(period_rule(f"m{m}", f"{m:02}-01", f"{m:02}-28") for m in MONTHS)
    return directory_published(units=country), rulebook_published(periods=months)


def code(month: int) -> str:
    return f"{YEAR}-m{month}"


def first(month: int) -> list[AnyEvent]:
    """One case in every ward, so that the closing has figures for each."""
    return _cases(month, "first")


def late(month: int) -> list[AnyEvent]:
    """Another one in every ward, so that the revision has all reports anew."""
    return _cases(month, "late")


def _cases(month: int, name: str) -> list[AnyEvent]:
    at = datetime(YEAR, month, 10, tzinfo=UTC)
    return [submission_received(f"{name}-{month}-{ward}", at, unit=ward) for ward in WARDS]


async def undisturbed(months: Iterable[int]) -> Said:
    rows, store = MemoryRows(), MemoryRules()
    closings, reports = MemoryClosings(), MemoryReports()
    directory, rulebook = rules()
    await store.add_once([directory], [rulebook])
    closer = Closer(rows, store, closings, MemoryFlight(), zone=ZONE)
    said: list[Event[ReportPublished]] = []

    async def say(events: Sequence[AnyEvent]) -> None:
        said.extend(event for event in events if isinstance(event.data, ReportPublished))

    at = datetime(9000, 1, 1, tzinfo=UTC)
    for month in months:
        await rows.apply([change(event) for event in first(month)])
        await closer.close(Count.by_itself(code(month), 1), at)
        await Desk(store, closings, reports, say).issue()
        await rows.apply([change(event) for event in late(month)])
        await closer.revise(Count.by_itself(code(month), 2), at)
        await Desk(store, closings, reports, say).issue()
    return by_subject(said)


def by_subject(events: Iterable[Event[ReportPublished]]) -> Said:
    found: Said = defaultdict(list)
    for event in events:
        found[event.data.nats_subject()].append((event.data.revision, event.data.digest))
    return dict(found)


@dataclass(frozen=True, slots=True)
class Kill:
    """What a kill left: reports that came out since the start, and closings not wholly out."""

    replicas: int
    out: int
    unfinished: int

    @property
    def in_the_middle(self) -> bool:
        return self.out > 0 and self.unfinished > 0


class Ordeal:
    """Reporting on servers of its own; nobody but this starts it again."""

    def __init__(self, stack: LocalStack, client: Client, folder: Path) -> None:
        self._stack, self._client, self._folder = stack, client, folder
        self._stream = client.jetstream()
        self._mongo = open_client(stack.mongo_url)
        self._closings = MongoClosings(open_database(self._mongo, "langnghe_reporting"))
        self._replicas: list[Process] = []
        self._publisher = Publisher(lambda: client)

    @classmethod
    @asynccontextmanager
    async def on(cls, folder: Path) -> "AsyncIterator[Ordeal]":
        async with LocalStack(folder) as stack:
            client = await nats.connect(stack.nats_url)
            await declare(client.jetstream())
            ensure_keys(folder)
            ordeal = cls(stack, client, folder)
            await ordeal.say(*rules())
            try:
                yield ordeal
            finally:
                await ordeal.stop()
                ordeal._mongo.close()
                await client.close()

    async def month(self, month: int, parts: Sequence[float]) -> list[Kill]:
        """A closing and a revision with three kills, each when such a part of the rest is out.

        The first hits the closing. The second hits two replicas that go on with it while late
        events are read; the third, two that publish the revision. Long enough lies between them
        for the server to forget every id.
        """
        kills: list[Kill] = []

        def after(part: float, until: int) -> int:
            left = until - sum(kill.out for kill in kills)
            return 1 + int(part * max(left, 0))

        await self.say(*first(month))
        close = ReportClose(period=code(month), force=True)
        kills.append(await self._killed(1, after(parts[0], CLOSED), close))
        await self.say(*late(month))
        await self._forget()
        kills.append(await self._killed(2, after(parts[1], CLOSED), None))
        await self._forget()
        revise = ReportRevise(period=code(month))
        kills.append(await self._killed(2, after(parts[2], CLOSED + REVISED), revise))
        await self._forget()
        await self._finish(revise)
        return kills

    async def said(self) -> Said:
        return by_subject(
            [
                Event[ReportPublished].model_validate_json(message.data)
                async for message in messages(self._client, REPORTS)
            ]
        )

    async def say(self, *events: AnyEvent) -> None:
        await self._publisher.publish(events)

    async def stop(self) -> None:
        await asyncio.gather(*(each.stop() for each in self._replicas))

    async def _killed(
        self, replicas: int, after: int, order: ReportClose | ReportRevise | None
    ) -> Kill:
        """Start them at one moment, order, and kill all at that report of those that come now."""
        before = await self._out()
        left = iter(range(after - 1, -1, -1))
        reached = asyncio.Event()

        async def see(_message: Msg) -> None:
            if next(left, None) == 0:
                for each in self._replicas:
                    if each.exit_code is None:
                        os.kill(each.pid, signal.SIGKILL)
                reached.set()

        watching = await self._client.subscribe("report.>", cb=see)
        await self._start(replicas)
        ordering = asyncio.create_task(self._order(order))
        try:
            async with asyncio.timeout(SECONDS):
                await reached.wait()
                await asyncio.gather(*(each.ended() for each in self._replicas))
            ends = {each.exit_code for each in self._replicas}
            if ends != {-signal.SIGKILL}:
                raise RuntimeError(f"one ended by itself: {ends}")
        finally:
            ordering.cancel()
            await watching.unsubscribe()
        unfinished = await self._unfinished(Edition.INTERNAL)
        return Kill(replicas, await self._taken() - before, unfinished)

    async def _finish(self, order: ReportRevise) -> None:
        """Two replicas at once, until they have nothing more to say."""
        await self._start(2)
        await self._order(order, number=2)
        async with asyncio.timeout(SECONDS):
            while await self._unfinished(*Edition):
                await asyncio.sleep(POLL_SECONDS)
        await self.stop()

    async def _unfinished(self, *editions: Edition) -> int:
        """Closings of which such an edition is not known to be out."""
        return sum([len(await self._closings.waiting(edition)) for edition in editions])

    async def _start(self, replicas: int) -> None:
        urls = self._stack.nats_url, self._stack.mongo_url
        self._replicas = [replica(self._folder, number, *urls) for number in range(replicas)]
        await asyncio.gather(*(each.start() for each in self._replicas))

    async def _order(self, data: ReportClose | ReportRevise | None, number: int = 1) -> None:
        """Once every event is counted; two orders of one number are one."""
        if data is None:
            return
        rows = CONSUMERS["reporting-rows"]
        while True:
            info = await self._stream.consumer_info(rows.stream, "reporting-rows")
            if not info.num_pending and not info.num_ack_pending:
                break
            await asyncio.sleep(POLL_SECONDS)
        order = Order("operator", data.period, datetime(2026, 1, number, tzinfo=UTC), data)
        await give(self._client, "reporting", [order], wait_seconds=SECONDS)

    async def _forget(self) -> None:
        """As if more than the stream's window had gone by: no id of before is known any more."""
        config = (await self._stream.stream_info(REPORTS)).config
        await self._stream.update_stream(config, duplicate_window=MOMENT)
        await asyncio.sleep(2 * MOMENT)  # the server's own clock has to pass
        await self._stream.update_stream(config, duplicate_window=OWN_WINDOW)

    async def _taken(self) -> int:
        """How many reports are out once the server has taken all that the dead had sent."""
        before, now = -1, await self._out()
        while before != now:
            await asyncio.sleep(MOMENT)
            before, now = now, await self._out()
        return now

    async def _out(self) -> int:
        return int((await self._stream.stream_info(REPORTS)).state.messages)


def replica(folder: Path, number: int, nats_url: str, mongo_url: str) -> Process:
    """One of reporting, with the keys of the folder."""
    environment = {
        "LANGNGHE_NATS_URL": nats_url,
        "LANGNGHE_MONGO_URL": mongo_url,
        "LANGNGHE_KEYS": str((folder / "keys").resolve()),
        "LANGNGHE_HTTP_PORT": str(free_port()),
        "PYTHONUNBUFFERED": "1",
    }
    name = f"reporting-{number}"
    return Process(name, serve_command("reporting"), folder / "log" / f"{name}.log", environment)


def broken(found: Said, expected: Said) -> list[str]:
    """Each report that is missing, said twice, out of order, or not what it should be.

    A whole may change more than once on the way, as late events are read; it begins and ends as
    if it had not.
    """
    wrong = [f"{subject} is missing" for subject in expected.keys() - found.keys()]
    for subject, said in found.items():
        revisions = [revision for revision, _ in said]
        digests = [digest for _, digest in said]
        wanted = [digest for _, digest in expected.get(subject, ())]
        if revisions != list(range(1, len(said) + 1)):
            wrong.append(f"{subject} has the revisions {revisions}")
        elif not wanted or digests[0] != wanted[0]:
            wrong.append(f"{subject} begins with another report")
        elif digests[-1] != wanted[-1]:
            wrong.append(f"{subject} ends with another report")
    return sorted(wrong)
