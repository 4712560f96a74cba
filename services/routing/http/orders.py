"""`POST /v1/orders`: a body's orders, taken as if they had come on the bus.

Each is put into the stream that routing takes orders from, and its fate is waited for. So one
ledger and one handler know it, whichever way it came, and what follows from it is announced
whatever dies meanwhile: until it is decided, kept and announced, the stream keeps it.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.routing.domain.command import (
    Command,
    Refusal,
    UnsealingOrder,
    read_command,
    unknown_type,
)
from services.routing.http.door import Door, not_this_person
from shared.contracts.ingress import Fate, FatesAsked, FatesTold, ItemFate
from shared.runtime.bus import Answerer
from shared.runtime.http import cloudevents
from shared.runtime.http.body import KILOBYTE, MEGABYTE, Bodies
from shared.runtime.http.cloudevents import CloudEvent, Mode
from shared.runtime.http.credentials import Caller
from shared.runtime.http.problem import Problem, of_refusal, too_large, unreadable
from shared.runtime.http.resource import Handler
from shared.runtime.publish import Unconfirmed

MOST_BYTES = 64 * KILOBYTE
MOST_BATCH_BYTES = MEGABYTE
MOST_ORDERS = 100
"""In one batch."""
BODY_SECONDS = 20.0
PATIENCE_SECONDS = 10.0
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.5
RETRY_SECONDS = 5
PENDING = "pending"

STATUS_OF_REFUSAL: Mapping[str, HTTPStatus] = {
    f"/problems/{problem}": HTTPStatus.CONFLICT
    for problem in ("version-conflict", "already-accepted", "already-concluded", "id-reused")
}
"""What somebody else did first is a conflict; every other refusal is 422."""

_ON_CASE = re.compile(r"case\.[a-z0-9-]{1,40}\.v\d{1,4}", re.ASCII)
"""Types that have a place in the stream; any other text could be more than one."""

Order = Callable[[str, str, bytes], Awaitable[int]]
"""Puts a body's order of a type into the stream and returns its sequence there.

