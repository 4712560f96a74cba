"""Counts a published report again from the stores of intake and routing, by other means.

Shares no code with reporting on purpose: two programs that agree by accident are rare.
Only what was recorded before the report's closing counts, as it was known then.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

from shared.contracts.report import ReportPublished


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """One case as the stores have it; times are None for what has not happened."""

    case: str
    unit: str
    kind: str
    signatures: str
    eligible: bool
    within: bool
    received: datetime
    received_recorded: datetime
    accepted: datetime | None = None
    accepted_recorded: datetime | None = None
    concluded: datetime | None = None
    concluded_recorded: datetime | None = None
    in_time: bool = False
    times: int = 1
    joined: datetime | None = None
    """When it was closed as a duplicate, if that is how it ended."""
    joined_recorded: datetime | None = None
    way: str | None = None
    """How it was passed on, if that is how it ended."""
    outcome: str | None = None
    recovered: int = 0
    sanctions: int = 0
    rated: datetime | None = None
    rated_recorded: datetime | None = None
    score: int = 0


def recount(
    report: ReportPublished, closed: datetime, cases: Iterable[CaseFacts], zone: tzinfo
) -> Mapping[str, int]:
    """The unit's own cells of this report that can be told from cases, by column code."""
    start = datetime.combine(report.period.first_day, time(), zone)
    end = datetime.combine(report.period.last_day + timedelta(days=1), time(), zone)
    count = _FORMS.get(report.form)
    cells: Counter[str] = Counter()
    if count is None:
        return cells
    for case in cases:
        if case.unit != report.unit or case.received_recorded > closed or case.received >= end:
            continue
        if report.form == "s-124" and start <= (case.rated or end) < end:
            cells.update(_rating(case, closed))
        old = case.received < start
        if old and _happened(case.concluded, case.concluded_recorded, closed, start):
            continue
        accepted = _happened(case.accepted, case.accepted_recorded, closed, end)
        concluded = _happened(case.concluded, case.concluded_recorded, closed, end)
        if _happened(case.joined, case.joined_recorded, closed, end):
            if not (old and _happened(case.joined, case.joined_recorded, closed, start)):
                cells.update(_duplicate(report.form, case, old=old))
            continue
        cells.update(count(case, old=old, accepted=accepted, concluded=concluded))
    return cells


def _happened(
    at: datetime | None, recorded: datetime | None, closed: datetime, end: datetime
) -> bool:
    return at is not None and at < end and (recorded is None or recorded <= closed)


def _duplicate(form: str, case: CaseFacts, *, old: bool) -> list[str]:
    """A letter that came in, and whatever was done was done in another case."""
    if form == "s-124":
        return ["carried-over" if old else "received", "joined"]
    if form == "03-kqgq":
        return []
    signed = ("several", "one", "other").index(case.signatures)
    return ["1", str((5 if old else 2) + signed), "8"]


def _letters(case: CaseFacts, *, old: bool, accepted: bool, concluded: bool) -> list[str]:
    signed = ("several", "one", "other").index(case.signatures)
    columns = ["1", str((5 if old else 2) + signed), "8"]
    if not case.eligible:
        return columns
    kind = {"complaint": 0, "denunciation": 1}.get(case.kind, 2)
    columns += ["9", "10", str(11 + kind)]
    if concluded and case.way:
        way = {"guided": "23", "forwarded": "24", "urged": "25"}[case.way]
        return [*columns, "17", "22", way]
    settled = "14" if case.times == 1 else "15"
    columns.append(settled if concluded else "16" if accepted else "17")
    if case.within:
        columns += ["18", str(19 + kind)]
    else:
        columns += ["22", "24", *(["26"] if concluded else [])]
    return columns


def _supervision(case: CaseFacts, *, old: bool, accepted: bool, concluded: bool) -> list[str]:
    del accepted
    columns = ["carried-over" if old else "received"]
    if not concluded:
        return [*columns, "open"]
    return [*columns, "answered-in-time" if case.in_time else "answered-late"]


def _rating(case: CaseFacts, closed: datetime) -> list[str]:
    if case.rated_recorded is None or case.rated_recorded > closed:
        return []
    return ["ratings", "satisfied"] if case.score in {4, 5} else ["ratings"]


def _denunciations(
    case: CaseFacts, *, old: bool, accepted: bool, concluded: bool
) -> Mapping[str, int]:
    del accepted
    elsewhere = not case.within or (concluded and case.way is not None)
    if case.kind != "denunciation" or not case.eligible or elsewhere:
        return {}
    columns = {"1": 1, "2" if old else "3": 1}
    if not concluded:
        return {**columns, "10": 1}
    outcomes = ("right", "wrong", "partly-right", "withdrawn", "suspended")
    columns |= {"4": 1, str(5 + outcomes.index(case.outcome or "")): 1}
    columns |= {"13" if case.in_time else "14": 1}
    return {**columns, "11": case.recovered, "12": case.sanctions}


_FORMS: Mapping[str, Callable[..., Iterable[str] | Mapping[str, int]]] = {
    "01-xld": _letters,
    "03-kqgq": _denunciations,
    "s-124": _supervision,
}

COUNTED = {
    "01-xld": tuple(str(n) for n in range(1, 27)),
    "03-kqgq": tuple(str(n) for n in range(1, 15)),
    "s-124": (
        *("received", "carried-over", "answered-in-time", "answered-late", "joined", "open"),
        *("ratings", "satisfied"),
    ),
}
"""Columns that `recount` tells, by form; the others count no cases."""
