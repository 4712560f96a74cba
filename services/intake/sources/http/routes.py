"""The entrance's resources; every refusal and every error leaves as problem details."""

from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from services.intake.handlers.ports import Accept, RulesMissing, StoreAway
from services.intake.sources.http.body import Bodies
from services.intake.sources.http.credentials import Credentials
from services.intake.sources.http.door import Door, Handler, KnowsAgency
from services.intake.sources.http.events import (
    Fates,
    event_taker,
    fate_teller,
    permit_delivery,
)
from services.intake.sources.http.form import Receipts, form_taker
from services.intake.sources.http.pace import Pace
from services.intake.sources.http.problem import Problem, not_found, store_away
from services.intake.sources.http.receipt import UnderReceipt, receipt_resources
from services.intake.sources.http.webhook import CallRecords, call_taker

log = structlog.get_logger("http")


def routes(
    accept: Accept,
    credentials: Credentials,
    now: Callable[[], datetime],
    *,
    key: bytes,
    fates: Fates,
    knows: KnowsAgency,
    receipts: Receipts | None = None,
    call_records: CallRecords | None = None,
    under_receipt: UnderReceipt | None = None,
    pace: Pace | None = None,
    away: tuple[type[Exception], ...] = (),
    public_key: str = "",
) -> list[Route]:
    """Everything under `/v1/`. `key`, 16 to 64 bytes, makes keyed names, and never changes.

    `away` are the errors of ports that say only that a store is away, like `StoreAway`.

    Put them after every other route under `/v1/`: the last one answers what nothing else did.
    """
    door = Door(accept, now, key)
    take_events = event_taker(door, credentials, Bodies())
    take_form = form_taker(door, knows, Bodies(), Pace() if pace is None else pace, receipts)
    take_calls = call_taker(door, credentials, Bodies(), call_records)
    tell_fate = fate_teller(credentials, fates)
    under = {}
    if under_receipt is not None:
        under = receipt_resources(door, under_receipt, Bodies(), Pace())

    async def tell_key(_request: Request) -> Response:
        """The key to which data may be sealed before it is sent, as on the bus."""
        return JSONResponse({"key": public_key})

    return [
        Route("/v1/key", Resource({"GET": tell_key, "HEAD": tell_key}, away)),
        *(Route(path, Resource({"POST": handler}, away)) for path, handler in under.items()),
        Route("/v1/events", Resource({"POST": take_events, "OPTIONS": permit_delivery}, away)),
        Route(
            "/v1/submissions/{submission}", Resource({"GET": tell_fate, "HEAD": tell_fate}, away)
        ),
        Route("/v1/agencies/{agency}/form", Resource({"POST": take_form}, away)),
        Route("/v1/agencies/{agency}/calls", Resource({"POST": take_calls}, away)),
        Route("/v1/{rest:path}", Resource({}, away)),
    ]


class Resource:
    """One path: its handlers by method. An ASGI application, so that no method passes it by."""

    def __init__(
        self, handlers: Mapping[str, Handler], away: tuple[type[Exception], ...] = ()
    ) -> None:
        self._handlers = handlers
        self._away: tuple[type[Exception], ...] = (*away, StoreAway, RulesMissing)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._respond(Request(scope, receive))
        response.headers["cache-control"] = "no-store"
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        try:
            return await self._handler(request)(request)
        except Problem as problem:
            return problem.response()
        except self._away as why:
            log.warning("nothing can be kept", reason=type(why).__name__)
            return store_away().response()
        except Exception as error:  # noqa: BLE001 - told to its sender; its text could quote the item
            log.error("a request failed", reason=type(error).__name__)  # noqa: TRY400 - see above
            return _FAILED.response()

    def _handler(self, request: Request) -> Handler:
        if not self._handlers:
            raise not_found()
        handler = self._handlers.get(request.method)
        if handler is None:
            raise Problem(
                HTTPStatus.METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "This resource does not take that method.",
                headers={"Allow": ", ".join(sorted(self._handlers))},
            )
        return handler


_FAILED = Problem(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "failed",
    "Something went wrong here.",
    detail="Whether it is kept is not known. Send it again with the same id; that does no harm.",
)
