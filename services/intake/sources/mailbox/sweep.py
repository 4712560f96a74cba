"""Hands over what lies in a mailbox, and marks it only when it is kept.

Nothing here decides whether a mail was taken before: intake's store does. The mark saves work;
what lost its mark, or never got one, is offered again without harm.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from services.intake.handlers.ports import Accept, StoreAway
from services.intake.sources.arriving_mail import LARGEST_MAIL, Room, mail_arrival
from services.intake.sources.mailbox.box import Mailbox
from services.intake.sources.mailbox.imap import Declined, Facts, Imap, Selected
from services.intake.sources.mailbox.responses import PassedOver
from shared.runtime.arrival import Arrival

ENTRANCE = "imap"
KEPT, TOO_LARGE = b"$LangngheKept", b"$LangngheTooLarge"
"""Keywords (RFC 3501 §2.3.2): intake keeps this mail; intake cannot take this mail."""
SUSPECT = 3
"""After so many failures a mail is tried again only when the watch is renewed."""

_SEEN, _ANY_KEYWORD = rb"\Seen", rb"\*"
_ASKED_AT_ONCE = 500

log = structlog.get_logger("mailbox")


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of one handing over, in mails and bytes; and the largest mail that is taken, in bytes."""

    mails: int = 50
    size: int = 20 * 1024 * 1024
    largest: int = LARGEST_MAIL


@dataclass(frozen=True, slots=True)
class Taking:
    """What the mailboxes of a process hand over with. `key` keys the ids of mails."""

    accept: Accept
    now: Callable[[], datetime]
    key: bytes
    room: Room
    bounds: Bounds = field(default_factory=Bounds)


@dataclass(slots=True)
class Memory:
    """What is known of a mailbox between connections, by UID, while its UIDVALIDITY lasts.

    `handled` are those that a search still finds: the server keeps no keywords, or lost one.
    """

    uidvalidity: int = 0
    handled: dict[int, Facts] = field(default_factory=dict)
    too_large: set[int] = field(default_factory=set)
    failures: Counter[int] = field(default_factory=Counter)
    kept: int = 0
    last_kept: datetime | None = None

    def begin(self, uidvalidity: int, *, trusts_marks: bool) -> None:
        """UIDs mean nothing under another validity (RFC 3501 §2.3.1.1).

        Where the server keeps our marks, they alone are believed: one that was restored from a
        backup may give the same UIDs to other mails under the same validity.
        """
        self.too_large.clear()
        if trusts_marks or uidvalidity != self.uidvalidity:
            self.handled.clear()
        if uidvalidity != self.uidvalidity:
            self.failures.clear()
        self.uidvalidity = uidvalidity

    def forget_all_but(self, found: set[int]) -> None:
        self.handled = {uid: facts for uid, facts in self.handled.items() if uid in found}
        for uid in self.failures.keys() - found:
            del self.failures[uid]


