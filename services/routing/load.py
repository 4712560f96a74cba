"""How many open cases each body leads, so that equal bodies share what comes and what moves."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

COUNT_EVERY = timedelta(seconds=1)
COUNT_EVERY_CASES = timedelta(microseconds=20)
"""For each open case: to count one takes about a microsecond, and opening must stay linear."""


class Leads(Protocol):
    async def open_by_lead(self) -> Mapping[str, int]:
        """How many open cases each body leads; one that leads none is absent."""


@dataclass(slots=True)
class Load:
    """Open cases by lead: as the store counted them lately, and those that moved here since.

    What other processes do meanwhile, and what a redelivery had counted twice, is seen at the
    next count, a second later (two where 100,000 are open): until then it does no harm, for the
    counts draw level again.
    """

    cases: Leads
    _counted: datetime | None = None
    _holds: timedelta = COUNT_EVERY
    _leads: Counter[str] = field(default_factory=Counter)

    async def at(self, at: datetime) -> Counter[str]:
        """The count that holds at this instant; the caller adds what it opens or moves."""
        if self._counted is None or abs(at - self._counted) >= self._holds:
            self._leads = Counter(await self.cases.open_by_lead())
            self._counted = at
            self._holds = max(COUNT_EVERY, self._leads.total() * COUNT_EVERY_CASES)
        return self._leads
