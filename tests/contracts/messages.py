"""The recorded messages: one for each type, as it once went over the wire, never edited."""

import json
from pathlib import Path
from typing import Any

from shared.contracts import CATALOGUE
from shared.contracts.envelope import AnyEvent, Event

FOLDER = Path(__file__).parent / "golden"

RECORDED: dict[str, bytes] = {
    path.name.removesuffix(".json"): path.read_bytes() for path in sorted(FOLDER.glob("*.json"))
}
"""By type, the message's bytes."""


def content(name: str) -> dict[str, Any]:
    """A copy that a test may change."""
    read: dict[str, Any] = json.loads(RECORDED[name])
    return read


def event(name: str) -> AnyEvent:
    return Event[CATALOGUE[name]].model_validate_json(RECORDED[name])


def parse(name: str, said: dict[str, Any]) -> AnyEvent:
    return Event[CATALOGUE[name]].model_validate_json(json.dumps(said))
