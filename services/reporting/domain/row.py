"""One row per case, activity and announced channel: what is known of it, event by event.

An accumulating snapshot. Each type of event owns one facet of the row and nobody else's; of one
facet the newest stands and the others are its past. So the same events in any order, however
often, make the same row, and what was known of it on an earlier day can be told.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from services.reporting.domain.period import Window
from shared.contracts import (
    ActivityRecorded,
    CaseAccepted,
    CaseAssigned,
    CaseConcluded,
    CaseJoined,
    CaseOpened,
    CaseReferred,
    CaseReopened,
    ChannelAnnounced,
    ClockRestated,
    ClockStarted,
    SubmissionReceived,
)
from shared.contracts.case import case_id
from shared.contracts.envelope import AnyEvent
from shared.contracts.submission import ELIGIBLE

Plain = str | int | bool | datetime | None
Mark = tuple[int, datetime, str]


class Table(StrEnum):
    """Which rows a change belongs to."""

    CASE = "case"
    ACTIVITY = "activity"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True)
class Facet:
    """What one event says of a row.

    `version` is the case's, 0 for an event that has none. Instants are cut down to the
    millisecond, which is all that the database keeps: a row reads the same wherever it lay, and
    a boundary at a whole second divides it the same way.
    """

    version: int
    recorded: datetime
    event: str
    time: datetime
    data: Mapping[str, Plain]

    @property
    def mark(self) -> Mark:
        """Of two facets in one place the greater mark stays; no two events share one."""
        return self.version, self.recorded, self.event


@dataclass(frozen=True, slots=True)
class RowChange:
    """An event's whole effect: `facet` is its place in the row, e.g. `clocks.answer`."""

    table: Table
    key: str
    facet: str
    value: Facet


