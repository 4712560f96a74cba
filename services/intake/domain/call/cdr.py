"""Call Detail Records as comma-separated values: one line of sums for each pair of channels.

The order of the columns is that of Asterisk's `cdr_csv`; a file with a header line, or from
another exchange, has its own.
"""

import csv
from collections.abc import Iterator, Mapping
from datetime import datetime

from services.intake.domain.call.record import (
    BrokenRecord,
    CallRecord,
    Step,
    Unreadable,
    dialled,
    identifier,
    identifier_if_any,
    instant,
    instant_if_any,
    number,
    seconds,
)

MOST_LINE = 64 * 1024
"""Characters of one line; an exchange writes at most a thousand."""

_ALWAYS = (
    *("accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel"),
    *("lastapp", "lastdata", "start", "answer", "end"),
    *("duration", "billsec", "disposition", "amaflags"),
)
_SINCE_1_8 = ("peeraccount", "linkedid", "sequence")
_TAILS = {
    len(_ALWAYS) + len(tail): tail
    for tail in (
        ("uniqueid",),
        ("uniqueid", "userfield"),
        ("uniqueid", *_SINCE_1_8),
        ("uniqueid", "userfield", *_SINCE_1_8),
    )
}
"""What `cdr.conf` adds, told by the number of columns."""

_OTHER_NAMES = {"calldate": "start"}
"""As Asterisk's databases name a column, in whose exports a header line is usual."""


def cdr_records(
    text: str, columns: Mapping[str, str] | Mapping[str, int] | None = None
) -> Iterator[CallRecord | BrokenRecord]:
    """A record for each line that is not blank; a broken one is named by its number, from 1.

    `columns` tells where each column of Asterisk's (`uniqueid`, `start`, `src`, …) stands in
    another layout: by its name in the header line or, if there is none, by its place from 0.
    Without `end` and `answer` these follow from `duration` and `billsec`, in seconds.
    """
    layout = _Layout(columns)
    # Line by line, not as one table: a stray quote must not swallow the lines behind it.
    for place, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = layout.row(_cells(line))
            if row is not None:
                yield cdr_record(row)
        except Unreadable as broken:
            yield BrokenRecord(place, broken.rule)


def cdr_record(row: Mapping[str, str]) -> CallRecord:
    """Read the columns that this row has. Raises `Unreadable`."""
    start = instant(row.get("start", ""))
    ended = _ended(row, start)
    answered = _answered(row, ended)
    return CallRecord(
        step=Step.SUMMED_UP,
        at=start,
        uniqueid=identifier(row.get("uniqueid", "")),
        linkedid=identifier_if_any(row.get("linkedid", "")),
        channel=row.get("channel", ""),
        caller=number(row.get("src", "")),
        called=dialled(row.get("dst", "")),
        peer=row.get("dstchannel", ""),
        answered=answered if _somebody_spoke(row) else None,
        ended=ended,
    )


def _ended(row: Mapping[str, str], start: datetime) -> datetime | None:
    if "end" in row:
        return instant_if_any(row["end"])
    return start + seconds(row["duration"]) if "duration" in row else None


def _answered(row: Mapping[str, str], ended: datetime | None) -> datetime | None:
    if "answer" in row:
        return instant_if_any(row["answer"])
    if ended is None or "billsec" not in row:
        return None
    spoken = seconds(row["billsec"])
    return ended - spoken if spoken else None


def _somebody_spoke(row: Mapping[str, str]) -> bool:
    """A menu or a queue answers too, with no channel at the other end."""
    answered = row.get("disposition", "ANSWERED").upper() == "ANSWERED"
    return answered and row.get("dstchannel") != ""


def _cells(line: str) -> list[str]:
    if len(line) > MOST_LINE:
        raise Unreadable("length")
    try:
        cells = next(csv.reader([line.rstrip("\r")], strict=True, skipinitialspace=True))
    except csv.Error:
        raise Unreadable("quotes") from None
    return [cell.strip() for cell in cells]


class _Layout:
    """Where each column stands, as the first line, the mapping or the number of columns tells."""

    def __init__(self, columns: Mapping[str, str] | Mapping[str, int] | None) -> None:
        self._columns = columns
        self._places: Mapping[str, int] | None = None
        self._width: int | None = None
        self._first = True
        if columns is not None and all(isinstance(place, int) for place in columns.values()):
            self._places = {name: int(place) for name, place in columns.items()}
            self._first = False

    def row(self, cells: list[str]) -> dict[str, str] | None:
        """The cells by name; None for the header line. Raises `Unreadable`."""
        first, self._first = self._first, False
        if first and self._is_header(cells):
            self._read_header([cell.lower() for cell in cells])
            return None
        places = self._standard(cells) if self._places is None else self._places
        if not places:
            raise Unreadable("header")
        if self._width not in {None, len(cells)}:
            raise Unreadable("columns")  # a cell too many puts every number in another's place
        if max(places.values()) >= len(cells):
            raise Unreadable("columns")
        return {name: cells[place] for name, place in places.items()}

    def _is_header(self, cells: list[str]) -> bool:
        names = {cell.lower() for cell in cells}
        return self._columns is not None or ("uniqueid" in names and bool(names & _STARTS))

    def _read_header(self, names: list[str]) -> None:
        self._width = len(names)
        if self._columns is None:
            self._places = {_OTHER_NAMES.get(name, name): at for at, name in enumerate(names)}
            return
        places = {str(name).strip().lower(): at for at, name in enumerate(names)}
        wanted = {name: str(there).strip().lower() for name, there in self._columns.items()}
        if not places.keys() >= set(wanted.values()):
            self._places = {}  # a column is misnamed: better no record than one without a caller
            raise Unreadable("header")
        self._places = {name: places[there] for name, there in wanted.items()}

    @staticmethod
    def _standard(cells: list[str]) -> dict[str, int]:
        if len(cells) not in _TAILS:
            raise Unreadable("columns")
        return {name: at for at, name in enumerate((*_ALWAYS, *_TAILS[len(cells)]))}


_STARTS = frozenset({"start", *_OTHER_NAMES})
