"""A process that dies among the writes of a split or a join: redelivered, the order acts once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.routing.domain.lifecycle import Stage
from services.routing.domain.opening import open_case
from services.routing.handlers import command_taker
from services.routing.store import MongoCases, MongoCommands, MongoWorklists
from shared.contracts.case import case_id, part_id
from shared.contracts.envelope import AnyEvent
from shared.contracts.order import (
    CaseAccept,
    CaseAmend,
    CaseJoin,
    CaseSplit,
    CaseTransfer,
    SplitPart,
)
from shared.contracts.vocabulary import Concern, Kind
from tests.examples_routing import (
    NOON,
    REGULATION,
    ZONE,
    event,
    rules_in_force,
    sent,
    submission_received,
)
from tests.fakes_routing import MemoryCases, MemoryCommands, MemoryWorklists

FIRST, SECOND = case_id("s1"), case_id("s2")
PARTS = (Kind.DENUNCIATION, Kind.PETITION)
SPLIT = CaseSplit(parts=tuple(SplitPart(kind=kind) for kind in PARTS), citation=REGULATION)
JOIN = CaseJoin(into=FIRST, citation=REGULATION)
PART = part_id(FIRST, Kind.PETITION)
AMEND = CaseAmend(concerns=(Concern(office="ward-chair"),))
"""Who heads the ward sits in its Front, which leads every case of the first letter."""
WRITES_OF_AMEND = 2
"""The case that is amended, then all others of its letter."""
HOUR = timedelta(hours=1)
ORDERS = {"split": (SPLIT, FIRST), "join": (JOIN, SECOND)}
MOST_WRITES = 3


class Died(Exception):
    """The process is gone."""


class Dying:
    """A store or ledger whose process dies at one of its writes: before it, or after it."""

    def __init__(self, kept: Any, at: int, *, after: bool) -> None:
        self._kept, self._left, self._after = kept, at, after

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._kept, name)
        return self._writing(found) if name in {"advance", "add_once"} else found

    def _writing(self, write: Any) -> Any:
        async def written(*given: Any) -> Any:
            self._left -= 1
            if self._left:
                return await write(*given)
            if self._after:
                await write(*given)
            raise Died

        return written


class Office:
    """Routing's stores with two letters, and one rulebook for all."""

    def __init__(self, cases: Any, ledger: Any, worklists: Any) -> None:
        self.cases, self.ledger, self.worklists = cases, ledger, worklists
        self.log: list[AnyEvent] = []

    async def begin(self) -> "Office":
        for store in (self.cases, self.ledger, self.worklists):
            await store.prepare()
        letters = (
            submission_received("s1"),
            submission_received("s2", concerns=Concern(office="ward-deputy")),
        )
        opened = [open_case(letter, rules_in_force(), ZONE, NOON + HOUR) for letter in letters]
        self.log += [e for events in await self.cases.add_once(opened) for e in events]
        return self

    async def latest(self) -> Any:
        return rules_in_force()

    async def take(self, arrival: Any, *, cases: Any = None, ledger: Any = None) -> None:
        """`recorded` is later at each delivery, as in earnest."""
        at = NOON + timedelta(hours=2 + len(self.log))
        take = command_taker(
            self, cases or self.cases, ledger or self.ledger, ZONE, now=lambda: at
        )  # fmt: skip
        self.log += await take([arrival])

    async def lives(self) -> dict[str, Any]:
        named = [FIRST, SECOND, *(part_id(FIRST, kind) for kind in PARTS)]
        found = {case: await self.worklists.life(case) for case in named}
        return {case: life for case, life in found.items() if life is not None}

    async def sound(self) -> None:
        """Every case's events are there once, without a gap, and were all announced."""
        said = {e.id: e for e in self.log}
        for life in (await self.lives()).values():
            versions = [e.data.version for e in life.events]
            assert versions == list(range(1, life.state.version + 1))
            assert all(said.get(e.id) == e for e in life.events)


