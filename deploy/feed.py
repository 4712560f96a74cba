"""Sends items to the feed, and says of each whether it was kept, known already, or refused."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass

import nats.errors
from nats.aio.client import Client

from deploy.connection import ask_fates, refusal_in_words
from deploy.dead import dead_letters
from deploy.items import Item
from shared.contracts.envelope import MEDIA_TYPE
from shared.contracts.ingress import ItemFate
from shared.runtime.streams import FEED

WINDOW = 256
ASKED_AT_ONCE = 500
POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Told:
    """What became of an item. `fate`: kept, duplicate, refused, dead-letter, pending."""

    item: Item
    fate: str
    submission: str | None = None
    reason: str = ""


async def feed(
    client: Client,
    items: Iterable[Item],
    *,
    wait_seconds: float = 60.0,
    on_told: Callable[[Told], None] = lambda _told: None,
) -> list[Told]:
    """Send every item with confirmation, then ask until each is decided or the wait is over."""
    sent = [pair async for pair in _send(client, items)]
    undecided = {sequence: item for item, sequence in sent}
    told: dict[int, Told] = {}
    clock = asyncio.get_running_loop().time
    deadline = clock() + wait_seconds
    while undecided and clock() < deadline:
        news = await _news(client, undecided)
        for sequence, what in news.items():
            del undecided[sequence]
            told[sequence] = what
            on_told(what)
        if undecided and not news:
            await asyncio.sleep(POLL_SECONDS)
    for sequence, item in undecided.items():
        told[sequence] = Told(item, "pending", reason="kept in the stream, not yet decided")
        on_told(told[sequence])
    return [told[sequence] for _, sequence in sent]


async def _news(client: Client, undecided: dict[int, Item]) -> dict[int, Told]:
    """What has been decided since: by intake, or by setting the message aside."""
    by_agency: dict[str, list[int]] = defaultdict(list)
    for sequence, item in undecided.items():
        by_agency[item.agency].append(sequence)
    news: dict[int, Told] = {}
    for agency, sequences in by_agency.items():
        for fate in await _decided(client, agency, sequences[:ASKED_AT_ONCE]):
            news[fate.sequence] = _told(undecided[fate.sequence], fate)
    if not news:
        async for letter in dead_letters(client):
            sequence = letter.data.sequence
            if letter.data.stream == FEED and sequence in undecided:
                news[sequence] = Told(undecided[sequence], "dead-letter", reason=letter.data.reason)
    return news


async def _send(client: Client, items: Iterable[Item]) -> AsyncIterator[tuple[Item, int]]:
    jetstream = client.jetstream()

    async def send(item: Item) -> tuple[Item, int]:
        ack = await jetstream.publish(
            f"feed.{item.agency}.{item.type}",
            item.body,
            timeout=10,
            stream=FEED,
            headers={"content-type": MEDIA_TYPE},
        )
        return item, ack.seq

    window: list[Item] = []
    for item in items:
        window.append(item)
        if len(window) == WINDOW:
            for pair in await asyncio.gather(*map(send, window)):
                yield pair
            window.clear()
    for pair in await asyncio.gather(*map(send, window)):
        yield pair


async def _decided(client: Client, agency: str, sequences: Sequence[int]) -> Sequence[ItemFate]:
    if not sequences:
        return ()
    try:
        fates = await ask_fates(client, agency, "intake", sequences)
    except nats.errors.Error:  # intake is away for now; what was sent lies in the stream
        return ()
    return [fate for sequence, fate in fates.items() if sequence in sequences]


def _told(item: Item, fate: ItemFate) -> Told:
    return Told(item, fate.fate.value, fate.submission, refusal_in_words(fate))
