"""Decides submissions off-line, by the services' own functions. Sends and keeps nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from datetime import datetime, tzinfo
from typing import Any, NoReturn

from cryptography.exceptions import InvalidTag

from deploy.items import Item, Problem
from services.intake.domain.mail import read_mail
from services.intake.handlers.opening import Refusal, open_arrival
from services.intake.handlers.ports import ArrivalFate, Kept, KeptRecord, Rules, Said
from services.intake.handlers.reading import Reader
from services.routing.domain.calendar import WorkingDays
from services.routing.domain.directory import DirectoryIndex
from services.routing.domain.opening import open_case
from services.routing.domain.rules import RulesInForce
from shared.contracts import (
    CaseAssigned,
    DirectoryPublished,
    MailboxMessageArrived,
    RulebookPublished,
    SubmissionReceived,
)
from shared.contracts.directory import Directory
from shared.contracts.envelope import Event
from shared.contracts.rulebook import Calendar, Rulebook
from shared.runtime.arrival import Arrival
from shared.runtime.refusal import Unacceptable

KEPT, REFUSED, RECORD = "kept", "refused", "record"
ONLY_VERSION = 1
NO_KEY = bytes(32)
"""Keys the hashes by which items are known again: here nothing is."""

WEEK_ALONE = Calendar.model_validate(
    {
        "title": {"vi": "Chỉ theo tuần", "en": "The week alone"},
        "citation": "",
        "first_year": 1,
        "last_year": 0,
        "holidays": (),
    }
)
"""Where no calendar is given: Saturday and Sunday are off, and no year is covered."""

Row = dict[str, Any]


class Trial:
    """One rulebook, directory and calendar; legal days are those of `zone`."""

    def __init__(
        self, rulebook: Rulebook, directory: Directory, calendar: Calendar | None, zone: tzinfo
    ) -> None:
        self._intake = Rules(
            DirectoryPublished(version=ONLY_VERSION, directory=directory),
            RulebookPublished(version=ONLY_VERSION, rulebook=rulebook),
        )
        self._routing = RulesInForce(
            directory=DirectoryIndex(directory),
            directory_version=ONLY_VERSION,
            rulebook=rulebook,
            rulebook_version=ONLY_VERSION,
            working_days=WorkingDays(calendar or WEEK_ALONE),
            calendar_version=ONLY_VERSION,
        )
        self._reader, self._zone = Reader(NO_KEY, zone), zone

    def rows(self, items: Iterable[Item], now: datetime) -> Iterator[Row]:
        """One row an item, ready for JSON; each is decided as on the day of its receipt.

        `fate` is `kept`, `refused` (`problems` say why), `record` (no submission) or `automatic`
        (a mail in which nobody speaks). Never holds what was said. `now` is when an item whose
        time cannot be read counts as received.
        """
        for item in items:
            yield {"place": item.place, **self._row(item, now)}

    def _row(self, item: Item, now: datetime) -> Row:
        if item.problems:
            return _refused(item.problems)
        if item.fate is not None:
            return {"fate": item.fate}
        try:
            return self._decided(item, now)
        except Unacceptable as why:
            return _refused([Problem(p.rule, p.advice, p.field) for p in why.problems])

    def _decided(self, item: Item, now: datetime) -> Row:
        arrival = Arrival("feed", item.agency, item.type, item.body, 0, now, item.place)
        opened = open_arrival(arrival, self._intake, _nothing_opens)
        if isinstance(opened, Refusal):
            refusal = opened.event.data
            told = [Problem(p.rule, p.advice, p.field) for p in refusal.problems]
            return _refused(told or [Problem(refusal.type.rpartition("/")[2], refusal.title)])
        opened = replace(opened, arrival=replace(arrival, recorded=opened.event.time))
        data = opened.event.data
        mail = read_mail(data.raw) if isinstance(data, MailboxMessageArrived) else None
        match self._reader.read(opened, mail, self._intake, None):
            case Kept(event=event):
                return self._opened(event)
            case ArrivalFate(fate=fate):
                return {"fate": fate.value}
            case KeptRecord() | Said():
                return {"fate": RECORD}

    def _opened(self, event: Event[SubmissionReceived]) -> Row:
        said = event.data
        opened = open_case(event, self._routing, self._zone, event.time)
        [assigned] = [e.data for e in opened.events if isinstance(e.data, CaseAssigned)]
        return {
            "fate": KEPT,
            "received": event.time.astimezone(self._zone).isoformat(),
            "kind": said.kind,
            "category": said.category,
            "concerns": said.concerns.model_dump(exclude_none=True),
            "eligibility": said.eligibility,
            "eligibility_citation": said.citation,
            "decided_by": said.decided_by,
            # Whatever the contract says of the choice, its reasons too where it has them.
            **assigned.model_dump(mode="json", exclude={"version", "directory", "rulebook"}),
            "clocks": [
                {
                    "clock": clock.code,
                    "citation": clock.citation,
                    "stops": clock.stops,
                    "due": clock.due,
                    "covered": clock.covered,
                }
                for clock in opened.state.clocks
            ],
        }


def in_words(row: Row) -> str:
    """A row as one line for a person."""
    if row["fate"] != KEPT:
        told = "; ".join(str(Problem(**problem)) for problem in row.get("problems", ()))
        return f"{row['place']}: {row['fate']} {told}".rstrip()
    clocks = ", ".join(f"{clock['clock']} {clock['due']}" for clock in row["clocks"])
    return (
        f"{row['place']}: {row['kind']} / {row['category']} / {row['eligibility']} → "
        f"{row['lead']} ({row['basis']}, {row['rule']}); {clocks or 'no term runs'}"
    )


def _nothing_opens(_sealed: str, _use: str) -> NoReturn:
    raise InvalidTag


def _refused(problems: Iterable[Problem]) -> Row:
    told = [
        {name: value for name, value in asdict(problem).items() if value not in {None, ""}}
        for problem in problems
    ]
    return {"fate": REFUSED, "problems": told}
