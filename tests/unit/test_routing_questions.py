"""What a body is told of cases: by list, by count and by opening, the same rule for each."""

import random
from datetime import timedelta

import pytest

from services.routing import questions
from services.routing.domain.competence import assign
from services.routing.domain.directory import DirectoryIndex
from services.routing.domain.lifecycle import CaseState, OpenedCase, Stage
from services.routing.looking import readers_teller
from services.routing.questions import BATCH, Reading, case_teller, load_teller, worklist_teller
from shared.contracts.case import CaseAssigned, case_id
from shared.contracts.directory import Directory, Recusal
from shared.contracts.worklist import (
    CaseAsked,
    CaseTold,
    LoadTold,
    ReadersAsked,
    ReadersTold,
    WorklistAsked,
    WorklistTold,
)
from tests.examples_routing import NOON, TODAY, ZONE, directory, event, index, rules_in_force
from tests.examples_routing import matter as example_matter
from tests.fakes_routing import MemoryCases, MemoryLooks, MemoryWorklists
from tests.unit.test_routing_properties import RULES, a_matter, concerned_bodies, province

PROVINCES, PAIRS = 100, 100
CASES = 8


class OneSet:
    """Rules that stay the latest."""

    def __init__(self, rules) -> None:
        self.rules = rules

    async def latest(self):
        return self.rules


class Desk:
    """The three questions over one set of cases; answers are told as Python says them."""

    def __init__(self, opened, rules) -> None:
        self.cases = MemoryCases()
        self.opened = opened
        self.looks = MemoryLooks()
        worklists = MemoryWorklists(self.cases)
        self.at = NOON
        reading = Reading(OneSet(rules), worklists, self.looks, ZONE, lambda: self.at)
        self.readers = readers_teller(reading, {"operator"})
        self._worklist, self._case = worklist_teller(reading), case_teller(reading)
        self._load = load_teller(reading, {"operator"})

    async def keep(self) -> "Desk":
        await self.cases.add_once(self.opened)
        return self

    async def page(self, body: str, **asked) -> WorklistTold:
        question = WorklistAsked(**asked).model_dump_json().encode()
        return WorklistTold.model_validate_json(await self._worklist(body, question))

    async def listed(self, body: str, **asked) -> list[str]:
        found, after = [], ""
        while True:
            told = await self.page(body, after=after, **asked)
            found += [row.case for row in told.rows]
            if not told.next:
                return found
            after = told.next

    async def case(self, body: str, case: str, **asked) -> CaseTold:
        question = CaseAsked(case=case, **asked).model_dump_json().encode()
        return CaseTold.model_validate_json(await self._case(body, question))

    async def load(self, party: str) -> dict[str, int]:
        told = LoadTold.model_validate_json(await self._load(party, b"{}"))
        return {entry.body: entry.open for entry in told.bodies}

    async def raw(self, question: str, sent: bytes) -> str:
        teller = {"worklist": self._worklist, "case": self._case, "load": self._load}[question]
        return WorklistTold.model_validate_json(await teller("ward-front", sent)).status


def a_case(name: str, about, lead: str, cooperating=(), **more) -> OpenedCase:
    state = CaseState(
        case=case_id(name),
        affair=name,
        lead=lead,
        stage=more.pop("stage", Stage.ASSIGNED),
        version=1,
        received=NOON,
        matter=about,
        cooperating=tuple(cooperating),
        **more,
    )
    said = CaseAssigned(
        version=1,
        lead=lead,
        cooperating=state.cooperating,
        basis="same-level",
        within_competence=True,
        rule="same-level",
        citation="",
        directory=1,
        rulebook=1,
    )
    return OpenedCase(state, (event(said, item=f"assigned-{name}", subject=state.case),))


