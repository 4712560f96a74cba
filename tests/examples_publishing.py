"""Public reports in the store, and one internal that nobody outside may see."""

from datetime import UTC, datetime, timedelta

from services.reporting.domain.revision import Closing, said
from tests.examples_rendering import half_year, public, report

AT = datetime(2026, 6, 15, 1, tzinfo=UTC)


def closing(year=2026, revision=1):
    return Closing(
        period=half_year(year),
        party="operator",
        command=f"close-{year}-{revision}",
        correlation=f"close-{year}-{revision}",
        sending=f"command:{year}-{revision}",
        at=AT + timedelta(days=365 * (year - 2026) + revision),
        directory=1,
        rulebook=1,
        revision=revision,
        figures={},
    )


def published(reports, of):
    return of, [said(of, each) for each in reports]


KEPT = (
    published([public(year=2025), public("s-124", 2025), report(year=2025)], closing(2025)),
    published([public(), public("s-124"), report("03-kqgq")], closing()),
    published([public(revision=2)], closing(revision=2)),
)
"""Five public revisions and two internal reports."""


async def keep(reports):
    for of, events in KEPT:
        await reports.add_once(of, events)
    return reports
