"""Which rules can decide anything, and for which cases there is no rule.

Between two days on which a rule begins or ends nothing changes, so it is enough to try those days;
and a case has few sides that rules look at, so that every one can be tried.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from itertools import product
from typing import NamedTuple, TypeVar

from deploy.rulebook.document import Document, Finding, Severity
from shared.contracts.rulebook import (
    Cited,
    ClockRule,
    CompetenceRule,
    ConflictMethod,
    ConflictRule,
    EligibilityRule,
    Rulebook,
)
from shared.contracts.vocabulary import Form, Kind, Signatures

Rule = TypeVar("Rule", bound=Cited)
Case = TypeVar("Case")


class Arrived(NamedTuple):
    """The sides of a submission that an eligibility rule looks at."""

    kind: Kind
    form: Form
    signatures: Signatures
    readable: bool
    names_object: bool


ARRIVALS = tuple(
    Arrived(*sides) for sides in product(Kind, Form, Signatures, (True, False), (True, False))
)


def never_fires(document: Document[Rulebook]) -> Iterator[Finding]:
    """Rules that an earlier one always forestalls."""
    rulebook = document.content
    yield from _forestalled(document, "competence", rulebook.competence, Kind, _of_kind)
    yield from _forestalled(document, "eligibility", rulebook.eligibility, ARRIVALS, refuses)
    yield from _forestalled(
        document, "conflicts", rulebook.conflicts, ConflictMethod, _by_that_method
    )


def refuses(rule: EligibilityRule, arrived: Arrived) -> bool:
    """As intake asks it."""
    return (
        (not rule.kinds or arrived.kind in rule.kinds)
        and (not rule.forms or arrived.form in rule.forms)
        and (not rule.signatures or arrived.signatures in rule.signatures)
        and rule.readable in (None, arrived.readable)
        and rule.names_object in (None, arrived.names_object)
    )


def gap(rules: Sequence[Rule], fits: Callable[[Rule], bool], on: date) -> date | None:
    """The first day from `on` on which no rule that fits is in force; None: always one is."""
    for day in days_of_change(rules, on):
        if not any(rule.in_force(day) and fits(rule) for rule in rules):
            return day
    return None


def days_of_change(rules: Iterable[Cited], since: date = date.min) -> list[date]:
    """The day itself, and each later one on which a rule begins or ends; in order."""
    days = {day for rule in rules for day in (rule.effective_from, rule.effective_to) if day}
    return sorted({since} | {day for day in days if day > since})


def is_ever_in_force(rule: Cited) -> bool:
    return rule.effective_to is None or rule.effective_from < rule.effective_to


def _forestalled(
    document: Document[Rulebook],
    section: str,
    rules: Sequence[Rule],
    cases: Iterable[Case],
    fits: Callable[[Rule, Case], bool],
) -> Iterator[Finding]:
    tried = tuple(cases)
    firing: set[int] = set()
    before: dict[int, int] = {}
    for day in days_of_change(rules):
        standing = [(n, rule) for n, rule in enumerate(rules) if rule.in_force(day)]
        for case in tried:
            fitting = [n for n, rule in standing if fits(rule, case)]
            firing.update(fitting[:1])
            for later in fitting[1:]:
                before.setdefault(later, fitting[0])
    for number, rule in enumerate(rules):
        if number not in firing and is_ever_in_force(rule):
            first = rules[before[number]].code if number in before else "none"
            yield document.finding(
                Severity.ERROR,
                "never-fires",
                (section, number),
                what=f"Whatever it fits, the rule {first} before it decides.",
                advice="Put the narrower rule first, or take this one out.",
            )


def _of_kind(rule: CompetenceRule | ClockRule, kind: Kind) -> bool:
    return not rule.kinds or kind in rule.kinds


def _by_that_method(rule: ConflictRule, method: ConflictMethod) -> bool:
    return rule.method is method
