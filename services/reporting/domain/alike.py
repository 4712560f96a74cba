"""What a period can tell of a case. Rows that it cannot tell apart are counted as one.

Of an instant a period asks only whether it lies before it or within it; of a term only
whether it is over on the last day; of two versions only which is the newer. What no form reads is
left out. So a million rows are some ten thousands of kinds of row, and the database can group them.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime

from services.reporting.domain.facet import Facet, Plain
from services.reporting.domain.period import DAY, Window
from services.reporting.domain.row import CaseRow

_RECEPTION = ("unit", "kind", "signatures", "eligibility")

READ: Mapping[str, tuple[str, ...]] = {
    "submission": _RECEPTION,
    "opened": (*_RECEPTION, "received"),
    "assigned": ("within_competence", "accepted"),
    "accepted": (),
    "joined": (),
    "concluded": ("outcome", "way", "in_time", "times", "recovered", "sanctions"),
    "rated": ("score",),
}
"""What `CaseRow` reads of each facet; of a clock it reads `due`."""

COMPARED: Mapping[str, str] = {"accepted": "assigned", "concluded": "joined"}
"""Facets whose version is compared with that of another one. Nobody reads any other version."""

LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
"""When a row that stands for many was recorded: nothing in it is late."""


def as_seen(row: CaseRow, window: Window) -> CaseRow:
    """The row as the period sees it: it counts as the row does, in this period and no other.

    Of what happened after the period nothing is left.
    """
    row = row.as_of(window.end)
    facets = {
        place: seen(
            {name: facet.data[name] for name in READ[place] if name in facet.data},
            window.seen(facet.time),
            _compared(row, place),
        )
        for place, facet in row.facets.items()
        if place in READ
    }
    if (opened := facets.get("opened")) is not None:
        received = opened.data["received"]
        assert isinstance(received, datetime)  # noqa: S101 - so `change` wrote it
        facets["opened"] = seen(
            {**opened.data, "received": window.seen(received)}, opened.time, opened.version
        )
    for clock, due in row.due.items():
        facets[f"clocks.{clock}"] = seen({"due": seen_term(due, window).isoformat()})
    return CaseRow(row.case, facets)


def seen(data: Mapping[str, Plain], time: datetime = LONG_AGO, version: int = 0) -> Facet:
    """A facet that stands for many."""
    return Facet(version, LONG_AGO, "", time, data)


def seen_term(due: date, window: Window) -> date:
    """The period's last day for one that is over by then, the day after for any other."""
    last_day = window.period.last_day
    return last_day if due <= last_day else last_day + DAY


def _compared(row: CaseRow, place: str) -> int:
    """1 for a version that is newer than the one it is compared with, or alone; -1 if older."""
    other = row.facets.get(COMPARED.get(place, ""))
    if place not in COMPARED:
        return 0
    if other is None:
        return 1
    version = row.facets[place].version
    return (version > other.version) - (version < other.version)
