"""A case on its way through a generated province: one hop after another, each one judged.

The judge asks `conflict.excluded` itself, so that it sees what a hop has overlooked.
"""

import random
from collections import Counter
from datetime import date, datetime, time, timedelta
from typing import Any

from services.routing.domain import conflict
from services.routing.domain.competence import is_competent
from services.routing.domain.decision import Act, Decision
from services.routing.domain.directory import DirectoryIndex
from services.routing.domain.due import tick
from services.routing.domain.lifecycle import CaseState, Stage
from services.routing.domain.opening import open_case
from services.routing.domain.orders import decide
from services.routing.domain.rules import RulesInForce
from shared.contracts.case import Assigning, CaseAssigned, Ground
from shared.contracts.directory import Body, Directory, Holding, Recusal
from shared.contracts.order import (
    CaseAccept,
    CaseAmend,
    CaseConclude,
    CaseDecline,
    CaseReopen,
    CaseTransfer,
)
from shared.contracts.rulebook import DayKind, EscalationRule
from shared.contracts.vocabulary import Concern, Outcome
from tests.examples_routing import (
    LONG_AGO,
    REGULATION,
    TODAY,
    ZONE,
    clock_rule,
    label,
    rules_in_force,
    submission_received,
)
from tests.unit.test_routing_properties import RULES, a_matter, province

STEPS = 14
HANDS_ON = (CaseAmend, CaseDecline, CaseReopen, CaseTransfer)
"""Orders after which the case has been weighed again; the others leave its bodies alone."""


def escalation(clock: str, *, takes_over: bool, **more: Any) -> EscalationRule:
    return EscalationRule(
        code=f"{clock}-escalates",
        citation=REGULATION,
        issued=LONG_AGO,
        effective_from=LONG_AGO,
        label=label("Chuyển lên cấp trên"),
        clock=clock,
        takes_over=takes_over,
        **more,
    )


def term(code: str, days: int, **more: Any) -> Any:
    return clock_rule(code, days=days, day_kind=DayKind.CALENDAR, **more)


RULEBOOK = RULES.model_copy(
    update={
        "clocks": (
            term("urge", 3),
            term("take", 7),
            term("again", 4, starts="accepted"),
        ),
        "escalations": (
            escalation("urge", takes_over=False, again_after=2),
            escalation("take", takes_over=True, again_after=1, day_kind=DayKind.CALENDAR),
            escalation("again", takes_over=True),
        ),
    }
)


