"""An order that names somebody reaches every case of its letter before it is answered."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from typing import Protocol

from services.routing.domain import SOURCE
from services.routing.domain.command import Command, Sending
from services.routing.domain.decision import Act, Decision
from services.routing.domain.letters import cases_of, lacks, learnt, whole_of
from services.routing.domain.lifecycle import KeptCase, OpenedCase
from services.routing.domain.matter import Matter
from services.routing.domain.reassessing import count_move
from services.routing.domain.rules import RulesInForce
from shared.contracts.case import CaseEvent
from shared.contracts.envelope import AnyEvent, derived_id
from shared.contracts.ingress import Fate
from shared.contracts.order import CaseAmend, CaseJoin, CaseSplit
from shared.runtime.arrival import Arrival

NAMING = (CaseAmend, CaseJoin, CaseSplit)
"""Orders by which a case comes to concern somebody whom its letter was not read to name."""
MOST_ROUNDS = 10
"""One write for a letter, and one more for each time that one of its cases moved meanwhile."""


class CasesContended(Exception):
    """Others kept moving the same cases; the batch has to be tried again."""


class Cases(Protocol):
    async def add_once(self, opened: Sequence[OpenedCase]) -> Sequence[tuple[AnyEvent, ...]]:
        """Keep each case unless it is known."""

    async def known(self, cases: Iterable[str]) -> Mapping[str, KeptCase]:
        """Those of the cases that are kept, by id."""

    async def advance(self, steps: Sequence[tuple[KeptCase, KeptCase]]) -> frozenset[str]:
        """Keep each case as its second state where it still has the version of its first."""


@dataclass(slots=True)
class Spreading:
    """What one sending of an order does to the other cases that it is about.

    Asked again after a crash it does what is missing: a case that knows all is left as it is.
    """

    cases: Cases
    arrival: Arrival
    command: Command
    rules: RulesInForce
    zone: tzinfo
    at: datetime
    load: Counter[str]
    _told: dict[str, AnyEvent] = field(default_factory=dict)

    async def spread(self) -> tuple[AnyEvent, ...]:
        """Let them all know; returns everything that this sending announced of any of them.

        A duplicate that was joined tells the case that goes on, whose bodies read its text.
        """
        seen: set[str] = set()
        waiting: deque[tuple[str, Matter | None]] = deque([(self._source, None)])
        while waiting:
            case, brought = waiting.popleft()
            found = (await self.cases.known([case])).get(case)
            if found is None or (first := found.state.parent or case) in seen:
                continue
            seen.add(first)
            letter = await self._level(first, brought)
            waiting += [(k.state.joined, k.state.matter) for k in letter if k.state.joined]
            for kept in letter:
                moved = (s for s in kept.acted if s.key == self.arrival.key)
                self._told |= {event.id: event for sending in moved for event in sending.events}
        return tuple(self._told.values())

    @property
    def _source(self) -> str:
        """The case in which somebody was named."""
        data = self.command.event.data
        return data.into if isinstance(data, CaseJoin) else self.command.case

    async def _level(self, first: str, brought: Matter | None) -> Sequence[KeptCase]:
        """The letter's cases once none of them lacks what another knows.

        Read anew until that is so: what is split from a first case that knows begins with it, and
        what was split before is among those that it names.
        """
        for _ in range(MOST_ROUNDS):
            letter = await self._letter(first)
            whole = whole_of((kept.state for kept in letter), brought)
            lacking = [kept for kept in letter if lacks(kept.state, whole)]
            if not lacking:
                return letter
            await self.cases.advance([(kept, self._learnt(kept, whole)) for kept in lacking])
        raise CasesContended("a letter's cases kept moving while they were told whom it concerns")

    async def _letter(self, first: str) -> Sequence[KeptCase]:
        """The first case, then its parts; those that a crash kept from beginning begin."""
        guard = (await self.cases.known([first]))[first]
        wanted = cases_of(guard)[1:]
        known = await self.cases.known(wanted) if wanted else {}
        missing = [part for part in guard.parts if part.state.case not in known]
        if missing:
            await self.cases.add_once(missing)
            known = await self.cases.known(wanted)
        return [guard, *(known[case] for case in wanted)]

    def _learnt(self, kept: KeptCase, whole: Matter) -> KeptCase:
        act = Act(self.arrival.party, self.command.event.time, self.arrival.recorded)
        decision = learnt(
            kept.state,
            whole,
            self._source,
            act=act,
            rules=self.rules,
            zone=self.zone,
            load=self.load,
        )
        count_move(kept.state, decision.after, self.load)
        sending = Sending(
            key=self.arrival.key,
            party=self.arrival.party,
            item=self.command.item,
            sequence=self.arrival.sequence,
            fate=Fate.KEPT,
            events=tuple(self._events(kept, decision)),
            order=self.command.order,
        )
        return replace(kept, state=decision.after, acted=(*kept.acted, sending))

    def _events(self, kept: KeptCase, decision: Decision) -> Iterable[AnyEvent]:
        return (self._event(kept, data, when) for data, when in decision.said)

    def _event(self, kept: KeptCase, data: CaseEvent, when: datetime) -> AnyEvent:
        """Its id names the case: one order says the same of several."""
        state = kept.state
        event: AnyEvent = self.command.event.causes(
            data, source=SOURCE, recorded=self.at, time=when, subject=state.case
        )
        own_id = derived_id(self.arrival.key, data.TYPE, state.case, str(data.version))
        return event.model_copy(update={"id": own_id, "correlationid": state.affair})
