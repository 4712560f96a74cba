"""Letters are split and joined at random, in generated provinces: what holds in any order.

The judge asks `conflict.excluded` and `open_case` itself, so that it sees what an order overlooked.
"""

import asyncio
import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from services.reporting.domain.forms import Tally, fill
from services.routing.domain import conflict
from services.routing.domain.directory import DirectoryIndex
from services.routing.domain.lifecycle import CaseState
from services.routing.domain.opening import open_case
from shared.contracts import (
    CalendarPublished,
    DirectoryPublished,
    RulebookPublished,
    SubmissionReceived,
)
from shared.contracts.case import Ground, part_id
from shared.contracts.envelope import AnyEvent, Event
from shared.contracts.order import (
    CaseAccept,
    CaseAmend,
    CaseConclude,
    CaseDecline,
    CaseJoin,
    CaseReopen,
    CaseSplit,
    CaseTransfer,
    SplitPart,
)
from shared.contracts.submission import ELIGIBLE
from shared.contracts.vocabulary import Concern, Kind, Outcome
from tests.examples_reporting import LETTERS, case_rows, window
from tests.examples_routing import (
    NOON,
    REGULATION,
    TODAY,
    ZONE,
    calendar,
    clock_rule,
    event,
    published,
    sent,
    submission_received,
)
from tests.histories_routing import Routing
from tests.unit.test_routing_properties import RULES, a_matter, province

LIVES = range(100)
ORDERS = 25
IN_ROWS = (
    "case.concluded.v1",
    "case.opened.v1",
    "case.assigned.v1",
    "case.joined.v1",
    "case.reopened.v1",
)
BOOK = RULES.model_copy(
    update={
        "clocks": (
            *(clock_rule(f"answer-{k}", kinds=(k,), days=5 + n) for n, k in enumerate(Kind)),
            clock_rule("settle", starts="accepted", days=30),
        )
    }
)