Raises `Unconfirmed`, when it may be in all the same, or `NotTaken`.
"""


@dataclass(frozen=True, slots=True)
class Sent:
    """An order that lies in the stream."""

    item: str
    sequence: int


class Waiting:
    """Waits for the fates of what lies in the stream.

    Whichever replica takes an order writes what became of it into the ledger: that is asked,
    soon and then less and less often, for `patience` seconds in all. `away` are the errors that
    say only that the ledger is away.
    """

    def __init__(
        self,
        tell_fates: Answerer,
        *,
        away: tuple[type[Exception], ...] = (),
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._tell, self._away = tell_fates, away
        self._pause, self._patience = pause, patience

    async def fates(self, body: str, sent: Sequence[Sent]) -> Mapping[int, ItemFate]:
        """By sequence; what is not decided when patience ends is absent."""
        items = {each.sequence: each.item for each in sent}
        found: dict[int, ItemFate] = {}
        pause, waited = FIRST_PAUSE, 0.0
        while True:
            missing = tuple(sequence for sequence in items if sequence not in found)
            for fate in await self._told(body, missing):
                if items.get(fate.sequence) == fate.item:
                    found[fate.sequence] = fate
            if len(found) == len(items) or waited >= self._patience:
                return found
            await self._pause(pause)
            waited, pause = waited + pause, min(pause * 2, LONGEST_PAUSE)

    async def _told(self, body: str, sequences: tuple[int, ...]) -> tuple[ItemFate, ...]:
        if not sequences:
            return ()
        asked = FatesAsked(sequences=sequences).model_dump_json().encode()
        try:
            return FatesTold.model_validate_json(await self._tell(body, asked)).fates
        except self._away:
            return ()


def order_taker(door: Door, order: Order, waiting: Waiting, bodies: Bodies) -> Handler:
    async def take_orders(request: Request) -> Response:
        async with door.opened(request) as who:
            mode = cloudevents.mode_of(request.headers.raw)
            most = MOST_BATCH_BYTES if mode is Mode.BATCHED else MOST_BYTES
            async with bodies.room(request, most):
                events = _events(mode, request, await bodies.read(request, most))
            sent = [await _sent(event, who, order) for event in events]
            known = await waiting.fates(
                who.party, [each for each in sent if isinstance(each, Sent)]
            )
        answers = [_answer(each, known) for each in sent]
        return _listed(answers) if mode is Mode.BATCHED else _single(answers[0])

    return take_orders


def _events(
    mode: Mode, request: Request, content: bytes
) -> Sequence[CloudEvent | cloudevents.Unreadable]:
    try:
        match mode:
            case Mode.BINARY:
                return [cloudevents.read_binary(request.headers.raw, content)]
            case Mode.STRUCTURED:
                return [cloudevents.read_structured(content)]
            case Mode.BATCHED:
                events = cloudevents.read_batch(content)
    except cloudevents.Unreadable as why:
        raise unreadable(why.problems) from None
    if len(events) > MOST_ORDERS:
        raise too_large(f"At most {MOST_ORDERS} orders in one batch.")
    return events


async def _sent(
    event: CloudEvent | cloudevents.Unreadable, who: Caller, order: Order
) -> Sent | Problem:
    """Only what has no place in the stream is refused here, in the words of the handler."""
    try:
        if isinstance(event, cloudevents.Unreadable):
            raise event
        content = event.encode()
    except cloudevents.Unreadable as why:
        return unreadable(why.problems)
    if len(content) > MOST_BYTES:
        return too_large(f"At most {MOST_BYTES // KILOBYTE} KB for one order.")
    kind = event.attributes.get("type")
    if not isinstance(kind, str) or not _ON_CASE.fullmatch(kind):
        return _refused(unknown_type())
    read = read_command(kind, content)
    if isinstance(read, Command) and not _speaks_for(who, read):
        return not_this_person(who.person)
    try:
        return Sent(read.item, await order(who.party, kind, content))
    except Unconfirmed:
        raise _unsure() from None


def _speaks_for(who: Caller, command: Command) -> bool:
    """Whoever an order names as the person who asks or agrees has to show a token of their own."""
    data = command.event.data
    return not isinstance(data, UnsealingOrder) or data.person == who.person


def _refused(refusal: Refusal) -> Problem:
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY, refusal.problem, refusal.title, problems=refusal.problems
    )


def _unsure() -> Problem:
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "later",
        "The stream of orders did not confirm.",
        detail="Whether it is taken is not known. Send it again with the same id; it acts once.",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """What may be said of an order that lies in the stream and is not refused."""

    item: str
    sequence: int
    fate: Fate | None

    @property
    def status(self) -> HTTPStatus:
        return HTTPStatus.OK if self.fate else HTTPStatus.ACCEPTED

    @property
    def location(self) -> str:
        return f"/v1/fates?sequence={self.sequence}"

    def content(self) -> dict[str, Any]:
        return {
            "item": self.item,
            "fate": self.fate or PENDING,
            "sequence": self.sequence,
            "status": self.location,
        }


def _answer(sent: Sent | Problem, known: Mapping[int, ItemFate]) -> Answer | Problem:
    if isinstance(sent, Problem):
        return sent
    fate = known.get(sent.sequence)
    if fate is not None and fate.refusal is not None:
        return of_refusal(fate.refusal, STATUS_OF_REFUSAL)
    return Answer(sent.item, sent.sequence, fate.fate if fate else None)


def _single(answer: Answer | Problem) -> Response:
    if isinstance(answer, Problem):
        return answer.response()
    headers = {"Location": answer.location}
    return JSONResponse(answer.content(), status_code=answer.status.value, headers=headers)


def _listed(answers: Sequence[Answer | Problem]) -> Response:
    """One entry an order, in order, each with the `code` that it would have had alone."""
    entries = [
        {"code": answer.status.value, "problem": answer.content()}
        if isinstance(answer, Problem)
        else {"code": answer.status.value, **answer.content()}
        for answer in answers
    ]
    codes = {answer.status for answer in answers} or {HTTPStatus.OK}
    code = codes.pop() if len(codes) == 1 and codes <= _DONE else HTTPStatus.MULTI_STATUS
    return JSONResponse({"orders": entries}, status_code=code.value)


_DONE = frozenset({HTTPStatus.OK, HTTPStatus.ACCEPTED})