@pytest.fixture(params=["memory", "mongo"])
def stores(request):
    if request.param == "memory":
        cases = MemoryCases()
        return cases, MemoryCommands(), MemoryWorklists(cases)
    database = request.getfixturevalue("mongo_database")
    return MongoCases(database), MongoCommands(database), MongoWorklists(database)


@pytest.fixture
async def office(stores):
    return await Office(*stores).begin()


def arrival(order: Any, case: str, sequence: int = 1, *, item: str = "c1", party="ward-front"):
    at = NOON + 2 * HOUR
    return sent(event(order, item=item, subject=case, time=at), sequence, party=party, recorded=at)


def stages(lives: dict[str, Any]) -> dict[str, tuple[Stage, int]]:
    return {case: (life.state.stage, life.state.version) for case, life in lives.items()}


async def outcome(name: str) -> dict[str, tuple[Stage, int]]:
    """What the order leads to where nobody dies."""
    cases = MemoryCases()
    office = await Office(cases, MemoryCommands(), MemoryWorklists(cases)).begin()
    await office.take(arrival(*ORDERS[name]))
    return stages(await office.lives())


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, MOST_WRITES + 1))
@pytest.mark.parametrize("name", ORDERS)
async def test_a_crash_at_any_write_heals_on_redelivery(office, name, at, after):
    given = arrival(*ORDERS[name])
    ledger = at == MOST_WRITES
    dying = Dying(office.ledger if ledger else office.cases, 1 if ledger else at, after=after)
    with pytest.raises(Died):
        await office.take(given, **{"ledger" if ledger else "cases": dying})

    for _ in range(2):
        await office.take(given)

    await office.sound()
    assert stages(await office.lives()) == await outcome(name)


@pytest.mark.parametrize("name", ORDERS)
async def test_sent_anew_before_its_redelivery_it_acts_once(office, name):
    """The sender was not answered, and sends the same order again."""
    order, case = ORDERS[name]
    with pytest.raises(Died):
        await office.take(arrival(order, case), cases=Dying(office.cases, 1, after=True))

    await office.take(arrival(order, case, sequence=2))
    await office.take(arrival(order, case))

    await office.sound()
    assert stages(await office.lives()) == await outcome(name)


async def test_a_crash_never_closes_a_duplicate_before_the_other_took_over(office):
    for after in (False, True):
        with pytest.raises(Died):
            await office.take(arrival(JOIN, SECOND), cases=Dying(office.cases, 1, after=after))

        lives = await office.lives()
        assert lives[SECOND].state.open
        concerned = Concern(office="ward-deputy") in lives[FIRST].state.matter.concerns
        assert concerned == after


async def test_a_duplicate_that_went_elsewhere_after_the_crash_stays_open(office):
    """What the standing case took over is announced all the same, so that no version is missing."""
    with pytest.raises(Died):
        await office.take(arrival(JOIN, SECOND), cases=Dying(office.cases, 1, after=True))
    moving = CaseTransfer(to="province-front", citation=REGULATION)
    await office.take(arrival(moving, SECOND, sequence=2, item="c2"))

    for _ in range(2):
        await office.take(arrival(JOIN, SECOND))

    await office.sound()
    assert (await office.lives())[SECOND].state.open
    assert [e.type for e in office.log][-2:] == ["case.amended.v1", "item.refused.v1"]


class Contended:
    """Another process moves a case between the reading and the writing, once for each write."""

    def __init__(self, cases: Any, moves: Sequence[str]) -> None:
        self._cases, self._moves = cases, list(moves)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cases, name)

    async def advance(self, steps: Any) -> frozenset[str]:
        if self._moves:
            case = self._moves.pop(0)
            now = (await self._cases.known([case]))[case]
            moved = replace(now, state=replace(now.state, version=now.state.version + 1))
            assert await self._cases.advance([(now, moved)]) == frozenset()
        return await self._cases.advance(steps)


