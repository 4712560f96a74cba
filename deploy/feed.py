"""Sends items to the feed, and says of each whether it was kept, known already, or refused.

What an item says is sealed to intake before it leaves, unless it is to go in clear.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

import nats.errors
import orjson
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.errors import NoStreamResponseError, ServiceUnavailableError

from deploy.connection import NotRunning, ask_fates, refusal_in_words
from deploy.dead import dead_letters
from deploy.items import Item, sealed
from shared.contracts.envelope import MEDIA_TYPE
from shared.contracts.ingress import ItemFate
from shared.runtime.sealing import Seal
from shared.runtime.streams import FEED

WINDOW = 256
ASKED_AT_ONCE = 500
POLL_SECONDS = 0.1
ASK_SECONDS = 5.0
TRIES = 6
"""Of one item; a cluster has another leader within some seconds."""
ROOM_FOR_HEADERS = 512
"""Bytes of what the server lets a message weigh that are not its body."""

TOO_LARGE = "too-large"
MAIL_IT = "larger than the server takes: deliver it by LMTP, IMAP or HTTP"


class NoKey(NotRunning):
    """Intake does not tell its key, and what is to be sealed is not sent in clear."""


@dataclass(frozen=True, slots=True)
class Told:
    """What became of an item. `fate`: kept, duplicate, refused, dead-letter, pending.

    Of what was not sent: too-large, missed, refused.
    """

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
    seal: bool = False,
) -> list[Told]:
    """Send every item with confirmation, then ask until each is decided or the wait is over.

    With `seal`, raises `NoKey` if intake does not tell its key within the wait; what was sent
    before that stays sent, and may be sent again.
    """
    keys = IntakeKeys(client, wait_seconds) if seal else None
    sent: list[int | Told] = []
    undecided: dict[int, Item] = {}
    async for item, what in _send(client, items, keys):
        sent.append(what)
        if isinstance(what, Told):
            on_told(what)
        else:
            undecided[what] = item
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
    return [what if isinstance(what, Told) else told[what] for what in sent]


class IntakeKeys:
    """Intake's public keys by agency, each asked for once."""

    def __init__(self, client: Client, wait_seconds: float) -> None:
        self._client, self._wait_seconds = client, wait_seconds
        self._keys: dict[str, str] = {}

    async def learn(self, agencies: Iterable[str]) -> None:
        """Ask for those not known yet; raises `NoKey` when the wait is over."""
        for agency in sorted(set(agencies) - self._keys.keys()):
            try:
                async with asyncio.timeout(self._wait_seconds):
                    self._keys[agency] = await self._asked(agency)
            except TimeoutError:
                raise NoKey(
                    f"Intake does not tell {agency} its key, so nothing can be sealed to it. Start "
                    "intake and feed the same again, or send it unsealed with --clear."
                ) from None

    def seal(self, agency: str, use: str) -> Seal:
        return Seal.from_text(self._keys[agency], use)

    async def _asked(self, agency: str) -> str:
        while True:
            try:
                answer = await self._client.request(
                    f"ask.{agency}.intake.key", b"{}", timeout=ASK_SECONDS
                )
                key: str = orjson.loads(answer.data)["key"]
                Seal.from_text(key, "")  # a key that is none is no answer
            except (nats.errors.Error, ValueError, KeyError, TypeError, AttributeError):
                await asyncio.sleep(POLL_SECONDS)
            else:
                return key


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
        with suppress(nats.errors.Error):  # the streams are away for now
            async for letter in dead_letters(client):
                sequence, why = letter.data.sequence, letter.data.reason
                if letter.data.stream == FEED and sequence in undecided:
                    news[sequence] = Told(undecided[sequence], "dead-letter", reason=why)
    return news


async def _send(
    client: Client, items: Iterable[Item], keys: IntakeKeys | None
) -> AsyncIterator[tuple[Item, int | Told]]:
    """Each item with the stream's sequence, or with why it was not sent."""
    jetstream = client.jetstream()

    async def send(item: Item) -> tuple[Item, int | Told]:
        if item.fate is not None:
            return item, Told(item, item.fate, reason="; ".join(map(str, item.problems)))
        closed = sealed(item, keys.seal) if keys else item
        if len(closed.body) + ROOM_FOR_HEADERS > client.max_payload:
            return item, Told(item, TOO_LARGE, reason=MAIL_IT)
        return item, await _put(jetstream, closed)

    left = iter(items)
    while window := list(islice(left, WINDOW)):
        if keys:
            await keys.learn(item.agency for item in window if item.fate is None)
        for pair in await asyncio.gather(*map(send, window)):
            yield pair


async def _put(jetstream: JetStreamContext, item: Item, tries: int = TRIES) -> int:
    """Its sequence in the stream; said again while a server that falls has not confirmed it.

    Whatever came twice, intake keeps once. Raises `NotRunning` when it was tried often enough.
    """
    try:
        ack = await jetstream.publish(
            f"feed.{item.agency}.{item.type}",
            item.body,
            timeout=10,
            stream=FEED,
            headers={"content-type": MEDIA_TYPE},
        )
    except (nats.errors.TimeoutError, NoStreamResponseError, ServiceUnavailableError):
        if tries == 1:
            raise NotRunning("The feed does not confirm: feed the same again later.") from None
        await asyncio.sleep(POLL_SECONDS)
        return await _put(jetstream, item, tries - 1)
    return ack.seq


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
