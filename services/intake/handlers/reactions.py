"""What follows from which message."""

from collections.abc import Sequence
from typing import Any

from services.intake.handlers.ports import (
    ArrivalFate,
    Arrivals,
    Kept,
    KeptRecord,
    Records,
    RuleVersions,
    Submissions,
)
from services.intake.handlers.reading import Reader, Refusal
from services.intake.vault import Vault
from shared.contracts import DirectoryPublished, RulebookPublished
from shared.contracts.envelope import AnyEvent, Event
from shared.contracts.ingress import Fate, FatesAsked, FatesTold
from shared.runtime.arrival import Arrival
from shared.runtime.bus import Answerer, ArrivalHandler, EventHandler


def receiver(
    submissions: Submissions,
    records: Records,
    arrivals: Arrivals,
    rules: RuleVersions,
    vault: Vault,
) -> ArrivalHandler:
    reader = Reader(vault)

    async def receive(batch: Sequence[Arrival]) -> Sequence[AnyEvent]:
        """Keep what agencies send, once and for good: a redelivery repeats the answer."""
        in_force = await rules.latest()
        items = [reader.read(arrival, in_force) for arrival in batch]

        kept = [item for item in items if isinstance(item, Kept)]
        noted = [item for item in items if isinstance(item, KeptRecord)]
        standing = dict(
            zip((k.arrival for k in kept), await submissions.add_once(kept), strict=True)
        )
        standing |= zip((n.arrival for n in noted), await records.add_once(noted), strict=True)

        fates: list[ArrivalFate] = []
        follow: list[AnyEvent] = []
        for arrival, item in zip(batch, items, strict=True):
            if isinstance(item, Refusal):
                fates.append(item.fate)
                follow.append(item.event)
                continue
            stands = standing[arrival.key]
            is_first = stands.arrival == arrival.key
            if is_first:
                follow.append(stands.event)
            fates.append(
                ArrivalFate(
                    arrival=arrival,
                    item=item.event.causationid or "",
                    fate=Fate.KEPT if is_first else Fate.DUPLICATE,
                    subject=stands.event.subject,
                )
            )
        await arrivals.note(fates)
        return follow

    return receive


def rule_keeper(
    rules: RuleVersions,
) -> EventHandler:
    async def keep_rules(events: Sequence[Event[Any]]) -> Sequence[AnyEvent]:
        """Keep intake's own copy of every version of the directory and the rulebook."""
        data = [event.data for event in events]
        await rules.keep(
            [d for d in data if isinstance(d, DirectoryPublished)],
            [d for d in data if isinstance(d, RulebookPublished)],
        )
        return []

    return keep_rules


def fate_teller(arrivals: Arrivals) -> Answerer:
    async def tell_fates(party: str, question: bytes) -> bytes:
        """What became of a party's own sendings; it cannot ask for another's."""
        asked = FatesAsked.model_validate_json(question)
        told = FatesTold(fates=tuple(await arrivals.fates(party, asked)))
        return told.model_dump_json(exclude_none=True).encode()

    return tell_fates
