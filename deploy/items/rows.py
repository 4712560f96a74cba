"""Rows of a table to items: each becomes an event, or is refused with its row and column."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import chain, zip_longest
from operator import itemgetter
from pathlib import Path
from typing import Any

import orjson

from deploy.items.item import REFUSED, Item, Problem, item_id
from deploy.items.mapping import HELD, TIME, Bound, Mapping, missing, places_of, shape_of
from deploy.items.register import HEADINGS, NEEDED, recognised
from deploy.items.tables import Broken, Cell, Row, cell_text, csv_rows, csv_text, folded, is_blank
from deploy.items.xlsx import xlsx_rows
from shared.contracts import FEED, LetterRegistered
from shared.runtime.arrival import Arrival
from shared.runtime.refusal import Unacceptable, read_arrival

SEARCHED_ROWS = 30
"""A register has its title, its office and its year above the headings."""

SIGNED_BY_NAME = "signatures-by-name"
"""No column says how many signed: whoever gave a name counts as one, as intake counts."""

YES = frozenset(map(folded, ("x", "có", "đúng", "yes", "true", "1", "✓", "✔", "☑")))
NO = frozenset(map(folded, ("không", "no", "false", "0", "-")))

XLSX = ".xlsx"


@dataclass(frozen=True, slots=True)
class Table:
    """A file that should be a table, and whose it is."""

    path: Path
    agency: str
    mapping: Mapping | None
    now: datetime

    def items(self) -> Iterator[Item]:
        """Every row below the headings that is not blank; what is no table is one refused item."""
        try:
            rows, flags = _rows(self.path, self.mapping)
            bound, rows = _bound(rows, self.mapping)
            for row in rows:
                if not is_blank(row.cells):
                    yield self._item(_read(bound, row), flags)
        except Broken as broken:
            problem = broken.problem
            place = f"{self.path}:{problem.row}" if problem.row else str(self.path)
            kind = self.mapping.type if self.mapping else LetterRegistered.TYPE
            yield Item(place, self.agency, kind, b"", REFUSED, (problem,))

    def _item(self, reading: "_Reading", flags: tuple[str, ...]) -> Item:
        mapping = reading.bound.mapping
        if mapping.contract is LetterRegistered and "signatures" not in {
            *mapping.columns,
            *mapping.constants,
        }:
            reading.read["signatures"] = int("reporter.name" in reading.read)
            flags = (*flags, SIGNED_BY_NAME)
        event = {
            "specversion": "1.0",
            "id": _row_id(self.agency, reading),
            "source": f"/agencies/{self.agency}",
            "type": mapping.type,
            "time": _moment(reading),
            "datacontenttype": "application/json",
            "data": _nested(reading.read),
        }
        body = orjson.dumps({k: v for k, v in event.items() if v is not None})
        arrival = Arrival("feed", self.agency, mapping.type, body, 0, self.now)
        problems = (*reading.wrong.values(), *_broken_rules(reading, arrival))
        return Item(
            path=f"{self.path}:{reading.row.number}",
            agency=self.agency,
            type=mapping.type,
            body=body,
            fate=REFUSED if problems else None,
            problems=problems,
            flags=flags,
        )


def _rows(path: Path, mapping: Mapping | None) -> tuple[Iterator[Row], tuple[str, ...]]:
    if path.suffix.lower() == XLSX:
        return xlsx_rows(path, mapping.sheet if mapping else None), ()
    decoded = csv_text(path, mapping.encoding if mapping else None)
    return csv_rows(decoded.text, mapping.delimiter if mapping else None), decoded.flags


def _bound(rows: Iterator[Row], mapping: Mapping | None) -> tuple[Bound, Iterator[Row]]:
    """The mapping bound to the first row that has its headings, and the rows below."""
    lacking: list[str] | None = None
    for row in rows:
        headings = tuple(" ".join(cell_text(cell).split()) for cell in row.cells)
        places = places_of(headings)
        fitting = mapping or recognised(headings)
        if fitting is not None:
            absent = missing(fitting, places)
            if not absent:
                return Bound(fitting, headings, places), rows
            if lacking is None or len(absent) < len(lacking):
                lacking = absent
        if row.number >= SEARCHED_ROWS:
            break
    if mapping is None:
        names = "; ".join(" / ".join(HEADINGS[name][:3]) for name in NEEDED)
        advice = f"Say with --mapping which column is what, or head the columns: {names}."
    else:
        columns = ", ".join(f"“{column}”" for column in lacking or mapping.columns)
        advice = f"The mapping names columns that this table does not have: {columns}."
    raise Broken("no-headings", advice)


@dataclass(slots=True)
class _Reading:
    """What was read of one row. `read` is by dotted field, `wrong` what could not be."""

    bound: Bound
    row: Row
    read: dict[str, Any] = field(default_factory=dict)
    wrong: dict[str, Problem] = field(default_factory=dict)

    def cells(self, name: str) -> list[Cell]:
        places = (self.bound.at(column) for column in self.bound.mapping.columns[name])
        return [self.row.cells[p] if p < len(self.row.cells) else None for p in places]

    def problem(self, name: str, rule: str, advice: str) -> Problem:
        columns = self.bound.mapping.columns.get(name, ())
        pointer = "/" + name.replace(".", "/")
        return Problem(
            rule=rule,
            advice=advice,
            field=pointer if name == TIME else f"/data{pointer}",
            row=self.row.number,
            column=", ".join(columns),
        )


def _read(bound: Bound, row: Row) -> _Reading:
    constants = {k: v for k, v in bound.mapping.constants.items() if v is not None}
    reading = _Reading(bound, row, constants)
    for name in bound.mapping.columns:
        _read_field(reading, name)
    return reading


def _read_field(reading: _Reading, name: str) -> None:
    """Read one field of the row; an empty cell gives nothing."""
    mapping = reading.bound.mapping
    cells = [cell for cell in reading.cells(name) if cell_text(cell)]
    text = " ".join(map(cell_text, cells))
    if not text:
        return
    meanings = mapping.meanings.get(name, {})
    if folded(text) in meanings:
        meant = meanings[folded(text)]
        if meant is not None:
            reading.read[name] = meant
        return
    shape = datetime if name == TIME else shape_of(mapping.contract, name)
    if shape is bool:
        reading.read[name] = True if folded(text) in YES else False if folded(text) in NO else text
    elif shape in (date, datetime):
        moment = _moment_of(cells, text, mapping)
        if moment is None:
            dates = ", ".join(f"“{form}”" for form in mapping.dates[:3])
            advice = f"Write it as {dates} or YYYY-MM-DD, or name its form in `dates`."
            reading.wrong[name] = reading.problem(name, "date-format", advice)
        else:
            reading.read[name] = moment if shape is datetime else moment.date()
    else:
        reading.read[name] = text


def _moment_of(cells: list[Cell], text: str, mapping: Mapping) -> datetime | None:
    """With its zone: that of the mapping, where none is written."""
    [first, *others] = cells
    found: datetime | None = None
    if isinstance(first, datetime) and not others:
        found = first
    elif isinstance(first, date) and others and isinstance(others[0], time):
        found = datetime.combine(first, others[0])
    else:
        for form in mapping.dates:
            try:
                found = datetime.strptime(text, form)  # noqa: DTZ007 - its zone follows
            except ValueError:
                continue
            break
        else:
            try:
                found = datetime.fromisoformat(text)
            except ValueError:
                return None
    return found if found.tzinfo else found.replace(tzinfo=mapping.tzinfo)


def _moment(reading: _Reading) -> str | None:
    """When it happened; for what has a day alone, the beginning of that day."""
    found = reading.read.get(TIME, reading.read.get(HELD))
    if isinstance(found, datetime):
        return found.isoformat()
    if isinstance(found, date):
        zone = reading.bound.mapping.tzinfo
        return datetime.combine(found, time(), zone).isoformat()
    return found if isinstance(found, str) else None


def _nested(read: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for name, value in read.items():
        if name == TIME:
            continue
        *path, last = name.split(".")
        inner = data
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = value.isoformat() if isinstance(value, date) else value
    return data


def _row_id(agency: str, reading: _Reading) -> str:
    """Derived from the key columns if each says something, else from all that the row says.

    A day counts as the same however it is written. Where the row stands does not count.
    """
    mapping = reading.bound.mapping
    moments = {
        folded(columns[0]): reading.read[name].isoformat()
        for name, columns in mapping.columns.items()
        if len(columns) == 1 and isinstance(reading.read.get(name), date)
    }
    said: list[tuple[str, str]] = []
    for heading, cell in zip_longest(reading.bound.headings, reading.row.cells):
        if text := folded(cell_text(cell)):
            column = folded(heading or "")
            said.append((column, moments.get(column, text)))
    first = dict(reversed(said))
    key = [folded(column) for column in mapping.key]
    if key and all(column in first for column in key):
        said = [(column, first[column]) for column in key]
    else:
        said.sort(key=itemgetter(0))
    return item_id("row", [agency, mapping.type, *chain.from_iterable(said)])


def _broken_rules(reading: _Reading, arrival: Arrival) -> Iterator[Problem]:
    """What intake would refuse, told by the column that it stands in."""
    if len(reading.row.cells) > len(reading.bound.headings):
        yield Problem(
            "too-many-cells",
            "A cell that holds the delimiter must stand in quotation marks.",
            row=reading.row.number,
        )
    try:
        read_arrival(arrival, FEED)
    except Unacceptable as why:
        for found in why.problems:
            name = found.field.removeprefix("/data").strip("/").replace("/", ".")
            if name not in reading.wrong:
                yield reading.problem(name, found.rule, found.advice)
