"""Reads what a party orders, and says what is wrong with it without ever quoting it."""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json, to_json

from shared.contracts.envelope import AnyEvent, Event
from shared.contracts.ingress import Fate, FieldProblem
from shared.contracts.order import (
    CaseAccept,
    CaseAmend,
    CaseAskUnsealing,
    CaseConclude,
    CaseConfirmUnsealing,
    CaseDecline,
    CaseExtend,
    CaseFollowUp,
    CaseJoin,
    CasePause,
    CaseRecommend,
    CaseRefer,
    CaseRefuseUnsealing,
    CaseReopen,
    CaseResume,
    CaseSplit,
    CaseTransfer,
    CaseWithdraw,
)

CaseOrder = (
    CaseAccept
    | CaseAmend
    | CaseConclude
    | CaseDecline
    | CaseExtend
    | CaseFollowUp
    | CasePause
    | CaseRecommend
    | CaseRefer
    | CaseReopen
    | CaseResume
    | CaseTransfer
    | CaseWithdraw
)
UnsealingOrder = CaseAskUnsealing | CaseConfirmUnsealing | CaseRefuseUnsealing
"""Orders that others than the lead may give: they move nothing in the case."""
LetterOrder = CaseSplit | CaseJoin
"""Orders about what one letter is: several cases, or none of its own."""
Order = CaseOrder | LetterOrder | UnsealingOrder
ORDERS: dict[str, type[Event[Any]]] = {
    contract.TYPE: Event[contract]  # type: ignore[valid-type]
    for contract in get_args(Order)
}
"""The commands that routing takes."""

BROKEN_CONTRACT = "A field breaks the contract"
LONGEST_ID = 128
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", re.ASCII)
"""What may be repeated as the name of a field; anything else could be a text in its place."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something was not taken, as problem details (RFC 9457)."""

    problem: str
    """Last part of the problem type."""
    title: str
    problems: tuple[FieldProblem, ...]

    @classmethod
    def of(cls, problem: str, title: str, *, field: str, advice: str) -> "Refusal":
        """A refusal for one reason, which is its own rule."""
        return cls(problem, title, (FieldProblem(field=field, rule=problem, advice=advice),))


@dataclass(frozen=True, slots=True)
class Unreadable:
    """No command; `item` is its id as far as one could be made out, else empty."""

    item: str
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Command:
    """An order about a case. `order` is the same for two sendings that ask for the same thing."""

    item: str
    case: str
    order: str
    event: Event[Order]

    @property
    def cases(self) -> tuple[str, ...]:
        """Every case that is read or written for it; that which it is about first."""
        data = self.event.data
        return (self.case, data.into) if isinstance(data, CaseJoin) else (self.case,)


@dataclass(frozen=True, slots=True)
class Sending:
    """One sending of a command, and what became of it."""

    key: str
    party: str
    item: str
    sequence: int
    fate: Fate
    events: tuple[AnyEvent, ...]
    """What was announced of it: the case's events, or the refusal; nothing of a duplicate."""
    order: str = ""
    """Digest of what was ordered; empty if that could not be read."""


def read_command(subject_type: str, body: bytes) -> Command | Unreadable:
    """Read one message; `subject_type` is the type in its NATS subject, which the server guards."""
    try:
        content = from_json(body, allow_inf_nan=False)
    except ValueError:
        return Unreadable("", _unreadable())
    reading = _by_contract(subject_type, content)
    return Unreadable(_item(content), reading) if isinstance(reading, Refusal) else reading


def _by_contract(subject_type: str, content: object) -> Command | Refusal:
    contract = ORDERS.get(subject_type)
    if contract is None:
        return unknown_type()
    if isinstance(content, dict) and content.get("type", subject_type) != subject_type:
        return _type_mismatch()
    try:
        event = contract.model_validate(content)
    except ValidationError as error:
        return _broken_contract(error.errors(include_url=False, include_input=False))
    except OverflowError:  # an instant that, told in UTC, lies outside the years 1 to 9999
        return _broken("/time", "datetime_out_of_range", "Give the moment when it happened.")
    if event.subject is None:
        return _broken("/subject", "missing", "Give the id of the case that this is about.")
    # By which version it was decided is no part of what is asked for.
    asked = event.data.model_dump(mode="json", exclude={"version"})
    order = to_json([event.type, event.subject, asked])
    return Command(item=event.id, case=event.subject, order=sha256(order).hexdigest(), event=event)


