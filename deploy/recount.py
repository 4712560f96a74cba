"""Counts a published report again from the log of events, by other means.

Shares no code with reporting on purpose: two programs that agree by accident are rare.
Where reporting keeps the newest word of each place in a row, this goes through a case's life.
Only what was recorded before the report's closing counts, of that only what had happened by the
period's end.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from shared.contracts.case import case_id
from shared.contracts.directory import Directory, Unit
from shared.contracts.envelope import AnyEvent
from shared.contracts.report import ReportPublished
from shared.contracts.submission import ELIGIBLE

SATISFIED = (4, 5)


@dataclass(slots=True)
class Log:
    """What was said, by what it is about."""

    lives: dict[str, list[AnyEvent]] = field(default_factory=lambda: defaultdict(list))
    """By case, with what intake said of its submission."""
    activities: dict[str, list[AnyEvent]] = field(default_factory=lambda: defaultdict(list))
    channels: list[AnyEvent] = field(default_factory=list)
    by_unit: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The cases of each unit, as they name it."""

    @classmethod
    def of(cls, events: Iterable[AnyEvent]) -> "Log":
        log = cls()
        for event in events:
            about = event.subject or event.id
            match event.type:
                case "submission.received.v1" | "submission.rated.v1":
                    log._lived(case_id(about), event)
                case "activity.recorded.v1":
                    log.activities[about].append(event)
                case "channel.announced.v1":
                    log.channels.append(event)
                case kind if kind.startswith(("case.", "clock.")):
                    log._lived(about, event)
        return log

    def _lived(self, case: str, event: AnyEvent) -> None:
        self.lives[case].append(event)
        if event.type in {"submission.received.v1", "case.opened.v1"}:
            self.by_unit[event.data.unit].add(case)


@dataclass(slots=True)
class Life:
    """Where a case stands after what was said of it, one event after the other."""

    base: Any = None
    """What was said at reception: intake's word before routing's."""
    received: datetime | None = None
    within: bool = True
    handled: bool = False
    accepted: bool = False
    due: dict[str, date] = field(default_factory=dict)
    ended: AnyEvent | None = None
    joined: datetime | None = None
    rating: AnyEvent | None = None
    old: bool = False
    """It was received before the period."""
    overdue: bool = False

    @classmethod
    def until(cls, said: Iterable[AnyEvent], known: datetime, end: datetime) -> "Life":
        life = cls()
        heard = (e for e in said if _recorded(e) <= known and e.time < end)
        for event in sorted(heard, key=lambda e: getattr(e.data, "version", 0)):
            life.go_on(event)
        return life

    def go_on(self, event: AnyEvent) -> None:
        match event.type:
            case "submission.received.v1":
                self.base, self.received = event.data, event.time
            case "case.opened.v1" if self.base is None:
                self.base, self.received = event.data, event.data.received
            case "submission.rated.v1":
                self.rating = event
            case "case.assigned.v1":
                self.handled, self.within = True, event.data.within_competence
                self.accepted = event.data.accepted
            case "case.accepted.v1":
                self.accepted = True
            case "clock.started.v1" | "clock.restated.v1":
                self.due[event.data.clock] = event.data.due
            case "case.concluded.v1" | "case.referred.v1":
                self.ended, self.joined = event, None
            case "case.joined.v1":
                self.ended, self.joined = None, event.time
            case "case.reopened.v1":
                self.ended = self.joined = None

    @property
    def over(self) -> datetime | None:
        return self.joined or (self.ended.time if self.ended else None)


@dataclass(frozen=True, slots=True)
class World:
    """The log, and the rules by which a report was counted.

    `stopped` are the clocks that acceptance stops; any other runs until the answer.
    """

    log: Log
    directory: Directory
    stopped: frozenset[str]
    zone: tzinfo


def recount(report: ReportPublished, known: datetime, world: World) -> Mapping[str, int]:
    """The unit's own cells of this report, by column code; a form not known here has none."""
    count = _FORMS.get(report.form)
    if count is None:
        return {}
    first, last = report.period.first_day, report.period.last_day
    start = datetime.combine(first, time(), world.zone)
    end = datetime.combine(last + timedelta(days=1), time(), world.zone)
    cells: Counter[str] = Counter()
    here = _counted_at(report.unit, world.directory, last)
    for unit in [unit for unit in world.log.by_unit if here(unit)]:
        for case in world.log.by_unit[unit]:
            life = Life.until(world.log.lives[case], known, end)
            if life.base is None or life.received is None or life.base.unit != unit:
                continue
            if report.form == "s-124":
                cells.update(_rating(life, start))
            life.old = life.received < start
            if life.old and life.over is not None and life.over < start:
                continue
            running = [c for c in life.due if not (life.accepted and c in world.stopped)]
            life.overdue = any(life.due[clock] <= last for clock in running)
            cells.update(count(life))
    if report.form == "s-124":
        cells.update(_activities(world.log, known, here, first, last))
        cells.update(_register(world, known, here, last))
    return cells


def _recorded(event: AnyEvent) -> datetime:
    """To the millisecond, as databases keep it."""
    at = event.recordedtime or event.time
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _counted_at(unit: str, directory: Directory, day: date) -> Callable[[str], bool]:
    """Whether what is of another unit counts at this one: it is that, or has taken its place.

    What is of a unit that is not in force counts at the nearest one above that is; what leads
    nowhere counts at the first unit that has none above it.
    """
    there = {u.code: u for u in directory.units if u.valid_from <= day and not _gone(u, day)}
    roots = sorted(code for code in there if not _above(code, there, directory, day))

    def here(code: str) -> bool:
        if code in there:
            return code == unit
        return (_above(code, there, directory, day) or roots[0]) == unit

    return here


