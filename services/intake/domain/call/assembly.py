"""Which records are of one call, and what the call was.

Records are a set: in whatever order they come, and however often, the call is the same. Its
times are those of the caller's own channel, the one that the call is named after: who calls
speaks when that channel enters a bridge, and has gone when it ends, whoever stays on the line.
"""

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, tzinfo
from typing import Any

from services.intake.domain.call.record import CallRecord, Step

_ID = re.compile(r"(\d{1,18})\.(\d{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Call:
    """One call, in UTC. `answered` is None for a missed one: nobody spoke with the caller.

    `legs` counts channels. While `complete` is False further records are to be expected.
    """

    linkedid: str
    started: datetime
    answered: datetime | None
    ended: datetime | None
    caller: str | None = field(repr=False)
    called: str | None = field(repr=False)
    legs: int
    complete: bool


def group(records: Iterable[CallRecord]) -> dict[str, tuple[CallRecord, ...]]:
    """Records by call, oldest first; each record once, in one order for ever.

    A record that names no call belongs to the oldest one that others put its channel in; if
    nobody does, the channel is a call of its own.
    """
    distinct = set(records)
    calls: dict[str, str] = {}
    for record in distinct:
        if record.linkedid is not None:
            rival = calls.get(record.uniqueid, record.linkedid)
            calls[record.uniqueid] = min(rival, record.linkedid, key=_age)
    grouped: dict[str, list[CallRecord]] = {}
    for record in sorted(distinct, key=_written_order):
        call = record.linkedid or calls.get(record.uniqueid, record.uniqueid)
        grouped.setdefault(call, []).append(record)
    return {call: tuple(grouped[call]) for call in sorted(grouped, key=_age)}


def assemble(records: Iterable[CallRecord], zone: tzinfo) -> Call:
    """One group's call; times without a zone are `zone`'s. Raises ValueError without a record."""
    every = sorted({_in_utc(record, zone) for record in records}, key=_time_order)
    if not every:
        raise ValueError("a call has at least one record")
    linkedid = min((r.linkedid for r in every if r.linkedid), key=_age, default=None)
    linkedid = linkedid or min((r.uniqueid for r in every), key=_age)
    leg = _callers_leg(every, linkedid)
    own = [r for r in every if r.uniqueid == leg and r.step is not Step.SUMMED_UP]
    sums = [r for r in every if r.step is Step.SUMMED_UP]
    own_sums = [r for r in sums if r.uniqueid == leg] or sums
    return Call(
        linkedid=linkedid,
        started=_started(own, own_sums, every),
        answered=_answered(own, own_sums),
        ended=_ended(own, own_sums, every),
        caller=_first(r.caller for r in (*_beginnings(own), *own, *own_sums)),
        called=_first(r.called for r in (*_beginnings(own), *own_sums)),
        legs=len({r.channel or r.uniqueid for r in every} | {r.peer for r in sums if r.peer}),
        complete=_complete(every, linkedid),
    )


def describe(call: Call) -> dict[str, str | int | None]:
    """What may be shown of a call to try things out: no numbers."""
    return {
        "linkedid": call.linkedid,
        "started": call.started.isoformat(),
        "answered": call.answered.isoformat() if call.answered else None,
        "ended": call.ended.isoformat() if call.ended else None,
        "legs": call.legs,
    }


def _callers_leg(every: Sequence[CallRecord], linkedid: str) -> str:
    """The channel that the call is named after.

    Or else the first: an exchange may be told to name a call as it likes.
    """
    if any(record.uniqueid == linkedid for record in every):
        return linkedid
    return min(_beginnings(every) or every, key=lambda r: (r.at, _age(r.uniqueid))).uniqueid


def _started(
    own: Sequence[CallRecord], own_sums: Sequence[CallRecord], every: Sequence[CallRecord]
) -> datetime:
    return min(record.at for record in _beginnings(own) or own_sums or every)


def _answered(own: Sequence[CallRecord], own_sums: Sequence[CallRecord]) -> datetime | None:
    bridged = [record.at for record in own if record.step is Step.BRIDGED]
    summed = [record.answered for record in own_sums if record.answered]
    return min(bridged or summed, default=None)


def _ended(
    own: Sequence[CallRecord], own_sums: Sequence[CallRecord], every: Sequence[CallRecord]
) -> datetime | None:
    """From the best witness; the end of the whole call comes last, as other channels outlive."""
    gone = [record.at for record in own if record.step is Step.GONE]
    hung_up = [record.at for record in own if record.step is Step.HUNG_UP]
    summed = [record.ended for record in own_sums if record.ended]
    closed = [record.at for record in every if record.step is Step.CLOSED]
    return max(gone or hung_up or summed or closed, default=None)


def _complete(every: Sequence[CallRecord], linkedid: str) -> bool:
    """Other legs may begin and end before a late record of the caller's own: it must be seen."""
    if any(record.step is Step.CLOSED or record.ended for record in every):
        return True
    seen = {record.uniqueid for record in every if record.step is not Step.SUMMED_UP}
    gone = {record.uniqueid for record in every if record.step in {Step.HUNG_UP, Step.GONE}}
    return linkedid in gone and seen <= gone


def _beginnings(records: Sequence[CallRecord]) -> list[CallRecord]:
    return [record for record in records if record.step is Step.BEGAN]


def _first(values: Iterable[str | None]) -> str | None:
    return next((value for value in values if value is not None), None)


def _in_utc(record: CallRecord, zone: tzinfo) -> CallRecord:
    def utc(at: datetime) -> datetime:
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)

    return replace(
        record,
        at=utc(record.at),
        answered=utc(record.answered) if record.answered else None,
        ended=utc(record.ended) if record.ended else None,
    )


def _age(identifier: str) -> tuple[int, int, str]:
    """Asterisk's ids are `<seconds since 1970>.<count>`: neither is in the order of its letters."""
    found = _ID.search(identifier)
    return (int(found[1]), int(found[2]), identifier) if found else (sys.maxsize, 0, identifier)


def _written_order(record: CallRecord) -> tuple[str, ...]:
    return tuple(str(getattr(record, known.name)) for known in fields(record))


def _time_order(record: CallRecord) -> tuple[Any, ...]:
    return (record.at, _written_order(record))
