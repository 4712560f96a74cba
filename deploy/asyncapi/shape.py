"""Compares JSON schemas by what they promise: prose aside, references resolved."""

from collections.abc import Iterator, Mapping
from typing import Any

Shape = dict[str, Any]

_PROSE = frozenset({"title", "description", "examples"})
_LINKS = frozenset({"$ref", "$defs"})


def shape_of(schema: Mapping[str, Any], definitions: Mapping[str, Any] | None = None) -> Shape:
    """The JSON schema without its prose, every reference replaced by what it refers to.

    `definitions` are by the last part of a reference; by themselves those of the schema.
    """
    return _shape(schema, schema.get("$defs", {}) if definitions is None else definitions)


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


def departures(old: object, new: object, at: str = "") -> list[str]:
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
