"""What a directory must keep to beyond its shape, each rule under its name.

References lead to what is listed, and what depends on another entry lives within its life. Only
two rules look at a single day, that of the publication: every unit that is then in force, or will
be, has a body on its way up, and the fallback body is there.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import chain, pairwise

from deploy.rules.problems import Place, Problem
from deploy.rules.tree import circles
from services.routing.domain.directory import DirectoryIndex
from shared.contracts.directory import BEGINNING, Dated, Directory

DAY = timedelta(days=1)

Spans = dict[str, list[tuple[date, date]]]
"""By code: the spans of its versions, half-open, the earliest first."""

Reference = tuple[str, str | None, Place]
"""What kind of entry is named, by which code, and where."""


def problems(directory: Directory, on: date) -> list[Problem]:
    """Every rule that the directory breaks, in the order of its parts."""
    index = DirectoryIndex(directory)
    return [
        *_versions(directory),
        *_references(directory),
        *_parents(directory, index),
        *_holdings(directory),
        *_successors(directory),
        *circles(directory.units),
        *_addresses(directory),
        *_bodies(directory, index, on),
    ]


def _versions(directory: Directory) -> Iterator[Problem]:
    for name in ("units", "agencies", "bodies", "offices"):
        entries = getattr(directory, name)
        by_code: dict[str, list[int]] = defaultdict(list)
        for number, entry in enumerate(entries):
            by_code[entry.code].append(number)
            if entry.valid_to is not None and entry.valid_to <= entry.valid_from:
                place: Place = (name, number, "valid_to")
                yield Problem(place, "no-day", f'"{entry.code}" ends before its first day')
        for code, numbers in by_code.items():
            ordered = sorted(numbers, key=lambda number: entries[number].valid_from)
            for former, later in pairwise(ordered):
                if _end(entries[former]) > entries[later].valid_from:
                    place = (name, later)
                    yield Problem(
                        place, "overlapping-versions", f'two versions of "{code}" hold on one day'
                    )
    seen: set[str] = set()
    for number, person in enumerate(directory.persons):
        if person.code in seen:
            text = f'"{person.code}" is listed twice'
            yield Problem(("persons", number, "code"), "overlapping-versions", text)
        seen.add(person.code)


def _references(directory: Directory) -> Iterator[Problem]:
    known = {
        "unit": {unit.code for unit in directory.units},
        "office": {office.code for office in directory.offices},
        "body": {body.code for body in directory.bodies},
        "person": {person.code for person in directory.persons},
    }
    for kind, code, place in chain(
        _references_of_units(directory), _references_of_others(directory)
    ):
        if code is not None and code not in known[kind]:
            rule = "unknown-parent" if place[-1] == "parent" else f"unknown-{kind}"
            yield Problem(place, rule, f'{kind} "{code}" is not listed')


def _references_of_units(directory: Directory) -> Iterator[Reference]:
    for n, unit in enumerate(directory.units):
        yield "unit", unit.parent, ("units", n, "parent")
    for name in ("agencies", "bodies", "offices"):
        for n, entry in enumerate(getattr(directory, name)):
            yield "unit", entry.unit, (name, n, "unit")
    for n, body in enumerate(directory.bodies):
        for m, jurisdiction in enumerate(body.jurisdictions):
            yield "unit", jurisdiction.unit, ("bodies", n, "jurisdictions", m, "unit")
        for m, office in enumerate(body.members):
            yield "office", office, ("bodies", n, "members", m)
    yield "body", directory.fallback_body, ("fallback_body",)


def _references_of_others(directory: Directory) -> Iterator[Reference]:
    tied = {
        "holdings": ("office", "person"),
        "supervisions": ("office", "body"),
        "recusals": ("body", "unit", "office", "person"),
    }
    for name, kinds in tied.items():
        for n, entry in enumerate(getattr(directory, name)):
            for kind in kinds:
                yield kind, getattr(entry, kind), (name, n, kind)
    for n, relation in enumerate(directory.relations):
        for m, person in enumerate(relation.persons):
            yield "person", person, ("relations", n, "persons", m)


def _parents(directory: Directory, index: DirectoryIndex) -> Iterator[Problem]:
    """A parent may end before its child where one unit goes on with it: the way up goes there."""
    begun = {code: spans[0][0] for code, spans in _spans(directory.units).items()}
    for n, unit in enumerate(directory.units):
        if unit.parent not in begun:
            continue
        first = max(
            unit.valid_from, begun[unit.parent] if unit.valid_from == BEGINNING else BEGINNING
        )
        last = max(first, _end(unit) - DAY)
        if len(heirs := index.resolve(unit.parent, first, last)) != 1:
            several = f"was split into {_quoted(heirs)}" if heirs else "ends, and nobody goes on"
            text = f'the parent "{unit.parent}" of "{unit.code}" {several}'
            yield Problem(("units", n, "parent"), "parent-not-in-force", text)


def _holdings(directory: Directory) -> Iterator[Problem]:
    """A holding lies within its office's life; one without a first day begins with the office."""
    offices = _spans(directory.offices)
    for n, holding in enumerate(directory.holdings):
        if holding.office in offices and not _covered(offices[holding.office], holding):
            text = f'"{holding.office}" is held on a day on which there is no such office'
            yield Problem(("holdings", n), "holding-outside-office", text)


