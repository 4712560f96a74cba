"""One run: load, a fault, its end, quiet, and the checker. Several faults share one world."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import nats.errors
from nats.aio.client import Client
from nats.js.errors import APIError

from deploy.command import NotDecided, Order, give
from deploy.connection import pending
from deploy.demo import OPERATOR, PERIOD, SAMPLE, quiet
from deploy.rules import RULE_FILES, publish_rules
from deploy.verify.seen import OUTBOX
from shared.contracts import ReportClose, ReportRevise
from shared.runtime.mongo import PyMongoError, open_client
from tests.faults.checker import Outcomes, check, outcomes
from tests.faults.ledger import ACCEPTED, Ledger
from tests.faults.load import Load, now
from tests.faults.view import View, read
from tests.faults.world import World

DRAIN_SECONDS = 120.0
RATE = 30.0
ORDERED = 12
"""Cases that are accepted and concluded while a fault lasts."""


@dataclass(slots=True)
class Row:
    """What a run of one fault shows; `broken` names what no longer holds since."""

    fault: str
    injections: int
    attempts: int
    accepted: int
    unknown: int
    lost: int
    invented: int
    double: int
    totals_equal: bool
    recovery_seconds: float
    note: str = ""
    broken: dict[str, list[str]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class Run:
    """A world with its sender. `draw` is seeded: a run can be done again."""

    world: World
    client: Client
    seed: int
    long: bool = False
    note: str = ""
    calm: Outcomes = field(default_factory=dict)
    known: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.load = Load(self.world, Ledger(), self.client, self.seed)
        self.draw = random.Random(self.seed)
        self.view = View(self.load.ledger)

    async def begin(self) -> None:
        """Rules, and a load that nothing disturbs: what becomes of it is what must always."""
        for noun in RULE_FILES:
            await publish_rules(self.client, SAMPLE / f"{noun}.yaml", noun)
        await quiet(self.client)
        row = await self.through("calm", _nothing)
        if row.broken:
            raise RuntimeError(f"undisturbed: {row.broken}")
        self.calm = dict(outcomes(self.view))

    async def through(
        self,
        name: str,
        inject: Callable[["Run"], Awaitable[int]],
        *,
        allowed: Callable[[str, str], bool] = lambda _invariant, _name: False,
    ) -> Row:
        """`allowed` says which breaches the fault itself is."""
        ledger = self.load.ledger
        first, orders = len(ledger.attempts), len(ledger.orders)
        self.note = ""
        stop = asyncio.Event()
        loading = asyncio.create_task(self.load.run(name, stop, RATE, at_least=150))
        ordering = asyncio.create_task(self.load.order(self._leads(), now()))
        await asyncio.sleep(0.5)
        try:
            injections = await inject(self)
        finally:
            stop.set()
        healed = time.monotonic()
        await loading
        await ordering
        await self.drained()
        recovery = time.monotonic() - healed
        await self.count_again()
        self.view = await read(self.world, self.client, ledger)
        found = check(self.view, self.calm)
        broken = {
            invariant: news
            for invariant, names in found.items()
            if (news := self._news(invariant, names, allowed))
        }
        tried = [*ledger.attempts[first:], *ledger.orders[orders:]]
        accepted = {a.event for a in tried if a.answer == ACCEPTED}
        return Row(
            fault=name,
            injections=injections,
            attempts=len(tried),
            accepted=len(accepted),
            unknown=len({a.event for a in tried} - accepted),
            lost=len(broken.get("I1", ())),
            invented=len(broken.get("I2", ())),
            double=len(broken.get("I3", ())) + len(broken.get("I5", ())),
            totals_equal="I7" not in broken,
            recovery_seconds=round(recovery, 1),
            note=self.note,
            broken=broken,
        )

    async def drained(self, seconds: float = DRAIN_SECONDS) -> None:
        """Return when nothing is under way: on the bus, in an outbox, or about to be said."""
        mongo = open_client(self.world.endpoints.mongo)
        try:
            async with asyncio.timeout(seconds):
                await self.world.ready(seconds)
                calm = 0
                while calm < 3:
                    calm = calm + 1 if await self._is_quiet(mongo) else 0
                    await asyncio.sleep(0.2)
        except TimeoutError:
            self.note += f" not quiet after {seconds:.0f} s"
        finally:
            mongo.close()

    async def _is_quiet(self, mongo) -> bool:
        try:
            if await pending(self.client.jetstream()):
                return False
            for name in OUTBOX:
                if await mongo["langnghe_intake"][name].find_one({"unannounced": True}):
                    return False
            unissued = {"waits.0": {"$exists": True}}
            if await mongo["langnghe_reporting"]["closings"].find_one(unissued):
                return False
            return not await mongo["langnghe_routing"]["cases"].find_one({"waiting": {"$gt": ""}})
        except (nats.errors.Error, APIError, PyMongoError, TimeoutError):
            return False

    async def count_again(self) -> None:
        """Close the period, and from then on revise it: the totals are those of now."""
        data = ReportRevise(period=PERIOD) if self.calm else ReportClose(period=PERIOD)
        order = Order(OPERATOR, PERIOD, now(), data)
        try:
            [closed] = await give(self.client, "reporting", [order], wait_seconds=60)
            if closed.refusal is not None:
                self.note += f" not closed: {closed.refusal.title}"
        except (NotDecided, nats.errors.Error, APIError, TimeoutError) as error:
            self.note += f" not closed: {type(error).__name__}"
        await self.drained()

    def _leads(self) -> Mapping[str, str]:
        """Cases of earlier runs that nobody ordered anything about."""
        ordered = {attempt.pattern for attempt in self.load.ledger.orders}
        found = [
            (case, [e for e in c["events"] if e["type"] == "case.assigned.v1"][-1]["data"]["lead"])
            for case, c in sorted(self.view.cases.items())
            if case not in ordered
        ]
        return dict(found[:ORDERED])

    def _news(self, invariant: str, names: list[str], allowed) -> list[str]:
        known = self.known.setdefault(invariant, set())
        news = [n for n in names if n not in known and not allowed(invariant, n)]
        known.update(news)
        return news


async def _nothing(_run: Run) -> int:
    return 0
