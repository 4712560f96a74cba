"""What a decision on competence depends on, and which units it is about."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from services.routing.domain.directory import DirectoryIndex
from shared.contracts.vocabulary import Concern, Kind


@dataclass(frozen=True, slots=True)
class Matter:
    """One matter. It may concern several offices and units at once, in whatever order."""

    kind: Kind
    category: str
    unit: str
    """The unit whose channel it came through."""
    concerns: tuple[Concern, ...]
    acted: date
    """Local day of the act, as far as it is known: that of the receipt."""
    author: str | None = None
    """The body that wrote the submission itself, if one did."""
    also_acted: tuple[date, ...] = ()
    """Local days of the act as duplicates have them: who held an office then is accused too."""

    def naming(self, concerns: Iterable[Concern]) -> "Matter":
        """The same matter, that concerns these too."""
        named = {*self.concerns, *concerns}
        both = sorted(named, key=lambda c: (c.unit or "", c.office or ""))
        return replace(self, concerns=tuple(both))

    def taking_over(self, other: "Matter") -> "Matter":
        """The same matter, that concerns whom the other does, on the other's day too."""
        days = {*self.also_acted, other.acted, *other.also_acted} - {self.acted}
        return replace(self.naming(other.concerns), also_acted=tuple(sorted(days)))

    @property
    def offices(self) -> tuple[str, ...]:
        """The offices that are named, each once, by code."""
        return tuple(sorted({named.office for named in self.concerns if named.office is not None}))


def concerned_unit(concern: Concern, matter: Matter, directory: DirectoryIndex) -> str:
    """The unit of the named office on the day of the act, else the named unit, else the receiver.

    What the directory does not list is passed over.
    """
    office = directory.office(concern.office, matter.acted) if concern.office else None
    candidates = (office.unit if office else None, concern.unit)
    known = (unit for unit in candidates if unit is not None and directory.knows_unit(unit))
    return next(known, matter.unit)


def concerned_units(matter: Matter, directory: DirectoryIndex) -> tuple[str, ...]:
    """The units that the matter is about, each once, by code; never none."""
    found = {concerned_unit(concern, matter, directory) for concern in matter.concerns}
    return tuple(sorted(found)) or (matter.unit,)


def unknown_concern(concerns: Iterable[Concern], directory: DirectoryIndex, on: date) -> int | None:
    """Place of the first concern that names nothing of the directory."""
    for place, concern in enumerate(concerns):
        office = concern.office is not None and directory.office(concern.office, on)
        unit = concern.unit is not None and directory.knows_unit(concern.unit)
        if not (office or unit) or (concern.office is not None and not office):
            return place
    return None