def changed(chance: random.Random, there: Directory) -> Directory:
    """The next version: some bodies recuse themselves, some offices have new holders."""
    codes = [entry.code for entry in there.bodies]
    units = [place.code for place in there.units]
    recusals = [
        Recusal(body=chance.choice(codes), reason="Quyết định", unit=chance.choice(units))
        for _ in range(3)
    ]
    persons = [holding.person for holding in there.holdings]
    holdings = [
        holding.model_copy(update={"person": chance.choice(persons)})
        if chance.random() < 0.3
        else holding
        for holding in there.holdings
    ]
    return there.model_copy(
        update={"recusals": (*there.recusals, *recusals), "holdings": tuple(holdings)}
    )


class Attempts:
    """What 10,000 random pairs of a body and a case came to, against the rows of the directory."""

    def __init__(self) -> None:
        self.tried = self.allowed = self.barred = 0
        self.outside = {"list": 0, "count": 0, "open": 0}
        self.kept_back = {"list": 0, "count": 0, "open": 0}

    async def make(self) -> "Attempts":
        for seed in range(PROVINCES):
            await self._province(random.Random(seed))
        return self

    async def _province(self, chance: random.Random) -> None:
        before = province(chance)
        now = changed(chance, before)
        opened = []
        for number in range(CASES):
            about = a_matter(chance, before)
            found = assign(about, DirectoryIndex(before), RULES, TODAY)
            stage = chance.choice([*Stage])
            opened.append(a_case(f"s{number}", about, found.lead, found.cooperating, stage=stage))
        rules = rules_in_force(directory=DirectoryIndex(now), rulebook=RULES)
        desk = await Desk(opened, rules).keep()
        may = {case.state.case: self._rule(case, now) for case in opened}
        bodies = sorted({b.code for b in now.bodies} | {now.outside_desk, "nobody"})
        lists = {body: await desk.listed(body, which="all") for body in bodies}
        counts = {body: (await desk.load(body))[body] for body in bodies}
        for _ in range(PAIRS):
            body, case = chance.choice(bodies), chance.choice(opened)
            name = case.state.case
            told = await desk.case(body, name)
            allowed = body in may[name]
            right = sum(body in may[c.state.case] for c in opened if c.state.open)
            self.tried += 1
            self.allowed += allowed
            self.barred += body in case.state.bodies and not allowed
            self._note("list", name in lists[body], allowed)
            self._note("open", told.status == "told", allowed)
            self.outside["count"] += counts[body] > right
            self.kept_back["count"] += counts[body] < right

    def _rule(self, case: OpenedCase, now: Directory) -> set[str]:
        """Who may read it: told by its announcement and the rows, not by what is tested."""
        said = case.events[0].data
        return {said.lead, *said.cooperating} - concerned_bodies(now, case.state.matter)

    def _note(self, way: str, was_read: bool, allowed: bool) -> None:
        self.outside[way] += was_read and not allowed
        self.kept_back[way] += allowed and not was_read


class TestTheRuleOfAccess:
    async def test_of_10_000_pairs_none_is_read_outside_it(self):
        attempts = await Attempts().make()

        assert attempts.tried == 10_000
        assert attempts.outside == {"list": 0, "count": 0, "open": 0}
        assert attempts.kept_back == {"list": 0, "count": 0, "open": 0}
        assert attempts.allowed > 500, "a promise kept because nothing was tried is none"
        assert attempts.barred > 50

    async def test_without_it_the_same_pairs_read_by_every_way(self, monkeypatch):
        monkeypatch.setattr(questions, "may_touch", lambda *_: True)

        attempts = await Attempts().make()

        assert min(attempts.outside.values()) > 50

    async def test_what_may_not_be_read_is_told_of_like_what_does_not_exist(self):
        desk = await Desk([a_case("s1", example_matter(), "ward-front")], rules_in_force()).keep()

        assert await desk.case("inspectorate", case_id("s1")) == await desk.case(
            "inspectorate", "never-was"
        )

    async def test_a_lead_that_is_barred_today_is_told_of_nothing(self):
        there = index(recusals=(Recusal(body="ward-front", reason="QĐ", unit="ward"),))
        opened = [a_case("s1", example_matter(), "ward-front")]
        desk = await Desk(opened, rules_in_force(directory=there, rulebook=RULES)).keep()

        assert await desk.listed("ward-front") == []
        assert await desk.load("ward-front") == {"ward-front": 0}
        assert (await desk.case("ward-front", case_id("s1"))).status == "not-yours"


