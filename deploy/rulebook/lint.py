"""Reads a rulebook as a careful lawyer would, and says where it contradicts itself or is silent.

An error makes a rule or a submission come out otherwise than written; a warning asks to look again;
a note tells what may well be meant.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from deploy.rulebook.coverage import calendar_findings, directory_findings
from deploy.rulebook.disclosure import disclosure_findings
from deploy.rulebook.document import Document, Finding, Severity, read_document, unknown_fields
from deploy.rulebook.firing import ARRIVALS, gap, is_ever_in_force, never_fires, refuses
from deploy.rulebook.forms import form_findings
from deploy.rulebook.sources import source_findings
from deploy.rulebook.terms import STARTS, clock_findings, escalation_findings
from deploy.rulebook.withdrawals import withdrawal_findings
from deploy.rulebook.words import keyword_findings
from services.routing.domain.clocks import STARTS_AT_OPENING
from shared.contracts.directory import Directory
from shared.contracts.rulebook import (
    Calendar,
    Cited,
    ClockRule,
    ConflictMethod,
    Rulebook,
    UnsealingRule,
    WithdrawalRule,
)
from shared.contracts.vocabulary import Kind

BY_KIND = (ClockRule, WithdrawalRule, UnsealingRule)
LEAP_YEAR = 2024
"""A year that has every month-day there is."""


def lint(
    rulebook: Path, on: date, *, directory: Path | None = None, calendar: Path | None = None
) -> list[Finding]:
    """Everything found, by file and line; gaps are looked for from the local day `on`."""
    document = read_document(rulebook, Rulebook)
    if isinstance(document, list):
        return document
    found = [
        *unknown_fields(document),
        *_own_findings(document, on),
        *source_findings(document),
    ]
    if directory is not None:
        places = read_document(directory, Directory)
        if isinstance(places, list):
            found += places
        else:
            found += [*unknown_fields(places), *directory_findings(document, places, on)]
    if calendar is not None:
        days = read_document(calendar, Calendar)
        if isinstance(days, list):
            found += days
        else:
            found += [*unknown_fields(days), *calendar_findings(document, days, on)]
            found += source_findings(days)
    return sorted(found, key=lambda finding: (finding.file, finding.line, finding.problem))


def _own_findings(document: Document[Rulebook], on: date) -> Iterator[Finding]:
    for section, rules in _sections(document.content):
        yield from _dates_and_citations(document, section, rules)
        yield from _overlaps(document, section, rules)
    yield from never_fires(document)
    yield from keyword_findings(document)
    yield from _gaps(document, on)
    yield from clock_findings(document)
    yield from escalation_findings(document)
    yield from withdrawal_findings(document)
    yield from _conflicts(document, on)
    yield from _refusals(document)
    yield from _periods(document)
    yield from form_findings(document, on)
    yield from disclosure_findings(document, on)


def _sections(rulebook: Rulebook) -> Iterator[tuple[str, tuple[Cited, ...]]]:
    for section in type(rulebook).model_fields:
        rules: Any = getattr(rulebook, section)
        if isinstance(rules, tuple):
            yield section, rules


def _dates_and_citations(
    document: Document[Rulebook], section: str, rules: tuple[Cited, ...]
) -> Iterator[Finding]:
    for number, rule in enumerate(rules):
        if not rule.citation.strip():
            yield document.finding(
                Severity.ERROR,
                "no-citation",
                (section, number),
                what="It does not say where the rule stands.",
                advice="Name the law, its article and its date.",
            )
        if not is_ever_in_force(rule):
            yield document.finding(
                Severity.ERROR,
                "never-in-force",
                (section, number),
                what=f"It ends on {rule.effective_to}, not after it begins.",
                advice="effective_to is the first day on which the rule holds no more.",
            )


def _overlaps(
    document: Document[Rulebook], section: str, rules: tuple[Cited, ...]
) -> Iterator[Finding]:
    for number, rule in enumerate(rules):
        for earlier in rules[:number]:
            latest = max(rule.effective_from, earlier.effective_from)
            together = rule.in_force(latest) and earlier.in_force(latest)
            if earlier.code == rule.code and together and _same_kinds(earlier, rule):
                yield document.finding(
                    Severity.ERROR,
                    "overlap",
                    (section, number),
                    what=f"From {latest} two rules of this code are in force at once.",
                    advice="End the older one on the day on which this one begins.",
                )
                break


def _same_kinds(one: Cited, other: Cited) -> bool:
    """Clocks, withdrawals and grounds of one code may stand side by side for different kinds."""
    if not isinstance(one, BY_KIND) or not isinstance(other, BY_KIND):
        return True
    return not one.kinds or not other.kinds or bool({*one.kinds} & {*other.kinds})


def _gaps(document: Document[Rulebook], on: date) -> Iterator[Finding]:
    rulebook = document.content
    for kind in Kind:
        leading = tuple(
            rule for rule in rulebook.competence if not rule.kinds or kind in rule.kinds
        )
        day = gap(leading, lambda _: True, on)
        if day is not None:
            yield document.finding(
                Severity.ERROR,
                "kind-without-competence",
                ("competence",),
                what=f"From {day} no rule says who leads cases of kind {kind}.",
                advice="Add a competence rule for it, or one without kinds as the last.",
            )
        of_kind = tuple(c for c in rulebook.clocks if not c.kinds or kind in c.kinds)
        day = gap(of_kind, lambda r: r.starts in STARTS_AT_OPENING, on)
        if day is not None:
            yield document.finding(
                Severity.ERROR,
                "kind-without-clock",
                ("clocks",),
                what=f"From {day} no term runs on cases of kind {kind}.",
                advice="Add a clock that starts when they are received.",
            )
            continue
        day = gap(of_kind, lambda r: r.starts in STARTS and r.stops == "concluded", on)
        if day is not None:
            yield document.finding(
                Severity.WARNING,
                "kind-without-answer-term",
                ("clocks",),
                what=f"From {day} no term that runs ends with the answer to kind {kind}.",
                advice="Add one that stops when the case is concluded.",
            )
    day = gap(rulebook.categories, lambda r: r.code == rulebook.default_category, on)
    if day is not None:
        yield document.finding(
            Severity.ERROR,
            "unknown-category",
            ("default_category",),
            what=f"From {day} the default category is none of those in force.",
            advice="Name one of the categories, or keep that one in force.",
        )


def _conflicts(document: Document[Rulebook], on: date) -> Iterator[Finding]:
    used = {rule.method for rule in document.content.conflicts if rule.in_force(on)}
    for method in ConflictMethod:
        if method not in used:
            yield document.finding(
                Severity.WARNING,
                "method-unused",
                ("conflicts",),
                what=f"On {on} no rule keeps a body away by {method}.",
                advice="Add one with its citation, unless the law wants it so.",
            )


def _refusals(document: Document[Rulebook]) -> Iterator[Finding]:
    for number, rule in enumerate(document.content.eligibility):
        if all(refuses(rule, arrived) for arrived in ARRIVALS):
            yield document.finding(
                Severity.ERROR,
                "refuses-everything",
                ("eligibility", number),
                what="It names no condition, so that nothing at all is taken up.",
                advice="Give it a condition, or take it out.",
            )


def _periods(document: Document[Rulebook]) -> Iterator[Finding]:
    for number, period in enumerate(document.content.periods):
        for name, month_day in (("first_day", period.first_day), ("last_day", period.last_day)):
            try:
                date.fromisoformat(f"{LEAP_YEAR}-{month_day}")
            except ValueError:
                yield document.finding(
                    Severity.ERROR,
                    "no-such-day",
                    ("periods", number, name),
                    what=f"No year has the day {month_day}.",
                    advice="Correct the month or the day.",
                )
