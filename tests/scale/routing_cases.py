"""Routing with 100,000 open cases: opening stays linear, and a new directory moves each case once.

`python -m tests.scale.routing_cases` starts a MongoDB of its own (or takes the one that
`LANGNGHE_MONGO_URL` names), prints its figures, and fails where a promise is broken.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from deploy.local import LocalStack
from services.routing.domain.clocks import Versions
from services.routing.effects import effect_teller
from services.routing.handlers import case_opener
from services.routing.schedule import Schedule
from services.routing.store import MongoCases, MongoClocks, MongoRules
from shared.contracts import CalendarPublished, CaseAssigned, DirectoryPublished, RulebookPublished
from shared.contracts.case import Assigning
from shared.contracts.directory import Directory
from shared.contracts.effect import EffectAsked, EffectTold
from shared.contracts.envelope import AnyEvent
from shared.contracts.vocabulary import Concern
from shared.runtime.mongo import Database, open_client, open_database
from tests.examples_routing import (
    NOON,
    TODAY,
    ZONE,
    body,
    calendar,
    directory,
    office,
    published,
    rulebook,
    submission_received,
    unit,
)

WARDS, SCHOOLS = 10, 10
BATCH = 250
STEP = 10_000
MOST_GROWTH = 1.5
"""Of the last step against the second: the first one warms up."""
ENDED, HEIRS = "front-0", ("heir-0", "heir-1")


class Killed(Exception):
    """The process dies here."""


def province(*, moved: bool = False) -> Directory:
    """Ten wards with ten schools each; a body at each ward, of which two follow the first."""
    schools = [(f"school-{w}-{s}", f"ward-{w}") for w in range(WARDS) for s in range(SCHOOLS)]
    ends = {"valid_to": TODAY} if moved else {}
    heirs = tuple(body(h, "ward-0", valid_from=TODAY) for h in HEIRS) if moved else ()
    return directory(
        units=(
            unit("province", level=1),
            *(unit(f"ward-{w}", "province", 2) for w in range(WARDS)),
            *(unit(code, ward) for code, ward in schools),
        ),
        offices=tuple(office(f"head-{code}", code) for code, _ in schools),
        bodies=(
            body("province-front", "province"),
            body(ENDED, "ward-0", **ends),
            *(body(f"front-{w}", f"ward-{w}") for w in range(1, WARDS)),
            *heirs,
        ),
        holdings=(),
        agencies=(),
    )


@dataclass(frozen=True, slots=True)
class Said:
    """What the checks ask of an event: hundreds of thousands stay in memory."""

    case: str
    version: int
    lead: str | None = None
    """If it names one."""
    why: Assigning | None = None

    @classmethod
    def of(cls, event: AnyEvent) -> "Said":
        data = event.data
        if isinstance(data, CaseAssigned):
            return cls(event.subject, data.version, data.lead, data.why)
        return cls(event.subject, data.version)


class StandingClocks(MongoClocks):
    """The store's clock stands at the noon of the examples."""

    async def time(self) -> datetime:
        return NOON


@dataclass(frozen=True, slots=True)
class Spent:
    seconds: float
    work: float
    """Processor seconds of this process and of MongoDB: neighbours do not lengthen them."""


class Meter:
    def __init__(self, database: Database) -> None:
        self._admin = database.client.admin
        self._read = Spent(0.0, 0.0)

    async def read(self) -> Spent:
        """What was spent since it was read last."""
        server = (await self._admin.command("serverStatus"))["extra_info"]
        micros = server["user_time_us"] + server["system_time_us"]
        now = Spent(time.monotonic(), time.process_time() + micros / 1e6)
        spent = Spent(now.seconds - self._read.seconds, now.work - self._read.work)
        self._read = now
        return spent


