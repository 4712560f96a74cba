"""What new rules would do is told before they hold, to nobody but the operator, and is what they do."""

import random
from datetime import timedelta

import pytest

from services.routing import effects
from services.routing.effects import effect_teller
from shared.contracts import (
    CalendarPublished,
    CaseAssigned,
    ClockRestated,
    DirectoryPublished,
    RulebookPublished,
)
from shared.contracts.case import Assigning, Restating, case_id
from shared.contracts.effect import MOST_TOLD, EffectAsked, EffectTold
from shared.contracts.rulebook import ConflictMethod
from tests.examples_routing import (
    CONFLICT,
    TODAY,
    ZONE,
    body,
    calendar,
    directory,
    published,
    rulebook,
    submission_received,
)
from tests.histories_routing import BOOK, PLACES, SEATS, Moment, Routing, a_history, new_rules

BY_RULES = {Restating.CALENDAR, Restating.RULEBOOK}


class Operator:
    """Asks over all pages; `pages` are the answers."""

    def __init__(self, routing: Routing, overseers=("operator",)) -> None:
        self.routing, self.pages = routing, list[EffectTold]()
        self._ask = effect_teller(routing.rules, routing.cases, overseers, ZONE, routing.now)

    async def ask(self, party: str = "operator", **asked) -> EffectTold:
        question = EffectAsked(**asked).model_dump_json(exclude_none=True).encode()
        return EffectTold.model_validate_json(await self._ask(party, question))

    async def ask_all(self, limit: int = 3, **rules) -> "Operator":
        told = await self.ask(limit=limit, **rules)
        self.pages.append(told)
        while told.next:
            told = await self.ask(limit=limit, after=told.next)
            self.pages.append(told)
        return self

    def sum(self, name: str) -> int:
        return sum(getattr(page, name) for page in self.pages)

    @property
    def cases(self) -> dict[str, str]:
        """Where each case that moves goes."""
        return {move.case: move.lead for page in self.pages for move in page.cases}

    @property
    def bodies(self) -> dict[str, int]:
        """How many more cases each body would hold."""
        more: dict[str, int] = {}
        for entry in (entry for page in self.pages for entry in page.bodies):
            more[entry.body] = more.get(entry.body, 0) + entry.arrive - entry.leave
        return more


def held(routing: Routing) -> dict[str, int]:
    found: dict[str, int] = {}
    for state in routing.states.values():
        for code in state.bodies:
            found[code] = found.get(code, 0) + 1
    return found


def content(event) -> dict:
    match event.data:
        case DirectoryPublished():
            return {"directory": event.data.directory}
        case CalendarPublished():
            return {"calendar": event.data.calendar}
        case RulebookPublished():
            return {"rulebook": event.data.rulebook}


def a_change(seed: int, version: int):
    """Every fourth is a rulebook: other terms, and one more conflict of interest."""
    if seed % 4:
        return new_rules(random.Random(seed), version)
    conflicts = tuple(
        CONFLICT.model_copy(update={"code": method.value, "method": method})
        for method in (ConflictMethod.ACCUSED_SITS_IN_BODY, ConflictMethod.ACCUSED_HEADS_SUPERIOR)
    )
    clocks = tuple(clock.model_copy(update={"days": clock.days + 1}) for clock in BOOK.clocks)
    book = BOOK.model_copy(update={"conflicts": conflicts, "clocks": clocks})
    return published(RulebookPublished(version=version, rulebook=book))


async def a_ward(*names: str, bodies=SEATS) -> Routing:
    routing = Routing()
    there = directory(bodies=bodies, offices=PLACES)
    rules = (
        published(DirectoryPublished(version=1, directory=there)),
        published(RulebookPublished(version=1, rulebook=BOOK)),
        published(CalendarPublished(version=1, calendar=calendar())),
    )
    received = tuple(submission_received(name, routing.at) for name in names)
    await routing.live(Moment(routing.at, rules, received))
    return routing


def without(code: str, bodies=SEATS):
    return directory(bodies=tuple(b for b in bodies if b.code != code), offices=PLACES)


@pytest.mark.parametrize("seed", range(60))
async def test_what_is_foretold_is_what_the_sweep_does(seed):
    routing, past = await a_history(seed, cases=25, moments=30)
    new = a_change(seed, len(past) + 1)
    routing.at += timedelta(days=seed % 3)  # some terms are over, and no sweep was there yet
    operator, before, leads = Operator(routing), held(routing), routing.states
    log = len(routing.log)

    await operator.ask_all(**content(new))
    assert routing.states == leads
    await routing.live(Moment(routing.at, (new,)))

    done = [event.data for event in routing.log[log:]]
    moved = [said for said in done if isinstance(said, CaseAssigned)]
    terms = [said for said in done if isinstance(said, ClockRestated) and said.why in BY_RULES]
    open_before = {case for case, state in leads.items() if state.open}
    after = {case: state.lead for case, state in routing.states.items()}
    assert operator.sum("moves") == sum(said.why is Assigning.RULES for said in moved)
    assert operator.sum("terms") == len(terms)
    assert operator.sum("weighed") == len(open_before)
    if all(said.why is Assigning.RULES for said in moved):
        assert operator.cases == {case: after[case] for case in operator.cases}
        grown = {b: held(routing).get(b, 0) - before.get(b, 0) for b in operator.bodies}
        assert operator.bodies == grown
    assert min((said.due for said in terms), default=None) == min(
        (page.earliest for page in operator.pages if page.earliest), default=None
    )


