"""Published contracts change by new optional fields only; the guard itself is tried by mutation."""

import copy

import pytest

from deploy.asyncapi.shape import departures, fields, shape_of
from tests.contracts.evolution import ENVELOPE, broken_promises, locked_shapes, shapes

LOCKED = locked_shapes()
CURRENT = shapes()

OPTIONAL = {"default": None, "anyOf": [{"type": "string"}, {"type": "null"}]}


def every_contract():
    return pytest.mark.parametrize("name", sorted(LOCKED))


@every_contract()
def test_a_published_contract_gained_optional_fields_at_most(name):
    assert broken_promises({name: LOCKED[name]}, CURRENT) == []


def test_every_contract_is_recorded():
    """If not: `python -m tests.contracts.evolution` records the new one."""
    assert CURRENT.keys() - LOCKED.keys() == set()


class TestTheGuard:
    """Each mutation is applied to every object of a contract, however deep."""

    @every_contract()
    def test_nothing_is_said_about_no_change(self, name):
        assert departures(LOCKED[name], copy.deepcopy(LOCKED[name])) == []

    @every_contract()
    def test_a_new_optional_field_is_allowed(self, name):
        for mutant, part in mutants(name):
            part.setdefault("properties", {})["added_later"] = OPTIONAL

            assert departures(LOCKED[name], mutant) == []

    @every_contract()
    def test_a_new_required_field_is_noticed(self, name):
        for mutant, part in mutants(name):
            part.setdefault("properties", {})["added_later"] = {"type": "string"}
            part["required"] = [*part.get("required", ()), "added_later"]

            [found] = departures(LOCKED[name], mutant)
            assert found.endswith("added_later: now required")

    @every_contract()
    def test_a_removed_field_is_noticed(self, name):
        for mutant, part, field in mutants_by_field(name):
            del part["properties"][field]
            part["required"] = [f for f in part.get("required", ()) if f != field]

            [found] = departures(LOCKED[name], mutant)
            assert found.endswith(f"{field}: removed")

    @every_contract()
    def test_a_renamed_field_is_noticed(self, name):
        for mutant, part, field in mutants_by_field(name):
            part["properties"]["renamed"] = part["properties"].pop(field)

            assert departures(LOCKED[name], mutant)

    @every_contract()
    def test_an_optional_field_that_became_required_is_noticed(self, name):
        for mutant, part, field in mutants_by_field(name):
            if field in part.get("required", ()):
                continue
            part["required"] = [*part.get("required", ()), field]

            [found] = departures(LOCKED[name], mutant)
            assert found.endswith(f"{field}: now required")

    @every_contract()
    def test_a_required_field_that_became_optional_is_noticed(self, name):
        """A reader of today relies on it."""
        for mutant, part, field in mutants_by_field(name):
            if field not in part.get("required", ()):
                continue
            part["required"] = [f for f in part["required"] if f != field]

            [found] = departures(LOCKED[name], mutant)
            assert found.endswith(f"{field}: no longer required")

    @every_contract()
    def test_a_changed_type_is_noticed(self, name):
        for mutant, part, field in mutants_by_field(name):
            part["properties"][field] = {"type": "boolean-of-another-kind"}

            assert departures(LOCKED[name], mutant)

    @every_contract()
    def test_any_changed_rule_of_a_field_is_noticed(self, name):
        """Its type, pattern, bound, choice of values or default: each made different alone."""
        for path, _ in fields(LOCKED[name]):
            for mutant, found in at_path(name, path):
                for rule in found.keys() - {"properties", "required"}:
                    was = found.pop(rule)
                    assert departures(LOCKED[name], mutant), (path, rule)
                    found[rule] = was

    def test_a_value_added_to_a_choice_is_noticed(self):
        changed = copy.deepcopy(LOCKED["case.concluded.v1"])
        changed["properties"]["outcome"]["enum"].append("undecided")

        assert departures(LOCKED["case.concluded.v1"], changed)

    def test_a_contract_that_is_gone_is_noticed(self):
        left = {name: shape for name, shape in LOCKED.items() if name != "case.opened.v1"}

        assert broken_promises(LOCKED, left) == ["case.opened.v1: the contract is gone"]

    def test_a_changed_envelope_is_noticed(self):
        changed = copy.deepcopy(LOCKED)
        del changed[ENVELOPE]["properties"]["correlationid"]

        assert broken_promises(LOCKED, changed) == ["envelope: correlationid: removed"]

    def test_prose_may_change(self):
        schema = {
            "type": "object",
            "title": "Old",
            "properties": {"title": {"type": "string", "description": "old"}},
        }
        told_anew = {
            "type": "object",
            "title": "New",
            "properties": {"title": {"type": "string", "description": "new"}},
        }

        assert departures(shape_of(schema), shape_of(told_anew)) == []

    def test_a_field_called_title_is_a_field(self):
        schema = {"type": "object", "properties": {"title": {"type": "string"}}}

        assert departures(shape_of(schema), shape_of({"type": "object", "properties": {}})) == [
            "title: removed"
        ]


def mutants(name):
    """Pairs of a fresh copy of the contract and one of its objects, every object in turn."""
    for place in range(len(list(_parts(LOCKED[name])))):
        mutant = copy.deepcopy(LOCKED[name])
        yield mutant, list(_parts(mutant))[place]


def mutants_by_field(name):
    for place, part in enumerate(_parts(LOCKED[name])):
        for field in part.get("properties", {}):
            mutant = copy.deepcopy(LOCKED[name])
            yield mutant, list(_parts(mutant))[place], field


def at_path(name, path):
    """Fresh copies of the contract with the schemas that stand under a path in each."""
    count = sum(1 for found, _ in fields(LOCKED[name]) if found == path)
    for place in range(count):
        mutant = copy.deepcopy(LOCKED[name])
        yield mutant, [part for found, part in fields(mutant) if found == path][place]


def _parts(shape):
    """Every object of a shape, itself first."""
    if "properties" in shape or shape.get("type") == "object":
        yield shape
    for field in shape.get("properties", {}).values():
        yield from _parts(field)
    for choice in shape.get("anyOf", ()):
        yield from _parts(choice)
    if isinstance(shape.get("items"), dict):
        yield from _parts(shape["items"])