@pytest.mark.parametrize("moves", [[FIRST], [SECOND, SECOND], [FIRST, FIRST, SECOND]])
async def test_cases_that_move_meanwhile_are_joined_once(office, moves):
    await office.take(arrival(JOIN, SECOND), cases=Contended(office.cases, moves))

    lives = await office.lives()
    assert lives[SECOND].state.joined == FIRST
    taken = [e for e in lives[FIRST].events if e.type == "case.amended.v1"]
    assert [e.data.taken_from for e in taken] == [SECOND]


async def concerned(office: Office) -> dict[str, bool]:
    """By case of the first letter: whether it knows whom one of them named."""
    lives = await office.lives()
    return {
        case: Concern(office="ward-chair") in life.state.matter.concerns
        and "ward-front" not in life.state.bodies
        for case, life in lives.items()
        if case != SECOND
    }


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, WRITES_OF_AMEND + 2))
async def test_whom_an_amendment_names_reaches_the_letter_whatever_crashes(office, at, after):
    await office.take(arrival(SPLIT, FIRST))
    given = arrival(AMEND, PART, sequence=2, item="c2")
    ledger = at > WRITES_OF_AMEND
    dying = Dying(office.ledger if ledger else office.cases, 1 if ledger else at, after=after)
    with pytest.raises(Died):
        await office.take(given, **{"ledger" if ledger else "cases": dying})

    for _ in range(2):
        await office.take(given)

    await office.sound()
    assert set((await concerned(office)).values()) == {True}
    assert len(await concerned(office)) == len(PARTS) + 1


class SplitMeanwhile(Contended):
    """Another process splits the first case before this one writes for the `at`-th time."""

    def __init__(self, office: Office, at: int) -> None:
        super().__init__(office.cases, ())
        self._office, self._left = office, at

    async def advance(self, steps: Any) -> frozenset[str]:
        self._left -= 1
        if not self._left:
            self._left = -1
            lead = (await self._office.lives())[FIRST].state.lead
            more = CaseSplit(parts=(SplitPart(kind=Kind.COMPLAINT),), citation=REGULATION)
            await self._office.take(arrival(more, FIRST, sequence=9, item="c9", party=lead))
        return await super().advance(steps)


@pytest.mark.parametrize("at", range(1, WRITES_OF_AMEND + 1))
async def test_a_part_that_begins_meanwhile_concerns_them_too(office, at):
    await office.take(arrival(SPLIT, FIRST))
    given = arrival(AMEND, PART, sequence=2, item="c2")

    await office.take(given, cases=SplitMeanwhile(office, at))

    await office.sound()
    new = await office.cases.known([part_id(FIRST, Kind.COMPLAINT)])
    [state] = [kept.state for kept in new.values()]
    assert Concern(office="ward-chair") in state.matter.concerns
    assert "ward-front" not in state.bodies
    assert set((await concerned(office)).values()) == {True}


async def test_a_part_that_a_crash_kept_from_beginning_learns_it_too(office):
    with pytest.raises(Died):
        await office.take(arrival(SPLIT, FIRST), cases=Dying(office.cases, 1, after=True))

    await office.take(arrival(AMEND, FIRST, sequence=2, item="c2"))
    await office.take(arrival(SPLIT, FIRST))

    await office.sound()
    assert set((await concerned(office)).values()) == {True}


async def test_a_part_is_a_case_like_any_other(office):
    await office.take(arrival(SPLIT, FIRST))
    part = part_id(FIRST, Kind.PETITION)
    lead = (await office.lives())[part].state.lead

    await office.take(arrival(CaseAccept(), part, sequence=2, item="c2", party=lead))

    await office.sound()
    assert (await office.lives())[part].state.stage is Stage.ACCEPTED


async def test_how_cases_were_opened_is_told(office):
    letters = await office.cases.letters([FIRST, "nowhere"])

    assert {case: letter.submission for case, letter in letters.items()} == {FIRST: "s1"}


async def test_what_was_split_off_is_kept_with_the_case(office):
    await office.take(arrival(SPLIT, FIRST))

    kept = (await office.cases.known([FIRST]))[FIRST]
    lives = await office.lives()
    assert {p.state.case: p.state for p in kept.parts} == {
        case: life.state for case, life in lives.items() if case not in {FIRST, SECOND}
    }
