"""From what lies in an arrival to an event that keeps its contract, or to a refusal."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import orjson
from cryptography.exceptions import InvalidTag

from services.intake.handlers.ports import ArrivalFate, Rules
from services.intake.vault import close, draw_key
from shared.contracts import FEED, IngressData
from shared.contracts.directory import Agency
from shared.contracts.envelope import AnyEvent, Event
from shared.contracts.ingress import Fate, FieldProblem
from shared.contracts.submission import submission_id
from shared.runtime.arrival import Arrival
from shared.runtime.refusal import Unacceptable, read_arrival, refuse

SOURCE = "/services/intake"

FeedOpener = Callable[[str, str], bytes]
"""Opens what was sealed to intake, given also what it was sealed for.

Raises `InvalidTag` or `ValueError` where it does not open.
"""


@dataclass(frozen=True, slots=True)
class Refusal:
    fate: ArrivalFate
    event: AnyEvent


@dataclass(frozen=True, slots=True)
class Opened:
    """An arrival whose event keeps its contract, and the agency that sent it."""

    arrival: Arrival
    event: Event[IngressData]
    agency: Agency

    @property
    def submission(self) -> str:
        return submission_id(self.agency.code, self.event.id)


def open_arrival(arrival: Arrival, rules: Rules, opener: FeedOpener) -> Opened | Refusal:
    """The event that lies in an arrival, checked against its contract and its sender.

    `opener` opens data that was sealed to intake before it was sent.
    """
    try:
        clear = unsealed(arrival, opener)
        event = read_arrival(clear, FEED)
        agency = _agency(arrival, event, rules)
    except Unacceptable as why:
        return refusal_of(arrival, why)
    return Opened(arrival, event, agency)


def unsealed(arrival: Arrival, opener: FeedOpener) -> Arrival:
    """The arrival with its `data` in clear, if it was sealed to intake; else the arrival itself.

    Raises `Unacceptable` where intake's key, agency, type and id do not open it.
    """
    if b'"sealed"' not in arrival.body:
        return arrival
    try:
        event = orjson.loads(arrival.body)
        sealed = event["data"]["sealed"]
        item = event["id"]
        if len(event["data"]) != 1 or not isinstance(sealed, str) or not isinstance(item, str):
            return arrival
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return arrival  # the contract says what is wrong with it
    try:
        content = opener(sealed, f"langnghe feed/{arrival.party}/{arrival.type}/{item}")
        event["data"] = orjson.loads(content)
    except (InvalidTag, ValueError):
        advice = "Seal to intake's key as `ask.<agency>.intake.key` tells it, for this very event."
        problem = FieldProblem(field="/data/sealed", rule="sealed", advice=advice)
        title = "What is sealed does not open."
        raise Unacceptable("sealed", title, (problem,), item[:128]) from None
    return replace(arrival, body=orjson.dumps(event))


def erased(item: str) -> Unacceptable:
    """Nothing is added to what was erased; the words themselves are kept, as a refusal's are."""
    advice = "What was said on this call was erased. Send it as a call of its own, with another id."
    problem = FieldProblem(field="/data/call", rule="erased", advice=advice)
    return Unacceptable(
        "erased", "The submission that this goes on with was erased.", (problem,), item
    )


def refusal_of(arrival: Arrival, why: Unacceptable) -> Refusal:
    event = refuse(arrival, why, source=SOURCE)
    key = draw_key(arrival.key)
    return Refusal(
        ArrivalFate(
            arrival=arrival,
            item=why.item,
            fate=Fate.REFUSED,
            refusal=event.data,
            sealed=close(key, "refused", arrival.body),
            data_keys=(key,),
        ),
        event,
    )


def _agency(arrival: Arrival, event: Event[IngressData], rules: Rules) -> Agency:
    """The agency that the server let publish there; what the event claims may only agree."""
    claimed = event.source.removeprefix("/agencies/")
    if event.source.startswith("/agencies/") and claimed != arrival.party:
        raise Unacceptable(
            "foreign-source",
            "The event names another agency than the one that sent it.",
            (FieldProblem(field="/source", rule="foreign-source", advice="Name your own agency."),),
            event.id,
        )
    agency = rules.agencies.get(arrival.party)
    if agency is None:
        raise Unacceptable(
            "unknown-agency",
            "The directory does not know this agency.",
            (FieldProblem(field="/source", rule="unknown-agency", advice="Ask the operator."),),
            event.id,
        )
    return agency
