"""Channel Event Logging: one record for each thing that happened to a channel.

Fields as Asterisk names them in its databases (docs.asterisk.org, "CEL Fields"). `cel.conf` has
to log CHAN_START, CHAN_END, BRIDGE_ENTER and LINKEDID_END; without BRIDGE_ENTER nobody spoke.
"""

from collections.abc import Iterable, Iterator, Mapping

from services.intake.domain.call.record import (
    BrokenRecord,
    CallRecord,
    Step,
    Unreadable,
    dialled,
    identifier,
    identifier_if_any,
    instant,
    number,
)

_STEPS = {
    "CHAN_START": Step.BEGAN,
    "BRIDGE_ENTER": Step.BRIDGED,
    "BRIDGE_START": Step.BRIDGED,  # until Asterisk 11
    "HANGUP": Step.HUNG_UP,
    "CHAN_END": Step.GONE,
    "LINKEDID_END": Step.CLOSED,
}
_WAITING = "holding_bridge"
"""A bridge in which callers hear music and not each other."""


def cel_records(objects: Iterable[object]) -> Iterator[CallRecord | BrokenRecord]:
    """A record for each event; a broken one is named by its place, from 1."""
    for place, written in enumerate(objects, start=1):
        try:
            yield cel_record(written)
        except Unreadable as broken:
            yield BrokenRecord(place, broken.rule)


def cel_record(written: object) -> CallRecord:
    """Read one event, a mapping of names to values. Raises `Unreadable`."""
    if not isinstance(written, Mapping):
        raise Unreadable("shape")

    def text(name: str) -> str:
        value = written.get(name)
        return "" if value is None else str(value)

    step = _STEPS.get(text("eventtype").strip(), Step.OTHER)
    if step is Step.BRIDGED and _WAITING in text("extra"):
        step = Step.OTHER
    return CallRecord(
        step=step,
        at=instant(text("eventtime")),
        uniqueid=identifier(text("uniqueid")),
        linkedid=identifier_if_any(text("linkedid")),
        channel=text("channame").strip(),
        caller=number(text("cid_num")),
        called=dialled(text("exten")),
    )