class Life:
    """Some letters, and orders on their cases; `letters` is how many there should be."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.there = province(self.chance)
        self.routing = Routing()
        self.routing.at = NOON + timedelta(hours=6)
        self.received: list[Event[SubmissionReceived]] = []
        self.seen: Counter[str] = Counter()
        self.offences: list[str] = []
        self.sequence = 0
        self.letters = 0
        self.rules: Any = None

    async def on(self) -> "Life":
        await self.routing.rules.add_once(
            (
                published(DirectoryPublished(version=1, directory=self.there)),
                published(RulebookPublished(version=1, rulebook=BOOK)),
                published(CalendarPublished(version=1, calendar=calendar())),
            )
        )
        self.rules = await self.routing.rules.latest()
        self.received = [self._letter(f"s{number}") for number in range(self.chance.randint(2, 6))]
        await self.routing.receive(self.received)
        self.letters = len(self.received)
        for _ in range(ORDERS):
            await self._step()
        return self

    @property
    def states(self) -> dict[str, CaseState]:
        return self.routing.states

    def _letter(self, name: str) -> Any:
        about = a_matter(self.chance, self.there)
        return submission_received(
            name,
            NOON + timedelta(minutes=self.chance.randint(0, 300)),
            kind=about.kind,
            category=about.category,
            unit=about.unit,
            concerns=next(iter(about.concerns), Concern()),
            eligibility=self.chance.choice(("eligible", "eligible", "stored-anonymous")),
        )

    async def _step(self) -> None:
        state = self.chance.choice(list(self.states.values()))
        order = self._order(state)
        before = dict(self.states)
        self.sequence += 1
        given = event(
            order, item=f"c{self.sequence}", subject=state.case, time=NOON + timedelta(hours=6)
        )
        at = NOON + timedelta(hours=6)
        said = len(self.routing.log)
        await self.routing.order(
            [sent(given, self.sequence, party=state.lead, recorded=at) for _ in range(2)]
        )
        news = self.routing.log[said:]
        if any(e.type == "item.refused.v1" for e in news):
            problem = next(e.data.type for e in news if e.type == "item.refused.v1")
            self.seen[problem.removeprefix("/problems/")] += 1
            return
        self.seen[type(order).__name__] += 1
        if isinstance(order, CaseSplit):
            self.letters += len(order.parts)
            self._judge_parts(before[state.case], order)
        self._judge()

    def _order(self, state: CaseState) -> Any:
        chance = self.chance
        offices = [entry.code for entry in self.there.offices]
        concerns = (Concern(office=chance.choice(offices)),)
        if not state.open:
            return CaseReopen(citation=REGULATION)
        kinds = chance.sample(list(Kind), chance.choice((1, 1, 2)))
        parts = tuple(
            SplitPart(kind=kind, concerns=concerns if chance.random() < 0.4 else ())
            for kind in kinds
        )
        mine = [s.case for s in self.states.values() if s.lead == state.lead]
        into = chance.choice(mine if chance.random() < 0.8 else list(self.states))
        receiver = chance.choice([entry.code for entry in self.there.bodies])
        return chance.choice(
            (
                CaseSplit(parts=parts, citation=REGULATION),
                CaseSplit(parts=parts, citation=REGULATION),
                CaseJoin(into=into, citation=REGULATION),
                CaseJoin(into=into, citation=REGULATION),
                CaseAmend(concerns=concerns),
                CaseTransfer(to=receiver, citation=REGULATION),
                CaseDecline(ground=chance.choice(list(Ground)), citation=REGULATION),
                CaseAccept(),
                CaseConclude(outcome=Outcome.RIGHT),
            )
        )

    def _barred(self, matter: Any) -> set[str]:
        found = conflict.excluded(matter, DirectoryIndex(self.there), BOOK, TODAY)
        return {exclusion.body for exclusion in found}

    def _judge_parts(self, parent: CaseState, order: CaseSplit) -> None:
        """By what the letter was known to concern, and by what was said to keep a body away."""
        acted = self.routing.cases.kept[parent.case].recused
        for part in order.parts:
            state = self.states[part_id(parent.case, part.kind)]
            if self._barred(parent.matter.naming(part.concerns)).intersection(state.bodies):
                self.offences.append("part at a concerned body")
            if state.lead in acted:
                self.offences.append("part led by one that declined as concerned")
            if state.clocks != self._terms(state):
                self.offences.append("part with other terms")

    def _terms(self, state: CaseState) -> Any:
        """Those of a letter of this kind, received at the same moment."""
        kept = self.routing.cases.openings[state.case][0].data
        alone = submission_received(
            "alone", kept.received, kind=kept.kind, unit=kept.unit, eligibility=kept.eligibility
        )
        return open_case(alone, self.rules, ZONE, self.routing.at).state.clocks

    def _judge(self) -> None:
        for state in self.states.values():
            if state.open and self._barred(state.matter).intersection(state.bodies):
                self.offences.append("concerned")
        self._judge_cover()
        self._judge_letters()
        self._judge_joined()

    def _judge_letters(self) -> None:
        """Whom any case of a letter concerns holds none of its cases."""
        for first in (state for state in self.states.values() if state.parent is None):
            letter = [s for s in self.states.values() if first.case in {s.case, s.parent}]
            whole = first.matter
            for state in letter:
                whole = whole.taking_over(state.matter)
            barred = self._barred(whole)
            if any(state.open and barred.intersection(state.bodies) for state in letter):
                self.offences.append("a case of the letter at a body that another one concerns")
            if len({frozenset(state.matter.concerns) for state in letter}) != 1:
                self.offences.append("cases of one letter concern others")

    def _judge_cover(self) -> None:
        parts = Counter(s.parent for s in self.states.values() if s.parent)
        for case, state in self.states.items():
            mine = [s.matter.kind for s in self.states.values() if s.parent == case]
            if sorted(mine) != sorted(state.divided) or len(mine) != parts[case]:
                self.offences.append("parts do not cover the letter")
            if len({*mine, state.matter.kind}) != len(mine) + 1:
                self.offences.append("a kind twice")

    def _judge_joined(self) -> None:
        for state in self.states.values():
            if state.joined is None:
                continue
            standing = self.states[state.joined]
            if state.open or not set(state.matter.concerns) <= set(standing.matter.concerns):
                self.offences.append("joined, and not taken over")

    def counted(self) -> dict[str, int]:
        """The columns of Form 01/XLD over all units, as of every event that was announced."""
        tally = Tally(window())
        for row in case_rows(self._reported()):
            tally.add_case(row)
        cells = zip(*fill(LETTERS, tally).values(), strict=True)
        return LETTERS.named([sum(column) for column in cells])

    def _reported(self) -> list[AnyEvent]:
        return [*self.received, *(e for e in self.routing.log if e.type in IN_ROWS)]


@pytest.fixture(scope="module")
def lives() -> list[Life]:
    async def all_of_them() -> list[Life]:
        return [await Life(seed).on() for seed in LIVES]

    return asyncio.run(all_of_them())


def test_parts_cover_their_letter_and_no_part_is_at_a_concerned_body(lives):
    offences = {seed: life.offences for seed, life in zip(LIVES, lives, strict=True)}

    assert {seed: found for seed, found in offences.items() if found} == {}


def test_whatever_is_split_and_joined_the_number_of_letters_is_kept(lives):
    for life in lives:
        counted = life.counted()
        states = life.states.values()
        opened = {case: said[0].data for case, said in life.routing.cases.openings.items()}
        of_their_own = [
            s for s in states if s.joined is None and opened[s.case].eligibility == ELIGIBLE
        ]

        assert len(states) == life.letters == counted["1"] == counted["8"]
        assert counted["9"] == len(of_their_own)
        assert counted["12"] == sum(s.matter.kind is Kind.DENUNCIATION for s in of_their_own)


def test_every_version_was_announced_once(lives):
    for life in lives:
        said = {e.id: e for e in life.routing.log if hasattr(e.data, "version")}
        found: dict[str, list[int]] = {}
        for each in said.values():
            found.setdefault(str(each.subject), []).append(each.data.version)

        for case, state in life.states.items():
            assert sorted(found[case]) == list(range(1, state.version + 1))


def test_the_lives_have_every_turn(lives):
    """A promise kept because nothing was tried is none."""
    seen = sum((life.seen for life in lives), Counter())

    assert min(seen[order] for order in ("CaseSplit", "CaseJoin", "CaseReopen", "CaseAmend")) > 50
    refused = ("kind-there", "part-of-a-letter", "standing-not-led", "same-letter")
    assert min(seen[problem] for problem in refused) > 10
