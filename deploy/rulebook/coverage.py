"""Whether the directory has somebody for every matter, and the calendar every day counted."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from deploy.rulebook.document import Document, Finding, Severity
from services.routing.domain.calendar import WorkingDays
from services.routing.domain.directory import DirectoryIndex
from shared.contracts.directory import Directory
from shared.contracts.rulebook import Calendar, DayKind, Rulebook
from shared.contracts.vocabulary import Kind


def directory_findings(
    document: Document[Rulebook], directory: Document[Directory], on: date
) -> Iterator[Finding]:
    yield from _unknown_categories(document.content, directory)
    yield from _ranks_of_nobody(directory, on)
    seats = _seats(directory.content, on)
    paths = _paths(directory.content, on)
    for number, category in enumerate(document.content.categories):
        if not category.in_force(on):
            continue
        for kind in Kind:
            alone = [
                unit
                for unit, line in paths.items()
                if not _served(line, seats, category.code, kind)
            ]
            if not alone:
                continue
            nobody = len(alone) == len(paths)
            where = "any unit" if nobody else f"{alone[0]}, one of {len(alone)} units"
            yield document.finding(
                Severity.ERROR if nobody else Severity.WARNING,
                "nobody-competent",
                ("categories", number),
                what=f"Nobody is competent for it in {where}, of kind {kind}: the fallback leads.",
                advice="Give a body at or above it the jurisdiction in the directory.",
            )


def calendar_findings(
    document: Document[Rulebook], calendar: Document[Calendar], on: date
) -> Iterator[Finding]:
    days = WorkingDays(calendar.content)
    for number, clock in enumerate(document.content.clocks):
        if clock.day_kind is not DayKind.WORKING or not clock.in_force(on):
            continue
        term = days.add_working_days(on, max(clock.days, clock.longest or 0))
        if not term.covered:
            yield document.finding(
                Severity.ERROR,
                "beyond-calendar",
                ("clocks", number),
                what=f"Begun on {on}, it runs up to {term.due}; the calendar ends before "
                f"{calendar.content.last_year + 1}.",
                advice="Publish a calendar that covers that year, too.",
            )
    yield from _idle_days(calendar)


def _idle_days(calendar: Document[Calendar]) -> Iterator[Finding]:
    content = calendar.content
    years = range(content.first_year, content.last_year + 1)
    for number, day in enumerate(content.swapped):
        if day.isoweekday() not in content.weekly_rest:
            yield calendar.finding(
                Severity.WARNING,
                "swapped-in-vain",
                ("swapped", number),
                what=f"{day} is worked anyway.",
                advice="Name the day of rest that is worked; the day off belongs to the holidays.",
            )
    for number, holiday in enumerate(content.holidays):
        if holiday.day.year not in years:
            yield calendar.finding(
                Severity.WARNING,
                "day-outside",
                ("holidays", number),
                what=f"{holiday.day} lies outside the years that the calendar covers.",
                advice="Correct the day, or first_year and last_year.",
            )


def _unknown_categories(rulebook: Rulebook, directory: Document[Directory]) -> Iterator[Finding]:
    known = {category.code for category in rulebook.categories} | {rulebook.default_category}
    for number, body in enumerate(directory.content.bodies):
        for place, jurisdiction in enumerate(body.jurisdictions):
            for code in jurisdiction.categories:
                if code not in known:
                    yield directory.finding(
                        Severity.ERROR,
                        "unknown-category",
                        ("bodies", number, "jurisdictions", place),
                        what=f"The rulebook has no category {code}.",
                        advice="Correct the code: this jurisdiction never holds.",
                    )


def _ranks_of_nobody(directory: Document[Directory], on: date) -> Iterator[Finding]:
    """Jurisdictions over ranks that no office within their unit has, today or later."""
    content = directory.content
    index = DirectoryIndex(content)
    ranked = [
        (office.rank, index.path(office.unit, on))
        for office in content.offices
        if office.valid_to is None or on < office.valid_to
    ]
    for number, body in enumerate(content.bodies):
        for place, jurisdiction in enumerate(body.jurisdictions):
            of_ranks = [line for rank, line in ranked if rank in jurisdiction.ranks]
            if jurisdiction.ranks and not any(jurisdiction.unit in line for line in of_ranks):
                yield directory.finding(
                    Severity.WARNING,
                    "rank-without-office",
                    ("bodies", number, "jurisdictions", place),
                    what=f"No office of {jurisdiction.unit} or below it has one of the ranks "
                    f"{', '.join(jurisdiction.ranks)}: this jurisdiction never holds.",
                    advice="Correct the ranks or the unit, or list the offices.",
                )


Seats = dict[str, list[tuple[str, frozenset[str], frozenset[Kind]]]]


def _seats(directory: Directory, on: date) -> Seats:
    """By the unit at which a body sits: units, categories and kinds it looks into; empty: any."""
    seats: Seats = defaultdict(list)
    for body in directory.bodies:
        if body.in_force(on):
            seats[body.unit] += [
                (j.unit, frozenset(j.categories), frozenset(j.kinds))
                for j in body.jurisdictions
                if not j.ranks
            ]
    return seats


def _paths(directory: Directory, on: date) -> dict[str, tuple[str, ...]]:
    index = DirectoryIndex(directory)
    return {unit.code: index.path(unit.code, on) for unit in directory.units if unit.in_force(on)}


def _served(line: tuple[str, ...], seats: Seats, category: str, kind: Kind) -> bool:
    return any(
        unit in line and (not categories or category in categories) and (not kinds or kind in kinds)
        for seat in line
        for unit, categories, kinds in seats.get(seat, ())
    )
