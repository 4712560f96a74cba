"""What follows from which message."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from services.intake.handlers.ports import Arrivals, RuleVersions
from shared.contracts import CalendarPublished, DirectoryPublished, RulebookPublished
from shared.contracts.envelope import AnyEvent, Event
from shared.contracts.ingress import FatesAsked, FatesTold, KeyTold
from shared.runtime.bus import Answerer, EventHandler
from shared.runtime.refusal import problems_of


def rule_keeper(
    rules: RuleVersions,
) -> EventHandler:
    async def keep_rules(events: Sequence[Event[Any]]) -> Sequence[AnyEvent]:
        """Keep intake's own copy of every version of directory, rulebook and calendar."""
        data = [event.data for event in events]
        await rules.keep(
            [d for d in data if isinstance(d, DirectoryPublished)],
            [d for d in data if isinstance(d, RulebookPublished)],
            [d for d in data if isinstance(d, CalendarPublished)],
        )
        return []

    return keep_rules


def fate_teller(arrivals: Arrivals) -> Answerer:
    async def tell_fates(party: str, question: bytes) -> bytes:
        """What became of a party's own sendings; it cannot ask for another's."""
        try:
            asked = FatesAsked.model_validate_json(question)
        except ValidationError as error:
            told = FatesTold(fates=(), problems=problems_of(error))
        else:
            told = FatesTold(fates=tuple(await arrivals.fates(party, asked)))
        return told.model_dump_json(exclude_none=True).encode()

    return tell_fates


def key_teller(public: str) -> Answerer:
    async def tell_key(_party: str, _question: bytes) -> bytes:
        """The public key (X25519, base64) to which data may be sealed before it is sent."""
        return KeyTold(key=public).model_dump_json().encode()

    return tell_key
