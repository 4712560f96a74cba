"""Many agencies send at a steady pace, as real ones do: again when no answer came."""

import asyncio
import random
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

import httpx
import nats.errors
import orjson
from nats.aio.client import Client
from nats.js.errors import APIError

from deploy.command import Order
from deploy.connection import ask_fates
from shared.contracts import CaseAccept, CaseConclude
from shared.contracts.envelope import MEDIA_TYPE
from shared.contracts.vocabulary import Outcome
from shared.runtime.streams import COMMANDS, FEED
from tests.faults.ledger import ACCEPTED, REFUSED, Attempt, Ledger, hash_of
from tests.faults.world import World
from tests.system.happening import token

BUS, HTTP = "bus", "http"
PATTERNS = {
    "complaint": "Tôi khiếu nại quyết định về việc hồ sơ chậm giải quyết nhiều lần.",
    "denunciation": "Đơn tố cáo cán bộ vòi vĩnh, gây khó dễ khi nhận hồ sơ của dân.",
    "petition": "Chúng tôi kiến nghị, đề xuất cải tiến giờ hành chính của bộ phận một cửa.",
    "reflection": "Phản ánh thái độ hách dịch, quát mắng người dân tại nơi tiếp nhận.",
    "plain": "Cán bộ vắng mặt, bỏ vị trí trong giờ làm việc suốt cả buổi sáng.",
}
SYLLABLES = [first + second for first in "bcdglmnrt" for second in "aou"]
TYPES = ("hotline-call.logged.v1", "letter.registered.v1", "form.submitted.v1", "mailbox-message.arrived.v1")  # fmt: skip
TRIES, PAUSE = 60, 1.0
FULL = 600
"""So many sendings of one run at its full rate, then fewer: what is kept is read after each."""
ANSWER_SECONDS = 5.0
REPEATED, BROKEN = 20, 50
"""One in so many is sent again under its id, or breaks its contract."""
AWAY = (nats.errors.Error, APIError, TimeoutError, httpx.HTTPError, OSError)


@dataclass(frozen=True)
class Sending:
    channel: str
    agency: str
    item: str
    pattern: str
    text: str
    body: bytes
    kind: str
    broken: bool = False


