"""Every published cell, counted again by other means."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from deploy.recount import COUNTED, Log, World, recount
from deploy.verify.finding import Finding
from deploy.verify.seen import Seen
from shared.contracts import DirectoryPublished, ReportPublished, RulebookPublished
from shared.contracts.envelope import Event
from shared.contracts.report import Edition

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def totals(seen: Seen) -> Iterator[Finding]:
    """Own cells recounted, of every revision by what was known when it was counted.

    And every parent's row equals the total of the child's own report. What was counted while
    events were under way is left out: nobody knows which of them it had.
    """
    log = Log.of(seen.events.values())
    directories = _versions(seen, DirectoryPublished.TYPE)
    rulebooks = _versions(seen, RulebookPublished.TYPE)
    unsure = {_closing(event) for event in seen.reports.values() if event.data.in_flight}
    for event in seen.reports.values():
        report = event.data
        name = f"{_named(event)} revision {report.revision}"
        if report.directory not in directories or report.rulebook not in rulebooks:
            yield Finding("totals", name, "was counted by rules that were never published")
        elif _closing(event) not in unsure:
            clocks = rulebooks[report.rulebook].rulebook.clocks
            world = World(
                log,
                directories[report.directory].directory,
                frozenset(clock.code for clock in clocks if clock.stops == "accepted"),
                ZONE,
            )
            yield from _own_cells(name, event, world)
        if not _adds_up(report):
            yield Finding("totals", name, "does not add up")
    yield from _below(seen)


def _closing(event: Event[ReportPublished]) -> tuple[str, datetime]:
    """Both editions of one name it alike; how many events were under way the internal one tells."""
    return event.data.period.code, event.time


def _named(event: Event[ReportPublished]) -> str:
    public = "public " if event.data.edition is Edition.PUBLIC else ""
    return f"{public}report {event.subject}"


def _adds_up(report: ReportPublished) -> bool:
    """Each column in which the public edition withholds nothing, and every one of the internal."""
    columns = zip(*(row.cells for row in report.rows), report.totals, strict=True)
    is_public = report.edition is Edition.PUBLIC
    return all(
        (is_public and None in column) or sum(cell or 0 for cell in column[:-1]) == column[-1]
        for column in columns
    )


def _own_cells(name: str, event: Event[ReportPublished], world: World) -> Iterator[Finding]:
    report = event.data
    expected = recount(report, event.time, world)
    own = next(row for row in report.rows if row.own)
    cells = dict(zip((c.code for c in report.columns), own.cells, strict=True))
    for code in COUNTED.get(report.form, ()):
        counted = expected.get(code, 0)
        is_withheld = report.edition is Edition.PUBLIC and cells.get(code) is None
        if cells.get(code) != counted and not is_withheld:
            wrong = f"says {cells.get(code)} in column {code}, the log {counted}"
            yield Finding("totals", name, wrong)


def _below(seen: Seen) -> Iterator[Finding]:
    in_force = _in_force(seen)
    published = {
        (r.data.edition, r.data.form, r.data.unit, r.data.period.code): r.data.totals
        for r in in_force
    }
    for event in in_force:
        report = event.data
        for row in report.rows:
            child = published.get((report.edition, report.form, row.unit, report.period.code))
            if not row.own and child != row.cells:
                yield Finding("totals", _named(event), f"differs from the report of {row.unit}")


def _versions(seen: Seen, kind: str) -> dict[int, Any]:
    """The first of each number stands."""
    found: dict[int, Any] = {}
    for event in sorted(seen.said(kind).values(), key=lambda e: e.recordedtime or e.time):
        found.setdefault(event.data.version, event.data)
    return found


def _in_force(seen: Seen) -> list[Event[ReportPublished]]:
    newest: dict[tuple[Edition, str | None], Event[ReportPublished]] = {}
    for event in seen.reports.values():
        place = event.data.edition, event.subject
        standing = newest.get(place)
        if standing is None or standing.data.revision < event.data.revision:
            newest[place] = event
    return list(newest.values())
