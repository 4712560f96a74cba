"""Routing's HTTP entrance in memory: the real handler and tellers behind it."""

from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any

import httpx
import orjson
from starlette.applications import Starlette

from services.routing.domain.lifecycle import OpenedCase
from services.routing.handlers import command_taker, fate_teller
from services.routing.http import Door, Seats, Tellers, Waiting, routes
from services.routing.looking import unsealings_teller
from services.routing.questions import Reading, case_teller, load_teller, worklist_teller
from shared.contracts.envelope import AnyEvent
from shared.runtime.arrival import Arrival
from shared.runtime.http.body import Bodies
from shared.runtime.http.credentials import Credentials
from shared.runtime.publish import Unconfirmed
from tests.examples_routing import NOON, ZONE, rules_in_force
from tests.fakes_routing import MemoryCases, MemoryCommands, MemoryLooks, MemoryWorklists


class StoreAway(Exception):
    pass


def token(body: str) -> str:
    return f"token-of-{body}-drawn-at-random"


def as_body(body: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(body)}"}


class Face:
    """`waits` holds orders in the stream as while nobody takes them; `take` takes them.

    `lost` makes the stream not confirm, `away` the ledger not answer.
    """

    def __init__(self, folder, opened: Sequence[OpenedCase], rules=None, codes=(), **more):
        self.rules = rules or rules_in_force()
        self.cases, self.ledger, self.looks = MemoryCases(), MemoryCommands(), MemoryLooks()
        self.opened, self.codes = opened, codes or ("ward-front", "province-front", "inspectorate")
        self.path = folder / "bodies.json"
        self.stream: list[Arrival] = []
        self.said: list[AnyEvent] = []
        self.paused: list[float] = []
        self.waits = self.lost = self.away = False
        self._more = more
        self._handle = command_taker(self, self.cases, self.ledger, ZONE, lambda: NOON)

    async def open(self) -> "Face":
        entries = {c: {"token_sha256": sha256(token(c).encode()).hexdigest()} for c in self.codes}
        self.path.write_bytes(orjson.dumps(entries))
        await self.cases.add_once(self.opened)
        return self

    async def latest(self):
        return self.rules

    async def order(self, body: str, kind: str, content: bytes) -> int:
        if self.lost:
            raise Unconfirmed("no answer")
        at = NOON + timedelta(hours=1)
        arrival = Arrival("command", body, kind, content, len(self.stream) + 1, at)
        self.stream.append(arrival)
        if not self.waits:
            await self.take(arrival)
        return arrival.sequence

    async def take(self, *arrivals: Arrival) -> None:
        self.said += await self._handle(arrivals)

    @property
    def app(self) -> Starlette:
        reading = Reading(self, MemoryWorklists(self.cases), self.looks, ZONE, lambda: NOON)
        self.tellers = Tellers(
            worklist_teller(reading),
            case_teller(reading),
            load_teller(reading, {"operator"}),
            self._tell_fates,
            unsealings_teller(reading),
        )
        return Starlette(
            routes=routes(
                Door(
                    Credentials(self.path),
                    self,
                    ZONE,
                    lambda: NOON,
                    self._more.get("seats") or Seats(),
                ),
                self.tellers,
                self.order,
                Waiting(self._tell_fates, away=(StoreAway,), pause=self._pause),
                bodies=self._more.get("bodies") or Bodies(),
                away=(StoreAway,),
            )
        )

    def client(self, body: str | None = None) -> httpx.AsyncClient:
        headers: dict[str, Any] = as_body(body) if body else {}
        transport = httpx.ASGITransport(self.app)
        return httpx.AsyncClient(transport=transport, base_url="http://routing", headers=headers)

    async def _tell_fates(self, party: str, question: bytes) -> bytes:
        if self.away:
            raise StoreAway
        return await fate_teller(self.ledger)(party, question)

    async def _pause(self, seconds: float) -> None:
        self.paused.append(seconds)