async def test_the_histories_move_cases_and_terms():
    """A promise kept because nothing was tried is none."""
    moves = terms = 0
    for seed in range(60):
        routing, past = await a_history(seed, cases=25, moments=30)
        new = a_change(seed, len(past) + 1)
        operator = await Operator(routing).ask_all(**content(new))
        moves += operator.sum("moves")
        terms += operator.sum("terms")

    assert moves > 20
    assert terms > 100


@pytest.mark.parametrize("limit", [1, 3, 7, 1000])
async def test_the_size_of_a_page_changes_nothing(limit):
    routing = await a_ward(*(f"s{n}" for n in range(20)))
    heirs = (*SEATS, body("ward-union", "ward"))

    whole = await Operator(routing).ask_all(1000, directory=without("ward-front", heirs))
    paged = await Operator(routing).ask_all(limit, directory=without("ward-front", heirs))

    assert (paged.cases, paged.bodies) == (whole.cases, whole.bodies)
    assert whole.sum("moves") > 5


async def test_it_says_why_whoever_leaves_may_not_go_on():
    routing = await a_ward("s1")
    [before] = [state.lead for state in routing.states.values()]

    told = await Operator(routing).ask(directory=without(before))

    [move] = told.cases
    assert (move.case, move.lead_before, move.leave) == (case_id("s1"), before, (before,))
    assert move.reasons[0].vi.endswith("trong danh bạ.")
    assert move.reasons[1].vi.startswith(move.lead)
    assert (told.open, told.weighed, told.moves) == (1, 1, 1)


async def test_of_many_that_move_only_the_first_are_told_one_by_one():
    routing = await a_ward(*(f"s{n}" for n in range(70)))

    told = await Operator(routing).ask(directory=without("ward-front"))

    assert told.moves > MOST_TOLD == len(told.cases)


async def test_a_conclusion_is_no_open_case():
    routing = await a_ward("s1")
    kept = routing.cases.kept.pop(case_id("s1"))

    told = await Operator(routing).ask(directory=without(kept.state.lead))

    assert (told.weighed, told.moves, told.next) == (0, 0, "")


@pytest.mark.parametrize("party", ["ward-front", "", "Operator"])
async def test_nobody_but_the_operator_is_told(party):
    routing = await a_ward("s1")

    assert (await Operator(routing).ask(party, directory=directory())).status == "not-yours"


async def test_a_body_that_bears_the_operators_name_is_not_told():
    routing = await a_ward("s1", bodies=(*SEATS, body("operator", "ward")))

    assert (await Operator(routing).ask(directory=directory())).status == "not-yours"


async def test_another_process_asks_for_the_rules_again():
    routing = await a_ward(*(f"s{n}" for n in range(5)))
    new = without("ward-front")
    first = await Operator(routing).ask(limit=2, directory=new)

    other = Operator(routing)
    again = await other.ask(limit=2, after=first.next)
    told = await other.ask(limit=2, after=first.next, directory=new)

    assert (again.status, told.status, told.weighed) == ("send-again", "told", 2)


async def test_the_rules_are_read_once(monkeypatch):
    read = []
    parsed = effects._parsed
    monkeypatch.setattr(effects, "_parsed", lambda part: read.append(part) or parsed(part))
    routing = await a_ward(*(f"s{n}" for n in range(9)))

    await Operator(routing).ask_all(2, directory=without("ward-front"))

    assert len(read) == 1


async def test_only_so_many_rules_are_kept():
    routing = await a_ward(*(f"s{n}" for n in range(9)))
    operator = Operator(routing)
    first = await operator.ask(limit=2, directory=without("ward-front"))
    for code in ("ward-youth", "province-youth"):
        await operator.ask(limit=2, directory=without(code))

    assert (await operator.ask(limit=2, after=first.next)).status == "send-again"


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"after": "%%%"},
        {"after": "bm9uc2Vuc2U="},
        {"directory": directory(), "calendar": calendar()},
    ],
)
async def test_what_is_no_question_is_told_so(asked):
    routing = await a_ward("s1")

    assert (await Operator(routing).ask(**asked)).status == "invalid"


async def test_before_there_are_rules_there_is_no_case():
    told = await Operator(Routing()).ask(rulebook=rulebook())

    assert (told.status, told.open, told.weighed) == ("told", 0, 0)


async def test_a_body_that_ends_later_moves_nothing_today():
    routing = await a_ward("s1")
    [lead] = [state.lead for state in routing.states.values()]
    ends = {"valid_to": TODAY.replace(year=2030)}
    bodies = tuple(b.model_copy(update=ends) if b.code == lead else b for b in SEATS)

    told = await Operator(routing).ask(directory=directory(bodies=bodies, offices=PLACES))

    assert told.moves == 0
