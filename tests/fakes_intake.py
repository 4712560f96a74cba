"""Intake's ports in memory; the suite in `stores/` holds them to what MongoDB does."""

from collections.abc import Sequence

from services.intake.handlers import RulesMissing
from services.intake.handlers.ports import ArrivalFate, Kept, KeptRecord, Rules, Standing
from shared.contracts import DirectoryPublished, RulebookPublished
from shared.contracts.ingress import FatesAsked, ItemFate


class MemorySubmissions:
    def __init__(self) -> None:
        self.kept: list[Kept] = []
        self._standing: dict[str, Standing] = {}

    async def add_once(self, kept: Sequence[Kept]) -> Sequence[Standing]:
        standing = []
        for item in kept:
            known = next((self._standing[k] for k in item.keys if k in self._standing), None)
            if known is None:
                known = Standing(item.event, item.arrival)
                self._standing |= dict.fromkeys(item.keys, known)
                self.kept.append(item)
            standing.append(known)
        return standing


class MemoryRecords:
    def __init__(self) -> None:
        self.kept: dict[str, Standing] = {}

    async def add_once(self, records: Sequence[KeptRecord]) -> Sequence[Standing]:
        return [self.kept.setdefault(r.key, Standing(r.event, r.arrival)) for r in records]


class MemoryArrivals:
    def __init__(self) -> None:
        self.noted: dict[str, ArrivalFate] = {}

    async def note(self, fates: Sequence[ArrivalFate]) -> None:
        for fate in fates:
            self.noted.setdefault(fate.arrival.key, fate)

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

    async def keep(
        self, directories: Sequence[DirectoryPublished], rulebooks: Sequence[RulebookPublished]
    ) -> None:
        for directory in directories:
            self._directories.setdefault(directory.version, directory)
        for rulebook in rulebooks:
            self._rulebooks.setdefault(rulebook.version, rulebook)

    async def latest(self) -> Rules:
        if not self._directories or not self._rulebooks:
            raise RulesMissing
        return Rules(
            self._directories[max(self._directories)], self._rulebooks[max(self._rulebooks)]
        )
