"""The public edition: which closings have one, and what of it goes out.

Readers may hold every issue side by side. So an issue is protected together with all before it,
one that corrects by a few waits until there is enough to correct, and nothing goes out in which
the attacker finds anything.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import combinations

from services.reporting.domain.disclosure import (
    Knowledge,
    NotAForest,
    Protected,
    Recovered,
    Row,
    TellsOfFew,
    attack,
    protect,
)
from services.reporting.domain.period import days_of
from services.reporting.domain.revision import FIRST, Standing, revised
from shared.contracts import ReportPublished
from shared.contracts.report import Period
from shared.contracts.rulebook import DisclosureRule, PeriodRule, Rulebook

DAY = timedelta(days=1)
SOME_YEAR = 2024


@dataclass(frozen=True, slots=True)
class Issued:
    """A public report that went out with the closing of this number."""

    closing: int
    report: ReportPublished


@dataclass(frozen=True, slots=True)
class PublicEdition:
    """What goes out of a closing. `without` are forms of which not even the total can be shown.

    `reason` says in a word why nothing goes out; `found` what the attacker found.
    """

    reports: Sequence[ReportPublished] = ()
    without: tuple[str, ...] = ()
    reason: str | None = None
    found: tuple[Recovered, ...] = ()


def rule_for(rulebook: Rulebook, period: Period) -> DisclosureRule | None:
    """The rule under which the period has a public edition; None if it has none.

    It is the one in force on the period's last day; of several, the one that took effect last.
    """
    _, _, code = period.code.partition("-")
    on: date = period.last_day
    fitting = [r for r in rulebook.disclosure if code in r.periods and r.in_force(on)]
    return max(fitting, key=lambda rule: rule.effective_from, default=None)


def overlapping(rule: DisclosureRule, periods: Iterable[PeriodRule]) -> Iterator[tuple[str, str]]:
    """Codes of the rule's periods that have a day in common, in any years."""
    for (one, first), (other, last) in combinations(_years(rule, periods), 2):
        if one != other and first[0] <= last[1] and last[0] <= first[1]:
            yield one, other


def adjoin(rule: DisclosureRule, periods: Iterable[PeriodRule]) -> bool:
    """Whether one of the rule's periods begins on the day after another ends."""
    spans = [span for _, span in _years(rule, periods)]
    return any(one[1] + DAY == other[0] for one in spans for other in spans)


def _years(
    rule: DisclosureRule, periods: Iterable[PeriodRule]
) -> list[tuple[str, tuple[date, date]]]:
    return [
        (period.code, days_of(period, year))
        for period in periods
        if period.code in rule.periods
        for year in (SOME_YEAR, SOME_YEAR + 1)
    ]


def public_edition(
    internal: Sequence[ReportPublished],
    closing: int,
    rulebook: Rulebook,
    knowledge: Knowledge,
    issued: Iterable[Issued] = (),
) -> PublicEdition:
    """What everybody may read of a closing with all these internal reports.

    `issued` is all that is out of periods that overlap or adjoin this one. `knowledge` is of the
    closing's forms.
    """
    if not internal or (rule := rule_for(rulebook, internal[0].period)) is None:
        return PublicEdition()
    period, near = internal[0].period, tuple(issued)
    whole = _issues(near)
    if any(_overlaps(report.period, period) for report in whole):
        return PublicEdition(reason="overlaps another period")
    beside = any(r.period.code != period.code for r in whole) or adjoin(rule, rulebook.periods)
    of_rule = knowledge if beside else replace(knowledge, stocks=())
    numbered = [report.model_copy(update={"revision": closing}) for report in internal]
    try:
        protected, found = safe(numbered, rule.threshold, (of_rule, knowledge), whole)
    except TellsOfFew:
        return PublicEdition(reason="waits until more is corrected")
    except NotAForest as error:
        return PublicEdition(reason=str(error))
    if found:
        return PublicEdition(reason="gives figures away", found=found)
    new = [report.model_copy(update={"revision": FIRST}) for report in protected.reports]
    return PublicEdition(revised(new, _standing(near, period)), protected.without)


def safe(
    internal: Sequence[ReportPublished],
    threshold: int,
    knowledge: tuple[Knowledge, Knowledge],
    issued: Sequence[ReportPublished],
) -> tuple[Protected, tuple[Recovered, ...]]:
    """The protected reports, and what the attacker, who knows more, finds in them all the same.

    A unit that was withheld between two periods in which it is shown may be known too well from
    both sides. Then it tells no stock this time, or if that is not enough all beside it do not,
    and the attacker tries again.
    """
    for_all, of_attacker = knowledge
    silent: frozenset[Row] = frozenset()
    while True:
        protected = protect(internal, threshold, for_all, issued, but=silent)
        found = attack([*issued, *protected.reports], of_attacker, threshold=threshold)
        rows = {(each.unit, each.own) for each in found}
        more = rows if not rows <= silent else {r for row in rows for r in _family(internal, row)}
        if not for_all.stocks or more <= silent:
            return protected, found
        silent |= more


def _family(reports: Sequence[ReportPublished], row: Row) -> Iterator[Row]:
    """All rows of the tables in which the row is."""
    for report in reports:
        rows = [(each.unit, each.own) for each in report.rows]
        if row in rows:
            yield from rows


def _overlaps(one: Period, other: Period) -> bool:
    together = one.first_day <= other.last_day and other.first_day <= one.last_day
    return together and one.code != other.code


def _standing(issued: Sequence[Issued], period: Period) -> Standing:
    """The newest public report of each form and unit of the period."""
    of_period = [each for each in issued if each.report.period.code == period.code]
    in_order = sorted(of_period, key=lambda each: each.closing)
    return {(each.report.form, each.report.unit): each.report for each in in_order}


def _issues(issued: Sequence[Issued]) -> list[ReportPublished]:
    """Every issue as a reader has it: whole, with what stood on from the one before."""
    whole: list[ReportPublished] = []
    of_closing: dict[str, dict[int, list[ReportPublished]]] = defaultdict(lambda: defaultdict(list))
    for each in issued:
        of_closing[each.report.period.code][each.closing].append(each.report)
    for closings in of_closing.values():
        standing: dict[tuple[str, str], ReportPublished] = {}
        for closing, reports in sorted(closings.items()):
            standing |= {(report.form, report.unit): report for report in reports}
            whole += [r.model_copy(update={"revision": closing}) for r in standing.values()]
    return whole
