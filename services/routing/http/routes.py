"""The resources under `/v1/`."""

from dataclasses import dataclass

from starlette.routing import Route

from services.routing.http.door import Door, RulesAway
from services.routing.http.orders import BODY_SECONDS, Order, Waiting, order_taker
from services.routing.http.readings import (
    case_teller,
    fate_teller,
    load_teller,
    unsealed_teller,
    unsealings_teller,
    worklist_teller,
)
from shared.runtime.bus import Answerer
from shared.runtime.http.body import Bodies
from shared.runtime.http.resource import Handler, Resource


@dataclass(frozen=True, slots=True)
class Tellers:
    """Who answers on the bus, and here."""

    worklist: Answerer
    case: Answerer
    load: Answerer
    fates: Answerer
    unsealings: Answerer


def routes(
    door: Door,
    tellers: Tellers,
    order: Order,
    waiting: Waiting,
    *,
    bodies: Bodies | None = None,
    away: tuple[type[Exception], ...] = (),
) -> list[Route]:
    """Put them after every other route under `/v1/`: the last one answers what nothing else did.

    `away` are the errors of ports that say only that a store is away.
    """
    away = (*away, RulesAway)
    bodies = bodies or Bodies(seconds=BODY_SECONDS)

    def read(handler: Handler) -> Resource:
        return Resource({"GET": handler, "HEAD": handler}, away)

    return [
        Route("/v1/orders", Resource({"POST": order_taker(door, order, waiting, bodies)}, away)),
        Route("/v1/worklist", read(worklist_teller(door, tellers.worklist))),
        Route("/v1/cases/{case}/unsealings", read(unsealings_teller(door, tellers.unsealings))),
        Route(
            "/v1/cases/{case}/unsealings/{number}",
            Resource({"POST": unsealed_teller(door, tellers.case)}, away),
        ),
        Route("/v1/cases/{case}", read(case_teller(door, tellers.case))),
        Route("/v1/load", read(load_teller(door, tellers.load))),
        Route("/v1/fates", read(fate_teller(door, tellers.fates))),
        Route("/v1/{rest:path}", Resource({}, away)),
    ]
