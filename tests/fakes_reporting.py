"""Reporting's ports in memory; the suite in `stores/` holds them to what MongoDB does."""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from services.reporting.domain.alike import as_seen
from services.reporting.domain.change import to_millisecond
from services.reporting.domain.edition import Issued
from services.reporting.domain.facet import Laid, RowChange, Table
from services.reporting.domain.period import Window
from services.reporting.domain.revision import Closing, Standing
from services.reporting.domain.row import CaseRow
from services.reporting.ports import Coverage, RulesInForce, RulesMissing, Sending, Wanted
from shared.contracts import DirectoryPublished, ReportPublished, RulebookPublished
from shared.contracts.envelope import AnyEvent, Event
from shared.contracts.ingress import FatesAsked
from shared.contracts.report import Edition, Period


class MemoryRows:
    def __init__(self) -> None:
        self.rows: dict[tuple[Table, str], Laid] = {}

    async def apply(self, changes: Sequence[RowChange]) -> None:
        for each in changes:
            self.rows.setdefault((each.table, each.key), Laid()).lay(each.facet, each.value)

    async def cases(self) -> AsyncIterator[CaseRow]:
        for key, row in self._of(Table.CASE):
            yield CaseRow.of(key, row)

    async def alike(self, window: Window, known: datetime) -> AsyncIterator[tuple[CaseRow, int]]:
        kinds: dict[str, tuple[CaseRow, int]] = {}
        async for row in self.cases():
            seen = as_seen(row.as_known(known), window)
            kind = repr(sorted(seen.facets.items()))
            first, count = kinds.get(kind, (seen, 0))
            kinds[kind] = min(first, seen, key=lambda each: each.case), count + 1
        for each in kinds.values():
            yield each

    async def activities(self) -> AsyncIterator[Laid]:
        for _, row in self._of(Table.ACTIVITY):
            yield row

    async def channels(self) -> AsyncIterator[Laid]:
        for _, row in self._of(Table.CHANNEL):
            yield row

    def _of(self, table: Table) -> list[tuple[str, Laid]]:
        return [(key, row) for (of, key), row in self.rows.items() if of is table]


class MemoryClosings:
    def __init__(self) -> None:
        self.closings: dict[tuple[str, int], Closing] = {}
        self.marks: Counter[str] = Counter()
        self.out: set[tuple[str, int, Edition]] = set()

    async def prepare(self) -> None:
        pass

    async def add_once(self, closing: Closing) -> Closing:
        self.marks[closing.period.code] += 1
        return self.closings.setdefault((closing.period.code, closing.revision), closing)

    async def of(self, period: str) -> Closing | None:
        found = [c for (code, _), c in self.closings.items() if code == period]
        return max(found, key=lambda closing: closing.revision, default=None)

    async def ordered(self, party: str, command: str) -> Closing | None:
        wanted = (party, command)
        found = (c for c in self.closings.values() if (c.party, c.command) == wanted)
        return next(found, None)

    async def history(self, period: str) -> Sequence[Closing]:
        found = [c for (code, _), c in self.closings.items() if code == period]
        return sorted(found, key=lambda closing: closing.revision)

    async def all(self) -> Sequence[Closing]:
        periods = sorted({code for code, _ in self.closings})
        found = [await self.of(period) for period in periods]
        return [each.model_copy(update={"figures": {}}) for each in found if each is not None]

    async def waiting(self, edition: Edition) -> Sequence[Closing]:
        waiting = [c for name, c in self.closings.items() if (*name, edition) not in self.out]
        return sorted(waiting, key=lambda c: (c.at, c.period.code, c.revision))

    async def issued(self, closing: Closing, edition: Edition) -> None:
        self.out.add((closing.period.code, closing.revision, edition))

    async def mark_late(self, periods: Collection[str]) -> None:
        self.marks.update(periods)

    async def late(self) -> Mapping[str, int]:
        return dict(sorted(self.marks.items()))

    async def no_longer_late(self, period: str, marks: int) -> None:
        if self.marks.get(period) == marks:
            del self.marks[period]


