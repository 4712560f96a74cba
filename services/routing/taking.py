"""The commands of one batch: what each does to the cases, and what waits.

Decided in turns. An order that writes two cases has a turn of its own, in which one is written
after the other; between two such, all others are decided and written together.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo

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
from services.routing.domain.decision import Act, Decision
from services.routing.domain.dividing import Splitting
from services.routing.domain.joining import Joining, Side
from services.routing.domain.lifecycle import KeptCase, OpenedCase
from services.routing.domain.orders import HANDING_ON, decide
from services.routing.domain.reassessing import count_move
from services.routing.domain.rules import RulesInForce
from services.routing.domain.unsealing import decide_unsealing
from services.routing.spreading import NAMING
from shared.contracts.case import CaseDivided, CaseEvent, CaseOpened
from shared.contracts.envelope import AnyEvent, Event, derived_id
from shared.contracts.ingress import Fate, Refused
from shared.contracts.order import (
    CaseAskUnsealing,
    CaseConfirmUnsealing,
    CaseJoin,
    CaseRefuseUnsealing,
    CaseSplit,
)
from shared.runtime.arrival import Arrival

SHARING = (CaseSplit, *HANDING_ON)
"""Orders that may bring a case into hands that share what comes."""

Waiting = tuple[Arrival, Command]
Done = Mapping[tuple[str, str], Sending]
"""By party and command id, the sending under which a command was carried out."""


@dataclass(frozen=True, slots=True)
class Before:
    """What a turn is decided by: the cases that its orders name, and how they were opened.

    `letters` are told for orders about letters alone, `load`, open cases by lead, for `SHARING`.
    """

    cases: Mapping[str, KeptCase] = field(default_factory=dict)
    letters: Mapping[str, CaseOpened] = field(default_factory=dict)
    load: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Writes:
    """What a turn writes: group after group, then the cases that begin."""

    groups: tuple[Sequence[tuple[KeptCase, KeptCase]], ...] = ()
    parts: tuple[OpenedCase, ...] = ()


@dataclass(frozen=True, slots=True)
class Settled:
    """What becomes of one command: all that is announced of it, and the cases that move.

    `parts` are the cases that begin, also where the case that they are split from has moved
    before: they are added again, which is harmless.
    """

    sending: Sending
    moves: tuple[KeptCase, ...] = ()
    """In the order in which they are written; each has the sending with its own events."""
    parts: tuple[OpenedCase, ...] = ()


@dataclass(slots=True)
class Batch:
    """`rules` may be missing while none of the cases is known."""

    at: datetime
    zone: tzinfo
    rules: RulesInForce | None
    decided: dict[str, Sending] = field(default_factory=dict)
    waiting: list[Waiting] = field(default_factory=list)

    def read(self, arrival: Arrival) -> None:
        reading = read_command(arrival.type, arrival.body)
        match reading:
            case Unreadable():
                self.decided[arrival.key] = self._refused(arrival, reading.item, reading.refusal)
            case Command():
                self.waiting.append((arrival, reading))

    def next_turn(self) -> list[Waiting]:
        """What is settled together: up to the next order that writes two cases, or that alone.

        One that names somebody is the last of its turn: what is ordered next about another case
        of its letter is decided once that case knows.
        """
        orders = [command.event.data for _, command in self.waiting]
        before = (n for n, data in enumerate(orders) if isinstance(data, CaseJoin))
        after = (n for n, data in enumerate(orders, 1) if isinstance(data, NAMING))
        length = max(min(next(before, len(orders)), next(after, len(orders))), 1)
        turn, self.waiting = self.waiting[:length], self.waiting[length:]
        return turn

    def settle(self, turn: Sequence[Waiting], before: Before, acted: Done) -> Writes:
        """Decide the turn, in stream order; returns what it would write."""
        after: dict[str, KeptCase] = {}
        parts: list[OpenedCase] = []
        done = {**acted, **{(s.party, s.item): s for s in self.decided.values() if _moved(s)}}
        for arrival, command in turn:
            now = replace(before, cases={**before.cases, **after})
            settled = self._settled(arrival, command, now, done)
            self.decided[arrival.key] = settled.sending
            parts += settled.parts
            if _moved(settled.sending):
                done[arrival.party, command.item] = settled.sending
            after |= {kept.state.case: kept for kept in settled.moves}
        steps = [(before.cases[case], kept) for case, kept in after.items()]
        one_by_one = isinstance(turn[0][1].event.data, CaseJoin)
        groups = tuple([step] for step in steps) if one_by_one else (steps,)
        return Writes(groups if steps else (), tuple(parts))

    def named(self, turn: Sequence[Waiting]) -> list[Waiting]:
        """Those of the turn by which a case may concern somebody more."""
        decided = ((a, c) for a, c in turn if isinstance(c.event.data, NAMING))
        return [(a, c) for a, c in decided if a.key in self.decided and _moved(self.decided[a.key])]

    def also_said(self, arrival: Arrival, events: Sequence[AnyEvent]) -> None:
        """What this sending announced of the other cases of a letter."""
        sending = self.decided[arrival.key]
        said = {event.id for event in sending.events}
        news = tuple(event for event in events if event.id not in said)
        self.decided[arrival.key] = replace(sending, events=(*sending.events, *news))

    def take_back(self, turn: Sequence[Waiting], lost: frozenset[str]) -> None:
        """Let the commands on these cases wait again: the cases moved meanwhile."""
        again = [(a, command) for a, command in turn if lost.intersection(command.cases)]
        for arrival, _ in again:
            del self.decided[arrival.key]
        self.waiting = [*again, *self.waiting]

    def _settled(self, arrival: Arrival, command: Command, before: Before, done: Done) -> Settled:
        """The case is asked first: it knows what the ledger missed when a process died."""
        case = before.cases.get(command.case)
        itself = case.moved_by(arrival.key) if case else None
        if case is not None and itself is not None:
            return self._repeated(arrival, command, before, itself)
        earlier = case.moved_as(arrival.party, command.item) if case else None
        earlier = earlier or done.get((arrival.party, command.item))
        if earlier is not None:
            if earlier.order != command.order:
                return Settled(self._refused(arrival, command.item, id_reused()))
            return Settled(_sending(arrival, command.item, Fate.DUPLICATE))
        if case is None or self.rules is None:
            return Settled(self._refused(arrival, command.item, unknown_case()))
        order = command.event.data
        match order:
            case CaseSplit():
                return self._split(arrival, command, before, order)
            case CaseJoin():
                return self._join(arrival, command, before, order)
            case CaseAskUnsealing() | CaseConfirmUnsealing() | CaseRefuseUnsealing():
                act = _act(arrival, command)
                decided = decide_unsealing(case.state, order, act, self.rules, self.zone)
                return self._own(arrival, command, case, decided)
            case _:
                act = _act(arrival, command)
                decision = decide(case.state, order, act, self.rules, self.zone, load=before.load)
                if isinstance(decision, Decision):
                    count_move(case.state, decision.after, before.load)
                return self._own(arrival, command, case, decision)

    def _own(
        self, arrival: Arrival, command: Command, case: KeptCase, decision: Decision | Refusal
    ) -> Settled:
        if isinstance(decision, Refusal):
            return Settled(self._refused(arrival, command.item, decision))
        sending = self._kept(arrival, command, case, decision)
        return Settled(sending, (_moved_on(case, decision, sending),))

    def _split(
        self, arrival: Arrival, command: Command, before: Before, order: CaseSplit
    ) -> Settled:
        case, rules = before.cases[command.case], self._rules
        letter = before.letters[command.case]
        splitting = Splitting(
            case, letter, command.event.id, self.at, rules, self.zone, before.load
        )
        division = splitting.divide(order, _act(arrival, command))
        if isinstance(division, Refusal):
            return Settled(self._refused(arrival, command.item, division))
        before.load.update(part.state.lead for part in division.parts)
        sending = self._kept(arrival, command, case, division.decision)
        moved = _moved_on(case, division.decision, sending)
        moved = replace(moved, parts=(*case.parts, *division.parts))
        return Settled(_with_parts(sending, division.parts), (moved,), division.parts)

    def _join(self, arrival: Arrival, command: Command, before: Before, order: CaseJoin) -> Settled:
        """The standing case knows whether it has taken over already: it is asked for no more."""
        case, standing = before.cases[command.case], before.cases.get(order.into)
        joining = Joining(
            order,
            _act(arrival, command),
            Side(case, before.letters[command.case]),
            Side(standing, before.letters[order.into]) if standing else None,
            self._rules,
            self.zone,
        )
        taken = _taken_over(arrival, command, standing)
        if taken is not None and taken.order != command.order:
            return Settled(self._refused(arrival, command.item, id_reused()))
        moves: tuple[KeptCase, ...] = ()
        if taken is None:
            found = joining.take_over()
            if isinstance(found, Refusal):
                return Settled(self._refused(arrival, command.item, found))
            assert standing is not None  # noqa: S101 - nothing was taken over into nowhere
            taken = self._kept(arrival, command, standing, found)
            moves = (_moved_on(standing, found, taken),)
        elif refusal := joining.may_not_close():
            refused = self._refused(arrival, command.item, refusal)
            return Settled(replace(refused, events=(*taken.events, *refused.events)))
        decision = joining.close()
        sending = self._kept(arrival, command, case, decision)
        whole = replace(sending, events=(*taken.events, *sending.events))
        return Settled(whole, (*moves, _moved_on(case, decision, sending)))

    def _repeated(
        self, arrival: Arrival, command: Command, before: Before, itself: Sending
    ) -> Settled:
        """The same once more, with what was announced of other cases."""
        match command.event.data:
            case CaseSplit():
                parts = _parts_of(itself, before.cases[command.case])
                return Settled(_with_parts(itself, parts), parts=parts)
            case CaseJoin(into=into):
                taken = _taken_over(arrival, command, before.cases.get(into))
                events = taken.events if taken else ()
                return Settled(replace(itself, events=(*events, *itself.events)))
            case _:
                return Settled(itself)

    @property
    def _rules(self) -> RulesInForce:
        assert self.rules is not None  # noqa: S101 - `_settled` asked
        return self.rules

    def _kept(
        self, arrival: Arrival, command: Command, case: KeptCase, decision: Decision
    ) -> Sending:
        events = [self._event(arrival, command, case, *said) for said in decision.said]
        return _sending(arrival, command.item, Fate.KEPT, *events, order=command.order)

    def _event(
        self, arrival: Arrival, command: Command, case: KeptCase, data: CaseEvent, when: datetime
    ) -> AnyEvent:
        event: AnyEvent = command.event.causes(
            data, source=SOURCE, recorded=self.at, time=when, subject=case.state.case
        )
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


def _act(arrival: Arrival, command: Command) -> Act:
    return Act(arrival.party, command.event.time, arrival.recorded)


def _moved_on(case: KeptCase, decision: Decision, sending: Sending) -> KeptCase:
    return replace(case, state=decision.after, acted=(*case.acted, sending))


def _taken_over(arrival: Arrival, command: Command, standing: KeptCase | None) -> Sending | None:
    """The sending by which the standing case took over what this order joins to it."""
    if standing is None:
        return None
    by_this = standing.moved_by(arrival.key)
    return by_this or standing.moved_as(arrival.party, command.item)


def _parts_of(sending: Sending, case: KeptCase) -> tuple[OpenedCase, ...]:
    """The cases that this sending split from the case."""
    said = (event.data for event in sending.events if isinstance(event.data, CaseDivided))
    named = {part.case for data in said for part in data.parts}
    return tuple(part for part in case.parts if part.state.case in named)


def _with_parts(sending: Sending, parts: Sequence[OpenedCase]) -> Sending:
    begun = (event for part in parts for event in part.events)
    return replace(sending, events=(*sending.events, *begun))


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
