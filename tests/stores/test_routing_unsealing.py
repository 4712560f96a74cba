"""An unsealing from order to showing, over memory and MongoDB: once, whatever dies or repeats."""

import asyncio
import random
from datetime import timedelta

import pytest

from services.routing import questions
from services.routing.domain.lifecycle import Unsealed
from services.routing.domain.opening import open_case
from services.routing.handlers import command_taker
from services.routing.looking import readers_teller, unsealings_teller
from services.routing.questions import Reading, case_teller
from services.routing.store import (
    MongoCases,
    MongoClocks,
    MongoCommands,
    MongoLooks,
    MongoWorklists,
)
from shared.contracts.case import case_id
from shared.contracts.ingress import Refused
from shared.contracts.order import CaseAmend
from shared.contracts.vocabulary import Concern
from shared.contracts.worklist import (
    CaseAsked,
    CaseTold,
    ReadersAsked,
    ReadersTold,
    UnsealingsAsked,
    UnsealingsTold,
)
from tests.examples_routing import NOON, ZONE, event, sent, submission_received
from tests.fakes_routing import MemoryCases, MemoryCommands, MemoryLooks, MemoryWorklists
from tests.unit.test_routing_questions import OneSet
from tests.unit.test_routing_unsealing import LEAD, RULES, SUPERIOR, ask, confirm, refuse

CASE = case_id("s1")
HOUR = timedelta(hours=1)


class Died(Exception):
    """The process ends here."""


class Desk:
    """Orders and questions on one case that the ward leads."""

    def __init__(self, cases, ledger, worklists, looks, clocks=None) -> None:
        self.cases, self.ledger, self.worklists, self.looks = cases, ledger, worklists, looks
        self.clocks = clocks
        self.at = NOON + 2 * HOUR
        self.count = 0
        rules = OneSet(RULES)
        self.take = command_taker(rules, cases, ledger, ZONE, lambda: self.at)
        self.reading = Reading(rules, worklists, looks, ZONE, lambda: self.at)
        self._tell = case_teller(self.reading)

    async def open(self) -> "Desk":
        for store in (self.cases, self.ledger, self.worklists, self.looks):
            await store.prepare()
        if self.clocks is not None:
            await self.clocks.prepare()
        await self.cases.add_once([open_case(submission_received(), RULES, ZONE, NOON)])
        return self

    def arrival(self, party: str, order, item: str = ""):
        self.count += 1
        told = event(order, item=item or f"o{self.count}", subject=CASE)
        return sent(told, self.count, party=party)

    async def ordered(self, party: str, order, item: str = ""):
        return await self.take([self.arrival(party, order, item)])

    async def agreed(self) -> "Desk":
        await self.ordered(SUPERIOR, ask("superior-looks", "cb-2"))
        await self.ordered("inspectorate", confirm())
        return self

    async def case(self, body: str = SUPERIOR, person: str | None = "cb-2", **more) -> CaseTold:
        asked = CaseAsked(**{"case": CASE, "person": person, "unsealing": 1, **more})
        return CaseTold.model_validate_json(
            await self._tell(body, asked.model_dump_json().encode())
        )

    async def state(self):
        return (await self.cases.known([CASE]))[CASE].state

    async def unsealings(self, body: str) -> list[tuple[int, str]]:
        asked = UnsealingsAsked(case=CASE).model_dump_json().encode()
        told = UnsealingsTold.model_validate_json(
            await unsealings_teller(self.reading)(body, asked)
        )
        return [(row.number, row.standing) for row in told.unsealings]


@pytest.fixture(params=["memory", "mongo"])
def bare(request):
    if request.param == "memory":
        cases = MemoryCases()
        return Desk(cases, MemoryCommands(), MemoryWorklists(cases), MemoryLooks())
    database = request.getfixturevalue("mongo_database")
    return Desk(
        MongoCases(database),
        MongoCommands(database),
        MongoWorklists(database),
        MongoLooks(database),
        MongoClocks(database),
    )


@pytest.fixture
async def desk(bare):
    return await bare.open()


def refusal(events) -> str:
    [said] = events
    assert isinstance(said.data, Refused)
    return said.data.type.removeprefix("/problems/")


