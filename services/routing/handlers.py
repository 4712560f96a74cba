"""Routing's reactions: submissions become cases, commands move them, new rules are kept."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Protocol

from pydantic import ValidationError

from services.routing.domain import SOURCE
from services.routing.domain.command import (
    Command,
    Refusal,
    Sending,
    Unreadable,
    id_reused,
    read_command,
    unknown_case,
)
from services.routing.domain.decision import Act
from services.routing.domain.lifecycle import CaseState, KeptCase, OpenedCase
from services.routing.domain.opening import open_case
from services.routing.domain.orders import decide
from services.routing.domain.rules import RulePublished, RulesInForce
from shared.contracts.case import CaseEvent
from shared.contracts.envelope import AnyEvent, Event, derived_id
from shared.contracts.ingress import Fate, FatesAsked, FatesTold, ItemFate, Refused
from shared.contracts.submission import SubmissionReceived
from shared.runtime.arrival import Arrival
from shared.runtime.bus import Answerer
from shared.runtime.refusal import problems_of

MOST_ROUNDS = 5
"""A lost race means that the case moved; commands on one case are few."""
COUNT_EVERY = timedelta(seconds=1)
COUNT_EVERY_CASES = timedelta(microseconds=20)
"""For each open case: to count one takes about a microsecond, and opening must stay linear."""


class RulesMissing(Exception):
    """No directory, rulebook or calendar has arrived yet; the batch has to wait for them."""


class CasesContended(Exception):
    """Others kept moving the same cases; the batch has to be tried again."""


class Rules(Protocol):
    async def latest(self) -> RulesInForce | None:
        """The latest version of each; None while one of the three has none."""

    async def add_once(self, published: Sequence[RulePublished]) -> None:
        """Keep each version; the first one of a number stands."""


class Cases(Protocol):
    async def add_once(self, opened: Sequence[OpenedCase]) -> Sequence[tuple[AnyEvent, ...]]:
        """Keep each case unless it is known; for each, in this order, the events that stand."""

    async def open_by_lead(self) -> Mapping[str, int]:
        """How many open cases each body leads; one that leads none is absent."""

    async def known(self, cases: Iterable[str]) -> Mapping[str, KeptCase]:
        """Those of the cases that are kept, by id."""

    async def advance(self, steps: Sequence[tuple[KeptCase, KeptCase]]) -> frozenset[str]:
        """Keep each case as its second state where it still has the version of its first.

        Returns the ids of those that had moved meanwhile and were left as they are.
        """


class Commands(Protocol):
    async def known(self, keys: Iterable[str]) -> Mapping[str, Sending]:
        """What became of these sendings, by key; those not decided yet are absent."""

    async def acted(self, commands: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], Sending]:
        """By party and command id, the sending under which the command was carried out."""

    async def add_once(self, sendings: Sequence[Sending]) -> Sequence[Sending]:
        """Keep what became of each; the first answer stands, unless a later one moved a case.

        Returns what stands, in this order.
        """

    async def told(self, party: str, asked: FatesAsked) -> Sequence[Sending]:
        """Every sending of the party that it asked for, in stream order."""


def case_opener(
    rules: Rules, cases: Cases, zone: tzinfo, now: Callable[[], datetime]
) -> Callable[[Sequence[Event[SubmissionReceived]]], Awaitable[Sequence[AnyEvent]]]:
    load = _Load(cases)

    async def open_cases(received: Sequence[Event[SubmissionReceived]]) -> Sequence[AnyEvent]:
        """Each submission becomes a case with a lead body; its legal clocks start.

        Once and for good: a redelivery repeats the events. Ineligible submissions are led and
        counted like the others; no clock runs on them. Of equal bodies the one with fewer open
        cases leads.
        """
        latest = await rules.latest()
        if latest is None:
            raise RulesMissing("a directory, a rulebook and a calendar are needed")
        at = now()
        leads = await load.at(at)
        opened: dict[str, OpenedCase] = {}
        for event in received:
            case = open_case(event, latest, zone, at, leads)
            if case.state.case not in opened:
                opened[case.state.case] = case
                leads[case.state.lead] += 1
        standing = await cases.add_once(tuple(opened.values()))
        return [event for events in standing for event in events]

    return open_cases


def command_taker(
    rules: Rules, cases: Cases, ledger: Commands, zone: tzinfo, now: Callable[[], datetime]
) -> Callable[[Sequence[Arrival]], Awaitable[Sequence[AnyEvent]]]:
    async def take_commands(arrivals: Sequence[Arrival]) -> Sequence[AnyEvent]:
        """A lead body's command moves its case; what cannot be taken is answered with a refusal.

        A command counts once by party and id, however often it is sent; a redelivery of one
        sending repeats its answer. The case keeps the sending that moved it in the same write,
        so that a crash before the answer is kept or published costs nothing.
        """
        at = now()
        ordered = sorted({a.key: a for a in arrivals}.values(), key=lambda a: a.sequence)
        known = await ledger.known([arrival.key for arrival in ordered])
        batch = _Batch(at=at, zone=zone, rules=await rules.latest())
        for arrival in ordered:
            if arrival.key not in known:
                batch.read(arrival)
        for _ in range(MOST_ROUNDS):
            if not batch.waiting:
                break
            acted = await ledger.acted({(a.party, c.item) for a, c in batch.waiting})
            before = await cases.known({command.case for _, command in batch.waiting})
            after = batch.settle(before, acted)
            moved = [(before[case], kept) for case, kept in after.items()]
            batch.take_back(await cases.advance(moved) if moved else frozenset())
        else:
            if batch.waiting:
                raise CasesContended("cases kept moving while commands were decided")
        standing = await ledger.add_once(tuple(batch.decided.values()))
        told = {**known, **{sending.key: sending for sending in standing}}
        return [event for arrival in ordered for event in told[arrival.key].events]

    return take_commands


def rule_keeper(
    rules: Rules,
) -> Callable[[Sequence[RulePublished]], Awaitable[Sequence[AnyEvent]]]:
    async def keep_rules(published: Sequence[RulePublished]) -> Sequence[AnyEvent]:
        """New versions of the directory, the rulebook and the calendar hold from now on."""
        await rules.add_once(published)
        return []

    return keep_rules


def fate_teller(ledger: Commands) -> Answerer:
    async def tell_fates(party: str, question: bytes) -> bytes:
        """What became of these commands of the party; one without an entry is pending."""
        try:
            asked = FatesAsked.model_validate_json(question)
        except ValidationError as error:
            told = FatesTold(fates=(), problems=problems_of(error))
        else:
            known = await ledger.told(party, asked)
            told = FatesTold(fates=tuple(_fate(sending) for sending in known))
        return told.model_dump_json(exclude_none=True).encode()

    return tell_fates


@dataclass(slots=True)
class _Load:
    """Open cases by lead: as the store counted them lately, and those opened here since.

    What other processes do meanwhile, and what a redelivery had counted twice, is seen at the
    next count, a second later (two where 100,000 are open): until then it does no harm, for the
    counts draw level again.
    """

    cases: Cases
    _counted: datetime | None = None
    _holds: timedelta = COUNT_EVERY
    _leads: Counter[str] = field(default_factory=Counter)

    async def at(self, at: datetime) -> Counter[str]:
        """The count that holds at this instant; the caller adds what it opens."""
        if self._counted is None or abs(at - self._counted) >= self._holds:
            self._leads = Counter(await self.cases.open_by_lead())
            self._counted = at
            self._holds = max(COUNT_EVERY, self._leads.total() * COUNT_EVERY_CASES)
        return self._leads


@dataclass(slots=True)
class _Batch:
    """The commands of one batch: what is decided of them, and what still waits."""

    at: datetime
    zone: tzinfo
    rules: RulesInForce | None
    decided: dict[str, Sending] = field(default_factory=dict)
    waiting: list[tuple[Arrival, Command]] = field(default_factory=list)
    _states: dict[str, CaseState] = field(default_factory=dict)
    """What each sending that moves a case leads to, by key."""
    _settling: list[tuple[Arrival, Command]] = field(default_factory=list)

    def read(self, arrival: Arrival) -> None:
        reading = read_command(arrival.type, arrival.body)
        match reading:
            case Unreadable():
                self.decided[arrival.key] = self._refused(arrival, reading.item, reading.refusal)
            case Command():
                self.waiting.append((arrival, reading))

    def settle(
        self, before: Mapping[str, KeptCase], acted: Mapping[tuple[str, str], Sending]
    ) -> Mapping[str, KeptCase]:
        """Decide all that waits, in stream order; returns the cases that would move."""
        after: dict[str, KeptCase] = {}
        done = {**acted, **{(s.party, s.item): s for s in self.decided.values() if _moved(s)}}
        for arrival, command in self.waiting:
            case = after.get(command.case) or before.get(command.case)
            sending = self._settled(arrival, command, case, done)
            self.decided[arrival.key] = sending
            if _moved(sending):
                done[arrival.party, command.item] = sending
                if case is not None and case.moved_by(arrival.key) is None:
                    after[command.case] = KeptCase(
                        state=self._states[arrival.key], acted=(*case.acted, sending)
                    )
        self._settling, self.waiting = self.waiting, []
        return after

    def take_back(self, lost: frozenset[str]) -> None:
        """Let the commands on these cases wait again: the cases moved meanwhile."""
        self.waiting = [(a, command) for a, command in self._settling if command.case in lost]
        for arrival, _ in self.waiting:
            del self.decided[arrival.key]

    def _settled(
        self,
        arrival: Arrival,
        command: Command,
        case: KeptCase | None,
        done: Mapping[tuple[str, str], Sending],
    ) -> Sending:
        """The case is asked first: it knows what the ledger missed when a process died."""
        itself = case.moved_by(arrival.key) if case else None
        if itself is not None:
            return itself
        earlier = case.moved_as(arrival.party, command.item) if case else None
        earlier = earlier or done.get((arrival.party, command.item))
        if earlier is not None:
            if earlier.order != command.order:
                return self._refused(arrival, command.item, id_reused())
            return _sending(arrival, command.item, Fate.DUPLICATE)
        if case is None:
            return self._refused(arrival, command.item, unknown_case())
        if self.rules is None:
            raise RulesMissing("a case is kept, and the rules that it was opened by are not")
        act = Act(arrival.party, command.event.time, arrival.recorded)
        decision = decide(case.state, command.event.data, act, self.rules, self.zone)
        if isinstance(decision, Refusal):
            return self._refused(arrival, command.item, decision)
        self._states[arrival.key] = decision.after
        events = [self._event(arrival, command, case, *said) for said in decision.said]
        return _sending(arrival, command.item, Fate.KEPT, *events, order=command.order)

    def _event(
        self, arrival: Arrival, command: Command, case: KeptCase, data: CaseEvent, when: datetime
    ) -> AnyEvent:
        event: AnyEvent = command.event.causes(data, source=SOURCE, recorded=self.at, time=when)
        # Two parties may have given one id to commands on one case, and several events of one
        # type may follow from one command. The affair is the case's; what the party wrote there
        # names nothing of ours.
        own_id = derived_id(arrival.key, data.TYPE, str(data.version))
        return event.model_copy(update={"id": own_id, "correlationid": case.state.affair})

    def _refused(self, arrival: Arrival, item: str, refusal: Refusal) -> Sending:
        event = Event[Refused](
            id=derived_id(arrival.key, Refused.TYPE),
            source=SOURCE,
            type=Refused.TYPE,
            time=arrival.recorded,
            recordedtime=self.at,
            data=Refused(
                party=arrival.party,
                entrance="command",
                item=item,
                sequence=arrival.sequence,
                type=f"/problems/{refusal.problem}",
                title=refusal.title,
                problems=refusal.problems,
            ),
        )
        return _sending(arrival, item, Fate.REFUSED, event)


def _moved(sending: Sending) -> bool:
    return sending.fate is Fate.KEPT


def _sending(
    arrival: Arrival, item: str, fate: Fate, *events: AnyEvent, order: str = ""
) -> Sending:
    return Sending(
        key=arrival.key,
        party=arrival.party,
        item=item,
        sequence=arrival.sequence,
        fate=fate,
        events=events,
        order=order,
    )


def _fate(sending: Sending) -> ItemFate:
    refusals = [event.data for event in sending.events if isinstance(event.data, Refused)]
    return ItemFate(
        item=sending.item,
        sequence=sending.sequence,
        fate=sending.fate,
        refusal=refusals[0] if refusals else None,
    )
