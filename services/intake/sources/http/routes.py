"""The entrance's resources."""

from collections.abc import Callable
from datetime import datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.intake.handlers.ports import Accept, RulesMissing, StoreAway
from services.intake.sources.http.door import Door, KnowsAgency
from services.intake.sources.http.events import (
    Fates,
    event_taker,
    fate_teller,
    permit_delivery,
)
from services.intake.sources.http.form import Receipts, form_taker
from services.intake.sources.http.pace import Pace
from services.intake.sources.http.receipt import UnderReceipt, receipt_resources
from services.intake.sources.http.webhook import CallRecords, call_taker
from shared.runtime.http.body import Bodies
from shared.runtime.http.credentials import Credentials
from shared.runtime.http.resource import Resource


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
    door, away = Door(accept, now, key), (*away, StoreAway, RulesMissing)
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
