"""What lies in a row: facets, each with the one event that said it.

An accumulating snapshot. Each type of event owns one facet of the row and nobody else's; of one
facet the newest stands and the others are its past. So the same events in any order, however
often, make the same row, and what was known of it on an earlier day can be told.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from services.reporting.domain.period import Window

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
        return self.standing(at)

    def standing(
        self, known: datetime | None = None, before: datetime | None = None
    ) -> Mapping[str, Facet]:
        """The newest facet of each place that was recorded by `known` and happened `before`."""
        found: dict[str, Facet] = {}
        for place, facet in self.all:
            counts = (known is None or facet.recorded <= known) and (
                before is None or facet.time < before
            )
            if counts and (place not in found or found[place].mark < facet.mark):
                found[place] = facet
        return found

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