@pytest.fixture
async def desk():
    """Five cases more than one batch, each led by the ward and every third shared."""
    shared = ("province-front",)
    opened = [
        a_case(f"s{n}", example_matter(), "ward-front", shared if n % 3 == 0 else ())
        for n in range(BATCH + 5)
    ]
    answered = a_case("done", example_matter(), "ward-front", stage=Stage.CONCLUDED)
    return await Desk([*opened, answered], rules_in_force()).keep()


class TestWorklist:
    @pytest.mark.parametrize("limit", [1, 7, BATCH])
    async def test_pages_hold_every_case_once(self, desk, limit):
        found = await desk.listed("ward-front", limit=limit)

        assert len(found) == len(set(found)) == BATCH + 5

    async def test_a_page_is_no_longer_than_asked(self, desk):
        told = await desk.page("ward-front", limit=7)

        assert len(told.rows) == 7

    async def test_the_last_page_says_that_it_is(self, desk):
        told = await desk.page("province-front", limit=BATCH)

        assert not told.next

    async def test_what_is_answered_is_listed_where_all_is_asked_for(self, desk):
        assert case_id("done") not in await desk.listed("ward-front")
        assert case_id("done") in await desk.listed("ward-front", which="all")

    async def test_a_row_says_which_part_the_body_has(self, desk):
        [mine] = (await desk.page("ward-front", limit=1)).rows
        [theirs] = (await desk.page("province-front", limit=1)).rows

        assert (mine.role, theirs.role) == ("lead", "co-operating")

    async def test_without_rules_there_is_nothing(self):
        desk = await Desk([a_case("s1", example_matter(), "ward-front")], None).keep()

        assert await desk.listed("ward-front") == []
        assert (await desk.case("ward-front", case_id("s1"))).status == "not-yours"

    @pytest.mark.parametrize(
        ("question", "sent"),
        [
            ("worklist", b""),
            ("worklist", b'{"limit": 201}'),
            ("worklist", b'{"limit": 0}'),
            ("worklist", b'{"after": "\xc3\xa9"}'),
            ("worklist", b'{"after": "abc"}'),
            ("worklist", b'{"after": "gICA"}'),
            ("worklist", b'{"body": "province-front"}'),
            ("case", b"{}"),
            ("case", b'{"case": ""}'),
            ("load", b'{"body": "province-front"}'),
        ],
    )
    async def test_a_question_that_breaks_its_contract_is_told_so(self, desk, question, sent):
        assert await desk.raw(question, sent) == "invalid"


