"""Asterisk Manager Interface: the live stream of an exchange, as a connection has recorded it.

Blocks of `Key: value` lines, a blank line after each. Of its events only CEL and Cdr carry a
time of their own: for the others `manager.conf` needs `timestampevents = yes`.
"""

from collections.abc import Iterator, Mapping

from services.intake.domain.call.cdr import cdr_record
from services.intake.domain.call.cel import cel_record
from services.intake.domain.call.record import BrokenRecord, CallRecord, Unreadable

_GREETING = "Asterisk Call Manager/"
_CHANNEL_EVENTS = {
    "newchannel": "CHAN_START",
    "bridgeenter": "BRIDGE_ENTER",
    "hangup": "CHAN_END",
    "dialbegin": "",
}
_CHANNEL_KEYS = {
    "channame": "channel",
    "uniqueid": "uniqueid",
    "linkedid": "linkedid",
    "cid_num": "calleridnum",
    "exten": "exten",
}
_CEL_KEYS = _CHANNEL_KEYS | {"eventtype": "eventname", "eventtime": "eventtime", "extra": "extra"}
_CDR_KEYS = {
    "uniqueid": "uniqueid",
    "linkedid": "linkedid",
    "src": "source",
    "dst": "destination",
    "channel": "channel",
    "dstchannel": "destinationchannel",
    "start": "starttime",
    "answer": "answertime",
    "end": "endtime",
    "disposition": "disposition",
}


def ami_records(text: str) -> Iterator[CallRecord | BrokenRecord]:
    """The records of a stream; a broken one is named by the number of its first line, from 1.

    Answers to commands, and events that say nothing about a call, yield nothing.
    """
    for place, block in _blocks(text):
        try:
            yield from _records(block)
        except Unreadable as broken:
            yield BrokenRecord(place, broken.rule)


def _blocks(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Each event with its first line's number. What does not begin as an event is none."""
    block: dict[str, str] = {}
    begun = 0
    for place, line in enumerate([*text.split("\n"), ""], start=1):
        if not line.strip():
            if "event" in block:
                yield begun, block
            block, begun = {}, 0
            continue
        if line.startswith(_GREETING):
            continue
        key, _, value = line.partition(":")
        key = key.strip().lower()
        if begun and "event" not in block:
            continue  # an answer to a command, which may quote anything
        begun = begun or place
        block.setdefault(key, value.strip())


def _records(block: Mapping[str, str]) -> Iterator[CallRecord]:
    event = block["event"].lower()
    if event == "cel":
        yield cel_record(_translated(block, _CEL_KEYS))
    elif event == "cdr":
        yield cdr_record(_translated(block, _CDR_KEYS))
    elif event in _CHANNEL_EVENTS:
        told = {
            "eventtype": _CHANNEL_EVENTS[event],
            "eventtime": block.get("timestamp", ""),
            "extra": block.get("bridgetechnology", ""),
        }
        sides = [side for side in ("", "dest") if f"{side}uniqueid" in block] or [""]
        for side in sides:
            yield cel_record(told | _translated(block, _CHANNEL_KEYS, side))


def _translated(
    block: Mapping[str, str], keys: Mapping[str, str], side: str = ""
) -> dict[str, str]:
    return {
        ours: block[f"{side}{theirs}"]
        for ours, theirs in keys.items()
        if f"{side}{theirs}" in block
    }
