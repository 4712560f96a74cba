"""Reporting's reactions: rows follow events, an order to count a period becomes reports."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from services.reporting.closing import Closer, Order
from services.reporting.domain.change import change
from services.reporting.domain.facet import touches
from services.reporting.domain.period import Window
from services.reporting.domain.revision import SOURCE, Closing
from services.reporting.issuing import Desk
from services.reporting.ports import Closings, Rows, Rules, Sending, Sendings
from shared.contracts import (
    DirectoryPublished,
    IngressData,
    ReportClose,
    ReportRevise,
    RulebookPublished,
)
from shared.contracts.envelope import AnyEvent, Event
from shared.contracts.ingress import Fate, FatesAsked, FatesTold, ItemFate
from shared.runtime.arrival import Arrival
from shared.runtime.bus import Answerer, ArrivalHandler, EventHandler
from shared.runtime.refusal import Unacceptable, read_arrival, refuse
from shared.runtime.telemetry import count_item

ORDERS: Mapping[str, type[IngressData]] = {
    order.TYPE: order for order in (ReportClose, ReportRevise)
}


def row_keeper(rows: Rows, closings: Closings, zone: tzinfo) -> EventHandler:
    async def keep_rows(events: Sequence[Event[Any]]) -> Sequence[AnyEvent]:
        """Every event fills its place in the row of its case, activity or channel.

        A repeat changes nothing and order does not matter: nothing counts twice. What may change
        a closed period marks it late, after the rows: a count that took the mark back before
        the rows were there would have missed them.
        """
        changes = [change(event) for event in events]
        await rows.apply(changes)
        late = {
            closing.period.code
            for closing in await closings.all()
            for window in [Window.of(closing.period, zone)]
            if any(touches(each, window) for each in changes)
        }
        if late:
            await closings.mark_late(late)
        return []

    return keep_rows


def rule_keeper(rules: Rules) -> EventHandler:
    async def keep_rules(events: Sequence[Event[Any]]) -> Sequence[AnyEvent]:
        """Keep reporting's own copy of every version of the directory and the rulebook."""
        await rules.add_once(
            [event for event in events if isinstance(event.data, DirectoryPublished)],
            [event for event in events if isinstance(event.data, RulebookPublished)],
        )
        return []

    return keep_rules


def command_taker(
    closer: Closer, desk: Desk, sendings: Sendings, now: Callable[[], datetime]
) -> ArrivalHandler:
    async def take_commands(arrivals: Sequence[Arrival]) -> Sequence[AnyEvent]:
        """Count a period and publish every unit's reports, once and for good.

        The closing is kept before anything else and holds what was counted: a crash at any
        later point repeats the same reports from it, whatever has come in since. Its reports are
        out before the order's fate is known.
        """
        ordered = sorted({a.key: a for a in arrivals}.values(), key=lambda a: a.sequence)
        known = await sendings.known([arrival.key for arrival in ordered])
        follow: list[AnyEvent] = []
        for arrival in ordered:
            sending = known.get(arrival.key) or await _decide(closer, arrival, now())
            if sending.refusal is not None:
                follow.append(sending.refusal)
            await desk.issue()
            await sendings.add_once(sending)
            count_item(arrival.entrance, arrival.type, sending.fate)
        return follow

    return take_commands


async def _decide(closer: Closer, arrival: Arrival, at: datetime) -> Sending:
    """What becomes of this sending; a closing that follows is kept when this returns."""
    item = ""
    try:
        event = read_arrival(arrival, ORDERS)
        item = event.id
        order = _order_of(arrival, event)
        closing: Closing | None
        if isinstance(event.data, ReportRevise):
            closing = await closer.revise(order, at)
        else:
            closing = await closer.close(order, at)
    except Unacceptable as why:
        why.item = why.item or item
        return Sending(
            arrival.key,
            arrival.party,
            why.item,
            arrival.sequence,
            Fate.REFUSED,
            refusal=refuse(arrival, why, source=SOURCE),
        )
    repeated = closing is not None and closing.sending != arrival.key
    fate = Fate.DUPLICATE if repeated else Fate.KEPT
    return Sending(arrival.key, arrival.party, item, arrival.sequence, fate, order.period)


def _order_of(arrival: Arrival, event: Event[IngressData]) -> Order:
    if not isinstance(event.data, ReportClose | ReportRevise):
        raise TypeError(type(event.data).__name__)
    return Order(
        period=event.data.period,
        party=arrival.party,
        command=event.id,
        correlation=event.correlationid or event.id,
        sending=arrival.key,
        force=isinstance(event.data, ReportClose) and event.data.force,
    )


def fate_teller(sendings: Sendings) -> Answerer:
    async def tell_fates(party: str, question: bytes) -> bytes:
        """What became of a party's own commands; it cannot ask for another's."""
        asked = FatesAsked.model_validate_json(question)
        fates = tuple(
            ItemFate(
                item=sending.item,
                sequence=sending.sequence,
                fate=sending.fate,
                refusal=sending.refusal.data if sending.refusal else None,
            )
            for sending in await sendings.told(party, asked)
        )
        return FatesTold(fates=fates).model_dump_json(exclude_none=True).encode()

    return tell_fates