def unknown_case() -> Refusal:
    return Refusal.of(
        "unknown-case",
        "No such case is known",
        field="/subject",
        advice="Give the case's id as the subject of its case.assigned.v1 event says it; "
        "if it was assigned only just now, send the command again.",
    )


def id_reused() -> Refusal:
    return Refusal.of(
        "id-reused",
        "This id belongs to another command of yours",
        field="/id",
        advice="Give each command an id of its own; repeat an id only to send the same again.",
    )


def _item(content: object) -> str:
    item = content.get("id") if isinstance(content, dict) else None
    return item if isinstance(item, str) and len(item) <= LONGEST_ID else ""


def _unreadable() -> Refusal:
    problem = FieldProblem(
        field="", rule="json_invalid", advice="Send one CloudEvent as structured JSON, in UTF-8."
    )
    return Refusal("unreadable", "The message is not JSON", (problem,))


def unknown_type() -> Refusal:
    return Refusal.of(
        "unknown-type",
        "No such command is taken",
        field="/type",
        advice=f"Publish on command.<party>.<type> with one of: {', '.join(sorted(ORDERS))}.",
    )


def _type_mismatch() -> Refusal:
    return Refusal.of(
        "type-mismatch",
        "The event's type is not the type in the subject",
        field="/type",
        advice="Publish each event on the subject that ends with its type.",
    )


def _broken(pointer: str, rule: str, advice: str) -> Refusal:
    problem = FieldProblem(field=pointer, rule=rule, advice=advice)
    return Refusal("broken-contract", BROKEN_CONTRACT, (problem,))


def _broken_contract(details: list[ErrorDetails]) -> Refusal:
    problems = tuple(
        FieldProblem(field=_pointer(error["loc"]), rule=error["type"], advice=_advice(error))
        for error in details
    )
    return Refusal("broken-contract", BROKEN_CONTRACT, problems)


def _pointer(place: tuple[int | str, ...]) -> str:
    """JSON pointer (RFC 6901), as far as its parts are names of fields."""
    pointer = ""
    for part in place:
        if isinstance(part, str) and not NAME.fullmatch(part):
            break
        pointer += f"/{part}"
    return pointer


ADVICE = {
    "missing": "Add this field.",
    "extra_forbidden": "Leave out what the contract does not know, or correct the field's name.",
    "enum": "Give one of: {expected}.",
    "literal_error": "Give one of: {expected}.",
    "greater_than_equal": "Give at least {ge}.",
    "less_than_equal": "Give at most {le}.",
    "int_type": "Give a whole number.",
    "int_parsing": "Give a whole number.",
    "int_from_float": "Give a whole number.",
    "string_type": "Give a text.",
    "string_too_long": "Give at most {max_length} characters.",
    "string_too_short": "Give at least {min_length} character(s).",
    "timezone_aware": "Give the time with its zone, e.g. 2026-01-31T08:00:00+07:00.",
    "datetime_type": "Give a time as RFC 3339 writes it, e.g. 2026-01-31T08:00:00+07:00.",
    "datetime_parsing": "Give a time as RFC 3339 writes it, e.g. 2026-01-31T08:00:00+07:00.",
    "datetime_from_date_parsing": "Give the time of day too, e.g. 2026-01-31T08:00:00+07:00.",
}
"""What to do, by pydantic's type of error; braces name terms of the contract, never the input."""


def _advice(error: ErrorDetails) -> str:
    advice = ADVICE.get(error["type"], "Give this field as the contract describes it.")
    return advice.format_map(error.get("ctx", {}))
