"""Tells whether a contract may still be called by its old name.

The rule: an optional field may be added, anything else is a new version beside the old one.
`schemas.lock.json` keeps the shape of every contract as it was last recorded;
`python -m tests.contracts.evolution` records it anew, and refuses a change that breaks the rule.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.asyncapi.shape import Shape, departures, shape_of
from shared.contracts import CATALOGUE, EventData
from shared.contracts.envelope import Event

LOCK = Path(__file__).parent / "schemas.lock.json"
ENVELOPE = "envelope"
"""Name of the envelope's shape in the lock; every type of event has dots."""


def shapes() -> dict[str, Shape]:
    """The shape of the envelope and of every contract, as the code has them now."""
    envelope = shape_of(Event[EventData].model_json_schema())
    envelope["properties"]["data"] = {}
    return {
        ENVELOPE: envelope,
        **{name: shape_of(contract.model_json_schema()) for name, contract in CATALOGUE.items()},
    }


def locked_shapes() -> dict[str, Shape]:
    return json.loads(LOCK.read_text(encoding="utf-8"))


def broken_promises(locked: Mapping[str, Shape], current: Mapping[str, Shape]) -> list[str]:
    """The departures of every locked contract; a contract that is gone is one."""
    found = []
    for name, shape in locked.items():
        if name not in current:
            found.append(f"{name}: the contract is gone")
        else:
            found += [f"{name}: {d}" for d in departures(shape, current[name])]
    return found


def main() -> int:
    current = shapes()
    if LOCK.exists() and (broken := broken_promises(locked_shapes(), current)):
        print("\n".join(broken), file=sys.stderr)
        print("Publish a new version beside the old one; nothing was recorded.", file=sys.stderr)
        return 1
    text = json.dumps(current, ensure_ascii=False, indent=1, sort_keys=True)
    LOCK.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
