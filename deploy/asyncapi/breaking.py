"""What a reader or a sender of today would stumble over in the document of tomorrow."""

from collections.abc import Mapping
from typing import Any

from deploy.asyncapi.shape import departures, shape_of

Document = Mapping[str, Any]


def broken(old: Document, new: Document) -> list[str]:
    """Every promise of the old document that the new one does not keep.

    Channels, messages and optional fields may be added. What may happen to a field is the rule of
    `departures`, which contracts are held to as well: nothing, so that a wider choice of values
    is a break too, for whoever reads them.
    """
    found = []
    for key, channel in old["channels"].items():
        if key not in new["channels"]:
            found.append(f"{key}: the channel is gone")
            continue
        found += [f"{key}: {said}" for said in _channel(old, channel, new, new["channels"][key])]
    for key, operation in old["operations"].items():
        there = new["operations"].get(key)
        if there is None:
            found.append(f"{key}: the operation is gone")
        elif any(operation.get(part) != there.get(part) for part in ("action", "channel", "reply")):
            found.append(f"{key}: it says something else now")
    return found


def _channel(old: Document, was: Document, new: Document, now: Document) -> list[str]:
    found = []
    if was["address"] != now["address"]:
        found.append(f"the address became {now['address']}")
    for name, reference in was["messages"].items():
        if name not in now["messages"]:
            found.append(f"{name}: the message is gone")
            continue
        before, after = _message(old, reference), _message(new, now["messages"][name])
        found += [f"{name}: {said}" for said in departures(before, after)]
    return found


def _message(document: Document, reference: Document) -> dict[str, Any]:
    """What is promised of a message: its kind of content, its headers, its payload."""
    components = document["components"]
    message = components["messages"][reference["$ref"].rpartition("/")[2]]
    parts = {
        part: shape_of(message.get(part, {}), components["schemas"])
        for part in ("headers", "payload")
    }
    return {"contentType": message["contentType"], "properties": parts}