def _gone(unit: Unit, day: date) -> bool:
    return unit.valid_to is not None and unit.valid_to <= day


def _above(code: str, there: Mapping[str, Unit], directory: Directory, day: date) -> str | None:
    """The nearest unit in force above it, by the newest entry of each code until that day."""
    seen = {code}
    while True:
        entries = [unit for unit in directory.units if unit.code == code]
        begun = [unit for unit in entries if unit.valid_from <= day]
        entry = max(begun, key=lambda u: u.valid_from, default=None)
        entry = entry or min(entries, key=lambda u: u.valid_from, default=None)
        if entry is None or entry.parent is None or entry.parent in seen:
            return None
        code = entry.parent
        if code in there:
            return code
        seen.add(code)


def _duplicate(life: Life) -> list[str]:
    """A letter that came in, and whatever was done was done in another case."""
    signed = ("several", "one", "other").index(life.base.signatures)
    return ["1", str((5 if life.old else 2) + signed), *(["8"] if life.handled else [])]


def _letters(life: Life) -> list[str]:
    columns = _duplicate(life)
    if life.joined or life.base.eligibility != ELIGIBLE:
        return columns
    kind = {"complaint": 0, "denunciation": 1}.get(life.base.kind, 2)
    columns += ["9", "10", str(11 + kind)]
    ended = life.ended.data if life.ended else None
    if ended is not None and hasattr(ended, "way"):
        way = {"guided": "23", "forwarded": "24", "urged": "25"}[ended.way]
        return [*columns, "17", "22", way]
    if ended is not None:
        columns.append("14" if ended.times == 1 else "15")
    else:
        columns.append("16" if life.accepted else "17")
    if life.within:
        return [*columns, "18", str(19 + kind)]
    return [*columns, "22", "24", *(["26"] if ended is not None else [])]


def _denunciations(life: Life) -> Mapping[str, int]:
    ended = life.ended.data if life.ended else None
    elsewhere = not life.within or hasattr(ended, "way")
    mine = life.base.kind == "denunciation" and life.base.eligibility == ELIGIBLE
    if not mine or elsewhere or life.joined:
        return {}
    columns = {"1": 1, "2" if life.old else "3": 1}
    if ended is None:
        return {**columns, "10": 1}
    outcomes = ("right", "wrong", "partly-right", "withdrawn", "suspended")
    columns |= {"4": 1, str(5 + outcomes.index(ended.outcome)): 1}
    columns |= {"13" if ended.in_time else "14": 1}
    return {**columns, "11": ended.recovered, "12": ended.sanctions}


def _supervision(life: Life) -> list[str]:
    columns = ["carried-over" if life.old else "received"]
    if life.joined:
        return [*columns, "joined"]
    if life.ended:
        return [*columns, "answered-in-time" if life.ended.data.in_time else "answered-late"]
    return [*columns, "open", *(["overdue"] if life.overdue else [])]


def _rating(life: Life, start: datetime) -> list[str]:
    if life.rating is None or life.rating.time < start:
        return []
    satisfied = life.rating.data.score in SATISFIED
    return ["ratings", "satisfied"] if satisfied else ["ratings"]


def _activities(
    log: Log, known: datetime, here: Callable[[str], bool], first: date, last: date
) -> Counter[str]:
    """The newest word on each, if it was held in the period."""
    cells: Counter[str] = Counter()
    for said in log.activities.values():
        heard = [event for event in said if _recorded(event) <= known]
        newest: Any = max(heard, key=lambda e: (_recorded(e), e.id)).data if heard else None
        if newest is None or not here(newest.unit) or not first <= newest.held <= last:
            continue
        if newest.kind != "dialogue":
            cells[f"{newest.kind}-activities"] += 1
            continue
        cells["dialogues"] += 1
        cells["dialogue-participants"] += newest.participants
        cells["dialogue-opinions-received"] += newest.opinions_received
        cells["dialogue-opinions-accepted"] += newest.opinions_accepted
    return cells


def _register(
    world: World, known: datetime, here: Callable[[str], bool], last: date
) -> Iterator[str]:
    """Offices under supervision, agencies, and what these had made known by the last day."""
    supervised = {s.office for s in world.directory.supervisions if s.in_force(last)}
    for office in world.directory.offices:
        if office.in_force(last) and office.code in supervised and here(office.unit):
            yield "supervised-officials"
    made_known: dict[str, set[str]] = defaultdict(set)
    for event in world.log.channels:
        if _recorded(event) <= known and event.data.published <= last:
            made_known[event.data.agency].add(event.data.channel)
    for agency in world.directory.agencies:
        if not agency.in_force(last) or not here(agency.unit):
            continue
        yield "agencies"
        has = made_known[agency.code]
        yield from (f"agencies-with-{name}" for name in ("mailbox", "hotline") if name in has)
        if {"mailbox", "hotline"} <= has:
            yield "agencies-with-both"


_FORMS: Mapping[str, Callable[..., Iterable[str] | Mapping[str, int]]] = {
    "01-xld": _letters,
    "03-kqgq": _denunciations,
    "s-124": _supervision,
}

COUNTED: Mapping[str, Sequence[str]] = {
    "01-xld": tuple(str(n) for n in range(1, 27)),
    "03-kqgq": tuple(str(n) for n in range(1, 15)),
    "s-124": (
        *("supervised-officials", "direct-activities", "indirect-activities", "dialogues"),
        *("dialogue-participants", "dialogue-opinions-received", "dialogue-opinions-accepted"),
        *("agencies", "agencies-with-mailbox", "agencies-with-hotline", "agencies-with-both"),
        *("received", "carried-over", "answered-in-time", "answered-late", "joined", "open"),
        *("overdue", "ratings", "satisfied"),
    ),
}
"""Columns that `recount` tells, by form: all of them."""
