"""Routing's ports in memory; the suite in `stores/` holds them to what MongoDB does."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from services.routing.domain.calendar import WorkingDays
from services.routing.domain.clocks import Versions
from services.routing.domain.command import Sending
from services.routing.domain.directory import DirectoryIndex
from services.routing.domain.due import Fired, next_look, oldest_count
from services.routing.domain.lifecycle import CaseState, KeptCase, OpenedCase
from services.routing.domain.look import Look
from services.routing.domain.rules import RulePublished, RulesInForce
from services.routing.domain.worklist import Life, turn
from shared.contracts import CalendarPublished, DirectoryPublished, RulebookPublished
from shared.contracts.case import CaseOpened
from shared.contracts.envelope import AnyEvent
from shared.contracts.ingress import Fate, FatesAsked


class MemoryCases:
    def __init__(self) -> None:
        self.openings: dict[str, tuple[AnyEvent, ...]] = {}
        self.kept: dict[str, KeptCase] = {}

    async def add_once(self, opened: Sequence[OpenedCase]) -> Sequence[tuple[AnyEvent, ...]]:
        for case in opened:
            if case.state.case not in self.kept:
                self.openings[case.state.case] = case.events
                self.kept[case.state.case] = KeptCase(case.state)
        return [self.openings[case.state.case] for case in opened]

    async def prepare(self) -> None:
        pass

    async def open_by_lead(self) -> Mapping[str, int]:
        return Counter(kept.state.lead for kept in self.kept.values() if kept.state.open)

    async def open_after(self, case: str, limit: int) -> Sequence[CaseState]:
        states = (kept.state for kept in self.kept.values() if kept.state.open)
        found = (state for state in states if state.case > case)
        return sorted(found, key=lambda state: state.case)[:limit]

    async def known(self, cases: Iterable[str]) -> Mapping[str, KeptCase]:
        return {case: self.kept[case] for case in cases if case in self.kept}

    async def letters(self, cases: Iterable[str]) -> Mapping[str, CaseOpened]:
        return {case: self.openings[case][0].data for case in cases if case in self.kept}

    async def advance(self, steps: Sequence[tuple[KeptCase, KeptCase]]) -> frozenset[str]:
        lost = set()
        for before, after in steps:
            case = before.state.case
            if case in self.kept and self.kept[case].state.version == before.state.version:
                self.kept[case] = after
            else:
                lost.add(case)
        return frozenset(lost)


class MemoryClocks:
    """Over the same cases as `MemoryCases`; its own time stands still unless it is set."""

    def __init__(self, cases: MemoryCases, at: datetime) -> None:
        self.cases, self.at = cases, at
        self.fired: list[AnyEvent] = []
        self.unannounced: list[AnyEvent] = []

    async def prepare(self) -> None:
        pass

    async def time(self) -> datetime:
        return self.at

    async def due(
        self, today: date, rules: Versions, limit: int, *, directory: int = 0
    ) -> Sequence[CaseState]:
        states = (kept.state for kept in self.cases.kept.values())
        return [s for s in states if _speaks(s, today, rules, directory)][:limit]

    async def open_by_lead(self) -> Mapping[str, int]:
        return await self.cases.open_by_lead()

    async def fire(self, fired: Sequence[Fired]) -> None:
        for each in fired:
            kept = self.cases.kept[each.before.case]
            if kept.state.version == each.before.version:
                self.cases.kept[each.before.case] = replace(kept, state=each.after)
                self.fired += each.events
                self.unannounced += each.events

    async def waiting(self, limit: int) -> Sequence[AnyEvent]:
        cases = list(dict.fromkeys(event.subject for event in self.unannounced))[:limit]
        return [event for case in cases for event in self.unannounced if event.subject == case]

    async def announced(self, events: Sequence[AnyEvent]) -> None:
        said = {event.id for event in events}
        self.unannounced = [event for event in self.unannounced if event.id not in said]


def _speaks(state: CaseState, today: date, rules: Versions, directory: int) -> bool:
    look, counted = next_look(state), oldest_count(state)
    if look is not None and look <= today:
        return True
    weighed = state.weighed
    if state.open and (weighed.directory < directory or weighed.rulebook < rules.rulebook):
        return True
    return counted is not None and (
        counted.rulebook < rules.rulebook or counted.calendar < rules.calendar
    )


class MemoryWorklists:
    """Over the same cases as `MemoryCases`, with what `clocks` announced of them."""

    def __init__(self, cases: MemoryCases, clocks: MemoryClocks | None = None) -> None:
        self.cases, self.clocks = cases, clocks
        self.shown: list[AnyEvent] = []

    async def prepare(self) -> None:
        pass

    async def held(
        self, body: str, limit: int, *, finished: bool = False, after: str = "", before: str = ""
    ) -> Sequence[CaseState]:
        states = (kept.state for kept in self.cases.kept.values())
        found = (
            state
            for state in states
            if body in state.bodies
            and (finished or state.open)
            and after < turn(state)
            and (not before or turn(state) < before)
        )
        return sorted(found, key=turn)[:limit]

    async def holders(self) -> Sequence[str]:
        return sorted({body for kept in self.cases.kept.values() for body in kept.state.bodies})

    async def life(self, case: str) -> Life | None:
        if case not in self.cases.kept:
            return None
        kept = self.cases.kept[case]
        fired = [*(self.clocks.fired if self.clocks else []), *self.shown]
        said = (
            *self.cases.openings[case],
            *(event for sending in kept.acted for event in sending.events),
            *(event for event in fired if event.subject == case),
        )
        return Life(kept.state, tuple(sorted(said, key=lambda event: event.data.version)))

    async def show(self, fired: Fired) -> bool:
        kept = self.cases.kept[fired.before.case]
        if kept.state.version != fired.before.version:
            return False
        self.cases.kept[fired.before.case] = replace(kept, state=fired.after)
        self.shown += fired.events
        return True


class MemoryLooks:
    """`away` is the error that keeping raises."""

    def __init__(self, away: Exception | None = None) -> None:
        self.kept: dict[str, Look] = {}
        self.away = away

    async def prepare(self) -> None:
        pass

    async def keep(self, look: Look) -> None:
        if self.away is not None:
            raise self.away
        self.kept.setdefault(look.id, look)

    async def of(self, case: str, *, after: datetime | None, limit: int) -> Sequence[Look]:
        found = (k for k in self.kept.values() if k.case == case and (not after or k.at > after))
        return sorted(found, key=lambda look: look.at)[:limit]


class MemoryCommands:
    def __init__(self) -> None:
        self.sendings: dict[str, Sending] = {}

    async def prepare(self) -> None:
        pass

    async def known(self, keys: Iterable[str]) -> Mapping[str, Sending]:
        return {key: self.sendings[key] for key in keys if key in self.sendings}

    async def acted(self, commands: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], Sending]:
        asked = set(commands)
        return {
            (sending.party, sending.item): sending
            for sending in self.sendings.values()
            if sending.fate is Fate.KEPT and (sending.party, sending.item) in asked
        }

    async def add_once(self, sendings: Sequence[Sending]) -> Sequence[Sending]:
        for sending in sendings:
            if sending.key not in self.sendings or sending.fate is Fate.KEPT:
                self.sendings[sending.key] = sending
        return [self.sendings[sending.key] for sending in sendings]

    async def told(self, party: str, asked: FatesAsked) -> Sequence[Sending]:
        wanted = (
            sending
            for sending in self.sendings.values()
            if sending.party == party
            and (sending.item in asked.items or sending.sequence in asked.sequences)
        )
        return sorted(wanted, key=lambda sending: (sending.sequence, sending.key))


class MemoryRules:
    def __init__(self) -> None:
        self.directories: dict[int, DirectoryPublished] = {}
        self.rulebooks: dict[int, RulebookPublished] = {}
        self.calendars: dict[int, CalendarPublished] = {}

    async def add_once(self, published: Sequence[RulePublished]) -> None:
        for event in published:
            match event.data:
                case DirectoryPublished():
                    self.directories.setdefault(event.data.version, event.data)
                case RulebookPublished():
                    self.rulebooks.setdefault(event.data.version, event.data)
                case CalendarPublished():
                    self.calendars.setdefault(event.data.version, event.data)

    async def latest(self) -> RulesInForce | None:
        if not (self.directories and self.rulebooks and self.calendars):
            return None
        directory, rulebook, calendar = (
            max(self.directories),
            max(self.rulebooks),
            max(self.calendars),
        )
        return RulesInForce(
            directory=DirectoryIndex(self.directories[directory].directory),
            directory_version=directory,
            rulebook=self.rulebooks[rulebook].rulebook,
            rulebook_version=rulebook,
            working_days=WorkingDays(self.calendars[calendar].calendar),
            calendar_version=calendar,
        )
