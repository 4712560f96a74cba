"""A proposal as a calendar file: the operator's own, with what is proposed for one year."""

import json
from collections.abc import Iterator

from deploy.calendar.comparing import as_calendar, compared
from deploy.calendar.proposing import PACKAGE, NothingProposed, Proposed
from deploy.calendar.saying import NOTE, WEEKDAYS
from shared.contracts.directory import Label
from shared.contracts.rulebook import Calendar, Holiday

MARK = "đề xuất / proposed"
CITATION = "(cần bổ sung thông báo nghỉ lễ, Tết năm {year})"


def merged(proposal: Proposed, standing: Calendar | None) -> Calendar:
    """The calendar with the year as it is proposed; of a year that it covers, with what it lacks.

    What was decreed stays: no day that the calendar has is taken out. Raises `NothingProposed`
    where years between the two would seem to have no holidays.
    """
    if standing is None:
        title = Label(vi=f"Lịch làm việc {proposal.year}", en=f"Working days {proposal.year}")
        citation = CITATION.format(year=proposal.year)
        fresh = as_calendar(proposal, proposal.weekly_rest)
        return fresh.model_copy(update={"title": title, "citation": citation})
    first, last = standing.first_year, standing.last_year
    if not first - 1 <= proposal.year <= last + 1:
        nearest = last + 1 if proposal.year > last else first - 1
        raise NothingProposed(
            f"The calendar covers {first} to {last}: propose {nearest} before {proposal.year}, "
            "since a year in between would have no holidays."
        )
    years = (min(first, proposal.year), max(last, proposal.year))
    new = as_calendar(proposal, standing.weekly_rest)
    listed = {holiday.day: holiday for holiday in standing.holidays}
    if first <= proposal.year <= last:
        lacking = {each.day for each in compared(proposal, standing).added}
    else:
        lacking = {holiday.day for holiday in new.holidays}
    listed |= {h.day: h for h in new.holidays if h.day in lacking and h.day not in listed}
    return standing.model_copy(
        update={
            "title": _retitled(standing, years),
            "first_year": years[0],
            "last_year": years[1],
            "holidays": tuple(listed[day] for day in sorted(listed)),
            "swapped": tuple(sorted({*standing.swapped, *new.swapped})),
        }
    )


def written(calendar: Calendar, proposal: Proposed, standing: Calendar | None) -> str:
    """The file, in the form of the calendars that come with this product; new days are marked."""
    return "\n".join(_lines(calendar, proposal, standing)) + "\n"


def _lines(calendar: Calendar, proposal: Proposed, standing: Calendar | None) -> Iterator[str]:
    before = {holiday.day for holiday in standing.holidays} if standing else set()
    worked = set(standing.swapped) if standing else set()
    yield f"# {PACKAGE}, {proposal.country} {proposal.year}."
    yield f"# {NOTE.vi}"
    yield f"# {NOTE.en}"
    yield f"title: {_label(calendar.title)}"
    yield f"citation: {_text(calendar.citation)}"
    yield f"first_year: {calendar.first_year}"
    yield f"last_year: {calendar.last_year}"
    yield f"weekly_rest: {json.dumps(list(calendar.weekly_rest))}"
    yield "# Ngày nghỉ hằng tuần phải làm bù. / Days of weekly rest that are worked instead."
    yield "swapped:" if calendar.swapped else "swapped: []"
    for day in calendar.swapped:
        yield f"  - {day.isoformat()}" + ("" if day in worked else f"  # {MARK}")
    yield "holidays:" if calendar.holidays else "holidays: []"
    for holiday in calendar.holidays:
        yield f"  - {_holiday(holiday)}" + ("" if holiday.day in before else _mark(holiday))


def _holiday(holiday: Holiday) -> str:
    return f"{{day: {holiday.day.isoformat()}, name: {_label(holiday.name)}}}"


def _mark(holiday: Holiday) -> str:
    return f"  # {MARK}: {WEEKDAYS[holiday.day.weekday()].vi}"


def _label(label: Label) -> str:
    english = f", en: {_text(label.en)}" if label.en is not None else ""
    return f"{{vi: {_text(label.vi)}{english}}}"


def _text(text: str) -> str:
    """A string of JSON is one of YAML."""
    return json.dumps(text, ensure_ascii=False)


def _retitled(standing: Calendar, years: tuple[int, int]) -> Label:
    """The same title with the years that it covers now, where it names those that it did."""
    old = {f"{standing.first_year}–{standing.last_year}", str(standing.first_year)}
    named = max((text for text in old if text in standing.title.vi), key=len, default="")
    if not named:
        return standing.title
    new = f"{years[0]}–{years[1]}" if years[0] < years[1] else str(years[0])
    english = standing.title.en
    return Label(
        vi=standing.title.vi.replace(named, new),
        en=english.replace(named, new) if english else None,
    )
