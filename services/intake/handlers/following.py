"""What intake takes over from routing: which body holds a case, and how far it is."""

from collections.abc import Sequence
from typing import Any

from services.intake.handlers.ports import Cases
from shared.contracts.envelope import AnyEvent, Event
from shared.runtime.bus import EventHandler


def case_keeper(cases: Cases) -> EventHandler:
    async def keep_cases(events: Sequence[Event[Any]]) -> Sequence[AnyEvent]:
        """Know who holds a case, so that nobody else is told what was said."""
        await cases.note(events)
        return []

    return keep_cases