class Walk:
    """`offences` are the hops after which a concerned body held the case, or nobody did."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.there = province(self.chance)
        self.today = TODAY
        self.version = 1
        self.offences: list[str] = []
        self.seen: Counter[str] = Counter()
        self._load()
        self.state = self._opened()
        self._judge(Assigning.OPENING.value)

    def on(self, steps: int = STEPS) -> "Walk":
        for _ in range(steps):
            match self.chance.choice(("days", "directory", "order", "order", "order")):
                case "days":
                    self._days()
                case "directory":
                    self._directory()
                case _:
                    self._order(self._any_order())
        return self

    def barred(self) -> set[str]:
        state, rules = self.state, self.rules
        found = conflict.excluded(state.matter, rules.directory, rules.rulebook, self.today)
        return {exclusion.body for exclusion in found}

    def _load(self) -> None:
        self.rules: RulesInForce = rules_in_force(
            directory=DirectoryIndex(self.there),
            directory_version=self.version,
            rulebook=RULEBOOK,
        )

    def _now(self) -> datetime:
        return datetime.combine(self.today, time(12), ZONE)

    def _opened(self) -> CaseState:
        about = a_matter(self.chance, self.there)
        event = submission_received(
            time=datetime.combine(about.acted, time(9), ZONE),
            kind=about.kind,
            category=about.category,
            unit=about.unit,
            concerns=next(iter(about.concerns), Concern()),
        )
        return open_case(event, self.rules, ZONE, self._now()).state

    def _days(self) -> None:
        self.today += timedelta(days=self.chance.choice((1, 1, 2, 4)))
        self._sweep()

    def _sweep(self) -> None:
        fired = tick(self.state, self.rules, ZONE, self._now())
        self.state = fired.after
        for event in fired.events:
            if isinstance(event.data, CaseAssigned):
                self.seen[event.data.why.value] += 1
        if self.state.open:
            self._judge("sweep")

    def _directory(self) -> None:
        """A new version; often it concerns one who holds the case, and no sweep comes yet."""
        self.version += 1
        self.there = _changed(self.chance, self.there, self.state, self.today)
        self._load()
        if self.chance.random() < 0.5:
            self._sweep()
        elif self.state.cooperating and self.state.open:
            self._order(CaseTransfer(to=self._receiver(clean=True), citation=REGULATION))

    def _any_order(self) -> Any:
        chance = self.chance
        if self.state.stage is Stage.CONCLUDED:
            return CaseReopen(citation=REGULATION)
        offices = [entry.code for entry in self.there.offices]
        wanted = {
            "transfer": CaseTransfer(to=self._receiver(), citation=REGULATION),
            "amend": CaseAmend(concerns=(Concern(office=chance.choice(offices)),)),
            "decline": CaseDecline(ground=Ground.NOT_COMPETENT, citation=REGULATION),
            "accept": CaseAccept(),
            "conclude": CaseConclude(outcome=Outcome.RIGHT),
        }
        late = self.state.stage is Stage.ACCEPTED
        wanted.pop("accept" if late else "conclude")
        return wanted[chance.choice(tuple(wanted))]

    def _receiver(self, *, clean: bool = False) -> str:
        """Mostly one that could lead the case, concerned or not."""
        rules, matter = self.rules, self.state.matter
        bodies = [entry.code for entry in self.there.bodies]
        fit = [
            code
            for code in bodies
            if code != self.state.lead
            and is_competent(code, matter, rules.directory, rules.rulebook, self.today)
        ]
        free = [code for code in fit if code not in self.barred()]
        wanted = free if clean else self.chance.choice((free, fit, bodies))
        return self.chance.choice(wanted or bodies)

    def _order(self, order: Any) -> None:
        concerned = self.state.lead in self.barred()
        act = Act(self.state.lead, self._now(), self._now())
        found = decide(self.state, order, act, self.rules, ZONE)
        if not isinstance(found, Decision):
            self.seen[f"refused-{found.problem}"] += 1
            return
        if concerned:
            self.offences.append("order of a concerned body")
        self.state = found.after
        self.seen[type(order).__name__] += 1
        for data, _ in found.said:
            if isinstance(data, CaseAssigned):
                self.seen[data.why.value] += 1
        if isinstance(order, HANDS_ON):
            self._judge(type(order).__name__)

    def _judge(self, hop: str) -> None:
        """A desk that no directory lists is always there."""
        lead, directory = self.state.lead, self.rules.directory
        if self.barred().intersection(self.state.bodies):
            self.offences.append(f"{hop}: concerned")
        if lead != directory.outside_desk and directory.body(lead, self.today) is None:
            self.offences.append(f"{hop}: nobody")
        if len(set(self.state.bodies)) != len(self.state.bodies):
            self.offences.append(f"{hop}: named twice")


def _changed(chance: random.Random, there: Directory, state: CaseState, today: date) -> Directory:
    holding = state.cooperating if chance.random() < 0.5 else state.bodies
    held = [entry.code for entry in there.bodies if entry.code in holding]
    code = chance.choice(held or [entry.code for entry in there.bodies])
    named = state.matter.offices or tuple(entry.code for entry in there.offices)
    start = today + timedelta(days=chance.choice((0, 1, 2)))
    changes = ("member", "recusal", "holding", "ends", "nothing")
    match chance.choice(changes[:2] if code in state.cooperating else changes):
        case "member":
            return _with_body(there, code, lambda b: {"members": (*b.members, named[0])})
        case "recusal":
            unit = state.matter.unit
            recusal = Recusal(body=code, unit=unit, reason="Quyết định", valid_from=start)
            return there.model_copy(update={"recusals": (*there.recusals, recusal)})
        case "holding":
            persons = [h.person for h in there.holdings if h.office in named] or ["p0"]
            seats = [o for b in there.bodies if b.code == code for o in b.members] or [named[0]]
            took = Holding(person=persons[0], office=seats[0], valid_from=start)
            return there.model_copy(update={"holdings": (*there.holdings, took)})
        case "ends" if len(there.bodies) > 2:
            return _with_body(there, code, lambda _: {"valid_to": start})
        case _:
            return there


def _with_body(there: Directory, code: str, change: Any) -> Directory:
    def changed(entry: Body) -> Body:
        return entry.model_copy(update=change(entry)) if entry.code == code else entry

    return there.model_copy(update={"bodies": tuple(map(changed, there.bodies))})
