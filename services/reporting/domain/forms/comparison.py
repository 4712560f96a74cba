"""A report beside that of another period, as a table prints it: difference and per cent.

Nothing here is added up: a per cent of a sum is no sum of per cents. Compare the totals of each
unit's own report.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from shared.contracts.report import ReportPublished

ONE_DECIMAL = Decimal("0.1")


class NotComparable(ValueError):
    """The two are not one form of one unit in one edition."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One column of both. A figure is None where it is withheld, or the form had no such column."""

    column: str
    now: int | None
    before: int | None

    @property
    def difference(self) -> int | None:
        return None if self.now is None or self.before is None else self.now - self.before

    @property
    def percent(self) -> Decimal | None:
        """The difference in per cent of before, to one decimal, half up; None if that was 0."""
        if self.difference is None or not self.before:
            return None
        exact = Decimal(self.difference * 100) / Decimal(self.before)
        return exact.quantize(ONE_DECIMAL, ROUND_HALF_UP)


def compare(now: ReportPublished, before: ReportPublished) -> Sequence[Difference]:
    """The totals, in the order of the newer report's columns; raises `NotComparable`.

    A form may have changed between the two: columns meet by their codes.
    """
    for name in ("form", "unit", "edition"):
        if getattr(now, name) != getattr(before, name):
            raise NotComparable(name)
    columns = (column.code for column in before.columns)
    earlier = dict(zip(columns, before.totals, strict=True))
    return [
        Difference(column.code, figure, earlier.get(column.code))
        for column, figure in zip(now.columns, now.totals, strict=True)
    ]


def year_before(period: str) -> str:
    """`2025-h1` of `2026-h1`."""
    year, _, name = period.partition("-")
    return f"{int(year) - 1:04}-{name}"
