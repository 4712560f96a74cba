"""Which body leads a case. Never a concerned one, and never nobody.

The way up: the bodies at the unit that the matter concerns, then those at its parent, and so on to
the root. A body is competent when one of its jurisdictions covers unit, category and kind.
Of several at one unit, one whose jurisdiction names the category goes before one that takes
everything; then the code decides, so that the order of the directory never does.

Where the way up finds nobody who is competent and clean, the directory's fallback body leads.
Is that one excluded itself, or not in force, the highest clean body leads: of the highest level
that has one, the nearest in the tree, then the first by code. Only where every body is excluded
does the fallback body lead in spite of it; the decision then shows that it is excluded.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from services.routing.domain.conflict import excluded
from services.routing.domain.directory import DirectoryIndex
from shared.contracts.case import Basis, Exclusion
from shared.contracts.directory import Body, Jurisdiction
from shared.contracts.rulebook import CompetenceMethod, CompetenceRule, Rulebook
from shared.contracts.vocabulary import Concern, Kind

NO_RULE = "no-competence-rule"
"""Stands as the rule where the rulebook has none in force for the kind; without a citation."""


@dataclass(frozen=True, slots=True)
class Matter:
    """What competence depends on."""

    kind: Kind
    category: str
    unit: str
    """The unit whose channel it came through."""
    concerns: Concern
    acted: date
    """Local day of the act, as far as it is known: that of the receipt."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """The lead body, and why it is this one."""

    lead: str
    basis: Basis
    rule: str
    citation: str
    within_competence: bool
    """The lead sits at the receiving unit or above it."""
    excluded: tuple[Exclusion, ...]


def assign(matter: Matter, directory: DirectoryIndex, rulebook: Rulebook, on: date) -> Assignment:
    """Name the body that leads, by the rules and the directory in force on the local day `on`."""
    barred = excluded(matter.concerns.office, matter.acted, directory, rulebook, on)
    search = _Search(
        matter=matter,
        directory=directory,
        on=on,
        line=directory.path(concerned_unit(matter, directory), on),
        closed=frozenset(exclusion.body for exclusion in barred),
    )
    rule = _rule_for(matter.kind, rulebook, on)
    found = search.by(rule.method) if rule else None
    lead, basis = found or (search.last_resort(), Basis.FALLBACK)
    seat = directory.body(lead, on)
    return Assignment(
        lead=lead,
        basis=basis,
        rule=rule.code if rule else NO_RULE,
        citation=rule.citation if rule else "",
        within_competence=seat is not None and seat.unit in directory.path(matter.unit, on),
        excluded=barred,
    )


def concerned_unit(matter: Matter, directory: DirectoryIndex) -> str:
    """The unit of the named office on the day of the act, else the named unit, else the receiver.

    What the directory does not list is passed over.
    """
    named = matter.concerns.office
    office = directory.office(named, matter.acted) if named else None
    candidates = (office.unit if office else None, matter.concerns.unit)
    known = (unit for unit in candidates if unit is not None and directory.knows_unit(unit))
    return next(known, matter.unit)


def _rule_for(kind: Kind, rulebook: Rulebook, on: date) -> CompetenceRule | None:
    fitting = (
        rule
        for rule in rulebook.competence
        if rule.in_force(on) and (not rule.kinds or kind in rule.kinds)
    )
    return next(fitting, None)


@dataclass(frozen=True, slots=True)
class _Search:
    """The search for one matter's lead on one day."""

    matter: Matter
    directory: DirectoryIndex
    on: date
    line: tuple[str, ...]
    """The concerned unit, its parent, and so on to the root."""
    closed: frozenset[str]

    def by(self, method: CompetenceMethod) -> tuple[str, Basis] | None:
        match method:
            case CompetenceMethod.SAME_LEVEL_THEN_UP:
                return self._same_level_then_up()

    def last_resort(self) -> str:
        fallback = self.directory.fallback_body
        if fallback not in self.closed and self.directory.body(fallback, self.on) is not None:
            return fallback
        for bodies in self.directory.bodies_by_level(self.on):
            clean = [body for body in bodies if body.code not in self.closed]
            if clean:
                return min(clean, key=lambda body: (self._steps_to(body.unit), body.code)).code
        return fallback

    def _same_level_then_up(self) -> tuple[str, Basis] | None:
        conflict = False
        for body in self._competent_upwards():
            if body.code in self.closed:
                conflict = True
            elif conflict:
                return body.code, Basis.CONFLICT
            elif body.unit == self.line[0]:
                return body.code, Basis.SAME_LEVEL
            else:
                return body.code, Basis.HIGHER_LEVEL
        return None

    def _competent_upwards(self) -> Iterator[Body]:
        for unit in self.line:
            covering = [
                (body, covers)
                for body in self.directory.bodies_at(unit, self.on)
                if (covers := self._covering(body))
            ]
            yield from (body for body, _ in sorted(covering, key=_rank))

    def _covering(self, body: Body) -> tuple[Jurisdiction, ...]:
        return tuple(
            jurisdiction
            for jurisdiction in body.jurisdictions
            if jurisdiction.unit in self.line
            and (not jurisdiction.categories or self.matter.category in jurisdiction.categories)
            and (not jurisdiction.kinds or self.matter.kind in jurisdiction.kinds)
        )

    def _steps_to(self, unit: str) -> int:
        """Edges of the tree from the concerned unit to this one; far off if they never meet."""
        path = self.directory.path(unit, self.on)
        for steps, code in enumerate(path):
            if code in self.line:
                return steps + self.line.index(code)
        return len(path) + len(self.line)


def _rank(candidate: tuple[Body, tuple[Jurisdiction, ...]]) -> tuple[bool, str]:
    """One that names the category goes before one that takes every category; then by code."""
    body, covering = candidate
    return (not any(jurisdiction.categories for jurisdiction in covering), body.code)
