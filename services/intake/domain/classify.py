"""Of which kind and category a text is, which office or unit it means, and whether it is eligible.

By the rulebook's words and the directory's names alone. Holders' names play no part: a private
person named in a text is never its object.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import TypeVar

from services.intake.domain.fold import tokens
from shared.contracts.directory import Directory, Office, Unit
from shared.contracts.rulebook import Cited, EligibilityRule, Rulebook
from shared.contracts.submission import ELIGIBLE
from shared.contracts.vocabulary import Concern, Form, Kind, Signatures

Rule = TypeVar("Rule", bound=Cited)

DEPUTY = "pho"
"""Before a title: not its holder is meant, but a deputy, whom the directory may not know."""


@dataclass(frozen=True, slots=True)
class Classification:
    """What was decided; `decided_by` has the codes of the rules that decided it."""

    kind: Kind
    category: str
    concerns: Concern
    eligibility: str
    citation: str | None
    decided_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stated:
    """What the sender's system says of an item, where it says anything."""

    kind: Kind | None = None
    category: str | None = None
    concerns: Concern | None = None


@dataclass(slots=True)
class _Meaning:
    """What a phrase stands for: codes of rules, offices and units."""

    kinds: set[str] = field(default_factory=set)
    categories: set[str] = field(default_factory=set)
    offices: set[str] = field(default_factory=set)
    units: set[str] = field(default_factory=set)
    bare: bool = False
    """A title that begins the name of another office, such as `Giám đốc`: of which unit?"""


@dataclass(slots=True)
class _Hits:
    """What one pass over a text found; names with minus their number of words, and place."""

    kinds: set[str] = field(default_factory=set)
    categories: Counter[str] = field(default_factory=Counter)
    offices: list[tuple[int, int, _Meaning]] = field(default_factory=list)
    units: list[tuple[int, int, _Meaning]] = field(default_factory=list)


class _Phrases:
    """Folded phrases, found by their first word and their numbers of words."""

    def __init__(self) -> None:
        self._meanings: dict[tuple[str, ...], _Meaning] = {}
        self._lengths: dict[str, set[int]] = defaultdict(set)

    def meaning(self, phrase: str) -> _Meaning:
        """To be added to; a phrase without a letter or digit means nothing in any text."""
        words = tuple(tokens(phrase))
        if not words:
            return _Meaning()
        self._lengths[words[0]].add(len(words))
        return self._meanings.setdefault(words, _Meaning())

    def mark_bare_titles(self) -> None:
        """Once every phrase has been added."""
        for words, longer in self._meanings.items():
            for length in self._lengths[words[0]] if longer.offices else ():
                title = self._meanings.get(words[:length]) if length < len(words) else None
                if title is not None and not longer.offices <= title.offices:
                    title.bare = True

    def scan(self, text: Sequence[str]) -> _Hits:
        hits = _Hits()
        for place, word in enumerate(text):
            for length in self._lengths.get(word, ()):
                meaning = self._meanings.get(tuple(text[place : place + length]))
                if meaning is None:
                    continue
                hits.kinds |= meaning.kinds
                hits.categories.update(meaning.categories)
                if meaning.offices and (place == 0 or text[place - 1] != DEPUTY):
                    hits.offices.append((-length, place, meaning))
                if meaning.units:
                    hits.units.append((-length, place, meaning))
        return hits


