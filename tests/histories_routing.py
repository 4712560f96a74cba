"""Routing in memory with everything that it announces, and long histories to send through it."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from services.routing.domain.lifecycle import CaseState, Stage
from services.routing.handlers import case_opener, command_taker
from services.routing.schedule import Schedule
from shared.contracts import (
    CalendarPublished,
    CaseAccept,
    CaseAmend,
    CaseConclude,
    CaseDecline,
    CaseExtend,
    CasePause,
    CaseReopen,
    CaseResume,
    CaseTransfer,
    DirectoryPublished,
    RulebookPublished,
)
from shared.contracts.case import Ground
from shared.contracts.directory import OfficeRank
from shared.contracts.envelope import AnyEvent
from shared.contracts.rulebook import Holiday
from shared.contracts.vocabulary import Concern, Outcome
from shared.runtime.arrival import Arrival
from tests.examples_routing import (
    BODIES,
    OFFICES,
    REGULATION,
    ZONE,
    body,
    calendar,
    clock_rule,
    directory,
    event,
    label,
    office,
    published,
    rulebook,
    sent,
    submission_received,
)
from tests.fakes_routing import MemoryCases, MemoryClocks, MemoryCommands, MemoryRules
from tests.walks_routing import escalation

BEGINNING = datetime(2026, 4, 20, 2, 0, tzinfo=UTC)
"""A Monday morning, ten days before Liberation Day."""
SEATS = (
    *BODIES,
    body("ward-youth", "ward"),
    body("province-youth", "province", members=("province-secretary",)),
)
PLACES = (*OFFICES, office("province-secretary", "province", OfficeRank.DEPUTY))
FREE: dict[str, Any] = {"longest": 60, "may_pause": True, "warn_before": 1}
BOOK = rulebook(
    clocks=(
        clock_rule("answer", days=9, **FREE),
        clock_rule("acknowledge", starts="received", stops="accepted", days=3, warn_before=1),
        clock_rule("again", starts="accepted", days=5, **FREE),
    ),
    escalations=(
        escalation("acknowledge", takes_over=False, again_after=2),
        escalation("answer", takes_over=True),
    ),
)


@dataclass(frozen=True, slots=True)
class Moment:
    """What reached routing at one moment; a sweep follows it."""

    at: datetime
    rules: tuple[AnyEvent, ...] = ()
    submissions: tuple[Any, ...] = ()
    orders: tuple[Arrival, ...] = ()


class Routing:
    """Its own clock is `skew` off the store's; `log` is what it announced, in order."""

    def __init__(self, skew: timedelta = timedelta(0)) -> None:
        self.at, self.skew = BEGINNING, skew
        self.log: list[AnyEvent] = []
        self.cases, self.ledger, self.rules = MemoryCases(), MemoryCommands(), MemoryRules()
        self.clocks = MemoryClocks(self.cases, self.at)
        self._open = case_opener(self.rules, self.cases, ZONE, self.now)
        self._take = command_taker(self.rules, self.cases, self.ledger, ZONE, self.now)

    def now(self) -> datetime:
        return self.at + self.skew

    @property
    def states(self) -> dict[str, CaseState]:
        return {case: kept.state for case, kept in self.cases.kept.items()}

    async def publish(self, events: Sequence[AnyEvent]) -> None:
        self.log += events

    async def receive(self, submissions: Sequence[Any]) -> None:
        self.log += await self._open(submissions)

    async def order(self, orders: Sequence[Arrival]) -> None:
        self.log += await self._take(orders)

    async def sweep(self) -> None:
        self.clocks.at = self.at
        await Schedule(self.rules, self.clocks, self.publish, zone=ZONE, now=self.now).sweep()

    async def live(self, moment: Moment) -> None:
        self.at = moment.at
        await self.rules.add_once(moment.rules)
        if moment.submissions:
            await self.receive(moment.submissions)
        if moment.orders:
            await self.order(moment.orders)
        await self.sweep()


