"""What a body did, and what it did to the case."""

from dataclasses import dataclass
from datetime import datetime

from services.routing.domain.lifecycle import CaseState
from shared.contracts.case import CaseEvent


@dataclass(frozen=True, slots=True)
class Decision:
    """The case after an order, and what is said of it, each with its moment; in version order."""

    after: CaseState
    said: tuple[tuple[CaseEvent, datetime], ...]


@dataclass(frozen=True, slots=True)
class Act:
    """An order as it came: about an act at `at`, taken in at `recorded`."""

    party: str
    at: datetime
    recorded: datetime