class Classifier:
    """Made once for a version of the rulebook and one of the directory."""

    def __init__(self, rulebook: Rulebook, directory: Directory) -> None:
        self._rulebook = rulebook
        self._offices: dict[str, list[Office]] = defaultdict(list)
        self._offices_of: dict[str, list[Office]] = defaultdict(list)
        self._units: dict[str, list[Unit]] = defaultdict(list)
        self._phrases = _Phrases()
        for kind_rule in rulebook.kinds:
            for keyword in kind_rule.keywords:
                self._phrases.meaning(keyword).kinds.add(kind_rule.code)
        for category_rule in rulebook.categories:
            for keyword in category_rule.keywords:
                self._phrases.meaning(keyword).categories.add(category_rule.code)
        for unit in directory.units:
            self._units[unit.code].append(unit)
            for name in (unit.name.vi, *unit.aliases):
                self._phrases.meaning(name).units.add(unit.code)
        for office in directory.offices:
            self._offices[office.code].append(office)
            self._offices_of[office.unit].append(office)
            units = self._units.get(office.unit, ())
            names = [name for unit in units for name in (unit.name.vi, *unit.aliases)]
            for title in (office.title.vi, *office.aliases):
                for phrase in (title, *(f"{title} {name}" for name in names)):
                    self._phrases.meaning(phrase).offices.add(office.code)
        self._phrases.mark_bare_titles()

    def classify(
        self,
        words: str,
        *,
        on: date,
        form: Form,
        signatures: Signatures,
        readable: bool,
        stated: Stated,
        unit: str,
    ) -> Classification:
        """Decide by what was in force `on` that day; `unit` is that of the receiving agency."""
        hits = self._phrases.scan(tokens(words))
        kind, by_kind = self._kind(hits, stated.kind, on)
        category, by_category = self._category(hits, stated.category, on)
        concerns = self._stated(stated.concerns, on) or self._named(hits, unit, on)
        rule = self._ineligible(
            kind, form, signatures, readable=readable, named=concerns is not None, on=on
        )
        return Classification(
            kind=kind,
            category=category,
            concerns=concerns or Concern(unit=unit),
            eligibility=rule.code if rule else ELIGIBLE,
            citation=rule.citation if rule else None,
            decided_by=(*by_kind, *by_category, *((rule.code,) if rule else ())),
        )

    def _kind(self, hits: _Hits, stated: Kind | None, on: date) -> tuple[Kind, tuple[str, ...]]:
        if stated is not None:
            return stated, ()
        for rule in _in_force(self._rulebook.kinds, on):
            if rule.code in hits.kinds:
                return rule.kind, (rule.code,)
        return self._rulebook.default_kind, ()

    def _category(self, hits: _Hits, stated: str | None, on: date) -> tuple[str, tuple[str, ...]]:
        rules = list(_in_force(self._rulebook.categories, on))
        if stated is not None and any(rule.code == stated for rule in rules):
            return stated, ()
        best = max(rules, key=lambda rule: hits.categories[rule.code], default=None)
        if best is not None and hits.categories[best.code]:
            return best.code, (best.code,)
        return self._rulebook.default_category, ()

    def _stated(self, concerns: Concern | None, on: date) -> Concern | None:
        """What the sender's system names, if the directory knows it."""
        if concerns is None:
            return None
        if concerns.office is not None:
            for office in self._offices.get(concerns.office, ()):
                if office.in_force(on):
                    return Concern(unit=office.unit, office=office.code)
        if concerns.unit is not None and self._unit_in_force(concerns.unit, on):
            return Concern(unit=concerns.unit)
        return None

    def _named(self, hits: _Hits, unit: str, on: date) -> Concern | None:
        """The longest name of an office in the text, else that of a unit; the first of equals.

        A bare title, or one that several offices have, means that of the receiving unit, or none.
        """
        for _, _, title in sorted(hits.offices, key=_longest_first):
            office = self._office(title, unit, on)
            if office is not None:
                return Concern(unit=office.unit, office=office.code)
        for _, _, name in sorted(hits.units, key=_longest_first):
            known = [code for code in name.units if self._unit_in_force(code, on)]
            if len(known) == 1:
                return Concern(unit=known[0])
        return None

    def _office(self, title: _Meaning, unit: str, on: date) -> Office | None:
        """The only one that the title names, else the only one of them that the unit has."""
        everywhere = (o for code in title.offices for o in self._offices[code] if o.in_force(on))
        found = list(islice(everywhere, 2))
        if title.bare or len(found) > 1:
            of_unit = self._offices_of.get(unit, ())
            found = [o for o in of_unit if o.code in title.offices and o.in_force(on)]
        return found[0] if len(found) == 1 else None

    def _unit_in_force(self, code: str, on: date) -> bool:
        return any(unit.in_force(on) for unit in self._units.get(code, ()))

    def _ineligible(
        self,
        kind: Kind,
        form: Form,
        signatures: Signatures,
        *,
        readable: bool,
        named: bool,
        on: date,
    ) -> EligibilityRule | None:
        for rule in _in_force(self._rulebook.eligibility, on):
            if (
                (not rule.kinds or kind in rule.kinds)
                and (not rule.forms or form in rule.forms)
                and (not rule.signatures or signatures in rule.signatures)
                and rule.readable in (None, readable)
                and rule.names_object in (None, named)
            ):
                return rule
        return None


def _in_force(rules: Iterable[Rule], on: date) -> Iterable[Rule]:
    return (rule for rule in rules if rule.in_force(on))


def _longest_first(hit: tuple[int, int, _Meaning]) -> tuple[int, int]:
    return hit[:2]
