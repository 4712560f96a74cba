"""Nothing is shown without two different persons whom the case does not concern.

Random bodies and persons ask, agree, refuse, amend and read over generated provinces, while the
directory changes under them; the oracle reads the rows of the directory by itself.
"""

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property

from hypothesis import given, settings
from hypothesis import strategies as st

from services.routing.domain import unsealing
from services.routing.domain.command import Refusal
from services.routing.domain.competence import assign
from services.routing.domain.decision import Act, Decision
from services.routing.domain.directory import DirectoryIndex
from services.routing.domain.lifecycle import CaseState, Unsealed
from services.routing.domain.matter import Matter
from services.routing.domain.unsealing import Scene, decide_unsealing, shown
from shared.contracts.case import CaseUnsealingConfirmed
from shared.contracts.directory import Directory
from shared.contracts.order import CaseAskUnsealing, CaseConfirmUnsealing, CaseRefuseUnsealing
from shared.contracts.vocabulary import Concern, Unseals
from tests.examples_routing import NOON, TODAY, ZONE, rules_in_force
from tests.unit.test_routing_properties import RULES, a_matter, concerned_bodies, province
from tests.unit.test_routing_questions import a_case, changed
from tests.unit.test_routing_unsealing import CITED, ground

BOOK = RULES.model_copy(
    update={
        "unsealings": (
            ground("identity"),
            ground("identity-here", same_body=True),
            ground("case", Unseals.CASE),
        )
    }
)
PLAYS, STEPS = 400, 60


def accused(there: Directory, about: Matter) -> set[str]:
    """Whoever holds or held an office that the matter names, told from the rows."""
    named, days = {c.office for c in about.concerns if c.office}, (about.acted, TODAY)
    return {h.person for h in there.holdings if h.office in named and any(map(h.in_force, days))}


@dataclass
class Play:
    """One case under random orders; `offences` are what must never happen."""

    chance: random.Random
    there: Directory
    state: CaseState
    agreed: dict[int, Matter] = field(default_factory=dict)
    shown: Counter[int] = field(default_factory=Counter)
    offences: list[str] = field(default_factory=list)
    count: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, seed: int) -> "Play":
        chance = random.Random(seed)
        there = province(chance)
        about = a_matter(chance, there)
        found = assign(about, DirectoryIndex(there), RULES, TODAY)
        return cls(chance, there, a_case("s", about, found.lead, found.cooperating).state)

    def go(self) -> "Play":
        for _ in range(STEPS):
            weights = (4, 8, 6, 1)
            steps = (self.ask, self.second, self.read, self.move)
            self.chance.choices(steps, weights)[0]()
        return self

    @cached_property
    def rules(self):
        return rules_in_force(directory=DirectoryIndex(self.there), rulebook=BOOK)

    def body(self) -> str:
        listed = [entry.code for entry in self.there.bodies]
        holders = [*self.state.bodies] * len(listed)
        return self.chance.choice([*listed, *holders, "nobody"])

    def person(self) -> str:
        return f"{self.chance.choice('psss')}{self.chance.randint(0, 4)}"

    def ordered(self, order) -> tuple[str, Decision | Refusal]:
        party = self.body()
        return party, decide_unsealing(self.state, order, Act(party, NOON, NOON), self.rules, ZONE)

    def ask(self) -> None:
        code = self.chance.choice(["identity", "identity-here", "case"])
        order = CaseAskUnsealing(ground=code, person=self.person(), citation=CITED)
        party, found = self.ordered(order)
        if isinstance(found, Decision):
            self.count["asked"] += 1
            self._weigh("asked", party, order.person)
            self.state = found.after

    def second(self) -> None:
        number = self.chance.randint(1, max(len(self.state.unsealings), 1))
        contract = self.chance.choice([CaseConfirmUnsealing] * 4 + [CaseRefuseUnsealing])
        order = contract(number=number, person=self.person())
        party, found = self.ordered(order)
        if isinstance(found, Decision):
            said = found.said[0][0]
            self._weigh("second", party, order.person)
            if isinstance(said, CaseUnsealingConfirmed):
                self._confirmed(said)
            self.state = found.after

    def _confirmed(self, said: CaseUnsealingConfirmed) -> None:
        self.count["confirmed"] += 1
        self._weigh("asker", said.body, said.person)
        if said.person == said.second_person:
            self.offences.append("one person is both")
        if said.body == said.second_body and said.ground != "identity-here":
            self.offences.append("one body is both")
        if said.number in self.agreed:
            self.offences.append("agreed twice")
        self.agreed[said.number] = self.state.matter

    def read(self) -> None:
        """By random parties, and by who asked."""
        number = self.chance.randint(1, max(len(self.state.unsealings), 1))
        there = Scene(self.state, self.rules, TODAY)
        one = there.find(number)
        body, person = self.body(), self.person()
        if one is not None and self.chance.random() < 0.7:
            body, person = one.body, one.person
        found = there.may_see(number, body, person)
        if found is None:
            return
        self.count["shown"] += 1
        self.shown[number] += 1
        self._weigh("shown", body, person)
        if (body, person) != (found.body, found.person):
            self.offences.append("shown to another")
        if self.agreed.get(number) != self.state.matter:
            self.offences.append("nobody agreed to this")
        if self.shown[number] > 1:
            self.offences.append("shown twice")
        self.state, _ = shown(self.state, found)

    def move(self) -> None:
        if self.chance.random() < 0.5:
            self.there = changed(self.chance, self.there)
            self.__dict__.pop("rules", None)
            return
        office = self.chance.choice(self.there.offices).code
        matter = self.state.matter.naming((Concern(office=office),))
        self.state = replace(self.state, matter=matter, version=self.state.version + 1)

    def _weigh(self, part: str, body: str, person: str) -> None:
        if body in concerned_bodies(self.there, self.state.matter):
            self.offences.append(f"{part}: the body is concerned")
        if person in accused(self.there, self.state.matter):
            self.offences.append(f"{part}: the person is accused")