class TestLooks:
    """Every answer is kept before it is given, and none is given that could not be kept."""

    @pytest.fixture
    async def desk(self):
        opened = [a_case(f"s{n}", example_matter(), "ward-front") for n in range(3)]
        return await Desk(opened, rules_in_force()).keep()

    async def readers(self, desk, party: str, case: str, **more) -> ReadersTold:
        asked = ReadersAsked(case=case, **more).model_dump_json().encode()
        return ReadersTold.model_validate_json(await desk.readers(party, asked))

    async def test_who_opened_a_case_is_told_to_the_operator(self, desk):
        await desk.case("ward-front", case_id("s1"), person="cb-12")
        await desk.case("inspectorate", case_id("s1"))

        told = await self.readers(desk, "operator", case_id("s1"))

        found = {(look.body, look.person, look.told, look.rule) for look in told.looks}
        assert found == {
            ("ward-front", "cb-12", 1, "held"),
            ("inspectorate", None, 0, "not-yours"),
        }

    async def test_nobody_else_is_told(self, desk):
        await desk.case("ward-front", case_id("s1"))

        assert (await self.readers(desk, "ward-front", case_id("s1"))).status == "not-yours"

    async def test_they_come_page_by_page(self, desk):
        for person in ("cb-1", "cb-2", "cb-3"):
            desk.at += timedelta(seconds=1)
            await desk.case("ward-front", case_id("s1"), person=person)

        first = await self.readers(desk, "operator", case_id("s1"), limit=2)
        rest = await self.readers(desk, "operator", case_id("s1"), after=first.next)

        assert [look.person for look in (*first.looks, *rest.looks)] == ["cb-1", "cb-2", "cb-3"]
        assert rest.next is None

    async def test_a_list_is_one_look_with_its_length_and_shape(self, desk):
        await desk.page("ward-front", which="all", limit=2, person="cb-12")

        [look] = desk.looks.kept.values()
        assert (look.question, look.told, look.case, look.rule) == ("worklist", 2, None, "held")
        assert look.shape == '{"which":"all","limit":2}'

    async def test_a_later_page_is_told_from_the_first_and_names_no_case(self, desk):
        first = await desk.page("ward-front", limit=2)
        await desk.page("ward-front", limit=2, after=first.next)

        assert {look.shape for look in desk.looks.kept.values()} == {
            '{"limit":2}',
            '{"limit":2} later',
        }

    async def test_a_count_is_a_look(self, desk):
        await desk.load("operator")

        [look] = desk.looks.kept.values()
        assert (look.question, look.told, look.rule) == ("load", 1, "oversees")

    async def test_of_what_does_not_exist_no_name_is_kept(self, desk):
        await desk.case("ward-front", "Nguyễn Văn A")

        [look] = desk.looks.kept.values()
        assert (look.case, look.told) == (None, 0)

    @pytest.mark.parametrize("question", ["worklist", "case", "load"])
    async def test_what_cannot_be_kept_is_not_told(self, desk, question):
        desk.looks.away = ConnectionError()
        asked = CaseAsked(case=case_id("s1")) if question == "case" else WorklistAsked()
        sent = b"{}" if question == "load" else asked.model_dump_json().encode()

        with pytest.raises(ConnectionError):
            await desk.raw(question, sent)


class TestLoad:
    async def test_a_body_is_told_of_itself_alone(self, desk):
        assert await desk.load("ward-front") == {"ward-front": BATCH + 5}

    async def test_the_operator_is_told_of_each(self, desk):
        each = await desk.load("operator")

        assert each == {body: len(await desk.listed(body)) for body in each}
        assert set(each) == {"ward-front", "province-front"}

    async def test_a_body_that_is_called_operator_is_no_operator(self):
        bodies = directory().bodies
        there = index(bodies=(*bodies, bodies[0].model_copy(update={"code": "operator"})))
        opened = [a_case("s1", example_matter(), "ward-front")]
        desk = await Desk(opened, rules_in_force(directory=there)).keep()

        assert await desk.load("operator") == {"operator": 0}


class TestCase:
    async def test_a_long_history_comes_in_parts(self, desk, monkeypatch):
        case = case_id("s1")
        [first] = desk.cases.openings[case]
        desk.cases.openings[case] = tuple(
            first.model_copy(update={"data": first.data.model_copy(update={"version": n})})
            for n in range(1, 8)
        )
        monkeypatch.setattr(questions, "MOST_BYTES", 2 * len(first.encode()) + 10)

        versions, told = [], await desk.case("ward-front", case)
        while True:
            versions += [said["data"]["version"] for said in told.events]
            if not told.more:
                break
            told = await desk.case("ward-front", case, after=versions[-1])

        assert versions == [1, 2, 3, 4, 5, 6, 7]
