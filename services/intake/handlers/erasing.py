"""Orders about a submission's protection: hold it for the law, release it, erase it.

Erasure destroys the data keys. It is marked first, so that a crash in between is finished by the
redelivery; case, clocks, counts and the keyed hashes that tell a second sending stay.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from services.intake.handlers.opening import SOURCE, refusal_of
from services.intake.handlers.ports import (
    ArrivalFate,
    Arrivals,
    DataKeys,
    Protected,
    Protections,
)
from shared.contracts import (
    SubmissionErase,
    SubmissionErased,
    SubmissionHeld,
    SubmissionHold,
    SubmissionRelease,
    SubmissionReleased,
)
from shared.contracts.envelope import AnyEvent, Event, derived_id
from shared.contracts.ingress import Fate, FieldProblem, IngressData
from shared.runtime.arrival import Arrival
from shared.runtime.bus import ArrivalHandler
from shared.runtime.refusal import Unacceptable, read_arrival
from shared.runtime.telemetry import count_item

ORDERS = {
    contract.TYPE: contract for contract in (SubmissionErase, SubmissionHold, SubmissionRelease)
}


@dataclass(frozen=True, slots=True)
class Protecting:
    """`allowed` are the parties that may order this: the operator, a data protection officer."""

    protections: Protections
    data_keys: DataKeys
    arrivals: Arrivals
    allowed: frozenset[str]

    async def follow(self, arrival: Arrival) -> AnyEvent:
        """What follows from an order; raises `Unacceptable` with the reason why not."""
        order = read_arrival(arrival, ORDERS)
        if arrival.party not in self.allowed:
            raise _unacceptable("not-allowed", "/source", "Ask the operator.", order)
        submission = order.subject or ""
        protected = await self.protections.of(submission)
        if protected is None:
            raise _unacceptable("unknown-submission", "/subject", "Name a submission.", order)
        match order.data:
            case SubmissionErase(citation=citation):
                return await self._erase(arrival, order, protected, citation)
            case SubmissionHold(citation=citation):
                await self.protections.hold(submission, citation)
                return _said(arrival, order, SubmissionHeld, citation)
            case SubmissionRelease(citation=citation):
                await self.protections.hold(submission, None)
                return _said(arrival, order, SubmissionReleased, citation)
        raise TypeError(type(order.data).__name__)

    async def _erase(
        self, arrival: Arrival, order: Event[IngressData], protected: Protected, citation: str
    ) -> AnyEvent:
        submission = order.subject or ""
        said = protected.erased or _said(arrival, order, SubmissionErased, citation)
        if protected.erased is None and not await self.protections.erase(submission, said):
            raise _held(order, protected.held)
        await self.data_keys.destroy(submission)
        return said


def order_taker(protecting: Protecting) -> ArrivalHandler:
    async def take_orders(batch: Sequence[Arrival]) -> Sequence[AnyEvent]:
        """Hold, release or erase submissions, each once; a redelivery repeats the answer."""
        follow: list[AnyEvent] = []
        fates: list[ArrivalFate] = []
        for arrival in batch:
            try:
                event = await protecting.follow(arrival)
            except Unacceptable as why:
                refusal = refusal_of(arrival, why)
                await protecting.data_keys.keep(refusal.fate.data_keys)
                fates.append(refusal.fate)
                follow.append(refusal.event)
                continue
            follow.append(event)
            item = event.causationid or ""
            fates.append(ArrivalFate(arrival, item, Fate.KEPT, subject=event.subject))
        await protecting.arrivals.note(fates)
        for fate in fates:
            count_item(fate.arrival.entrance, fate.arrival.type, fate.fate)
        return follow

    return take_orders


def _said(
    arrival: Arrival,
    order: Event[IngressData],
    contract: type[SubmissionErased | SubmissionHeld | SubmissionReleased],
    citation: str,
) -> AnyEvent:
    return Event[contract](  # type: ignore[valid-type]
        id=derived_id(arrival.key, contract.TYPE),
        source=SOURCE,
        type=contract.TYPE,
        subject=order.subject,
        time=min(order.time, arrival.recorded),
        recordedtime=arrival.recorded,
        correlationid=order.subject,
        causationid=order.id,
        data=contract(party=arrival.party, citation=citation),
    )


def _unacceptable(rule: str, field: str, advice: str, event: Event[IngressData]) -> Unacceptable:
    problem = FieldProblem(field=field, rule=rule, advice=advice)
    return Unacceptable(rule, "This order cannot be followed.", (problem,), event.id)


def _held(event: Event[IngressData], citation: str | None) -> Unacceptable:
    advice = f"Held under: {citation or 'a hold since released'}. Release it, if the law allows."
    problem = FieldProblem(field="/subject", rule="held", advice=advice)
    return Unacceptable("held", "The law holds this submission.", (problem,), event.id)