@dataclass
class Load:
    """`seed` and `name` make the sendings; both, and so their ids, are the same in every run."""

    world: World
    ledger: Ledger
    client: Client
    seed: int = 1
    tasks: set[asyncio.Task] = field(default_factory=set)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared, nothing new is sent."""
    http: httpx.AsyncClient = field(
        default_factory=lambda: httpx.AsyncClient(timeout=ANSWER_SECONDS)
    )

    def __post_init__(self) -> None:
        self.goes_on.set()

    async def run(self, name: str, stop: asyncio.Event, rate: float, at_least: int = 0) -> None:
        """Send so many a second until told to stop; returns when each has its answer."""
        sendings = self.sendings(name)
        for number, sending in enumerate(sendings):
            if stop.is_set() and number >= at_least:
                break
            task = asyncio.create_task(self._send(sending))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
            await asyncio.sleep(1 / (rate if number < FULL else rate / 6))
            await self.goes_on.wait()
        while self.tasks:
            await asyncio.wait(set(self.tasks))

    def sendings(self, name: str) -> Iterator[Sending]:
        draw = random.Random(f"{self.seed}/{name}")
        made: list[Sending] = []
        for number in count():
            if made and number % REPEATED == REPEATED - 1:
                yield draw.choice(made)
                continue
            sending = self._sending(name, number, draw)
            if not sending.broken:
                made.append(sending)
            yield sending

    def _sending(self, name: str, number: int, draw: random.Random) -> Sending:
        pattern = list(PATTERNS)[number % len(PATTERNS)]
        agencies = self.world.agencies()
        agency = agencies[number // len(PATTERNS) % len(agencies)]
        kind = TYPES[draw.randrange(len(TYPES))]
        item = f"{name}-{number}"
        canary = f"Hoàng Yến {draw.getrandbits(48):012x}"
        self.ledger.canaries.append(canary)
        rest = " ".join(draw.choice(SYLLABLES) for _ in range(30))
        text = f"{PATTERNS[pattern]} {canary} nói: {rest}."
        broken = number % BROKEN == BROKEN - 1
        event = {
            "specversion": "1.0",
            "id": item,
            "source": f"/agencies/{agency}",
            "type": kind,
            "time": "2026-05-11T08:42:10+07:00",
            "data": {"nothing": canary} if broken else _data(kind, item, text, canary),
        }
        channel = HTTP if number % 4 == 3 else BUS
        return Sending(channel, agency, item, pattern, text, orjson.dumps(event), kind, broken)

    async def _send(self, sending: Sending) -> None:
        for _ in range(TRIES):
            attempt = self.ledger.tried(
                time.monotonic(),
                sending.channel,
                sending.agency,
                sending.item,
                pattern=f"{sending.agency}/{sending.pattern}/{sending.kind}",
                text="" if sending.broken else hash_of(sending.text),
            )
            try:
                if sending.channel == BUS:
                    await self._by_bus(sending, attempt)
                else:
                    await self._by_http(sending, attempt)
            except AWAY:
                await asyncio.sleep(PAUSE)
                continue
            return

    async def _by_bus(self, sending: Sending, attempt: Attempt) -> None:
        """The stream's confirmation is the receipt; what is broken is refused afterwards."""
        taken = await self.client.jetstream().publish(
            f"feed.{sending.agency}.{sending.kind}",
            sending.body,
            timeout=ANSWER_SECONDS,
            stream=FEED,
            headers={"content-type": MEDIA_TYPE},
        )
        attempt.answer, attempt.sequence = ACCEPTED, taken.seq

    async def _by_http(self, sending: Sending, attempt: Attempt) -> None:
        answer = await self.http.post(
            f"{self.world.http('intake')}/v1/events",
            content=sending.body,
            headers={
                "content-type": MEDIA_TYPE,
                "authorization": f"Bearer {token(sending.agency)}",
            },
        )
        if answer.status_code >= 500:
            raise TimeoutError
        attempt.answer = ACCEPTED if answer.is_success else REFUSED

    async def order(self, leads: Mapping[str, str], at: datetime) -> None:
        """Accept these cases, and conclude them when that is known to be decided.

        Each in the name of the body that leads it.
        """
        accepted = []
        for case, lead in leads.items():
            accepted.append((lead, await self.give_order(Order(lead, case, at, CaseAccept()))))
            await asyncio.sleep(0.3)
        for lead, sequence in accepted:
            await self._decided(lead, sequence)
        conclude = CaseConclude(outcome=Outcome.RIGHT)
        for case, lead in leads.items():
            await self.give_order(Order(lead, case, at, conclude))

    async def _decided(self, party: str, sequence: int) -> None:
        for _ in range(TRIES):
            with suppress(*AWAY):
                if sequence in await ask_fates(self.client, party, "routing", [sequence]):
                    return
            await asyncio.sleep(PAUSE)

    async def give_order(self, order: Order, *, counted: bool = True) -> int:
        """Its sequence in the stream, 0 if it was given up."""
        event = order.event()
        for _ in range(TRIES):
            named = (order.party, event.id, order.subject)
            attempt = self.ledger.ordered(time.monotonic(), *named) if counted else None
            try:
                taken = await self.client.jetstream().publish(
                    f"command.{order.party}.{event.type}",
                    event.encode(),
                    timeout=ANSWER_SECONDS,
                    stream=COMMANDS,
                    headers={"content-type": MEDIA_TYPE},
                )
            except AWAY:
                await asyncio.sleep(PAUSE)
                continue
            if attempt is not None:
                attempt.answer, attempt.sequence = ACCEPTED, taken.seq
            return taken.seq
        return 0


def now() -> datetime:
    return datetime.now(UTC)


def _data(kind: str, item: str, text: str, canary: str) -> dict:
    reporter = {"name": canary}
    if kind == "hotline-call.logged.v1":
        return {"call": item, "note": text, "reporter": reporter}
    if kind == "letter.registered.v1":
        return {"register_number": item, "summary": text, "signatures": 1, "reporter": reporter}
    if kind == "form.submitted.v1":
        return {"text": text, "reporter": reporter}
    raw = (
        f"From: {item}@nguoi-gui.example\r\nTo: gopy@khuegiang.example\r\nSubject: Thu gop y {item}"
        f"\r\nMessage-ID: <{item}@nguoi-gui.example>\r\nDate: Mon, 11 May 2026 08:42:10 +0700\r\n"
        f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n"
    )
    return {"raw": b64encode(raw.encode()).decode()}
