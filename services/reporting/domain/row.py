"""What can be read of a row: a case, an activity, an announced channel."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from services.reporting.domain.facet import Facet, Laid, Plain
from shared.contracts.submission import ELIGIBLE


@dataclass(frozen=True, slots=True)
class CaseRow:
    """What is known of one case. `facets` has clocks by their place, `clocks.<code>`."""

    case: str
    facets: Mapping[str, Facet]
    laid: Laid = field(default_factory=Laid, compare=False, repr=False)
    known: datetime | None = field(default=None, compare=False)
    """What was recorded later is left out; None: nothing is."""

    @classmethod
    def of(cls, case: str, laid: Laid) -> "CaseRow":
        return cls(case, laid.facets, laid)

    def as_known(self, at: datetime) -> "CaseRow":
        return CaseRow(self.case, self.laid.as_known(at), self.laid, at)

    def as_of(self, end: datetime) -> "CaseRow":
        """The row as it stood at that instant: what happened from then on had not happened yet.

        What stood before it comes forth again: an answer of a case that was taken up later.
        """
        if all(facet.time < end for facet in self.facets.values()):
            return self
        return CaseRow(self.case, self.laid.standing(self.known, end), self.laid, self.known)

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
        return self._number("times")

    @property
    def referral(self) -> str | None:
        """The way in which it was passed to somebody outside, if it was."""
        answer = self._answer
        return None if answer is None or "way" not in answer else str(answer["way"])

    @property
    def outcome(self) -> str | None:
        """How it ended on the merits, if it was answered."""
        answer = self._answer
        return None if answer is None or "outcome" not in answer else str(answer["outcome"])

    @property
    def recovered(self) -> int:
        """In đồng."""
        return self._number("recovered")

    @property
    def sanctions(self) -> int:
        return self._number("sanctions")

    @property
    def rated(self) -> datetime | None:
        """When the answer was rated by who had spoken."""
        return self._time("rated")

    @property
    def score(self) -> int | None:
        facet = self.facets.get("rated")
        return int(str(facet.data["score"])) if facet else None

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

    def _number(self, name: str) -> int:
        """A number of the answer; 0 without one."""
        answer = self._answer
        return 0 if answer is None else int(str(answer.get(name, 0)))

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
