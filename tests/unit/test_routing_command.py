"""Promises of reading commands: every slip is answered, and nothing of it is repeated."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain.command import Command, Unreadable, read_command
from shared.contracts.order import CaseAccept, CaseConclude
from tests.examples_routing import NOON, accept, conclude

SECRET = "Nguyễn Thị Bí Mật 0912345678"


def message(**changes) -> bytes:
    """A conclusion, changed; `None` takes a field away."""
    content = {**json.loads(conclude("case-1").encode()), **changes}
    return json.dumps({k: v for k, v in content.items() if v is not None}).encode()


def refusal(body: bytes, kind: str = CaseConclude.TYPE) -> tuple[str, list[tuple[str, str]]]:
    found = read_command(kind, body)
    assert isinstance(found, Unreadable)
    problems = [(problem.field, problem.rule) for problem in found.refusal.problems]
    return found.refusal.problem, problems


def test_a_command_is_read():
    found = read_command(CaseConclude.TYPE, conclude("case-1", item="c1").encode())

    assert isinstance(found, Command)
    assert (found.item, found.case, found.event.data.outcome) == ("c1", "case-1", "right")


class TestTheSameOrder:
    def order(self, command) -> str:
        found = read_command(command.type, command.encode())
        assert isinstance(found, Command)
        return found.order

    def test_is_told_by_what_is_ordered(self):
        later = NOON + timedelta(hours=1)

        assert self.order(conclude("case-1")) == self.order(conclude("case-1", time=later))

    def test_is_not_another_outcome(self):
        assert self.order(conclude("case-1")) != self.order(conclude("case-1", outcome="wrong"))

    def test_is_not_another_case(self):
        assert self.order(accept("case-1")) != self.order(accept("case-2"))


class TestRefusal:
    @pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"time": NaN}', b"[" * 100_000])
    def test_of_what_is_not_json(self, body):
        assert refusal(body) == ("unreadable", [("", "json_invalid")])

    @pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"1"])
    def test_of_what_is_no_event(self, body):
        assert refusal(body) == ("broken-contract", [("", "model_type")])

    def test_of_an_unknown_type(self):
        found = refusal(message(type="case.close.v1"), kind="case.close.v1")

        assert found == ("unknown-type", [("/type", "unknown-type")])

    def test_of_a_type_that_is_not_the_subject_s(self):
        found = refusal(message(), kind=CaseAccept.TYPE)

        assert found == ("type-mismatch", [("/type", "type-mismatch")])

    def test_of_a_missing_type(self):
        assert refusal(message(type=None)) == ("broken-contract", [("/type", "missing")])

    def test_of_a_missing_subject(self):
        assert refusal(message(subject=None)) == ("broken-contract", [("/subject", "missing")])

    def test_of_a_field_that_the_contract_does_not_know(self):
        found = refusal(message(data={"outcome": "right", "outcom": "right"}))

        assert found == ("broken-contract", [("/data/outcom", "extra_forbidden")])

    def test_of_a_text_in_place_of_a_field_s_name(self):
        found = refusal(message(data={"outcome": "right", SECRET: 1}))

        assert found == ("broken-contract", [("/data", "extra_forbidden")])

    def test_of_a_time_without_a_zone(self):
        found = refusal(message(time="2026-03-10T12:00:00"))

        assert found == ("broken-contract", [("/time", "timezone_aware")])

    @pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
    def test_of_a_time_that_no_calendar_holds(self, time):
        found = refusal(message(time=time))

        assert found == ("broken-contract", [("/time", "datetime_out_of_range")])

    def test_names_every_problem(self):
        _, problems = refusal(message(id="", data={"outcome": 1}))

        assert problems == [("/id", "string_too_short"), ("/data/outcome", "enum")]

    def test_advises_what_the_contract_expects(self):
        found = read_command(CaseConclude.TYPE, message(data={"outcome": "perhaps"}))

        assert found.refusal.problems[0].advice == (
            "Give one of: 'right', 'wrong', 'partly-right', 'withdrawn' or 'suspended'."
        )

    @pytest.mark.parametrize(
        ("field", "value", "advice"),
        [
            ("recovered", -1, "Give at least 0."),
            ("recovered", 10**15 + 1, "Give at most 1000000000000000."),
            ("sanctions", 1.5, "Give a whole number."),
            ("sanctions", "two", "Give a whole number."),
        ],
    )
    def test_a_number_that_cannot_be_is_refused_with_what_can(self, field, value, advice):
        found = read_command(CaseConclude.TYPE, message(data={"outcome": "right", field: value}))

        [problem] = found.refusal.problems
        assert (problem.field, problem.advice) == (f"/data/{field}", advice)

    def test_names_the_item_when_it_can_be_made_out(self):
        assert read_command(CaseConclude.TYPE, message(id="c7", data={})).item == "c7"

    @pytest.mark.parametrize("id_", [7, "x" * 129, ["a"]])
    def test_names_no_item_when_it_cannot(self, id_):
        assert read_command(CaseConclude.TYPE, message(id=id_)).item == ""


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(SECRET) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["outcome", "x", SECRET]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from(["specversion", "source", "type", "subject", "time", "data", SECRET]),
        ANYTHING,
    )
)
def test_no_refusal_repeats_what_was_sent(changes):
    found = read_command(CaseConclude.TYPE, message(**changes))

    if isinstance(found, Unreadable):
        assert "Mật" not in repr(found.refusal)
        assert "0912345678" not in repr(found.refusal)


@given(st.binary(max_size=200))
def test_whatever_bytes_arrive_are_answered(body):
    assert isinstance(read_command(CaseAccept.TYPE, body), Unreadable)
