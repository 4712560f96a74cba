"""Seals what an item says to intake's public key, so that the bus keeps only ciphertext."""

from collections.abc import Callable
from dataclasses import replace

import orjson

from deploy.items.item import Item
from shared.runtime.sealing import Seal

SEALED = "sealed"

SealFor = Callable[[str, str], Seal]
"""The seal to intake for an agency and a use."""


def use_of(agency: str, kind: str, item: str) -> str:
    """What a sealed item is bound to: moved to another agency, type or id, it does not open."""
    return f"langnghe feed/{agency}/{kind}/{item}"


def sealed(item: Item, seal_for: SealFor) -> Item:
    """The item with its `data` as `{"sealed": "<base64>"}`; the envelope stays readable.

    What is no event with a type, an id and an object as data is left as it is: intake refuses
    it. So is what its agency has sealed before.
    """
    try:
        event = orjson.loads(item.body)
    except orjson.JSONDecodeError:
        return item
    if not isinstance(event, dict):
        return item
    kind, name, data = event.get("type"), event.get("id"), event.get("data")
    if not (isinstance(kind, str) and isinstance(name, str) and isinstance(data, dict)):
        return item
    if data.keys() == {SEALED}:
        return item
    seal = seal_for(item.agency, use_of(item.agency, kind, name))
    return replace(
        item, body=orjson.dumps(event | {"data": {SEALED: seal.close(orjson.dumps(data))}})
    )