class MemoryReports:
    def __init__(self) -> None:
        self.reports: dict[tuple[str, int, Edition], tuple[Event[ReportPublished], ...]] = {}

    async def prepare(self) -> None:
        pass

    async def add_once(
        self,
        closing: Closing,
        reports: Sequence[Event[ReportPublished]],
        edition: Edition = Edition.INTERNAL,
    ) -> None:
        self.reports.setdefault((closing.period.code, closing.revision, edition), tuple(reports))

    async def has(self, closing: Closing, edition: Edition = Edition.INTERNAL) -> bool:
        return (closing.period.code, closing.revision, edition) in self.reports

    async def of(
        self, closing: Closing, edition: Edition = Edition.INTERNAL
    ) -> AsyncIterator[Event[ReportPublished]]:
        for event in self.reports.get((closing.period.code, closing.revision, edition), ()):
            yield event

    async def standing(self, period: str, edition: Edition) -> Standing:
        of_period = (r for r in self._all() if (r.period.code, r.edition) == (period, edition))
        ordered = sorted(of_period, key=lambda report: report.revision)
        return {(report.form, report.unit): report for report in ordered}

    async def public_near(self, period: Period) -> Sequence[Issued]:
        day = timedelta(days=1)
        return [
            Issued(closing, event.data)
            for (_, closing, _), events in self.reports.items()
            for event in events
            if event.data.edition is Edition.PUBLIC
            and event.data.period.last_day >= period.first_day - day
            and event.data.period.first_day <= period.last_day + day
        ]

    def _all(self) -> list[ReportPublished]:
        return [event.data for events in self.reports.values() for event in events]


class MemoryPublications:
    """Reads what a `MemoryReports` keeps."""

    def __init__(self, kept: MemoryReports) -> None:
        self._kept = kept

    async def newest(self, wanted: Wanted, limit: int) -> Sequence[Event[ReportPublished]] | None:
        ordered = sorted(self._public(), key=_turn, reverse=True)
        if wanted.after:
            places = [n for n, e in enumerate(ordered) if _turn(e)[1] == wanted.after]
            if not places:
                return None
            ordered = ordered[places[0] + 1 :]
        asked = (wanted.form, wanted.unit, wanted.period)
        return [
            event
            for event in ordered
            for data in [event.data]
            if all(
                want in {None, has}
                for want, has in zip(asked, (data.form, data.unit, data.period.code), strict=True)
            )
        ][:limit]

    async def one(
        self, form: str, unit: str, period: str, revision: int | None
    ) -> Event[ReportPublished] | None:
        found = [
            e
            for e in self._public()
            if (e.data.form, e.data.unit, e.data.period.code) == (form, unit, period)
            and revision in {None, e.data.revision}
        ]
        return max(found, key=lambda e: e.data.revision, default=None)

    async def others(self, form: str, unit: str) -> Sequence[ReportPublished]:
        found = [e.data for e in self._public() if (e.data.form, e.data.unit) == (form, unit)]
        return sorted(found, key=lambda r: (r.period.code, r.revision), reverse=True)

    def _public(self) -> list[Event[ReportPublished]]:
        events = [event for events in self._kept.reports.values() for event in events]
        return [event for event in events if event.data.edition is Edition.PUBLIC]


def _turn(event: Event[ReportPublished]) -> tuple[datetime, str]:
    return event.time, f"{event.data.edition}/{event.subject}/{event.data.revision}"


class MemoryFlight:
    """Nothing is under way unless a test says so."""

    def __init__(self) -> None:
        self.waiting: dict[str, int] = {}
        self.oldest: datetime | None = None
        self.position = 7

    async def before(self, end: datetime) -> Coverage:
        if self.oldest is not None and self.oldest >= end:
            return Coverage(self.position)
        return Coverage(self.position, dict(self.waiting), self.oldest)


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
        self.directories: dict[int, Event[DirectoryPublished]] = {}
        self.rulebooks: dict[int, Event[RulebookPublished]] = {}

    async def add_once(
        self,
        directories: Sequence[Event[DirectoryPublished]],
        rulebooks: Sequence[Event[RulebookPublished]],
    ) -> None:
        for directory in directories:
            self.directories.setdefault(directory.data.version, directory)
        for rulebook in rulebooks:
            self.rulebooks.setdefault(rulebook.data.version, rulebook)

    async def latest(self) -> RulesInForce:
        return self._newest(list(self.directories), list(self.rulebooks))

    async def as_known(self, at: datetime) -> RulesInForce:
        return self._newest(
            [n for n, event in self.directories.items() if _recorded(event) <= at],
            [n for n, event in self.rulebooks.items() if _recorded(event) <= at],
        )

    def _newest(self, directories: Sequence[int], rulebooks: Sequence[int]) -> RulesInForce:
        if not (directories and rulebooks):
            raise RulesMissing
        return RulesInForce(
            self.directories[max(directories)].data, self.rulebooks[max(rulebooks)].data
        )

    async def versions(self, directory: int, rulebook: int) -> RulesInForce:
        if directory not in self.directories or rulebook not in self.rulebooks:
            raise RulesMissing
        return RulesInForce(self.directories[directory].data, self.rulebooks[rulebook].data)


def _recorded(event: AnyEvent) -> datetime:
    return to_millisecond(event.recordedtime or event.time)
