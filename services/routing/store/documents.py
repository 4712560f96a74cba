"""How routing's states, sendings and events lie in documents."""

from typing import Any

from pydantic import TypeAdapter

from services.routing.domain.command import Sending
from services.routing.domain.due import next_look, oldest_count
from services.routing.domain.lifecycle import CaseState, OpenedCase
from services.routing.domain.worklist import turn
from shared.contracts import CATALOGUE
from shared.contracts.envelope import AnyEvent, Event
from shared.contracts.ingress import Fate
from shared.runtime.mongo import Document

CONTRACTS = {type_: Event[contract] for type_, contract in CATALOGUE.items()}  # type: ignore[valid-type]
STATE = TypeAdapter(CaseState)


def state_fields(state: CaseState) -> Document:
    """What every write of a state sets: the state, and what finds its clocks again.

    `clocks.look` is the local day, as ISO text, on which one of them has something to say;
    `clocks.rulebook` and `clocks.calendar` are the oldest versions that a running one was counted
    with, or its bodies were weighed by; `clocks.directory` that of the latter. What has nothing to
    come has none of them, and is in none of their indexes. `bodies` are those that hold it, and
    `turn` is its place in their worklists.
    """
    look, counted = next_look(state), oldest_count(state)
    clocks: dict[str, Any] = {}
    if look is not None:
        clocks["look"] = look.isoformat()
    if counted is not None:
        clocks |= {"rulebook": counted.rulebook, "calendar": counted.calendar}
    if state.open:
        older = min(state.weighed.rulebook, clocks.get("rulebook", state.weighed.rulebook))
        clocks |= {"directory": state.weighed.directory, "rulebook": older}
    return {
        "bodies": list(state.bodies),
        "open": state.open,
        "turn": turn(state),
        "version": state.version,
        "state": STATE.dump_python(state, mode="json"),
        "clocks": clocks,
    }


def case_document(case: OpenedCase) -> Document:
    return {
        "_id": case.state.case,
        **state_fields(case.state),
        "opening": [event.model_dump(mode="json") for event in case.events],
        "acted": [],
        "fired": [],
    }


def part_document(case: OpenedCase) -> Document:
    return {
        "state": STATE.dump_python(case.state, mode="json"),
        "opening": [event.model_dump(mode="json") for event in case.events],
    }


def part_of(document: Document) -> OpenedCase:
    state = STATE.validate_python(document["state"])
    return OpenedCase(state, tuple(map(event_of, document["opening"])))


def sending_document(sending: Sending) -> Document:
    return {
        "_id": sending.key,
        "party": sending.party,
        "item": sending.item,
        "sequence": sending.sequence,
        "fate": sending.fate.value,
        "order": sending.order,
        "events": [event.model_dump(mode="json") for event in sending.events],
    }


def sending_of(document: Document) -> Sending:
    return Sending(
        key=document["_id"],
        party=document["party"],
        item=document["item"],
        sequence=document["sequence"],
        fate=Fate(document["fate"]),
        order=document["order"],
        events=tuple(map(event_of, document["events"])),
    )


def event_of(document: Document) -> AnyEvent:
    return CONTRACTS[document["type"]].model_validate(document)
