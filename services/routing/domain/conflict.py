"""Who must not touch a matter: bodies whom it concerns, by the rulebook's rules of conflict.

Accused is whoever held an office that the submission names on the day of the act, or holds it
today. With them counts every office that they have held by today: moving to another post takes
nobody out of reach. What they head is told by the day of the act and by today.
A submission that names a unit and no office accuses nobody: a unit is not a person who judges.
Only a body's own recusal and its own authorship keep it away then.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from services.routing.domain.directory import DirectoryIndex
from services.routing.domain.matter import Matter, concerned_units
from shared.contracts.case import Exclusion
from shared.contracts.directory import Office, OfficeRank
from shared.contracts.rulebook import ConflictMethod, ConflictRule, Rulebook

Found = tuple[str, str | None]
"""Code of a body, and of the office that gives the reason, if one may be named."""


def excluded(
    matter: Matter, directory: DirectoryIndex, rulebook: Rulebook, on: date
) -> tuple[Exclusion, ...]:
    """Bodies kept away on the day `on` from a matter, by code.

    Each is named once, under the first rule in force that keeps it away; as its reason stands
    an office that the matter names before any other, then the first by code.
    """
    accused = _Accused.of(matter, directory, on)
    found: dict[str, Exclusion] = {}
    for rule in rulebook.conflicts:
        if rule.in_force(on):
            for code, office in accused.kept_away(rule.method):
                if _is_meant(rule, code, directory, on):
                    found.setdefault(code, Exclusion(body=code, rule=rule.code, office=office))
    return tuple(found[code] for code in sorted(found))


PERSONAL = (ConflictMethod.DECLARED_RELATION, ConflictMethod.DEPUTY_OF_ACCUSED)
"""Methods that also tell of a person, whatever body they work for."""


def concerned_person(
    person: str, matter: Matter, directory: DirectoryIndex, rulebook: Rulebook, on: date
) -> bool:
    """Whether a person of this code is accused, close to somebody accused, or under one.

    Known by the directory alone: a code that stands for nobody in it is not weighed. The accused
    are kept away whatever the rulebook says, the others by its rules in force.
    """
    accused = _Accused.of(matter, directory, on)
    if person in accused.persons:
        return True
    methods = {rule.method for rule in rulebook.conflicts if rule.in_force(on)}
    return any(m in methods and person in accused.beside(m) for m in PERSONAL)


def _is_meant(rule: ConflictRule, code: str, directory: DirectoryIndex, on: date) -> bool:
    body = directory.body(code, on)
    return body is not None and (not rule.body_kinds or body.kind in rule.body_kinds)


@dataclass(frozen=True, slots=True)
class _Accused:
    """Those whom one matter accuses, with what is asked about them more than once."""

    matter: Matter
    directory: DirectoryIndex
    on: date
    days: tuple[date, ...]
    """The day of the act, each such day of a duplicate, and today."""
    persons: tuple[str, ...]
    offices: tuple[str, ...]
    """The named offices first, then all others that the accused have held; each part by code."""

    @classmethod
    def of(cls, matter: Matter, directory: DirectoryIndex, on: date) -> "_Accused":
        days = (matter.acted, *matter.also_acted, on)
        persons = sorted(
            {p for office in matter.offices for day in days for p in directory.holders(office, day)}
        )
        held = {office for person in persons for office in directory.offices_held(person, on)}
        offices = (*matter.offices, *sorted(held - set(matter.offices)))
        return cls(matter, directory, on, days, tuple(persons), offices)

    def kept_away(self, method: ConflictMethod) -> Iterable[Found]:
        match method:
            case ConflictMethod.ACCUSED_SITS_IN_BODY:
                return self._seats(self.offices)
            case ConflictMethod.ACCUSED_HEADS_SUPERIOR:
                return self._below_the_accused()
            case ConflictMethod.DEPUTY_OF_ACCUSED:
                return self._seats(self._dependent_offices())
            case ConflictMethod.DECLARED_RELATION:
                # A relation is nobody else's business: the office that would tell it is left out.
                return ((body, None) for body, _ in self._seats(self._related_offices()))
            case ConflictMethod.RECUSED:
                return self._recused()
            case ConflictMethod.AUTHOR_BODY:
                return ((self.matter.author, None),) if self.matter.author else ()

    def beside(self, method: ConflictMethod) -> set[str]:
        """Who is close to somebody accused, or a deputy or member under one."""
        if method is ConflictMethod.DECLARED_RELATION:
            return {
                other
                for person in self.persons
                for day in self.days
                for other in self.directory.related_to(person, day)
            }
        return {
            person
            for day in self.days
            for head in self._heads(day)
            for office in self.directory.under_one_command(head, day)
            if office.rank is not OfficeRank.HEAD
            for person in self.directory.holders(office.code, day)
        }

    def _seats(self, offices: Iterable[str]) -> Iterator[Found]:
        for office in offices:
            for body in self.directory.bodies_with_member(office, self.on):
                yield body.code, office

    def _heads(self, day: date) -> Iterator[Office]:
        """The offices by which somebody accused heads a unit or a body on the day."""
        held = {o for person in self.persons for o in self.directory.offices_held_on(person, day)}
        for code in (*self.matter.offices, *sorted(held - set(self.matter.offices))):
            office = self.directory.office(code, day)
            if office is not None and office.rank is OfficeRank.HEAD:
                yield office

    def _below_the_accused(self) -> Iterator[Found]:
        for day in self.days:
            for office in self._heads(day):
                if office.of_body is None:
                    for body in self.directory.bodies_within(office.unit, self.on):
                        yield body, office.code

    def _dependent_offices(self) -> list[str]:
        """Deputies and members under an accused head, and what their holders hold today."""
        offices: set[str] = set()
        for day in self.days:
            for head in self._heads(day):
                for office in self.directory.under_one_command(head, day):
                    if office.rank is not OfficeRank.HEAD:
                        offices.add(office.code)
                        offices |= self._held_today(self.directory.holders(office.code, day))
        return sorted(offices)

    def _related_offices(self) -> list[str]:
        return sorted(self._held_today(self.beside(ConflictMethod.DECLARED_RELATION)))

    def _held_today(self, persons: Iterable[str]) -> set[str]:
        return {o for person in persons for o in self.directory.offices_held_on(person, self.on)}

    def _recused(self) -> Iterator[Found]:
        """A body that stays away from a unit stays away from everything within that unit."""
        units = {
            above
            for unit in self._units()
            for day in self.days
            for above in self.directory.path(unit, day)
        }
        for recusal in self.directory.recusals_in_force(self.on):
            if (
                recusal.person in self.persons
                or recusal.office in self.offices
                or recusal.unit in units
            ):
                yield recusal.body, None

    def _units(self) -> Iterator[str]:
        yield from concerned_units(self.matter, self.directory)
        for code in self.matter.offices:
            office = self.directory.office(code, self.on)
            if office is not None:
                yield office.unit
