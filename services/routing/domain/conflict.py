"""Who must not touch a matter: bodies in which somebody sits whom it concerns.

Concerned is the office that a submission names, and with it every office that its holder of the
day of the act, or of today, has held by today: moving to another post takes nobody out of reach.
A body is excluded when one of these offices is among its members.
A submission that names a unit and no office excludes nobody: a unit is not a person who judges.
"""

from collections.abc import Iterator
from datetime import date

from services.routing.domain.directory import DirectoryIndex
from shared.contracts.case import Exclusion
from shared.contracts.directory import Body
from shared.contracts.rulebook import ConflictMethod, ConflictRule, Rulebook


def excluded(
    office: str | None, acted: date, directory: DirectoryIndex, rulebook: Rulebook, on: date
) -> tuple[Exclusion, ...]:
    """Bodies kept away on the day `on` from a matter of the day `acted`, by code.

    Each is named once, under the first rule in force that keeps it away; as its reason stands
    the office that the matter names where that one sits in it, else the first by code.
    """
    if office is None:
        return ()
    found: dict[str, Exclusion] = {}
    for rule in rulebook.conflicts:
        if rule.in_force(on):
            for body, member in _kept_away(rule, office, acted, directory, on):
                reason = Exclusion(body=body.code, rule=rule.code, office=member)
                found.setdefault(body.code, reason)
    return tuple(found[code] for code in sorted(found))


def _kept_away(
    rule: ConflictRule, office: str, acted: date, directory: DirectoryIndex, on: date
) -> Iterator[tuple[Body, str]]:
    match rule.method:
        case ConflictMethod.ACCUSED_SITS_IN_BODY:
            for concerned in _concerned_offices(office, acted, directory, on):
                for body in directory.bodies_with_member(concerned, on):
                    yield body, concerned


def _concerned_offices(
    office: str, acted: date, directory: DirectoryIndex, on: date
) -> tuple[str, ...]:
    """The named office first, then the others of those who held it, by code."""
    persons = directory.holders(office, acted) | directory.holders(office, on)
    others = {held for person in persons for held in directory.offices_held(person, until=on)}
    return (office, *sorted(others - {office}))