class Sweep:
    """Over one connection; `name` stands for the mailbox where people read."""

    def __init__(
        self,
        imap: Imap,
        selected: Selected,
        *,
        box: Mailbox,
        name: str,
        taking: Taking,
        memory: Memory,
    ) -> None:
        self._imap, self._box, self._name = imap, box, name
        self._taking, self._memory = taking, memory
        self._keeps = selected.keeps
        self._keywords = _ANY_KEYWORD in self._keeps or {KEPT.lower(), TOO_LARGE.lower()} <= (
            self._keeps
        )
        memory.begin(selected.uidvalidity, trusts_marks=self._keywords)

    async def begin(self) -> None:
        """Of the mails that memory alone knows, ask whether they are still the same."""
        memory = self._memory
        uids = list(memory.handled)
        for start in range(0, len(uids), _ASKED_AT_ONCE):
            asked = uids[start : start + _ASKED_AT_ONCE]
            there = {one.uid: one for one in await self._imap.facts(asked, self._taking.now())}
            for uid in asked:
                if there.get(uid) != memory.handled[uid]:
                    del memory.handled[uid]

    async def run(self, *, renewing: bool) -> None:
        """Offer everything that has no fate yet; read or unread by somebody does not matter.

        Raises `StoreAway`, and `OSError` when the connection is lost: nothing more is marked.
        """
        memory = self._memory
        waiting = await self._waiting()
        fresh = [uid for uid in waiting if uid not in memory.failures]
        for start in range(0, len(fresh), _ASKED_AT_ONCE):
            for batch in self._batches(await self._facts(fresh[start : start + _ASKED_AT_ONCE])):
                await self._take(batch)
        # What failed goes last and alone: it may be what ends the connection.
        failed = [
            u
            for u in waiting
            if 0 < memory.failures[u] < SUSPECT or (renewing and memory.failures[u])
        ]
        for one in await self._facts(failed):
            await self._take([one])

    async def _waiting(self) -> list[int]:
        memory = self._memory
        criteria = b"ALL"
        if self._keywords:
            criteria = b"UNKEYWORD " + KEPT + b" UNKEYWORD " + TOO_LARGE
            memory.too_large = set(await self._imap.search(b"KEYWORD " + TOO_LARGE))
        found = set(await self._imap.search(criteria))
        if not self._keywords:
            memory.too_large &= found
        memory.forget_all_but(found)
        return sorted(found - memory.handled.keys() - memory.too_large)

    async def _facts(self, uids: Sequence[int]) -> list[Facts]:
        """Of the mails that are to be taken; too large ones are marked as such."""
        if not uids:
            return []
        facts = await self._imap.facts(uids, self._taking.now())
        largest = self._taking.bounds.largest
        await self._pass_over([one.uid for one in facts if one.size > largest])
        return [one for one in facts if one.size <= largest]

    def _batches(self, facts: Sequence[Facts]) -> Iterator[list[Facts]]:
        bounds, batch, size = self._taking.bounds, list[Facts](), 0
        for one in facts:
            if batch and (len(batch) == bounds.mails or size + one.size > bounds.size):
                yield batch
                batch, size = [], 0
            batch.append(one)
            size += one.size
        if batch:
            yield batch

    async def _take(self, batch: Sequence[Facts]) -> None:
        """Fetch and hand over; sooner than planned if the mails are larger than was told."""
        in_hand: dict[Facts, Arrival] = {}
        size = 0
        async with self._taking.room.taken(sum(one.size for one in batch)):
            for one in batch:
                raw = await self._fetch(one.uid)
                if raw is None:
                    continue
                in_hand[one] = self._arrival(one, raw)
                size += len(raw)
                if size > self._taking.bounds.size:
                    await self._hand_over(in_hand)
                    in_hand, size = {}, 0
            await self._hand_over(in_hand)

    async def _fetch(self, uid: int) -> bytes | None:
        failures = self._memory.failures
        try:
            raw = await self._imap.mail(uid)
        except OSError:
            failures[uid] += 1
            raise
        except Declined:
            failures[uid] += 1
            return None
        if isinstance(raw, PassedOver):
            await self._pass_over([uid])
            return None
        if raw is None:  # taken out by somebody: the next search will not find it
            failures[uid] += 1
        return raw

    def _arrival(self, one: Facts, raw: bytes) -> Arrival:
        return mail_arrival(
            raw,
            entrance=ENTRANCE,
            agency=self._box.agency,
            time=one.arrived,
            recorded=self._taking.now(),
            key=self._taking.key,
            place=f"{self._memory.uidvalidity}.{one.uid}",
        )

    async def _hand_over(self, in_hand: dict[Facts, Arrival]) -> None:
        if not in_hand:
            return
        memory = self._memory
        try:
            fates = await self._taking.accept(list(in_hand.values()))
        except StoreAway:
            raise
        except Exception as error:  # noqa: BLE001 - each is tried again alone, and counted
            memory.failures.update([one.uid for one in in_hand])
            log.warning("not taken", part=self._name, count=len(in_hand), kind=type(error).__name__)
            return
        answered = {fate.arrival.key for fate in fates}
        kept = [one for one, arrival in in_hand.items() if arrival.key in answered]
        memory.failures.update([one.uid for one in in_hand if one not in kept])
        for one in kept:
            memory.failures.pop(one.uid, None)
            memory.handled[one.uid] = one
        if kept:
            memory.kept += len(kept)
            memory.last_kept = self._taking.now()
            await self._mark_kept([one.uid for one in kept])

    async def _mark_kept(self, uids: Sequence[int]) -> None:
        flags = [KEPT] if self._keywords else []
        if _SEEN.lower() in self._keeps:
            flags.append(_SEEN)
        try:
            if flags:
                await self._imap.mark(uids, flags)
            if self._box.done:
                await self._imap.move(uids, self._box.done)
        except Declined:  # memory knows them; after a restart they are offered again
            log.warning("not marked", part=self._name, count=len(uids))

    async def _pass_over(self, uids: Sequence[int]) -> None:
        if not uids:
            return
        log.warning("mails passed over", part=self._name, at="too-large", count=len(uids))
        self._memory.too_large.update(uids)
        for uid in uids:
            self._memory.failures.pop(uid, None)
        if self._keywords:
            try:
                await self._imap.mark(uids, [TOO_LARGE])
            except Declined:
                log.warning("not marked", part=self._name, count=len(uids))