class TestTheOrders:
    async def test_the_same_order_sent_again_acts_once(self, desk):
        first = await desk.ordered(SUPERIOR, ask("superior-looks", "cb-2"), "again")
        again = await desk.ordered(SUPERIOR, ask("superior-looks", "cb-2"), "again")

        assert [said.type for said in first] == ["case.unsealing-asked.v1"]
        assert again == []
        assert len((await desk.state()).unsealings) == 1

    async def test_one_id_for_two_persons_is_refused(self, desk):
        await desk.ordered(SUPERIOR, ask("superior-looks", "cb-2"), "again")

        found = await desk.ordered(SUPERIOR, ask("superior-looks", "cb-3"), "again")

        assert refusal(found) == "id-reused"

    async def test_a_death_after_it_was_kept_announces_the_same_and_acts_once(self, desk):
        """Between what the case keeps and what the ledger does: the message comes again."""
        await desk.ordered(SUPERIOR, ask("superior-looks", "cb-2"))
        arrival = desk.arrival("inspectorate", confirm())
        add_once, desk.ledger.add_once = desk.ledger.add_once, _dies
        with pytest.raises(Died):
            await desk.take([arrival])
        kept = await desk.state()
        desk.ledger.add_once = add_once

        said = await desk.take([arrival])

        assert [each.type for each in said] == ["case.unsealing-confirmed.v1"]
        assert await desk.state() == kept
        assert (await desk.case()).status == "told"

    async def test_of_whom_it_concerns_meanwhile_nobody_agrees(self, desk):
        await desk.ordered(SUPERIOR, ask("superior-looks", "cb-2"))
        amend = CaseAmend(concerns=(Concern(office="ward-deputy"),))

        found = await desk.take(
            [desk.arrival(LEAD, amend), desk.arrival("inspectorate", confirm())]
        )

        assert refusal(found[-1:]) == "case-amended"

    async def test_an_agreement_that_a_new_accused_overtakes_is_decided_anew(self, desk):
        """The case moves between what the agreement was decided by and its write."""
        await desk.ordered(SUPERIOR, ask("superior-looks", "cb-2"))
        amend = desk.arrival(LEAD, CaseAmend(concerns=(Concern(office="ward-deputy"),)))
        advance = desk.cases.advance

        async def overtaken(steps):
            desk.cases.advance = advance
            await desk.take([amend])
            return await advance(steps)

        desk.cases.advance = overtaken
        found = await desk.ordered("inspectorate", confirm())

        assert refusal(found) == "case-amended"

    async def test_who_refuses_after_who_agreed_changes_nothing(self, desk):
        await desk.agreed()

        assert refusal(await desk.ordered("inspectorate", refuse())) == "unsealing-over"


async def _dies(_sendings):
    raise Died


