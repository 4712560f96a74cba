"""Where the search for the lead begins: by the office held at the time of the act, and now.

Law on Denunciations 2018, Art. 12: an accused who has moved on since the act is looked into from
the old unit or from the new one, depending on the two offices. Four cases, tried in this order:

1. an equal office (level and rank) at another unit: from above the old unit; beside it, from above
   the new one;
2. a higher office that is head of its unit: from above the new unit; beside it, the old one;
3. any other higher office: from the new unit; beside it, the old one;
4. anything else, retired included: from the old unit.

Nothing stands beside a promotion within one unit. Who still holds the office has not moved.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.routing.domain.directory import DirectoryIndex
from services.routing.domain.matter import Matter, concerned_unit
from shared.contracts.directory import Office, OfficeRank
from shared.contracts.rulebook import CooperationMethod

RANKS = tuple(OfficeRank)
"""The highest first."""


class Move(StrEnum):
    """What became of the office of the day of the act."""

    NONE = "none"
    EQUAL_ELSEWHERE = "equal-elsewhere"
    BECAME_HEAD = "became-head"
    PROMOTED = "promoted"
    OTHERWISE = "otherwise"


TODAY = date.max
"""Stands for the day of the decision."""


@dataclass(frozen=True, slots=True, order=True)
class Start:
    """A unit to search from, upwards: from itself, or from the unit above it."""

    unit: str
    above: bool = False
    day: date = TODAY
    """Of which day the unit's code is: another unit may have it by now."""


@dataclass(frozen=True, slots=True, order=True)
class Course:
    """Where the lead is searched, and where a body that co-operates with it."""

    move: Move
    lead: Start
    beside: Start | None = None


def courses(
    matter: Matter, directory: DirectoryIndex, method: CooperationMethod, on: date
) -> tuple[Course, ...]:
    """The courses that a matter calls for: one for each accused who moved, else by unit; sorted."""
    found: set[Course] = set()
    for concern in matter.concerns:
        moved: tuple[Course, ...] = ()
        if method is CooperationMethod.OFFICE_TIMELINE and concern.office is not None:
            moved = _moved(concern.office, matter.acted, directory, on)
        unit = concerned_unit(concern, matter, directory)
        here = Course(Move.NONE, Start(unit, day=matter.acted))
        found.update(moved or (here,))
    return tuple(sorted(found)) or (Course(Move.NONE, Start(matter.unit, day=matter.acted)),)


def _moved(office: str, acted: date, directory: DirectoryIndex, on: date) -> tuple[Course, ...]:
    old = directory.office(office, acted)
    if old is None or not directory.knows_unit(old.unit):
        return ()
    return tuple(
        _course(old, _highest(person, directory, on), directory, acted)
        for person in sorted(directory.holders(office, acted))
        if office not in directory.offices_held_on(person, on)
    )


def _highest(person: str, directory: DirectoryIndex, on: date) -> Office | None:
    held = (directory.office(code, on) for code in directory.offices_held_on(person, on))
    known = [office for office in held if office is not None and directory.knows_unit(office.unit)]
    return min(known, key=lambda o: (*_height(o, directory), o.code), default=None)


def _course(old: Office, new: Office | None, directory: DirectoryIndex, acted: date) -> Course:
    if new is None:
        return Course(Move.OTHERWISE, Start(old.unit, day=acted))
    before, now = _height(old, directory), _height(new, directory)
    elsewhere = new.unit != old.unit
    if now < before:
        head = new.rank is OfficeRank.HEAD
        move = Move.BECAME_HEAD if head else Move.PROMOTED
        beside = Start(old.unit, day=acted) if elsewhere else None
        return Course(move, Start(new.unit, above=head), beside)
    if now == before and elsewhere:
        above_both = (Start(old.unit, above=True, day=acted), Start(new.unit, above=True))
        return Course(Move.EQUAL_ELSEWHERE, *above_both)
    return Course(Move.OTHERWISE, Start(old.unit, day=acted))


def _height(office: Office, directory: DirectoryIndex) -> tuple[int, int]:
    """Level, then rank; the least is the highest."""
    return directory.level(office.unit), RANKS.index(office.rank)
