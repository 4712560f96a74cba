"""`POST /v1/events`: CloudEvents from agencies' systems; `GET /v1/submissions/{id}`: their fates.

One event is answered 202 when it is kept. A batch is answered 202 when all of it is, else 207;
both list one entry an event, in order, each with its own `code`.
"""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.intake.sources.http.door import Door, Item, Receipt
from shared.contracts.ingress import ItemFate
from shared.runtime.http.body import MEGABYTE, Bodies
from shared.runtime.http.cloudevents import (
    CloudEvent,
    Mode,
    Unreadable,
    mode_of,
    read_batch,
    read_binary,
    read_structured,
)
from shared.runtime.http.credentials import Credentials, bearer
from shared.runtime.http.problem import Problem, not_found, too_large
from shared.runtime.http.resource import Handler

ENTRANCE = "http"
MOST_BYTES = 40 * MEGABYTE
MOST_EVENTS = 500

_TYPE = re.compile(r"[a-z0-9][a-z0-9.-]{0,127}")
"""What may be written down as a type; any other text could be a person's."""
_SUBMISSION = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Fates(Protocol):
    async def fate(self, agency: str, submission: str) -> ItemFate | None:
        """What became of this agency's item; None for another's and for none alike.

        Raises `StoreAway`.
        """


def event_taker(door: Door, credentials: Credentials, bodies: Bodies) -> Handler:
    async def take_events(request: Request) -> Response:
        agency = bearer(request, credentials)
        headers = request.headers.raw
        mode = mode_of(headers)
        async with bodies.room(request, MOST_BYTES):
            body = await bodies.read(request, MOST_BYTES)
            recorded = door.now()
            items = _items(mode, headers, body)
            answers = await door.keep(ENTRANCE, agency, items, recorded)
        return _listed(answers) if mode is Mode.BATCHED else answers[0].response()

    return take_events


async def permit_delivery(request: Request) -> Response:
    """The handshake of a sender that asks before it delivers (HTTP Web Hooks 1.0.2, section 4).

    Any may deliver who has a token; no sender is granted a rate, none is held to one.
    """
    headers = {"Allow": "OPTIONS, POST"}
    if "webhook-request-origin" in request.headers:
        headers |= {"WebHook-Allowed-Origin": "*", "WebHook-Allowed-Rate": "*"}
    return Response(status_code=HTTPStatus.NO_CONTENT.value, headers=headers)


def fate_teller(credentials: Credentials, fates: Fates) -> Handler:
    async def tell_fate(request: Request) -> Response:
        agency = bearer(request, credentials)
        submission = request.path_params["submission"]
        found = None
        if _SUBMISSION.fullmatch(submission):
            found = await fates.fate(agency, submission)
        if found is None:
            raise not_found()
        return JSONResponse(
            {"submission": submission, "item": found.item, "fate": found.fate},
        )

    return tell_fate


def _items(mode: Mode, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> list[Item]:
    try:
        match mode:
            case Mode.BINARY:
                read: list[CloudEvent | Unreadable] = [read_binary(headers, body)]
            case Mode.STRUCTURED:
                read = [read_structured(body)]
            case Mode.BATCHED:
                read = read_batch(body)
    except Unreadable as why:
        read = [why]
    if len(read) > MOST_EVENTS:
        raise too_large(f"At most {MOST_EVENTS} events in one batch.")
    return [_item(event, body) for event in read]


def _item(event: CloudEvent | Unreadable, body: bytes) -> Item:
    if isinstance(event, Unreadable):
        return Item("", body, event.problems)
    stated = event.attributes.get("type")
    known = isinstance(stated, str) and _TYPE.fullmatch(stated)
    try:
        return Item(str(stated) if known else "", event.encode())
    except Unreadable as why:
        return Item("", body, why.problems)


def _listed(answers: Sequence[Receipt | Problem]) -> Response:
    entries = [
        {"code": HTTPStatus.ACCEPTED.value, **answer.content()}
        if isinstance(answer, Receipt)
        else {"code": answer.status.value, "problem": answer.content()}
        for answer in answers
    ]
    kept = all(isinstance(answer, Receipt) for answer in answers)
    code = HTTPStatus.ACCEPTED if kept else HTTPStatus.MULTI_STATUS
    return JSONResponse({"events": entries}, status_code=code.value)