class TestShowing:
    async def test_the_case_is_shown_to_who_asked(self, desk):
        told = await (await desk.agreed()).case()

        assert told.status == "told"
        assert told.unsealing == 1
        assert told.events

    @pytest.mark.parametrize(
        ("body", "person"),
        [(SUPERIOR, "cb-3"), (SUPERIOR, None), ("inspectorate", "kt-1"), ("inspectorate", "cb-2")],
    )
    async def test_to_nobody_else_in_the_words_of_no_case(self, desk, body, person):
        await desk.agreed()

        assert await desk.case(body, person) == await desk.case(body, person, case="never-was")

    async def test_without_its_number_it_is_not_shown(self, desk):
        assert (await (await desk.agreed()).case(unsealing=None)).status == "not-yours"

    async def test_what_is_agreed_to_tell_a_name_shows_no_case(self, desk):
        await desk.ordered(LEAD, ask())
        await desk.ordered("inspectorate", confirm())

        assert (await desk.case(LEAD, "cb-1")).status == "not-yours"
        assert (await desk.state()).unsealings[0].standing is Unsealed.CONFIRMED

    async def test_once(self, desk):
        await desk.agreed()

        assert (await desk.case()).status == "told"
        assert (await desk.case()).status == "not-yours"
        assert (await desk.state()).unsealings[0].standing is Unsealed.SHOWN

    async def test_once_of_many_at_the_same_moment(self, desk):
        await desk.agreed()

        told = await asyncio.gather(*(desk.case() for _ in range(8)))

        assert [each.status for each in told].count("told") == 1

    async def test_not_after_its_last_day(self, desk):
        await desk.agreed()
        desk.at += timedelta(days=2)

        assert (await desk.case()).status == "not-yours"

    async def test_it_is_kept_before_it_is_shown(self, desk):
        await desk.agreed()
        keep, desk.looks.keep = desk.looks.keep, _dies
        with pytest.raises(Died):
            await desk.case()
        desk.looks.keep = keep

        assert (await desk.state()).unsealings[0].standing is Unsealed.SHOWN
        assert (await desk.case()).status == "not-yours"

    async def test_that_it_was_shown_is_in_its_history_and_among_its_readers(self, desk):
        await (await desk.agreed()).case()

        life = await desk.worklists.life(CASE)
        asked = ReadersAsked(case=CASE).model_dump_json().encode()
        told = ReadersTold.model_validate_json(
            await readers_teller(desk.reading, {"operator"})("operator", asked)
        )

        assert life.events[-1].type == "case.unsealed.v1"
        assert [each.data.version for each in life.events] == list(range(1, life.state.version + 1))
        assert [(look.body, look.person, look.rule) for look in told.looks] == [
            (SUPERIOR, "cb-2", "superior-looks")
        ]

    async def test_what_was_shown_waits_to_be_announced(self, desk):
        if desk.clocks is None:
            pytest.skip("memory announces at once")
        await (await desk.agreed()).case()

        assert [said.type for said in await desk.clocks.waiting(9)] == ["case.unsealed.v1"]


class TestWhoKnowsOfIt:
    async def test_who_asked_and_who_may_agree(self, desk):
        await desk.ordered(SUPERIOR, ask("superior-looks", "cb-2"))

        assert await desk.unsealings(SUPERIOR) == [(1, "asked")]
        assert await desk.unsealings("inspectorate") == [(1, "asked")]
        assert await desk.unsealings("nobody") == []

    async def test_what_is_over_only_who_asked(self, desk):
        await desk.agreed()

        assert await desk.unsealings(SUPERIOR) == [(1, "confirmed")]
        assert await desk.unsealings("inspectorate") == []


class TestThisDoorToo:
    """Of random pairs of a person and a case none is read outside the rule."""

    BODIES = (LEAD, SUPERIOR, "inspectorate", "nobody", "outside-desk")

    async def pairs(self, desk) -> tuple[int, int]:
        chance = random.Random(7)
        outside = inside = 0
        for _ in range(2_000):
            body, person = chance.choice(self.BODIES), chance.choice(["cb-2", "kt-1", None])
            number = chance.choice([1, 1, 2, None])
            told = await desk.case(body, person, unsealing=number)
            own = number is None and body == LEAD
            agreed = (body, person, number) == (SUPERIOR, "cb-2", 1) and inside == 0
            inside += told.status == "told" and agreed
            outside += told.status == "told" and not own and not agreed
        return outside, inside

    async def test_none_of_2_000(self):
        cases = MemoryCases()
        desk = Desk(cases, MemoryCommands(), MemoryWorklists(cases), MemoryLooks())
        await (await desk.open()).agreed()

        assert await self.pairs(desk) == (0, 1)

    async def test_without_the_rule_the_same_pairs_read(self, monkeypatch):
        monkeypatch.setattr(
            questions.Scene, "may_see", lambda self, number, *_: self.find(number or 0)
        )
        monkeypatch.setattr(questions, "shown", lambda state, _: (state, None))
        monkeypatch.setattr(questions, "said_of", lambda *_: None)
        monkeypatch.setattr(questions, "Fired", lambda *_: _Nothing)
        cases = MemoryCases()
        desk = Desk(cases, MemoryCommands(), MemoryWorklists(cases), MemoryLooks())
        await (await desk.open()).agreed()
        monkeypatch.setattr(desk.worklists, "show", _always)

        outside, _ = await self.pairs(desk)
        assert outside > 100


class _Nothing:
    pass


async def _always(_fired):
    return True
