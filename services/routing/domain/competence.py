"""Which body leads a case, and which co-operate. Never a concerned one, and never nobody.

The way up: the bodies at the unit that the matter concerns, then those at its parent, and so on to
the root; `timeline` may begin it elsewhere. Of several units it begins at the nearest one above
them all. A body is competent when one of its jurisdictions covers unit, category, kind and the
ranks of the offices. Of several at one unit, one whose jurisdiction names the category goes before
one that takes everything; then the one with fewer open cases; then the code decides, so that the
order of the directory never does.

Where the way up finds nobody who is competent and clean, the directory's fallback body leads.
Is that one excluded itself, or not in force, the highest clean body leads: of the highest level
that has one, the nearest in the tree, then the first by code. Where every body is excluded, the
outside desk leads: no body of the directory, so that nothing in it can concern that desk.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from services.routing.domain.conflict import excluded
from services.routing.domain.directory import DirectoryIndex
from services.routing.domain.matter import Matter
from services.routing.domain.reasons import Resort, Speaker
from services.routing.domain.timeline import TODAY, Course, Start, courses
from shared.contracts.case import Basis, Exclusion, Reason
from shared.contracts.directory import Body, Jurisdiction
from shared.contracts.rulebook import (
    CompetenceMethod,
    CompetenceRule,
    CooperationMethod,
    Rulebook,
)
from shared.contracts.vocabulary import Kind

NO_RULE = "no-competence-rule"
"""Stands as the rule where the rulebook has none in force for the kind; without a citation."""

NO_LOAD: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Assignment:
    """The lead body and those that co-operate with it, and why it is these."""

    lead: str
    cooperating: tuple[str, ...]
    """In the order of their reasons."""
    basis: Basis
    rule: str
    citation: str
    within_competence: bool
    """The lead sits at the receiving unit or above it."""
    excluded: tuple[Exclusion, ...]
    """Every body that is kept away; a reason in words where the case would have gone to it."""
    reasons: tuple[Reason, ...]
    """Of the lead first, then of each co-operating body."""


def assign(
    matter: Matter,
    directory: DirectoryIndex,
    rulebook: Rulebook,
    on: date,
    load: Mapping[str, int] = NO_LOAD,
    *,
    past: Collection[str] = (),
) -> Assignment:
    """Name the bodies that take the matter, by the rules and the directory of the local day `on`.

    `load` is the number of open cases by body; a body that it does not name has none.
    `past` are bodies that had the matter and did not take it up: they do not lead it again.
    """
    barred = excluded(matter, directory, rulebook, on)
    rule = _rule_for(matter.kind, rulebook, on)
    closed = frozenset(e.body for e in barred)
    search = _Search(matter, directory, on, closed, load, frozenset(past))
    ways = courses(matter, directory, rule.cooperation if rule else CooperationMethod.NONE, on)
    way = search.way([course.lead for course in ways])
    found = search.by(rule.method, way) if rule else None
    lead, resort = (found.body.code, None) if found else search.last_resort(way)
    seat = directory.body(lead, on)
    speaker = Speaker(
        directory=directory,
        on=on,
        acted=matter.acted,
        rule=rule.code if rule else NO_RULE,
        citation=rule.citation if rule else "",
    )
    basis = found.basis if found else Basis.FALLBACK
    spoken = [speaker.course(course) for course in ways if len(ways) == 1]
    spoken.append(
        speaker.resort(lead, resort)
        if resort
        else speaker.lead(lead, basis, way.unit, chosen_by_load=bool(found and found.by_load))
    )
    beside = search.beside(rule.method, ways, lead) if rule else {}
    spoken += [speaker.beside(code, start) for code, start in beside.items()]
    return Assignment(
        lead=lead,
        cooperating=tuple(beside),
        basis=basis,
        rule=speaker.rule,
        citation=speaker.citation,
        within_competence=seat is not None
        and seat.unit
        in directory.path(matter.unit, on, then=matter.acted, category=matter.category),
        excluded=speaker.excluded(barred, search.passed_over, rulebook),
        reasons=tuple(reason for reason in spoken if reason is not None),
    )


def is_competent(
    code: str, matter: Matter, directory: DirectoryIndex, rulebook: Rulebook, on: date
) -> bool:
    """Whether the body could lead the matter, were it alone: at a way's unit or above it."""
    body = directory.body(code, on)
    if body is None:
        return False
    if code == directory.fallback_body:
        return True
    rule = _rule_for(matter.kind, rulebook, on)
    ways = courses(matter, directory, rule.cooperation if rule else CooperationMethod.NONE, on)
    search = _Search(matter, directory, on, frozenset(), NO_LOAD)
    way = search.way([course.lead for course in ways])
    return body.unit in way.line and any(search.covers(j, way) for j in body.jurisdictions)


def _rule_for(kind: Kind, rulebook: Rulebook, on: date) -> CompetenceRule | None:
    fitting = (
        rule
        for rule in rulebook.competence
        if rule.in_force(on) and (not rule.kinds or kind in rule.kinds)
    )
    return next(fitting, None)


