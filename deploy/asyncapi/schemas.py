"""The JSON schemas of all contracts, in the dialect that AsyncAPI 3 reads: draft 07."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shared.contracts.envelope import Event, EventData

Schema = dict[str, Any]

ENVELOPE = "CloudEvent"
PLACE = "#/components/schemas/"


class Schemas:
    """Schemas by name; two contracts of one name are told apart by their modules."""

    def __init__(self, contracts: Iterable[type[BaseModel]]) -> None:
        once = list(dict.fromkeys(contracts))
        found, defined = models_json_schema(
            [(contract, "validation") for contract in once], ref_template=f"{PLACE}{{model}}"
        )
        self._references = {contract: found[contract, "validation"] for contract in once}
        definitions = {name: _draft_07(node) for name, node in defined["$defs"].items()}
        self.all: dict[str, Schema] = dict(sorted({**definitions, ENVELOPE: _envelope()}.items()))

    def of(self, contract: type[BaseModel]) -> Schema:
        """A reference to the contract's schema."""
        return dict(self._references[contract])

    def event(self, contract: type[EventData]) -> Schema:
        """A whole CloudEvent of this type."""
        own = {"type": {"const": contract.TYPE}, "data": self.of(contract)}
        return {"allOf": [{"$ref": PLACE + ENVELOPE}, {"type": "object", "properties": own}]}


def _envelope() -> Schema:
    schema = Event[EventData].model_json_schema()
    del schema["$defs"]
    schema["title"] = ENVELOPE
    schema["properties"]["data"] = {
        "type": "object",
        "description": "What the event says; its shape follows from `type`.",
    }
    said: Schema = _draft_07(schema)
    return said


def _draft_07(node: Any) -> Any:  # noqa: ANN401 - any part of a schema
    """The same, said as draft 07 says it: nothing beside a reference, no `prefixItems`."""
    if isinstance(node, list):
        return [_draft_07(part) for part in node]
    if not isinstance(node, dict):
        return node
    said = {key: _draft_07(value) for key, value in node.items()}
    if "prefixItems" in said:
        said["items"] = said.pop("prefixItems")
    if "$ref" in said and len(said) > 1:
        said["allOf"] = [{"$ref": said.pop("$ref")}]
    return said