@dataclass
class Desk:
    """Routing's stores over one database, and what it announced."""

    database: Database
    opened: dict[str, Said] = field(default_factory=dict)
    """By event id: the stream drops what carries an id that it has."""
    swept: dict[str, Said] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cases, self.clocks = MongoCases(self.database), StandingClocks(self.database)
        self.rules = MongoRules(self.database)

    async def prepare(self) -> None:
        for store in (self.cases, self.clocks):
            await store.prepare()
        await self.rules.add_once(
            [
                published(DirectoryPublished(version=1, directory=province())),
                published(RulebookPublished(version=1, rulebook=rulebook())),
                published(CalendarPublished(version=1, calendar=calendar())),
            ]
        )

    async def open(self, cases: int, told: Callable[[int, Spent], None] = lambda *_: None) -> None:
        """Open so many cases; `told` hears of every step what it took."""
        begun = time.monotonic()

        def now() -> datetime:
            return NOON + timedelta(seconds=time.monotonic() - begun)

        open_cases = case_opener(self.rules, self.cases, ZONE, now)
        meter = Meter(self.database)
        await meter.read()
        for first in range(0, cases, BATCH):
            batch = [submission(n) for n in range(first, min(first + BATCH, cases))]
            events = await open_cases(batch)
            self.opened |= {event.id: Said.of(event) for event in events}
            if (first + BATCH) % STEP == 0:
                told(first + BATCH, await meter.read())

    async def replace_a_body(self) -> None:
        there = province(moved=True)
        await self.rules.add_once([published(DirectoryPublished(version=2, directory=there))])

    async def foretold(self) -> tuple[int, int, float]:
        """What replacing the body would move, in how many pages, and seconds of the longest."""
        ask = effect_teller(self.rules, self.cases, {"operator"}, ZONE, lambda: NOON)
        asked, moves, pages, longest = EffectAsked(directory=province(moved=True)), 0, 0, 0.0
        while True:
            question = asked.model_dump_json(exclude_none=True).encode()
            answer, seconds = await timed(ask("operator", question))
            told = EffectTold.model_validate_json(answer)
            moves, pages, longest = moves + told.moves, pages + 1, max(longest, seconds)
            if not told.next:
                return moves, pages, longest
            asked = EffectAsked(after=told.next)

    async def sweep(self, *, dies_after: int | None = None, announced: bool = False) -> int:
        """A schedule's first sweep, that dies at one publish: before or after it arrived."""
        left = dies_after

        async def publish(events: Sequence[AnyEvent]) -> None:
            nonlocal left
            if left == 0 and not announced:
                raise Killed
            self.swept |= {event.id: Said.of(event) for event in events}
            if left == 0:
                raise Killed
            left = None if left is None else left - 1

        return await Schedule(self.rules, self.clocks, publish, zone=ZONE, now=lambda: NOON).sweep()

    async def sweep_dying(self, *, dies_after: int, announced: bool) -> None:
        try:
            await self.sweep(dies_after=dies_after, announced=announced)
        except Killed:
            return
        raise AssertionError("the sweep was over before it could die")

    async def faults(self, cases: int) -> list[str]:
        """What is wrong after the sweeps; empty if each case of the ended body moved once."""
        versions: dict[str, list[int]] = defaultdict(list)
        moves: Counter[str] = Counter()
        leads: dict[str, str] = {}
        for said in (*self.opened.values(), *self.swept.values()):
            versions[said.case].append(said.version)
            moves[said.case] += said.why is Assigning.RULES
            leads[said.case] = said.lead or leads.get(said.case, "")
        taken = [Counter(leads.values())[heir] for heir in HEIRS]
        left = sum(said.lead == ENDED for said in self.opened.values())
        kept = {
            document["_id"]: document["version"]
            async for document in self.database["cases"].find({}, {"version": 1})
        }
        counts = dict(await self.cases.open_by_lead())
        checks = {
            "cases kept": len(kept) == cases,
            "cases told of": len(versions) == cases,
            "no gap in versions": all(
                sorted(numbers) == list(range(1, kept[case] + 1))
                for case, numbers in versions.items()
            ),
            "nobody moved twice": max(moves.values()) == 1,
            "all of the ended body moved": sum(moves.values()) == left > 0,
            "to its heirs": sum(taken) == left,
            "half of them each": max(taken) - min(taken) <= 1,
            "as the store counts": counts == dict(Counter(leads.values())),
            "nothing waits": not await self.clocks.waiting(1),
            "nothing is due": not await self.clocks.due(TODAY, Versions(1, 1), 1, directory=2),
        }
        return [name for name, holds in checks.items() if not holds]


def submission(n: int) -> AnyEvent:
    """The `n`-th: every ward has as many."""
    code = f"school-{n % WARDS}-{n // WARDS % SCHOOLS}"
    return submission_received(f"s{n}", unit=code, concerns=Concern(office=f"head-{code}"))


async def measure(database: Database, cases: int) -> list[str]:
    """Print the figures; returns the broken promises."""
    desk, steps = Desk(database), list[float]()
    await desk.prepare()

    def told(opened: int, spent: Spent) -> None:
        steps.append(spent.work)
        print(
            f"opened {opened:>7}: {spent.seconds:.2f} s for the last {STEP},"
            f" {spent.work:.2f} s of processors",
            flush=True,
        )

    await desk.open(cases, told)
    _, seconds = await timed(desk.cases.open_by_lead())
    print(f"open cases by lead: {seconds * 1000:.1f} ms")
    _, seconds = await timed(desk.prepare())
    print(f"start of another process: {seconds * 1000:.1f} ms")
    _, seconds = await timed(desk.sweep())
    print(f"sweep that finds nothing: {seconds * 1000:.1f} ms")

    (foretold, pages, longest), seconds = await timed(desk.foretold())
    print(
        f"foretold {foretold} moves in {seconds:.2f} s: {pages} pages, {longest:.3f} s the longest"
    )

    await desk.replace_a_body()
    batches = cases // 200
    spent = 0.0
    for announced in (False, True):
        _, seconds = await timed(desk.sweep_dying(dies_after=batches // 4, announced=announced))
        spent += seconds
        print(f"sweep that dies: {seconds:.2f} s, {len(desk.swept)} moves announced", flush=True)
    _, seconds = await timed(desk.sweep())
    spent += seconds
    print(f"sweep that ends: {seconds:.2f} s")
    print(
        f"weighed {cases} cases in {spent:.2f} s: {cases / spent:.0f} cases/s, {len(desk.swept)} moved"
    )
    _, seconds = await timed(desk.sweep())
    print(f"sweep that finds nothing: {seconds * 1000:.1f} ms")

    faults = await desk.faults(cases)
    if foretold != len(desk.swept):
        faults.append("as many move as were foretold")
    if len(steps) > 2 and steps[-1] > MOST_GROWTH * steps[1]:
        faults.append("opening is not linear")
    return faults


async def timed(work):
    before = time.monotonic()
    answer = await work
    return answer, time.monotonic() - before


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    cases = parser.parse_args().cases
    with tempfile.TemporaryDirectory() as folder:
        async with LocalStack(Path(folder), parts=("mongo",)) as stack:
            client = open_client(stack.mongo_url)
            name = "scale_routing_cases"
            await client.drop_database(name)
            try:
                faults = await measure(open_database(client, name), cases)
            finally:
                await client.drop_database(name)
                client.close()
    print("\n".join(f"broken: {fault}" for fault in faults) or "all promises held")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
