"""What another rulebook would have done with the submissions that are in the log.

Each is led again by the directory and calendar that it was led by, so that a difference comes from
the rulebook alone; among equal bodies the one that led it goes on, then the one that would lead
fewest. Texts are not in the log: kind, category, object and eligibility stay as they were told.
"""

from collections import ChainMap, Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, tzinfo
from typing import Any

from nats.aio.client import Client

from deploy.rules import Invalid
from deploy.stream import messages
from services.routing.domain.calendar import WorkingDays
from services.routing.domain.directory import DirectoryIndex
from services.routing.domain.opening import open_case
from services.routing.domain.rules import RulesInForce
from shared.contracts import (
    CalendarPublished,
    CaseAssigned,
    ClockStarted,
    DirectoryPublished,
    SubmissionReceived,
)
from shared.contracts.case import Assigning, case_id
from shared.contracts.envelope import AnyEvent, Event, EventData
from shared.contracts.rulebook import Rulebook
from shared.runtime.streams import EVENTS

READ: dict[str, type[EventData]] = {
    contract.TYPE: contract
    for contract in (
        DirectoryPublished,
        CalendarPublished,
        SubmissionReceived,
        CaseAssigned,
        ClockStarted,
    )
}
FEWEST = -1
"""Less than any number of open cases."""
TRIED_VERSION = 1
"""Stands for the version of a rulebook that is not published; no decision depends on it."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A term with another last day; None: it did not run, or would not."""

    clock: str
    was: date | None
    would: date | None
    citation: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A case that would be led by another body, or answered by another day."""

    case: str
    received: date
    lead_was: str
    lead_would: str
    terms: tuple[Moved, ...]
    why: tuple[str, ...]


@dataclass(slots=True)
class Outcome:
    cases: int = 0
    other_lead: int = 0
    other_due: int = 0
    waiting: int = 0
    """Submissions that no body leads yet."""
    differences: list[Difference] = field(default_factory=list)


@dataclass(slots=True)
class _Log:
    """What the log tells, as far as it matters here."""

    directories: dict[int, DirectoryIndex] = field(default_factory=dict)
    calendars: dict[int, WorkingDays] = field(default_factory=dict)
    received: dict[str, Event[SubmissionReceived]] = field(default_factory=dict)
    assigned: dict[str, Event[CaseAssigned]] = field(default_factory=dict)
    clocks: dict[str, dict[str, ClockStarted]] = field(default_factory=dict)

    def note(self, event: AnyEvent, since: date, zone: tzinfo) -> None:
        case = event.subject or event.id
        match event.data:
            case DirectoryPublished(version=version, directory=directory):
                self.directories[version] = DirectoryIndex(directory)
            case CalendarPublished(version=version, calendar=calendar):
                self.calendars[version] = WorkingDays(calendar)
            case SubmissionReceived():
                if event.time.astimezone(zone).date() >= since:
                    self.received.setdefault(case_id(case), event)
            case CaseAssigned(why=Assigning.OPENING) if case in self.received:
                self.assigned.setdefault(case, event)
            case ClockStarted(clock=clock) if self._begins(case, event):
                self.clocks.setdefault(case, {}).setdefault(clock, event.data)

    def _begins(self, case: str, event: AnyEvent) -> bool:
        """Whether it came with the case's opening: later moves are no doing of these rules."""
        received = self.received.get(case)
        return received is not None and event.causationid == received.id


async def simulate(client: Client, rulebook: Rulebook, since: date, zone: tzinfo) -> Outcome:
    """Lead every submission received on the local day `since` or later by the rulebook.

    Raises `Invalid` if no directory or no calendar is in the log.
    """
    log = _Log()
    async for message in messages(client, EVENTS, tuple(READ)):
        contract = READ[message.subject]
        event: AnyEvent = Event[contract].model_validate_json(message.data)  # type: ignore[valid-type]
        log.note(event, since, zone)
    if not log.directories or not log.calendars:
        raise Invalid(["A directory and a calendar must have been published before."])
    outcome = Outcome()
    leads: Counter[str] = Counter()
    for case in log.received:
        if case not in log.assigned:
            outcome.waiting += 1
            continue
        outcome.cases += 1
        difference = _difference(log, case, rulebook, zone, leads)
        if difference is not None:
            outcome.other_lead += difference.lead_was != difference.lead_would
            outcome.other_due += bool(difference.terms)
            outcome.differences.append(difference)
    return outcome


def _difference(
    log: _Log, case: str, rulebook: Rulebook, zone: tzinfo, leads: Counter[str]
) -> Difference | None:
    """What would be otherwise; `leads` counts the cases that each body would lead."""
    received, assigned = log.received[case], log.assigned[case]
    running = log.clocks.get(case, {})
    calendar = next((clock.calendar for clock in running.values()), max(log.calendars))
    directory = assigned.data.directory
    rules = RulesInForce(
        directory=log.directories.get(directory) or log.directories[max(log.directories)],
        directory_version=directory,
        rulebook=rulebook,
        rulebook_version=TRIED_VERSION,
        working_days=log.calendars.get(calendar) or log.calendars[max(log.calendars)],
        calendar_version=calendar,
    )
    load = ChainMap({assigned.data.lead: FEWEST}, leads)
    opened = open_case(received, rules, zone, assigned.recordedtime or assigned.time, load)
    [would] = [e.data for e in opened.events if isinstance(e.data, CaseAssigned)]
    leads[would.lead] += 1
    would_run = {e.data.clock: e.data for e in opened.events if isinstance(e.data, ClockStarted)}
    terms = tuple(_moved(running, would_run))
    if would.lead == assigned.data.lead and not terms:
        return None
    return Difference(
        case=case,
        received=received.time.astimezone(zone).date(),
        lead_was=assigned.data.lead,
        lead_would=would.lead,
        terms=terms,
        why=(*_why_led(assigned.data, would), *map(_why_moved, terms)),
    )


def _moved(was: dict[str, ClockStarted], would: dict[str, ClockStarted]) -> Iterator[Moved]:
    for code in [*was, *(code for code in would if code not in was)]:
        before, after = was.get(code), would.get(code)
        due_before = before.due if before else None
        due_after = after.due if after else None
        if due_before != due_after:
            told: Any = after or before
            yield Moved(clock=code, was=due_before, would=due_after, citation=told.citation)


def _why_led(was: CaseAssigned, would: CaseAssigned) -> Iterator[str]:
    if was.lead == would.lead:
        return
    yield (
        f"led by {was.lead} under {was.rule} ({was.basis}), would be by {would.lead} under "
        f"{would.rule} ({would.basis}): {would.citation or 'no rule'}"
    )
    before = {exclusion.body: exclusion.rule for exclusion in was.excluded}
    after = {exclusion.body: exclusion.rule for exclusion in would.excluded}
    yield from (f"{b} would be kept away by {r}" for b, r in after.items() if b not in before)
    yield from (
        f"{b} is kept away by {r}, would not be" for b, r in before.items() if b not in after
    )


def _why_moved(term: Moved) -> str:
    if term.was is None:
        return f"{term.clock} would run, due {term.would}: {term.citation}"
    if term.would is None:
        return f"{term.clock} would not run, was due {term.was}: {term.citation}"
    return f"{term.clock} was due {term.was}, would be {term.would}: {term.citation}"
