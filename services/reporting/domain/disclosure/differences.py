"""What two issues tell together: which of them belong together, and figures taken from another."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import permutations

from services.reporting.domain.disclosure.issues import Cell, Issue
from services.reporting.domain.disclosure.knowledge import Knowledge

Column = tuple[int, str]
"""An issue's number, and its column."""


def adjoin(one: Issue, other: Issue) -> bool:
    """Whether the other period begins when this one ends."""
    return one.period.last_day + timedelta(days=1) == other.period.first_day


def beside(issue: Issue, issues: Sequence[Issue]) -> list[Issue]:
    """The last issues of the periods that adjoin this one."""
    last = {each.period.code: each for each in issues}
    return [each for each in last.values() if adjoin(each, issue) or adjoin(issue, each)]


def stocks_of(issues: Sequence[Issue], knowledge: Knowledge) -> Iterator[tuple[Column, Column]]:
    """What was carried over, and the same as it was open at the end of the period before."""
    for (one, first), (other, last) in permutations(enumerate(issues), 2):
        if adjoin(first, last):
            for carried, left in knowledge.stocks:
                if carried in last.printed and left in first.printed:
                    yield (other, carried), (one, left)


def small_differences(
    one: Issue, other: Issue, k: int, knowledge: Knowledge
) -> Iterator[tuple[Cell, int]]:
    """Cells of the first, of periods in order, that the two together tell a small difference of.

    What is left of a total when all rows are taken from it that both tell counts as well.
    """
    changed = _changed(one, other, knowledge)
    for cell, difference in changed.items():
        if 0 < abs(difference) < k:
            yield cell, abs(difference)
    for total, rows in one.families.items():
        if other.families.get(total) == rows:
            for column in (*one.printed, *one.rests):
                if (total, column) in changed:
                    of_rows = sum(changed.get((row, column), 0) for row in rows)
                    left = abs(changed[total, column] - of_rows)
                    if 0 < left < k:
                        yield (total, column), left


def _changed(one: Issue, other: Issue, knowledge: Knowledge) -> dict[Cell, int]:
    first, last = one.period, other.period
    if first.first_day <= last.last_day and last.first_day <= first.last_day:
        pairs = {cell: cell for cell in one.known}
    else:
        stocks = [(c, left) for (_, c), (_, left) in stocks_of([one, other], knowledge)]
        pairs = {(row, left): (row, c) for c, left in stocks for row in one.rows}
    return {
        cell: other.known[its] - one.known[cell]
        for cell, its in pairs.items()
        if cell in one.known and its in other.known and one.is_secret(cell)
    }