def played() -> tuple[list[str], Counter[str]]:
    offences: list[str] = []
    count: Counter[str] = Counter()
    for seed in range(PLAYS):
        play = Play.of(seed).go()
        offences += play.offences
        count += play.count
    return offences, count


def test_in_400_plays_nothing_is_shown_without_two_unconcerned_persons():
    offences, count = played()

    assert offences == []
    assert count["asked"] > 800, "a promise kept because nothing was tried is none"
    assert count["confirmed"] > 300
    assert count["shown"] > 200


@given(seed=st.integers(min_value=PLAYS))
@settings(max_examples=60, deadline=None)
def test_nor_in_any_other(seed):
    play = Play.of(seed).go()

    assert play.offences == []
    assert all(
        each.standing is not Unsealed.SHOWN or each.number in play.agreed
        for each in play.state.unsealings
    )


class TestEachControlMatters:
    """Taken out, the same plays show what must never be shown."""

    def test_the_conflict_rule_of_bodies(self, monkeypatch):
        monkeypatch.setattr(unsealing, "barred", lambda *_: ())

        assert any("the body is concerned" in offence for offence in played()[0])

    def test_the_conflict_of_persons(self, monkeypatch):
        monkeypatch.setattr(unsealing, "concerned_person", lambda *_: False)

        assert any("the person is accused" in offence for offence in played()[0])

    def test_two_persons(self, monkeypatch):
        monkeypatch.setattr(unsealing, "_may_be_second", lambda scene, *_: None)

        offences = set(played()[0])
        assert {"one person is both", "one body is both"} <= offences

    def test_that_who_asked_is_weighed_again(self, monkeypatch):
        monkeypatch.setattr(unsealing.Scene, "may_ask", lambda *_: None)

        assert "asker: the person is accused" in played()[0]

    def test_that_it_is_shown_once(self, monkeypatch):
        monkeypatch.setattr(unsealing, "_with", kept_confirmed)

        assert "shown twice" in played()[0]


def kept_confirmed(state, one, said, real=unsealing._with):
    """What was shown stays as if it were only agreed on."""
    standing = Unsealed.CONFIRMED if one.standing is Unsealed.SHOWN else one.standing
    return real(state, replace(one, standing=standing), said)
