"""Exchanges' records to items: Asterisk CDR, CEL and AMI, one item a call."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from deploy.items.item import MISSED, REFUSED, Item, Problem, item_id
from services.intake.domain.charset import decode
from shared.contracts import HotlineCallLogged

CDR, CEL, AMI = ".csv", ".json", ".yaml"
SUFFIXES = (CDR, CEL, AMI)
EXCHANGE_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
"""Of records whose times name none."""

INCOMPLETE = "call-incomplete"

_HEADED = frozenset({"dcontext", "dstchannel", "lastapp", "billsec", "disposition", "amaflags"})
_FEWEST_HEADINGS = 3
_COLUMNS = 16
_START, _END, _DISPOSITION = 9, 11, 14
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_DISPOSITIONS = frozenset({"ANSWERED", "NO ANSWER", "BUSY", "FAILED", "CONGESTION"})
_AMI_LINE = re.compile(r"^(?:Event|Action|Response): ", re.MULTILINE)
_LOOKED_AT = 64 * 1024
_EVENT_TYPE, _EVENTS = "eventtype", "cel"


def are_calls(suffix: str, raw: bytes) -> bool:
    """Whether a file that may hold something else holds an exchange's records."""
    if suffix == CEL:
        return bool(_captures(raw))
    text = decode(raw[:_LOOKED_AT]).text
    if suffix == AMI:
        return _AMI_LINE.search(text) is not None
    rows = csv.reader(io.StringIO(text, newline=""))
    return any(_is_cdr(row) for row in islice(rows, 2))


def _is_cdr(row: list[str]) -> bool:
    if len(_HEADED & {cell.strip().lower() for cell in row}) >= _FEWEST_HEADINGS:
        return True
    return (
        len(row) >= _COLUMNS
        and _MOMENT.match(row[_START]) is not None
        and _MOMENT.match(row[_END]) is not None
        and row[_DISPOSITION] in _DISPOSITIONS
    )


def call_items(path: Path, raw: bytes, agency: str) -> Iterator[Item]:
    """Every call; one that nobody answered is `missed`, a record that cannot be read refused."""
    reading = import_module("services.intake.domain.call")
    suffix = path.suffix.lower()
    if suffix == CEL:
        captures = [reading.cel_records(capture) for capture in _captures(raw)]
    elif suffix == AMI:
        captures = [reading.ami_records(decode(raw).text)]
    else:
        captures = [reading.cdr_records(decode(raw).text)]
    for records in captures:
        whole = []
        for record in records:
            if isinstance(record, reading.BrokenRecord):
                problem = Problem(record.rule, "Export the record again.", row=record.line)
                place = f"{path}:{record.line}"
                yield Item(place, agency, HotlineCallLogged.TYPE, b"", REFUSED, (problem,))
            else:
                whole.append(record)
        for linkedid, of_call in reading.group(whole).items():
            call = reading.assemble(of_call, EXCHANGE_ZONE)
            yield _item(path, agency, linkedid, call, reading.describe(call))


def _item(path: Path, agency: str, linkedid: str, call: Any, described: Any) -> Item:  # noqa: ANN401
    data = {"call": linkedid, "caller": call.caller, "ended": _told(call.ended), "note": ""}
    event = {
        "specversion": "1.0",
        "id": item_id("call", [agency, linkedid]),
        "source": f"/agencies/{agency}",
        "type": HotlineCallLogged.TYPE,
        "time": _told(call.started),
        "datacontenttype": "application/json",
        "data": {name: value for name, value in data.items() if value is not None},
    }
    return Item(
        path=f"{path}#{linkedid}",
        agency=agency,
        type=HotlineCallLogged.TYPE,
        body=orjson.dumps(event),
        fate=MISSED if call.answered is None else None,
        flags=() if call.complete else (INCOMPLETE,),
        call=described,
    )


def _told(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None


def _captures(raw: bytes) -> list[list[Any]]:
    """The lists of CEL events in a JSON file: one list, one an object, or several captures."""
    try:
        content = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return []
    captures = content if isinstance(content, list) else [content]
    if _are_events(captures):
        return [captures]
    lists = [c.get(_EVENTS) for c in captures if isinstance(c, dict)]
    return [found for found in lists if isinstance(found, list) and _are_events(found)]


def _are_events(found: list[Any]) -> bool:
    return any(isinstance(event, dict) and _EVENT_TYPE in event for event in found)
