"""Calls of which an exchange sends records: collected until they are whole, then taken in.

Records come before, after or without a call-taker's note. One call is one submission however
they come: what an exchange says of a call waits for the note for a while, and joins it if it is
there. A missed call is counted and becomes no submission: nobody spoke.
"""

import csv
import io
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any, Protocol

import orjson

from services.intake.domain.call import (
    BrokenRecord,
    Call,
    CallRecord,
    Step,
    ami_records,
    assemble,
    cdr_records,
    cel_records,
    group,
)
from services.intake.domain.duplicate import call_key
from services.intake.handlers.ports import Accept, DataKeys
from services.intake.vault import Sealed, close, draw_key, open_sealed
from shared.contracts import HotlineCallLogged
from shared.runtime.arrival import Arrival

GRACE = timedelta(hours=1)
"""How long a call waits for its note, or for further records, after the last record came."""


@dataclass(frozen=True, slots=True)
class HeardCall:
    """What is kept of a call until it is taken in; `name` is a keyed hash, the rest is sealed."""

    name: str
    agency: str
    records: tuple[Sealed, ...]


class Calls(Protocol):
    async def add(self, name: str, agency: str, sealed: Sealed, at: datetime) -> None:
        """Keep more records of a call; it waits anew."""

    async def due(self, before: datetime, limit: int) -> Sequence[HeardCall]:
        """Calls of which nothing new has come since then."""

    async def close(self, name: str, state: str, records: int) -> bool:
        """The call is `taken` or `missed`; False if a record came in between."""


def call_collector(
    calls: Calls, data_keys: DataKeys, key: bytes, now: Callable[[], datetime]
) -> Callable[[str, str, Sequence[Mapping[str, Any]]], Awaitable[Mapping[str, Any]]]:
    async def collect(
        agency: str, form: str, objects: Sequence[Mapping[str, Any]]
    ) -> Mapping[str, Any]:
        """Keep an exchange's records, sealed; says how many calls they are of, and what broke."""
        read = list(_records(form, objects))
        broken = [b for b in read if isinstance(b, BrokenRecord)]
        grouped = group(r for r in read if isinstance(r, CallRecord))
        for linkedid, records in grouped.items():
            name = call_key(agency, linkedid, key=key)
            data_key = draw_key(_owner(name))
            await data_keys.keep([data_key])
            content = orjson.dumps([asdict(record) for record in records])
            await calls.add(name, agency, close(data_key, "records", content), now())
        return {
            "calls": len(grouped),
            "broken": [{"record": b.line, "rule": b.rule} for b in broken[:100]],
        }

    return collect


def call_closer(
    calls: Calls, data_keys: DataKeys, accept: Accept, zone: tzinfo
) -> Callable[[datetime], Awaitable[int]]:
    async def close_calls(at: datetime) -> int:
        """Take in every call that waited long enough; answers how many were looked at."""
        due = await calls.due(at - GRACE, 50)
        for heard in due:
            keys = await data_keys.find([sealed.key for sealed in heard.records])
            records = [
                _record(one)
                for sealed in heard.records
                if sealed.key in keys
                for one in orjson.loads(open_sealed(keys[sealed.key], "records", sealed))
            ]
            call = assemble(records, zone) if records else None
            state = "missed"
            if call is not None and call.answered is not None:
                await accept([_arrival(heard, call, at)])
                state = "taken"
            if await calls.close(heard.name, state, len(heard.records)):
                await data_keys.destroy(_owner(heard.name))
        return len(due)

    return close_calls


def _owner(name: str) -> str:
    return f"call/{name}"


def _arrival(heard: HeardCall, call: Call, at: datetime) -> Arrival:
    item = f"call-{heard.name}"
    event = {
        "specversion": "1.0",
        "id": item,
        "source": f"/agencies/{heard.agency}",
        "type": HotlineCallLogged.TYPE,
        "time": call.started,
        "data": {"call": call.linkedid, "caller": call.caller, "ended": call.ended, "note": ""},
    }
    return Arrival(
        entrance="call",
        party=heard.agency,
        type=HotlineCallLogged.TYPE,
        body=orjson.dumps(event),
        sequence=0,
        recorded=at,
        name=item,
    )


def _records(
    form: str, objects: Sequence[Mapping[str, Any]]
) -> Sequence[CallRecord | BrokenRecord]:
    if form == "cel":
        return list(cel_records(objects))
    if form == "ami":
        return list(ami_records("\n\n".join(map(_block, objects)) + "\n\n"))
    return list(cdr_records(_table(objects)))


def _block(event: Mapping[str, Any]) -> str:
    return "\n".join(f"{_line(name)}: {_line(value)}" for name, value in event.items())


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as a table with a header line, each on a line of its own."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    written = io.StringIO()
    table = csv.DictWriter(written, names, restval="", lineterminator="\n")
    table.writerow({name: _line(name) for name in names})
    table.writerows({name: _line(value) for name, value in row.items()} for row in rows)
    return written.getvalue()


def _line(value: object) -> str:
    return "" if value is None else " ".join(str(value).split())


def _record(written: Mapping[str, Any]) -> CallRecord:
    times = {
        name: datetime.fromisoformat(written[name]) if written[name] else None
        for name in ("at", "answered", "ended")
    }
    return CallRecord(**{**written, **times, "step": Step(written["step"])})
