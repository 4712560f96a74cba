"""The attacker: what can anybody work out of published tables that was withheld from them?

It knows what readers know: the tables, the identities that they print, and `Knowledge`. It knows
nothing of how figures were withheld, and shares no decision with what withholds them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import combinations, groupby

from services.reporting.domain.disclosure.beside import in_sheet, sheet_of
from services.reporting.domain.disclosure.differences import (
    Column,
    beside,
    small_differences,
    stocks_of,
)
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
        found |= dict.fromkeys(_of_issue(issue, k, beside(issue, issues), knowledge))
    for one, other in combinations(issues, 2):
        for cell, few in small_differences(one, other, k, knowledge):
            found[_named(How.DIFFERENCE, cell, few, few, one, other)] = None
    return tuple(found)


def _issue(report: ReportPublished) -> tuple[date, date, str, int]:
    period = report.period
    return period.last_day, period.first_day, period.code, report.revision


def _of_issue(
    issue: Issue, k: int, adjoining: Sequence[Issue], knowledge: Knowledge
) -> Iterator[Recovered]:
    """What one issue gives away, read beside those of the periods that adjoin it."""
    issue.follow()
    for cell, figure in issue.known.items():
        if 0 < figure < k and issue.is_secret(cell):
            how = How.SHOWN if cell in issue.shown else How.EXACT
            yield _named(how, cell, figure, figure, issue)
    try:
        yield from _in_ranges([issue, *adjoining], k, knowledge)
    except (Contradiction, NoSolution):
        if not adjoining:
            raise
        # What was carried over is not what was open: it came late, and ties the two no more.
        yield from _in_ranges([issue], k, knowledge)


def _in_ranges(issues: Sequence[Issue], k: int, knowledge: Knowledge) -> Iterator[Recovered]:
    """What follows of the first issue from all of them together."""
    stocks = list(stocks_of(issues, knowledge))
    known = {(n, cell): f for n, issue in enumerate(issues) for cell, f in issue.known.items()}
    before = set(known)
    if stocks:
        Equations(known, _together(issues, stocks)).follow()
    followed = [(cell, known[cell], known[cell]) for cell in known.keys() - before]
    sheet = sheet_of(issues, known, stocks)
    if sheet is None:
        narrow = Equations(known, _together(issues, stocks)).ranges(k)
    else:
        narrow = in_sheet(issues, sheet, k)
    for (number, cell), least, greatest in (*followed, *narrow):
        fine = least == greatest and (least == 0 or least >= k)
        if number == 0 and not fine and issues[0].is_secret(cell):
            how = How.EXACT if least == greatest else How.NARROW
            yield _named(how, cell, least, greatest, *issues[1:], issues[0])


def _together(
    issues: Sequence[Issue], stocks: Iterable[tuple[Column, Column]]
) -> Iterator[list[tuple[int, tuple[int, Cell]]]]:
    """The equations of all issues, and what ties them; cells have their issue's number."""
    for number, issue in enumerate(issues):
        for each in issue.equations():
            yield [(sign, (number, cell)) for sign, cell in each]
    for (last, carried), (first, left) in stocks:
        for row in issues[last].rows:
            if (row, carried) in issues[last].cells and (row, left) in issues[first].cells:
                yield [(1, (last, (row, carried))), (-1, (first, (row, left)))]


def _named(how: How, cell: Cell, least: int, greatest: int, *issues: Issue) -> Recovered:
    (unit, own), name = cell
    form, column = cell_name(name)
    said = tuple(f"{each.period.code}/{each.revision}" for each in issues)
    return Recovered(how, form, unit, own, column, said, least, greatest)
