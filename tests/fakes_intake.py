"""Intake's ports in memory; the suite in `stores/` holds them to what MongoDB does."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import reduce
from typing import Any

from services.intake.domain.heartbeat import Gap, Listening, listening
from services.intake.domain.mail import read_mail
from services.intake.domain.receipt import code_for, read_code
from services.intake.domain.silence import Track, passed_over, saw
from services.intake.handlers import Reader, Receiving, RulesMissing, Stores
from services.intake.handlers.ports import (
    ArrivalFate,
    Feed,
    Kept,
    KeptRecord,
    Rules,
    Sign,
    Standing,
)
from services.intake.vault import DataKey, Sealed, open_sealed
from shared.contracts import CalendarPublished, DirectoryPublished, RulebookPublished
from shared.contracts.envelope import AnyEvent
from shared.contracts.ingress import FatesAsked, ItemFate
from tests.examples_intake import FINGERPRINTS, INTAKE_KEY


class _Once:
    """Items known by their keys; the first stands."""

    def __init__(self) -> None:
        self.kept: list[Any] = []
        self.unannounced: list[Standing] = []
        self.standing: dict[str, Standing] = {}

    async def add_once(
        self, items: Sequence[Any], *, unannounced: bool = False
    ) -> Sequence[Standing]:
        answers = []
        for item in items:
            known = next((self.standing[k] for k in item.keys if k in self.standing), None)
            if known is None:
                known = Standing(item.event, item.arrival, getattr(item, "also", ()))
                self.standing |= dict.fromkeys(item.keys, known)
                self.kept.append(item)
                if unannounced:
                    self.unannounced.append(known)
            answers.append(known)
        return answers


class MemorySubmissions(_Once):
    kept: list[Kept]

    async def known(self, keys: Sequence[str]) -> Mapping[str, str]:
        return {k: self.standing[k].event.subject or "" for k in keys if k in self.standing}

    async def erased(self, submissions: Sequence[str]) -> frozenset[str]:
        return frozenset()

    async def threads(self, answers: Sequence[str]) -> Mapping[str, tuple[str, str | None]]:
        return {
            own: (item.event.subject or "", item.thread.sender)
            for item in self.kept
            for own in item.thread.own
            if own in answers
        }


class MemoryConversations(_Once):
    pass


class MemoryRecords(_Once):
    async def add_once(
        self, items: Sequence[KeptRecord], *, unannounced: bool = False
    ) -> Sequence[Standing]:
        answers = []
        for item in items:
            standing = Standing(item.event, item.arrival)
            if item.key not in self.standing and unannounced:
                self.unannounced.append(standing)
            answers.append(self.standing.setdefault(item.key, standing))
        return answers


class MemoryOutbox:
    def __init__(self, *collections: _Once) -> None:
        self._collections = collections

    async def waiting(self, limit: int) -> Sequence[AnyEvent]:
        waiting = [s for c in self._collections for s in c.unannounced[:limit]]
        return [event for s in waiting for event in (s.event, *s.also)]

    async def announced(self, events: Sequence[AnyEvent]) -> None:
        ids = {event.id for event in events}
        for c in self._collections:
            c.unannounced[:] = [s for s in c.unannounced if s.event.id not in ids]


class MemoryDataKeys:
    def __init__(self) -> None:
        self.keys: dict[str, DataKey] = {}

    async def keep(self, keys: Sequence[DataKey]) -> None:
        self.keys |= {key.name: key for key in keys}

    async def find(self, names: Sequence[str]) -> Mapping[str, DataKey]:
        return {name: self.keys[name] for name in names if name in self.keys}

    async def forget(self, names: Sequence[str]) -> None:
        for name in names:
            self.keys.pop(name, None)

    async def destroy(self, owner: str) -> int:
        names = [key.name for key in self.keys.values() if key.owner == owner]
        await self.forget(names)
        return len(names)

    def open(self, part: str, sealed: Sealed) -> bytes:
        return open_sealed(self.keys[sealed.key], part, sealed)


class MemoryReceipts:
    def __init__(self) -> None:
        self.given: dict[str, str] = {}

    async def give(self, submission: str) -> str:
        code = code_for(submission, b"r" * 32)
        self.given[code] = submission
        return code

    async def find(self, code: str) -> str | None:
        return self.given.get(read_code(code) or "")


class MemoryArrivals:
    def __init__(self) -> None:
        self.noted: dict[str, ArrivalFate] = {}

    async def note(self, fates: Sequence[ArrivalFate]) -> None:
        for fate in fates:
            self.noted.setdefault(fate.arrival.key, fate)

    async def fed(self) -> int:
        return sum(fate.arrival.entrance == "feed" for fate in self.noted.values())

    async def fates(self, party: str, asked: FatesAsked) -> Sequence[ItemFate]:
        return [
            ItemFate(
                item=noted.item,
                sequence=noted.arrival.sequence,
                fate=noted.fate,
                submission=noted.subject,
                refusal=noted.refusal,
            )
            for noted in self.noted.values()
            if noted.arrival.party == party
            and (noted.item in asked.items or noted.arrival.sequence in asked.sequences)
        ]


class MemoryRules:
    def __init__(self) -> None:
        self._directories: dict[int, DirectoryPublished] = {}
        self._rulebooks: dict[int, RulebookPublished] = {}
        self._calendars: dict[int, CalendarPublished] = {}

    async def keep(
        self,
        directories: Sequence[DirectoryPublished],
        rulebooks: Sequence[RulebookPublished],
        calendars: Sequence[CalendarPublished] = (),
    ) -> None:
        self._calendars |= {calendar.version: calendar for calendar in calendars}
        for directory in directories:
            self._directories.setdefault(directory.version, directory)
        for rulebook in rulebooks:
            self._rulebooks.setdefault(rulebook.version, rulebook)

    async def latest(self) -> Rules:
        if not self._directories or not self._rulebooks:
            raise RulesMissing
        return Rules(
            self._directories[max(self._directories)],
            self._rulebooks[max(self._rulebooks)],
            self._calendars[max(self._calendars)] if self._calendars else None,
        )


class MemoryFeeds:
    def __init__(self) -> None:
        self.feeds: dict[str, Feed] = {}
        self.beating: set[str] = set()
        self.looks: Listening | None = None

    async def saw(self, signs: Mapping[str, Sign]) -> None:
        for agency, sign in signs.items():
            feed = self.feeds.get(agency, Feed(agency, Track(), sign.heard))
            track = reduce(saw, sign.numbers, feed.track)
            heard = max(feed.heard, sign.heard)
            self.feeds[agency] = replace(feed, track=track, heard=heard)
            self.beating |= {agency} if sign.beats else set()

    async def broken(self) -> Sequence[Feed]:
        return [feed for feed in self.feeds.values() if feed.track.ahead]

    async def notice(self, agency: str, gaps: Sequence[Gap]) -> None:
        self.feeds[agency] = replace(self.feeds[agency], gaps=tuple(gaps))

    async def pass_over(self, agency: str, gaps: Sequence[Gap]) -> None:
        feed = self.feeds[agency]
        track = passed_over(feed.track, (range(gap.first, gap.last + 1) for gap in gaps))
        self.feeds[agency] = replace(feed, track=track)

    async def quiet(self, before: datetime) -> Sequence[Feed]:
        return [f for a, f in self.feeds.items() if a in self.beating and f.heard <= before]

    async def listening(self, at: datetime) -> datetime:
        self.looks = listening(self.looks, at)
        return self.looks.since


async def read_in_process(raws: Sequence[bytes]) -> Sequence[Any]:
    return [read_mail(raw) for raw in raws]


def receiving(stores: Stores) -> Receiving:
    return Receiving(stores, Reader(FINGERPRINTS), read_in_process, INTAKE_KEY.open)


def memory_stores() -> Stores:
    return Stores(
        MemorySubmissions(),
        MemoryConversations(),
        MemoryRecords(),
        MemoryArrivals(),
        MemoryRules(),
        MemoryDataKeys(),
        MemoryReceipts(),
        MemoryFeeds(),
    )
