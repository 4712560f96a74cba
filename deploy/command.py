"""Gives commands on the bus, as a body or an operator does, and waits for their fate."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import nats.errors
from nats.aio.client import Client

from deploy.connection import ask_fates
from shared.contracts import IngressData
from shared.contracts.envelope import MEDIA_TYPE, Event, derived_id
from shared.contracts.ingress import ItemFate
from shared.contracts.order import OrderData
from shared.runtime.streams import COMMANDS

WINDOW = 256
POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Order:
    """One command of `party` about `subject`, given at `time`, under an id that follows from it.

    What is asked for belongs to the id: two orders of one moment are two. Where the order names
    the version that it was decided by, the moment does not: asked again later it acts once.
    """

    party: str
    subject: str
    time: datetime
    data: IngressData

    def event(self) -> Event[IngressData]:
        contract = type(self.data)
        return Event[contract](  # type: ignore[valid-type]
            id=derived_id(self.party, contract.TYPE, self.subject, *self._told_apart_by()),
            source=f"/parties/{self.party}",
            type=contract.TYPE,
            subject=self.subject,
            time=self.time,
            data=self.data,
        )

    def _told_apart_by(self) -> tuple[str, ...]:
        asked = self.data.model_dump_json(exclude_none=True)
        if isinstance(self.data, OrderData) and self.data.version is not None:
            return (asked,)
        return self.time.astimezone(UTC).isoformat(), asked


class NotDecided(Exception):
    """Some commands were taken by the stream and not decided within the wait."""


async def give(
    client: Client, service: str, orders: Sequence[Order], *, wait_seconds: float = 60.0
) -> list[ItemFate]:
    """Send each with confirmation and return what became of it, in order."""
    jetstream = client.jetstream()

    async def send(order: Order) -> int:
        event = order.event()
        ack = await jetstream.publish(
            f"command.{order.party}.{event.type}",
            event.encode(),
            timeout=10,
            stream=COMMANDS,
            headers={"content-type": MEDIA_TYPE},
        )
        return ack.seq

    sequences: list[int] = []
    for start in range(0, len(orders), WINDOW):
        sequences += await asyncio.gather(*map(send, orders[start : start + WINDOW]))
    undecided: dict[str, set[int]] = defaultdict(set)
    for order, sequence in zip(orders, sequences, strict=True):
        undecided[order.party].add(sequence)
    fates: dict[int, ItemFate] = {}
    try:
        async with asyncio.timeout(wait_seconds):
            while any(undecided.values()):
                for party, waiting in undecided.items():
                    news = await _decided(client, party, service, sorted(waiting)[:500])
                    fates |= news
                    waiting.difference_update(news)
                if any(undecided.values()):
                    await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        left = sum(map(len, undecided.values()))
        raise NotDecided(f"{left} commands are kept and not yet decided") from None
    return [fates[sequence] for sequence in sequences]


async def _decided(
    client: Client, party: str, service: str, sequences: Sequence[int]
) -> dict[int, ItemFate]:
    if not sequences:
        return {}
    try:
        told = await ask_fates(client, party, service, sequences)
    except nats.errors.Error:  # the service is away for now; the commands lie in the stream
        return {}
    return {sequence: fate for sequence, fate in told.items() if sequence in sequences}
