"""Turns what is wrong with an outside party's message into an answer, and never quotes it."""

import re
from collections.abc import Mapping

import orjson
from pydantic import ValidationError

from shared.contracts import IngressData, Refused
from shared.contracts.envelope import AnyEvent, Event, derived_id
from shared.contracts.ingress import FieldProblem
from shared.runtime.arrival import Arrival

ADVICE: Mapping[str, str] = {
    "missing": "Add this field.",
    "base64": "Send all of the bytes in base64 with + / and =.",
    "extra_forbidden": "Take this field out, or correct its name: the contract does not know it.",
    "json_invalid": "Send one JSON object in UTF-8.",
    "timezone_aware": "Write the time with its zone, e.g. 2026-01-31T08:00:00+07:00.",
    "datetime_from_date_parsing": "Write the time as RFC 3339, e.g. 2026-01-31T08:00:00+07:00.",
    "datetime_parsing": "Write the time as RFC 3339, e.g. 2026-01-31T08:00:00+07:00.",
    "date_from_datetime_parsing": "Write the date as YYYY-MM-DD.",
    "string_too_long": "Shorten it, or send it as an attachment.",
    "string_pattern_mismatch": "Use a code: small letters, digits and hyphens.",
    "enum": "Use one of the values that the contract lists.",
    "int_parsing": "Write a whole number.",
}


FIELD_NAME = re.compile(r"^(?:[A-Za-z_][A-Za-z0-9_-]{0,39}|\d{1,4})$", re.ASCII)
"""What may be repeated as a field's name or an index; anything else could be a text."""


class Unacceptable(Exception):
    """A message that cannot be taken. `kind` is the problem type's last path segment."""

    def __init__(
        self, kind: str, title: str, problems: tuple[FieldProblem, ...] = (), item: str = ""
    ) -> None:
        super().__init__(kind)
        self.kind, self.title, self.problems, self.item = kind, title, problems, item


def read_arrival(
    arrival: Arrival, contracts: Mapping[str, type[IngressData]]
) -> Event[IngressData]:
    """The event that lies in the message, or `Unacceptable` with every field that is wrong."""
    contract = contracts.get(arrival.type)
    if contract is None:
        known = ", ".join(sorted(contracts))
        raise Unacceptable("unknown-type", f"This entrance takes: {known}.")
    try:
        event: Event[IngressData] = Event[contract].model_validate_json(arrival.body)  # type: ignore[valid-type]
    except ValidationError as error:
        problems = problems_of(error)
        raise Unacceptable(
            "invalid", "The event breaks its contract.", problems, _item_of(arrival.body)
        ) from None
    except OverflowError:  # an instant that, told in UTC, lies outside the years 1 to 9999
        problem = FieldProblem(
            field="/time", rule="datetime_out_of_range", advice="Give the moment it happened."
        )
        raise Unacceptable(
            "invalid", "The event breaks its contract.", (problem,), _item_of(arrival.body)
        ) from None
    if event.type != arrival.type:
        raise Unacceptable(
            "type-mismatch",
            "The event's type is not the one in its subject.",
            (FieldProblem(field="/type", rule="type-mismatch", advice="Make both the same."),),
            event.id,
        )
    return event


def refuse(arrival: Arrival, why: Unacceptable, *, source: str) -> AnyEvent:
    """The answer on `<entrance>.<party>.refused`; a pure function of the arrival."""
    data = Refused(
        party=arrival.party,
        entrance=arrival.entrance,
        item=why.item,
        sequence=arrival.sequence,
        type=f"/problems/{why.kind}",
        title=why.title,
        problems=why.problems,
    )
    return Event[Refused](
        id=derived_id(arrival.key, Refused.TYPE),
        source=source,
        type=Refused.TYPE,
        subject=arrival.party,
        time=arrival.recorded,
        recordedtime=arrival.recorded,
        causationid=why.item or None,
        data=data,
    )


def problems_of(error: ValidationError) -> tuple[FieldProblem, ...]:
    """JSON pointers and rules. Names of fields are repeated only if they look like such."""
    found = []
    for entry in error.errors(include_input=False, include_url=False, include_context=False)[:50]:
        rule = entry["type"]
        location = [part if FIELD_NAME.match(str(part)) else "?" for part in entry["loc"]]
        found.append(
            FieldProblem(
                field="".join(f"/{part}" for part in location) or "/",
                rule=rule,
                advice=ADVICE.get(rule, "See the contract of this event type."),
            )
        )
    return tuple(found)


def _item_of(body: bytes) -> str:
    """The id, where a broken event has a usable one: the sender looks for it in the answer."""
    try:
        read = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    found = read.get("id") if isinstance(read, dict) else None
    return found[:128] if isinstance(found, str) else ""
