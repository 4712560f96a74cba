"""Asks routing about cases, in the name of a party, and follows its answers to their end."""

from typing import Any

import nats.errors
from nats.aio.client import Client
from pydantic import BaseModel

from deploy.connection import NotRunning
from deploy.stream import messages
from shared.contracts import CaseAssigned
from shared.contracts.envelope import Event
from shared.contracts.protection import TextReadersAsked, Told
from shared.contracts.worklist import (
    CaseAsked,
    CaseTold,
    Looked,
    ReadersAsked,
    ReadersTold,
    Row,
    WorklistAsked,
    WorklistTold,
)
from shared.runtime.streams import EVENTS

ASK_SECONDS = 10


async def ask(
    client: Client, party: str, question: str, asked: BaseModel, service: str = "routing"
) -> bytes:
    """The service's answer to a party's question; raises `NotRunning` where nobody answers."""
    subject = f"ask.{party}.{service}.{question}"
    try:
        answer = await client.request(
            subject, asked.model_dump_json(exclude_none=True).encode(), timeout=ASK_SECONDS
        )
    except nats.errors.Error as error:
        raise NotRunning(f"{service.title()} does not answer ({type(error).__name__}).") from None
    return answer.data


async def lead_of(client: Client, case: str) -> str | None:
    """The body that leads the case by the log; None if no such case was ever assigned."""
    lead: tuple[int, str] | None = None
    async for message in messages(client, EVENTS, [CaseAssigned.TYPE]):
        event = Event[CaseAssigned].model_validate_json(message.data)
        if event.subject == case and (lead is None or event.data.version > lead[0]):
            lead = event.data.version, event.data.lead
    return lead[1] if lead else None


async def whole_case(client: Client, party: str, case: str, person: str | None = None) -> CaseTold:
    """The case with its whole history, however many answers that takes."""
    events: tuple[dict[str, Any], ...] = ()
    while True:
        after = int(events[-1]["data"]["version"]) if events else 0
        answer = await ask(client, party, "case", CaseAsked(case=case, after=after, person=person))
        told = CaseTold.model_validate_json(answer)
        events += told.events
        if not told.more:
            return told.model_copy(update={"events": events})


async def readers(client: Client, party: str, case: str) -> list[Looked]:
    """Every look at the case and every reading of its text; none where it is not told."""
    asked_text = TextReadersAsked(case=case)
    said = Told.model_validate_json(await ask(client, party, "readers", asked_text, "intake"))
    texts = said.content["readings"] if said.content else []
    looks = [Looked(told=1, rule="text", **reading) for reading in texts]
    asked = ReadersAsked(case=case)
    while True:
        told = ReadersTold.model_validate_json(await ask(client, party, "readers", asked))
        looks += told.looks
        if told.next is None:
            return sorted(looks, key=lambda look: look.at)
        asked = asked.model_copy(update={"after": told.next})


async def worklist(client: Client, party: str, asked: WorklistAsked) -> list[Row]:
    """Every row, however many pages that takes."""
    rows: list[Row] = []
    while True:
        answer = await ask(client, party, "worklist", asked)
        told = WorklistTold.model_validate_json(answer)
        rows += told.rows
        if not told.next:
            return rows
        asked = asked.model_copy(update={"after": told.next})
