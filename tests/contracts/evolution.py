"""Tells whether a contract may still be called by its old name.

The rule: an optional field may be added, anything else is a new version beside the old one.
`schemas.lock.json` keeps the shape of every contract as it was last recorded;
`python -m tests.contracts.evolution` records it anew, and refuses a change that breaks the rule.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared.contracts import CATALOGUE, EventData
from shared.contracts.envelope import Event

LOCK = Path(__file__).parent / "schemas.lock.json"
ENVELOPE = "envelope"
"""Name of the envelope's shape in the lock; every type of event has dots."""

Shape = dict[str, Any]

_PROSE = frozenset({"title", "description", "examples"})
_LINKS = frozenset({"$ref", "$defs"})


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


def shape_of(schema: Mapping[str, Any]) -> Shape:
    """The JSON schema without its prose, every reference replaced by what it refers to."""
    return _shape(schema, schema.get("$defs", {}))


def _shape(node: Mapping[str, Any], definitions: Mapping[str, Any]) -> Shape:
    shape: Shape = {}
    if "$ref" in node:
        shape |= _shape(definitions[node["$ref"].rpartition("/")[2]], definitions)
    for key, value in node.items():
        if key in _PROSE or key in _LINKS:
            continue
        if key == "properties":
            shape[key] = {name: _shape(field, definitions) for name, field in value.items()}
        elif key in {"anyOf", "allOf", "oneOf", "prefixItems"}:
            shape[key] = [_shape(choice, definitions) for choice in value]
        elif key in {"items", "additionalProperties"} and isinstance(value, Mapping):
            shape[key] = _shape(value, definitions)
        elif key in {"enum", "required"}:
            shape[key] = sorted(value)
        else:
            shape[key] = value
    return shape


def fields(shape: Shape, at: str = "") -> Iterator[tuple[str, Shape]]:
    """Every field of a shape, however deep, by its path with dots: `directory.units.code`."""
    for name, field in shape.get("properties", {}).items():
        path = f"{at}.{name}".removeprefix(".")
        yield path, field
        yield from fields(field, path)
    for choice in shape.get("anyOf", ()):
        yield from fields(choice, at)
    items = shape.get("items")
    if isinstance(items, dict):
        yield from fields(items, at)


def departures(old: Any, new: Any, at: str = "") -> list[str]:
    """Every way in which `new` is not just `old` with optional fields added."""
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [d for pair in zip(old, new, strict=True) for d in departures(*pair, at)]
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return [] if old == new else [f"{at or '.'}: {old!r} became {new!r}"]
    found = []
    for key in sorted((old.keys() | new.keys()) - {"properties", "required"}):
        if key not in new:
            found.append(f"{at or '.'}: rule {key} was taken away")
        elif key not in old:
            found.append(f"{at or '.'}: rule {key} was added")
        else:
            found += departures(old[key], new[key], at)
    had, has = old.get("properties", {}), new.get("properties", {})
    for name, field in had.items():
        path = f"{at}.{name}".removeprefix(".")
        found += departures(field, has[name], path) if name in has else [f"{path}: removed"]
    needed, needs = set(old.get("required", ())), set(new.get("required", ()))
    found += [f"{f'{at}.{name}'.removeprefix('.')}: now required" for name in needs - needed]
    found += [
        f"{f'{at}.{name}'.removeprefix('.')}: no longer required"
        for name in needed - needs
        if name in has
    ]
    return found


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
