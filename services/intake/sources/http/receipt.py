"""`POST /v1/receipt…`: what somebody does under a receipt code.

The code stands in the body and never in a path, so that no log and no history holds it. A code
that nobody was given and one with a slip in it get the same answer after the same work.
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated, Any, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.intake.sources.http.door import Door
from services.intake.sources.http.multipart import FILES_ADVICE, MOST_FILES, MOST_FILES_BYTES
from services.intake.sources.http.pace import Pace
from shared.contracts.ingress import Enclosure, Text
from shared.runtime.http.body import MEGABYTE, Bodies
from shared.runtime.http.cloudevents import (
    Unreadable,
    is_json_type,
    media_type,
    read_json,
)
from shared.runtime.http.problem import (
    Problem,
    not_found,
    too_large,
    unreadable,
    unsupported,
)
from shared.runtime.http.resource import Handler
from shared.runtime.refusal import problems_of

MOST_BYTES = 40 * MEGABYTE


class UnderReceipt(Protocol):
    """Each raises `StoreAway` while nothing can be looked up or kept."""

    async def status(self, code: str) -> dict[str, Any] | None: ...

    async def say(self, code: str, item: str, text: str, files: tuple[Enclosure, ...]) -> bool: ...

    async def rate(self, code: str, score: int) -> bool: ...


class _Question(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    code: Annotated[str, Field(max_length=200)]


class _Message(_Question):
    text: Text
    attachments: tuple[Enclosure, ...] = Field(default=(), max_length=MOST_FILES)
    idempotency_key: Annotated[str, Field(min_length=16, max_length=255)] | None = None


class _Rating(_Question):
    score: int = Field(ge=1, le=5)


Q = TypeVar("Q", bound=_Question)


def receipt_resources(
    door: Door, under: UnderReceipt, bodies: Bodies, pace: Pace
) -> dict[str, Handler]:
    """By path: the handlers of what is asked under a code."""

    async def tell_status(question: _Question, _request: Request) -> Response:
        status = await under.status(question.code)
        if status is None:
            raise not_found()
        return JSONResponse(status)

    async def take_message(message: _Message, _request: Request) -> Response:
        if sum(len(file.content) for file in message.attachments) > MOST_FILES_BYTES:
            raise too_large(FILES_ADVICE)
        at = door.now().isoformat()
        item = door.name("receipt", message.idempotency_key or at, message.text)
        if not await under.say(message.code, item, message.text, message.attachments):
            raise not_found()
        return JSONResponse({"fate": "kept"}, status_code=HTTPStatus.ACCEPTED.value)

    async def take_rating(rating: _Rating, _request: Request) -> Response:
        if not await under.rate(rating.code, rating.score):
            raise not_found()
        return JSONResponse({"fate": "kept"}, status_code=HTTPStatus.ACCEPTED.value)

    def asked(shape: type[Q], answer: Callable[[Q, Request], Awaitable[Response]]) -> Handler:
        async def handle(request: Request) -> Response:
            await pace.wait(request.client.host if request.client else "")
            async with bodies.room(request, MOST_BYTES):
                question = await _read(request, shape, bodies)
                return await answer(question, request)

        return handle

    return {
        "/v1/receipt": asked(_Question, tell_status),
        "/v1/receipt/messages": asked(_Message, take_message),
        "/v1/receipt/rating": asked(_Rating, take_rating),
    }


async def _read(request: Request, shape: type[Q], bodies: Bodies) -> Q:
    kind, charset = media_type(request.headers.get("content-type", ""))
    if not is_json_type(kind) or charset not in {"", "utf-8"}:
        raise unsupported("Send application/json in UTF-8.")
    try:
        return shape.model_validate(read_json(await bodies.read(request, MOST_BYTES)))
    except Unreadable as why:
        raise unreadable(why.problems) from None
    except ValidationError as error:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid",
            "A field is not as it must be.",
            problems=problems_of(error),
        ) from None
