"""The attacker: what can anybody work out of published tables that was withheld from them?

It knows what readers know: the tables, the identities that they print, and `Knowledge`. It knows
nothing of how figures were withheld, and shares no decision with what withholds them.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import combinations, groupby, permutations

from services.reporting.domain.disclosure.beside import in_sheet, sheet_of
from services.reporting.domain.disclosure.equations import Equations
from services.reporting.domain.disclosure.issues import Cell, Issue, cell_name
from services.reporting.domain.disclosure.knowledge import Knowledge
from services.reporting.domain.disclosure.program import NoSolution
from services.reporting.domain.disclosure.tables import Contradiction
from shared.contracts import ReportPublished


class How(StrEnum):
    SHOWN = "shown"
    """Published although it is below the threshold."""
    EXACT = "exact"
    """Withheld, below the threshold, and worked out."""
    NARROW = "narrow"
    """Withheld, and known to lie in a range narrower than the threshold."""
    DIFFERENCE = "difference"
    """Two issues differ by a figure below the threshold."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """One figure that should not be known, and what is known of it.

    `column` may be a rest, as `24 - 26`. `issues` are written `period/revision`, the earlier first.
    """

    how: How
    form: str
    unit: str
    own: bool
    column: str
    issues: tuple[str, ...]
    least: int
    greatest: int


class NoThreshold(ValueError):
    """A public report says no threshold, and none was given."""


def attack(
    published: Iterable[ReportPublished],
    knowledge: Knowledge,
    *,
    threshold: int | None = None,
) -> tuple[Recovered, ...]:
    """All that these reports give away. They may be of any periods, revisions, forms and units.

    Raises `Contradiction` where the reports of one issue do not add up, `NoThreshold` where no
    threshold is said.
    """
    ordered = sorted(published, key=_issue)
    issues = [Issue.of(list(reports), knowledge) for _, reports in groupby(ordered, key=_issue)]
    said = {threshold or report.threshold for report in ordered}
    if None in said:
        raise NoThreshold(ordered[0].period.code)
    k = max((each for each in said if each), default=0)
    found: dict[Recovered, None] = {}
    for issue in issues:
        found |= dict.fromkeys(_of_issue(issue, k, _beside(issue, issues), knowledge))
    for one, other in combinations(issues, 2):
        found |= dict.fromkeys(_of_two(one, other, k, knowledge))
    return tuple(found)


def _issue(report: ReportPublished) -> tuple[date, date, str, int]:
    period = report.period
    return period.last_day, period.first_day, period.code, report.revision


def _beside(issue: Issue, issues: Sequence[Issue]) -> list[Issue]:
    """The last issues of the periods that adjoin this one."""
    last = {each.period.code: each for each in issues}
    return [each for each in last.values() if _adjoin(each, issue) or _adjoin(issue, each)]


def _adjoin(one: Issue, other: Issue) -> bool:
    return one.period.last_day + timedelta(days=1) == other.period.first_day


def _overlap(one: Issue, other: Issue) -> bool:
    return (
        one.period.first_day <= other.period.last_day
        and other.period.first_day <= one.period.last_day
    )


def _of_issue(
    issue: Issue, k: int, beside: Sequence[Issue], knowledge: Knowledge
) -> Iterator[Recovered]:
    """What one issue gives away, read beside those of the periods that adjoin it."""
    issue.follow()
    for cell, figure in issue.known.items():
        if 0 < figure < k and issue.is_secret(cell):
            how = How.SHOWN if cell in issue.shown else How.EXACT
            yield _named(how, cell, figure, figure, issue)
    try:
        yield from _in_ranges([issue, *beside], k, knowledge)
    except (Contradiction, NoSolution):
        if not beside:
            raise
        # What was carried over is not what was open: it came late, and ties the two no more.
        yield from _in_ranges([issue], k, knowledge)


def _in_ranges(issues: Sequence[Issue], k: int, knowledge: Knowledge) -> Iterator[Recovered]:
    """What follows of the first issue from all of them together."""
    ties = list(_stocks_of(issues, knowledge))
    known: dict[Hashable, int] = {}
    terms: list[Sequence[tuple[int, Hashable]]] = []
    for number, issue in enumerate(issues):
        known |= {(number, cell): figure for cell, figure in issue.known.items()}
        for each in issue.equations():
            terms.append([(sign, (number, cell)) for sign, cell in each])
    for one, other in ties:
        terms += [
            [(1, (one[0], (row, one[1]))), (-1, (other[0], (row, other[1])))]
            for row in issues[one[0]].rows
            if (row, one[1]) in issues[one[0]].cells and (row, other[1]) in issues[other[0]].cells
        ]
    system = Equations(known, terms)
    before = set(known)
    system.follow()
    followed = [(cell, known[cell], known[cell]) for cell in known.keys() - before]
    sheet = sheet_of(issues, known, ties)
    narrow = system.ranges(k) if sheet is None else in_sheet(issues, sheet, k)
    for (number, cell), least, greatest in (*followed, *narrow):
        fine = least == greatest and (least == 0 or least >= k)
        if number == 0 and not fine and issues[0].is_secret(cell):
            how = How.EXACT if least == greatest else How.NARROW
            yield _named(how, cell, least, greatest, *issues[1:], issues[0])


Column = tuple[int, str]
"""An issue's number, and its column."""


def _stocks_of(issues: Sequence[Issue], knowledge: Knowledge) -> Iterator[tuple[Column, Column]]:
    """What was carried over, and the same as it was open at the end of the period before."""
    for (one, first), (other, last) in permutations(enumerate(issues), 2):
        if _adjoin(first, last):
            for carried, left in knowledge.stocks:
                if carried in last.printed and left in first.printed:
                    yield (other, carried), (one, left)


def _of_two(one: Issue, other: Issue, k: int, knowledge: Knowledge) -> Iterator[Recovered]:
    """Figures of two issues taken from one another, and what is left of totals when they are."""
    if _overlap(one, other):
        pairs = {cell: cell for cell in one.known}
    else:
        if _adjoin(other, one):
            one, other = other, one
        stocks = _stocks_of([one, other], knowledge)
        pairs = {
            (row, left): (row, carried) for (_, carried), (_, left) in stocks for row in one.rows
        }
    changed = {
        cell: other.known[its] - one.known[cell]
        for cell, its in pairs.items()
        if cell in one.known and its in other.known and one.is_secret(cell)
    }
    for cell, difference in changed.items():
        if 0 < abs(difference) < k:
            yield _named(How.DIFFERENCE, cell, abs(difference), abs(difference), one, other)
    left: dict[Cell, int] = defaultdict(int)
    for total, rows in one.families.items():
        if other.families.get(total) != rows:
            continue
        for column in (*one.printed, *one.rests):
            if (total, column) in changed:
                of_rows = sum(changed.get((row, column), 0) for row in rows)
                left[total, column] = abs(changed[total, column] - of_rows)
    for cell, difference in left.items():
        if 0 < difference < k:
            yield _named(How.DIFFERENCE, cell, difference, difference, one, other)


def _named(how: How, cell: Cell, least: int, greatest: int, *issues: Issue) -> Recovered:
    (unit, own), name = cell
    form, column = cell_name(name)
    said = tuple(f"{each.period.code}/{each.revision}" for each in issues)
    return Recovered(how, form, unit, own, column, said, least, greatest)