def first_rules() -> tuple[AnyEvent, ...]:
    there = directory(bodies=SEATS, offices=PLACES)
    return (
        published(DirectoryPublished(version=1, directory=there)),
        published(RulebookPublished(version=1, rulebook=BOOK)),
        published(CalendarPublished(version=1, calendar=calendar())),
    )


def new_rules(chance: random.Random, version: int) -> AnyEvent:
    """Another day off, or another who sits in a body that may hold cases."""
    if chance.random() < 0.5:
        off = Holiday(day=date(2026, 5, chance.randint(4, 15)), name=label("Nghỉ"))
        table = calendar(holidays=(*calendar().holidays, off))
        return published(CalendarPublished(version=version, calendar=table))
    seated = chance.choice(SEATS)
    member = chance.choice(PLACES).code
    bodies = tuple(
        seat.model_copy(update={"members": (*seat.members, member)}) if seat is seated else seat
        for seat in SEATS
    )
    there = directory(bodies=bodies, offices=PLACES)
    return published(DirectoryPublished(version=version, directory=there))


async def a_history(seed: int, cases: int = 20, moments: int = 60) -> tuple[Routing, list[Moment]]:
    """A month of cases at random, and what reached routing to bring it about."""
    chance = random.Random(seed)
    routing, past = Routing(), [Moment(BEGINNING, rules=first_rules())]
    await routing.live(past[0])
    names, sequence = [f"s{number}" for number in range(cases)], 0
    for number in range(moments):
        at = past[-1].at + timedelta(hours=chance.choice((1, 2, 5, 14, 30)))
        new = tuple(
            submission_received(
                name,
                at - timedelta(minutes=chance.randint(0, 3000)),
                unit=chance.choice(("school", "clinic", "ward")),
                concerns=chance.choice((Concern(), Concern(office=chance.choice(PLACES).code))),
                eligibility=chance.choice(("eligible", "eligible", "eligible", "anonymous")),
            )
            for name in names[: chance.choice((0, 1, 3))]
        )
        names = names[len(new) :]
        states = list(routing.states.values())
        acting = chance.sample(states, k=min(len(states), chance.randint(0, 4)))
        orders = []
        for state in acting:
            sequence += 1
            order = event(
                _an_order(chance, state), item=f"c{sequence}", subject=state.case, time=at
            )
            orders.append(sent(order, sequence, party=state.lead, recorded=at))
        rules = (new_rules(chance, number + 2),) if chance.random() < 0.1 else ()
        past.append(Moment(at, rules, new, tuple(orders)))
        await routing.live(past[-1])
    return routing, past


def _an_order(chance: random.Random, state: CaseState) -> Any:
    clock = chance.choice([clock.code for clock in state.clocks] or ["answer"])
    still = [c.code for c in state.clocks if c.paused]
    if state.stage is Stage.CONCLUDED:
        return CaseReopen(citation=REGULATION)
    if still and chance.random() < 0.5:
        return CaseResume(clock=still[0])
    either = (
        CaseTransfer(to=chance.choice(SEATS).code, citation=REGULATION),
        CaseAmend(concerns=(Concern(office=chance.choice(PLACES).code),)),
    )
    on_terms = (
        CaseExtend(clock=clock, days=chance.randint(1, 4), citation=REGULATION),
        CasePause(clock=clock, citation=REGULATION),
    )
    if state.stage is Stage.ASSIGNED:
        decline = CaseDecline(ground=Ground.NOT_COMPETENT, citation=REGULATION)
        return chance.choice((CaseAccept(), CaseAccept(), decline, *either, *on_terms))
    return chance.choice((CaseConclude(outcome=Outcome.RIGHT), *either, *on_terms))


def versions(events: Iterable[AnyEvent]) -> dict[str, list[int]]:
    """The versions that were announced of each case, in order; one twice if two events have it."""
    found: dict[str, set[tuple[int, str, str]]] = {}
    for said in events:
        if hasattr(said.data, "version"):
            mark = (said.data.version, said.type, said.id)
            found.setdefault(str(said.subject), set()).add(mark)
    return {case: [number for number, *_ in sorted(marks)] for case, marks in found.items()}