def _successors(directory: Directory) -> Iterator[Problem]:
    units = _spans(directory.units)
    for n, unit in enumerate(directory.units):
        for m, successor in enumerate(unit.successors):
            place: Place = ("units", n, "successors", m)
            if unit.valid_to is None:
                text = f'"{unit.code}" names successors and does not end: it needs valid_to'
                yield Problem(place, "successor-of-the-living", text)
            elif not any(
                begins <= unit.valid_to < ends for begins, ends in units.get(successor.unit, ())
            ):
                text = (
                    f'"{successor.unit}" is not there on {unit.valid_to}, when "{unit.code}" ended'
                )
                yield Problem(place, "successor-not-in-force", text)


def _addresses(directory: Directory) -> Iterator[Problem]:
    """One address leads to one agency: else nobody could tell whose channel was used."""
    shown: dict[tuple[str, str], list[tuple[date, date, Place, str]]] = defaultdict(list)
    for n, agency in enumerate(directory.agencies):
        for m, channel in enumerate(agency.channels):
            begins = max(agency.valid_from, channel.valid_from)
            ends = min(_end(agency), _end(channel))
            if begins < ends:
                key = (channel.channel, "".join(channel.address.casefold().split()))
                place: Place = ("agencies", n, "channels", m, "address")
                shown[key].append((begins, ends, place, agency.code))
    for (kind, _), spans in shown.items():
        spans.sort()
        latest = spans[0]
        for span in spans[1:]:
            if span[0] < latest[1]:
                text = f'this {kind} is shown by "{latest[3]}" as well, on {span[0]}'
                yield Problem(span[2], "duplicate-address", text)
            latest = max(latest, span, key=lambda one: one[1])


def _bodies(directory: Directory, index: DirectoryIndex, on: date) -> Iterator[Problem]:
    fallback = directory.fallback_body
    there = _spans(directory.bodies).get(fallback)
    if there and not any(begins <= on < ends for begins, ends in there):
        text = f'"{fallback}" is not in force on {on}'
        yield Problem(("fallback_body",), "unreachable-fallback", text)
    for n, body in enumerate(directory.bodies):
        if not body.jurisdictions and body.code != fallback:
            text = f'"{body.code}" looks into nothing and is not the fallback body'
            yield Problem(("bodies", n, "jurisdictions"), "body-without-jurisdiction", text)
    for n, unit in enumerate(directory.units):
        day = max(on, unit.valid_from)
        if unit.in_force(day) and not any(
            next(index.bodies_at(above, day), None) for above in index.path(unit.code, day)
        ):
            text = f'no body sits at "{unit.code}" or above it on {day}'
            yield Problem(("units", n), "unit-without-body", text)


def _spans(entries: Iterable[Dated]) -> Spans:
    spans: Spans = defaultdict(list)
    for entry in entries:
        spans[entry.code].append((entry.valid_from, _end(entry)))  # type: ignore[attr-defined]
    for versions in spans.values():
        versions.sort()
    return spans


def _covered(spans: Sequence[tuple[date, date]], entry: Dated) -> bool:
    """Whether the spans leave no day of the entry's life out."""
    day = spans[0][0] if entry.valid_from == BEGINNING else entry.valid_from
    for begins, ends in spans:
        if begins <= day < ends:
            day = ends
    return day >= _end(entry)


def _end(entry: Dated) -> date:
    return entry.valid_to or date.max


def _quoted(codes: Iterable[str]) -> str:
    return ", ".join(f'"{code}"' for code in codes)