def to_millisecond(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def change(event: AnyEvent) -> RowChange:
    """The one change that follows from an event.

    A submission's case is known before routing has opened it, since its id is derived.
    An agency's channel is a row of its own for each day on which it was published: of these the
    first counts, whichever arrives first.
    """
    about = event.subject or event.id
    table, key = Table.CASE, about
    version = 0
    data: dict[str, Plain]
    match event.data:
        case SubmissionReceived() as said:
            key, facet = case_id(about), "submission"
            data = {
                "unit": said.unit,
                "kind": said.kind.value,
                "signatures": said.signatures.value,
                "eligibility": said.eligibility,
            }
        case CaseOpened() as said:
            facet, version = "opened", said.version
            data = {
                "unit": said.unit,
                "kind": said.kind.value,
                "signatures": said.signatures.value,
                "eligibility": said.eligibility,
                "received": to_millisecond(said.received),
            }
        case CaseAssigned() as said:
            facet, version = "assigned", said.version
            data = {
                "lead": said.lead,
                "within_competence": said.within_competence,
                "accepted": said.accepted,
            }
        case ClockStarted() | ClockRestated() as said:
            facet, version = f"clocks.{said.clock}", said.version
            data = {"due": said.due.isoformat()}
        case CaseAccepted() as said:
            facet, version = "accepted", said.version
            data = {"body": said.body}
        case CaseConcluded() | CaseReferred() | CaseReopened() as said:
            facet, version = "concluded", said.version
            data = _ended(said)
        case CaseJoined() as said:
            facet, version = "joined", said.version
            data = {"body": said.body}
        case ActivityRecorded() as said:
            table, facet = Table.ACTIVITY, "recorded"
            data = {
                "unit": said.unit,
                "kind": said.kind.value,
                "held": said.held.isoformat(),
                "participants": said.participants,
                "opinions_received": said.opinions_received,
                "opinions_accepted": said.opinions_accepted,
            }
        case ChannelAnnounced() as said:
            table, facet = Table.CHANNEL, "announced"
            published = said.published.isoformat()
            key = f"{said.agency}/{said.channel.value}/{published}"
            data = {
                "agency": said.agency,
                "channel": said.channel.value,
                "published": published,
            }
        case _:
            raise TypeError(f"no row follows from {event.type}")
    return RowChange(
        table,
        key,
        facet,
        Facet(
            version=version,
            recorded=to_millisecond(event.recordedtime or event.time),
            event=event.id,
            time=to_millisecond(event.time),
            data=data,
        ),
    )


def _ended(said: CaseConcluded | CaseReferred | CaseReopened) -> dict[str, Plain]:
    """How a case ended; nothing but the body where it was taken up again."""
    match said:
        case CaseConcluded():
            return {
                "body": said.body,
                "outcome": said.outcome.value,
                "in_time": said.in_time,
                "times": said.times,
            }
        case CaseReferred():
            return {"body": said.body, "way": said.way.value, "in_time": said.in_time}
        case CaseReopened():
            return {"body": said.body}


def touches(change: RowChange, window: Window) -> bool:
    """Whether it may change what was counted of a period, now that the period is over."""
    match change.table:
        case Table.CASE:
            return window.has_seen(change.value.time)
        case Table.ACTIVITY:
            held = date.fromisoformat(str(change.value.data["held"]))
            return window.period.first_day <= held <= window.period.last_day
        case Table.CHANNEL:
            published = date.fromisoformat(str(change.value.data["published"]))
            return published <= window.period.last_day


@dataclass(slots=True)
class Laid:
    """A row as it lies in a store: the facets that stand, by place, and those that stood before.

    `past` is by place and mark, so that a facet that comes again finds itself there.
    """

    facets: dict[str, Facet] = field(default_factory=dict)
    past: dict[tuple[str, Mark], Facet] = field(default_factory=dict)

    def lay(self, place: str, facet: Facet) -> None:
        standing = self.facets.setdefault(place, facet)
        if standing.mark == facet.mark:
            return
        older, newer = sorted((standing, facet), key=lambda each: each.mark)
        self.facets[place] = newer
        self.past[place, older.mark] = older

    def as_known(self, at: datetime) -> Mapping[str, Facet]:
        """The facets that stood at that instant."""
        known: dict[str, Facet] = {}
        for place, facet in self.all:
            if facet.recorded <= at and (place not in known or known[place].mark < facet.mark):
                known[place] = facet
        return known

    @property
    def all(self) -> Iterator[tuple[str, Facet]]:
        """Every facet that was ever told, with its place."""
        yield from self.facets.items()
        for (place, _), facet in self.past.items():
            yield place, facet


def laid(changes: Iterable[RowChange]) -> Mapping[tuple[Table, str], Laid]:
    """What a batch leaves of each row: one write a row, however many events."""
    rows: dict[tuple[Table, str], Laid] = {}
    for each in changes:
        rows.setdefault((each.table, each.key), Laid()).lay(each.facet, each.value)
    return rows


@dataclass(frozen=True, slots=True)
class CaseRow:
    """What is known of one case. `facets` has clocks by their place, `clocks.<code>`."""

    case: str
    facets: Mapping[str, Facet]
    laid: Laid = field(default_factory=Laid, compare=False, repr=False)

    @classmethod
    def of(cls, case: str, laid: Laid) -> "CaseRow":
        return cls(case, laid.facets, laid)

    def as_known(self, at: datetime) -> "CaseRow":
        return CaseRow(self.case, self.laid.as_known(at), self.laid)

    @property
    def received(self) -> datetime | None:
        """The legal moment of receipt; nothing while neither intake nor routing has told it."""
        if "submission" in self.facets:
            return self.facets["submission"].time
        if "opened" in self.facets:
            received = self.facets["opened"].data["received"]
            assert isinstance(received, datetime)  # noqa: S101 - so `change` wrote it
            return received
        return None

    @property
    def unit(self) -> str:
        """The unit whose channel it came through."""
        return str(self._first["unit"])

    @property
    def kind(self) -> str:
        return str(self._first["kind"])

    @property
    def signatures(self) -> str:
        return str(self._first["signatures"])

    @property
    def eligible(self) -> bool:
        return self._first["eligibility"] == ELIGIBLE

    @property
    def assigned(self) -> datetime | None:
        return self._time("assigned")

    @property
    def within_competence(self) -> bool:
        """True too while nobody has been assigned: nothing has been forwarded yet."""
        facet = self.facets.get("assigned")
        return facet is None or bool(facet.data["within_competence"])

    @property
    def accepted(self) -> datetime | None:
        """Nothing while a body leads that has not accepted it itself."""
        accepted, assigned = self.facets.get("accepted"), self.facets.get("assigned")
        if accepted and assigned and accepted.version < assigned.version:
            return accepted.time if assigned.data["accepted"] else None
        return self._time("accepted")

    @property
    def concluded(self) -> datetime | None:
        """When it was answered, passed on or joined; nothing while it is taken up again."""
        return self.joined or (self._time("concluded") if self._answer else None)

    @property
    def joined(self) -> datetime | None:
        """When it was closed as a duplicate of another case; nothing once it was taken up again."""
        facet, ended = self.facets.get("joined"), self.facets.get("concluded")
        over = facet is None or (ended is not None and ended.version > facet.version)
        return None if over else self._time("joined")

    @property
    def in_time(self) -> bool | None:
        """Whether the answer met its clocks; nothing without an answer."""
        answer = self._answer
        return None if answer is None else bool(answer["in_time"])

    @property
    def times_settled(self) -> int:
        answer = self._answer
        return 0 if answer is None else int(str(answer.get("times", 0)))

    @property
    def referral(self) -> str | None:
        """The way in which it was passed to somebody outside, if it was."""
        answer = self._answer
        return None if answer is None or "way" not in answer else str(answer["way"])

    @property
    def due(self) -> Mapping[str, date]:
        """Last day of each clock's term, by the clock's code."""
        return {
            place.removeprefix("clocks."): date.fromisoformat(str(facet.data["due"]))
            for place, facet in self.facets.items()
            if place.startswith("clocks.")
        }

    @property
    def _answer(self) -> Mapping[str, Plain] | None:
        facet = self.facets.get("concluded")
        return facet.data if facet and "in_time" in facet.data else None

    @property
    def _first(self) -> Mapping[str, Plain]:
        """What was said at reception; intake's own word before routing's copy of it."""
        return (self.facets.get("submission") or self.facets["opened"]).data

    def _time(self, place: str) -> datetime | None:
        facet = self.facets.get(place)
        return None if facet is None else facet.time


@dataclass(frozen=True, slots=True)
class ActivityRow:
    """One activity or dialogue."""

    unit: str
    kind: str
    held: date
    participants: int
    opinions_received: int
    opinions_accepted: int

    @classmethod
    def of(cls, facet: Facet) -> "ActivityRow":
        said = facet.data
        return cls(
            unit=str(said["unit"]),
            kind=str(said["kind"]),
            held=date.fromisoformat(str(said["held"])),
            participants=int(str(said["participants"])),
            opinions_received=int(str(said["opinions_received"])),
            opinions_accepted=int(str(said["opinions_accepted"])),
        )


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """A channel that an agency made known on a day."""

    agency: str
    channel: str
    published: date

    @classmethod
    def of(cls, facet: Facet) -> "ChannelRow":
        said = facet.data
        return cls(
            agency=str(said["agency"]),
            channel=str(said["channel"]),
            published=date.fromisoformat(str(said["published"])),
        )
