"""Reporting's ports in memory; the suite in `stores/` holds them to what MongoDB does."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from services.reporting.domain.revision import Closing
from services.reporting.domain.row import (
    ActivityRow,
    CaseRow,
    ChannelRow,
    Facet,
    RowChange,
    Table,
    newest,
)
from services.reporting.handlers import RulesInForce, RulesMissing, Sending
from shared.contracts import DirectoryPublished, RulebookPublished
from shared.contracts.envelope import AnyEvent
from shared.contracts.ingress import FatesAsked


class MemoryRows:
    def __init__(self) -> None:
        self.rows: dict[tuple[Table, str], dict[str, Facet]] = {}

    async def apply(self, changes: Sequence[RowChange]) -> None:
        for row, facets in newest(changes).items():
            standing = self.rows.setdefault(row, {})
            for place, facet in facets.items():
                if place not in standing or standing[place].mark < facet.mark:
                    standing[place] = facet

    async def cases(self) -> AsyncIterator[CaseRow]:
        for key, facets in self._of(Table.CASE):
            yield CaseRow(key, facets)

    async def activities(self) -> AsyncIterator[ActivityRow]:
        for _, facets in self._of(Table.ACTIVITY):
            yield ActivityRow.of(facets["recorded"])

    async def channels(self) -> AsyncIterator[ChannelRow]:
        for _, facets in self._of(Table.CHANNEL):
            yield ChannelRow.of(facets["announced"])

    def _of(self, table: Table) -> list[tuple[str, dict[str, Facet]]]:
        return [(key, facets) for (of, key), facets in self.rows.items() if of is table]


class MemoryClosings:
    def __init__(self) -> None:
        self.closings: dict[str, Closing] = {}

    async def add_once(self, closing: Closing) -> Closing:
        return self.closings.setdefault(closing.period.code, closing)

    async def of(self, period: str) -> Closing | None:
        return self.closings.get(period)

    async def ordered(self, party: str, command: str) -> Closing | None:
        wanted = (party, command)
        found = (c for c in self.closings.values() if (c.party, c.command) == wanted)
        return next(found, None)


class MemoryReports:
    def __init__(self) -> None:
        self.reports: dict[str, AnyEvent] = {}

    async def add_once(self, reports: Sequence[AnyEvent]) -> None:
        for event in reports:
            self.reports.setdefault(f"{event.subject}/{event.data.revision}", event)


class MemorySendings:
    def __init__(self) -> None:
        self.sendings: dict[str, Sending] = {}

    async def prepare(self) -> None:
        pass

    async def known(self, keys: Iterable[str]) -> Mapping[str, Sending]:
        return {key: self.sendings[key] for key in keys if key in self.sendings}

    async def add_once(self, sending: Sending) -> None:
        self.sendings.setdefault(sending.key, sending)

    async def told(self, party: str, asked: FatesAsked) -> Sequence[Sending]:
        wanted = (
            sending
            for sending in self.sendings.values()
            if sending.party == party
            and (sending.item in asked.items or sending.sequence in asked.sequences)
        )
        return sorted(wanted, key=lambda sending: sending.sequence)


class MemoryRules:
    def __init__(self) -> None:
        self.directories: dict[int, DirectoryPublished] = {}
        self.rulebooks: dict[int, RulebookPublished] = {}

    async def add_once(
        self, directories: Sequence[DirectoryPublished], rulebooks: Sequence[RulebookPublished]
    ) -> None:
        for directory in directories:
            self.directories.setdefault(directory.version, directory)
        for rulebook in rulebooks:
            self.rulebooks.setdefault(rulebook.version, rulebook)

    async def latest(self) -> RulesInForce:
        if not (self.directories and self.rulebooks):
            raise RulesMissing
        return RulesInForce(
            self.directories[max(self.directories)], self.rulebooks[max(self.rulebooks)]
        )

    async def directory(self, version: int) -> DirectoryPublished:
        if version not in self.directories:
            raise RulesMissing
        return self.directories[version]
