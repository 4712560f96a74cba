"""What comes in is kept, once and for good, and what follows from it is announced.

Two entrances, one way in: from the bus, where the unacknowledged message is the outbox, and from
intake's own sources, where what must be announced is kept in the same write and a relay says it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from services.intake.domain.mail import Mail
from services.intake.handlers.joining import answering, places
from services.intake.handlers.opening import (
    FeedOpener,
    Opened,
    Refusal,
    erased,
    open_arrival,
    refusal_of,
)
from services.intake.handlers.ports import (
    Accept,
    ArrivalFate,
    Kept,
    KeptRecord,
    MailReader,
    RulesMissing,
    Said,
    Sign,
    Standing,
    StoreAway,
    Stores,
)
from services.intake.handlers.reading import Reader
from services.intake.vault import DataKey
from shared.contracts import FeedHeartbeat, MailboxMessageArrived
from shared.contracts.envelope import AnyEvent
from shared.contracts.ingress import Fate
from shared.runtime.arrival import Arrival
from shared.runtime.bus import ArrivalHandler
from shared.runtime.telemetry import count_item

Item = Kept | Said | KeptRecord | ArrivalFate | Refusal


@dataclass(frozen=True, slots=True)
class Receiving:
    """What both entrances need: the stores, and how an item is opened and read."""

    stores: Stores
    reader: Reader
    read_mails: MailReader
    opener: FeedOpener

    async def keep(
        self, batch: Sequence[Arrival], *, unannounced: bool = False
    ) -> tuple[Sequence[ArrivalFate], Sequence[AnyEvent]]:
        """Keep a batch; what became of each, in order, and what is to be announced of it."""
        items, signs = await self._read(batch)
        await self.stores.data_keys.keep([key for item in items for key in _data_keys(item)])
        standing = await self._stand(items, unannounced=unannounced)
        fates: list[ArrivalFate] = []
        follow: list[AnyEvent] = []
        orphans: list[str] = []
        for arrival, item in zip(batch, items, strict=True):
            if isinstance(item, Refusal):
                fates.append(item.fate)
                follow.append(item.event)
            elif isinstance(item, ArrivalFate):
                fates.append(item)
            else:
                stands = standing[arrival.key]
                is_first = stands.arrival == arrival.key
                fates.append(_fate(arrival, item, stands, is_first=is_first))
                if is_first:
                    follow += (stands.event, *stands.also)
                else:
                    orphans += (key.name for key in _data_keys(item))
        await self.stores.arrivals.note(fates)
        await self.stores.data_keys.forget(orphans)
        await self.stores.feeds.saw(signs)
        for fate in fates:
            count_item(fate.arrival.entrance, fate.arrival.type, fate.fate)
        return fates, follow

    async def _stand(self, items: Sequence[Item], *, unannounced: bool) -> Mapping[str, Standing]:
        """By arrival: what stands of each item."""
        stores = self.stores
        kept = [item for item in items if isinstance(item, Kept)]
        said = [item for item in items if isinstance(item, Said)]
        noted = [item for item in items if isinstance(item, KeptRecord)]
        standing = [
            *await stores.submissions.add_once(kept, unannounced=unannounced),
            *await stores.conversations.add_once(said, unannounced=unannounced),
            *await stores.records.add_once(noted, unannounced=unannounced),
        ]
        collected: list[Kept | Said | KeptRecord] = [*kept, *said, *noted]
        return dict(zip((item.arrival for item in collected), standing, strict=True))

    async def _read(self, batch: Sequence[Arrival]) -> tuple[Sequence[Item], Mapping[str, Sign]]:
        stores = self.stores
        rules = await stores.rules.latest()
        items: list[Item | Opened] = [open_arrival(a, rules, self.opener) for a in batch]
        opened = {n: item for n, item in enumerate(items) if isinstance(item, Opened)}
        mails = await self._mails(opened)
        put = await places(opened, mails, stores.submissions, stores.receipts, self.reader.key)
        read: list[Item] = []
        for n, item in enumerate(items):
            if not isinstance(item, Opened):
                read.append(item)
            elif n in put.late:
                read.append(refusal_of(item.arrival, erased(item.event.id)))
            else:
                read.append(self.reader.read(item, mails.get(n), rules, put.joins.get(n)))
        placed = [
            replace(item, also=_answer(item, put.answers.get(n)))
            if isinstance(item, Kept)
            else item
            for n, item in enumerate(read)
        ]
        return placed, _signs(opened.values())

    async def _mails(self, opened: Mapping[int, Opened]) -> Mapping[int, Mail]:
        raws = {
            number: one.event.data.raw
            for number, one in opened.items()
            if isinstance(one.event.data, MailboxMessageArrived)
        }
        if not raws:
            return {}
        return dict(zip(raws, await self.read_mails(list(raws.values())), strict=True))


def receiver(receiving: Receiving) -> ArrivalHandler:
    async def receive(batch: Sequence[Arrival]) -> Sequence[AnyEvent]:
        """Keep what agencies send, once and for good: a redelivery repeats the answer."""
        _, follow = await receiving.keep(batch)
        return follow

    return receive


def acceptor(
    receiving: Receiving, away: tuple[type[Exception], ...], wake: Callable[[], None]
) -> Accept:
    """`away` are the errors that say only that a store is away; `wake` wakes the relay."""
    nothing_kept: tuple[type[Exception], ...] = (*away, RulesMissing)

    async def accept(arrivals: Sequence[Arrival]) -> Sequence[ArrivalFate]:
        try:
            fates, _ = await receiving.keep(arrivals, unannounced=True)
        except nothing_kept as error:
            raise StoreAway(type(error).__name__) from None
        wake()
        return fates

    return accept


def _signs(opened: Iterable[Opened]) -> Mapping[str, Sign]:
    """By agency: the numbers that its own system gave to what it sent, and its heartbeats."""
    told: dict[str, list[Opened]] = defaultdict(list)
    for one in opened:
        if one.event.sequence is not None or isinstance(one.event.data, FeedHeartbeat):
            told[one.agency.code].append(one)
    return {
        agency: Sign(
            numbers=tuple(int(o.event.sequence) for o in ones if o.event.sequence is not None),
            heard=max(o.arrival.recorded for o in ones),
            beats=any(isinstance(o.event.data, FeedHeartbeat) for o in ones),
        )
        for agency, ones in told.items()
    }


def _answer(item: Kept, earlier: str | None) -> tuple[AnyEvent, ...]:
    return (answering(item, earlier),) if earlier else ()


def _data_keys(item: Item) -> Sequence[DataKey]:
    if isinstance(item, Refusal):
        return item.fate.data_keys
    return () if isinstance(item, KeptRecord) else item.data_keys


def _fate(
    arrival: Arrival, item: Kept | Said | KeptRecord, stands: Standing, *, is_first: bool
) -> ArrivalFate:
    fate = Fate.JOINED if isinstance(item, Said) else Fate.KEPT
    return ArrivalFate(
        arrival=arrival,
        item=item.item,
        fate=fate if is_first else Fate.DUPLICATE,
        subject=stands.event.subject,
    )