@dataclass(frozen=True, slots=True)
class _Way:
    """A way up the tree."""

    unit: str
    """The unit that the search is about."""
    steps: tuple[str, ...]
    """Units at which to look for a body, one after the other."""
    line: tuple[str, ...]
    """Units for which a body must be competent, one at least: the nearest first."""


@dataclass(frozen=True, slots=True)
class _Found:
    body: Body
    basis: Basis
    by_load: bool
    """Whether an equal body had to stand back because it has more open cases."""


@dataclass(frozen=True, slots=True)
class _Search:
    """The search for the bodies of one matter on one day."""

    matter: Matter
    directory: DirectoryIndex
    on: date
    closed: frozenset[str]
    load: Mapping[str, int]
    past: frozenset[str] = frozenset()
    passed_over: set[str] = field(default_factory=set)
    """Excluded bodies that the case would have gone to, as far as the search has come."""

    def way(self, starts: Iterable[Start]) -> _Way:
        """Upwards from one start, or from the nearest unit above several.

        Where several have no unit in common, from the highest of them, the first by code.
        """
        ways = [self._from(start) for start in sorted(set(starts))]
        first, *others = ways
        if not others:
            return first
        shared = tuple(u for u in first.steps if all(u in other.steps for other in others))
        line = tuple(u for u in first.line if all(u in other.line for other in others))
        if not shared:
            return min(ways, key=lambda way: (self.directory.level(way.unit), way.unit))
        return _Way(shared[0], shared, line)

    def _from(self, start: Start) -> _Way:
        then = None if start.day == TODAY else start.day
        line = self.directory.path(start.unit, self.on, then=then, category=self.matter.category)
        landed = line[0] if line else start.unit
        return _Way(landed, line[1:] if start.above else line, line)

    def by(self, method: CompetenceMethod, way: _Way) -> _Found | None:
        match method:
            case CompetenceMethod.SAME_LEVEL_THEN_UP:
                return self._same_level_then_up(way)

    def beside(
        self, method: CompetenceMethod, ways: Iterable[Course], lead: str
    ) -> dict[str, Start]:
        """The co-operating bodies with where each was looked for; never the lead itself."""
        found: dict[str, Start] = {}
        for course in ways:
            if course.beside is not None:
                partner = self.by(method, self._from(course.beside))
                if partner is not None and partner.body.code != lead:
                    found.setdefault(partner.body.code, course.beside)
        return found

    def last_resort(self, way: _Way) -> tuple[str, Resort]:
        fallback = self.directory.fallback_body
        if fallback in self.closed:
            self.passed_over.add(fallback)
        elif fallback not in self.past and self.directory.body(fallback, self.on) is not None:
            return fallback, Resort.DESK
        for bodies in self.directory.bodies_by_level(self.on):
            clean = [body for body in bodies if body.code not in self.closed | self.past]
            if clean:
                nearest = min(clean, key=lambda body: (self._steps_to(body.unit, way), body.code))
                return nearest.code, Resort.HIGHEST
        return self.directory.outside_desk, Resort.OUTSIDE

    def _same_level_then_up(self, way: _Way) -> _Found | None:
        conflict = False
        for unit in way.steps:
            ranked = self._competent_at(unit, way)
            for place, (standing, body) in enumerate(ranked):
                if body.code in self.closed:
                    self.passed_over.add(body.code)
                    conflict = True
                    continue
                if body.code in self.past:
                    continue
                level = Basis.SAME_LEVEL if unit == way.unit else Basis.HIGHER_LEVEL
                out = self.closed | self.past
                equals = [s for s, other in ranked[place + 1 :] if other.code not in out]
                by_load = any(s[0] == standing[0] and s[1] > standing[1] for s in equals)
                return _Found(body, Basis.CONFLICT if conflict else level, by_load)
        return None

    def _competent_at(self, unit: str, way: _Way) -> list[tuple[tuple[bool, int, str], Body]]:
        """The competent bodies at the unit with their standing; the least goes first."""
        found = []
        for body in self.directory.bodies_at(unit, self.on):
            covering = [j for j in body.jurisdictions if self.covers(j, way)]
            if covering:
                names_none = not any(jurisdiction.categories for jurisdiction in covering)
                found.append(((names_none, self.load.get(body.code, 0), body.code), body))
        return sorted(found, key=lambda candidate: candidate[0])

    def covers(self, jurisdiction: Jurisdiction, way: _Way) -> bool:
        return (
            jurisdiction.unit in way.line
            and (not jurisdiction.categories or self.matter.category in jurisdiction.categories)
            and (not jurisdiction.kinds or self.matter.kind in jurisdiction.kinds)
            and (not jurisdiction.ranks or self._all_ranked(jurisdiction))
        )

    def _all_ranked(self, jurisdiction: Jurisdiction) -> bool:
        offices = [self.directory.office(code, self.matter.acted) for code in self.matter.offices]
        ranks = {office.rank if office else None for office in offices}
        return bool(ranks) and ranks <= set(jurisdiction.ranks)

    def _steps_to(self, unit: str, way: _Way) -> int:
        """Edges of the tree from the concerned unit to this one; far off if they never meet."""
        path = self.directory.path(unit, self.on)
        for steps, code in enumerate(path):
            if code in way.line:
                return steps + way.line.index(code)
        return len(path) + len(way.line)
