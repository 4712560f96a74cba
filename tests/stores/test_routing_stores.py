"""One suite for routing's ports: what memory promises in tests, MongoDB keeps in earnest."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from services.routing.domain.command import Sending
from services.routing.domain.lifecycle import KeptCase, OpenedCase, Stage
from services.routing.domain.opening import open_case
from services.routing.handlers import command_taker
from services.routing.store import MongoCases, MongoCommands, MongoRules
from services.routing.store.cases import OPEN_BY_LEAD
from shared.contracts import (
    CalendarPublished,
    CaseAccepted,
    CaseConcluded,
    DirectoryPublished,
    Refused,
    RulebookPublished,
)
from shared.contracts.case import case_id
from shared.contracts.ingress import Fate, FatesAsked
from shared.contracts.vocabulary import Concern, Outcome
from shared.runtime.arrival import Arrival
from tests.examples_routing import (
    NOON,
    TODAY,
    ZONE,
    accept,
    body,
    calendar,
    conclude,
    directory,
    published,
    rulebook,
    rules_in_force,
    sent,
    submission_received,
)
from tests.fakes_routing import MemoryCases, MemoryCommands, MemoryRules

DONE = {"$set": {"open": False}}
RECEIVED = NOON + timedelta(microseconds=123_456)
LATER = NOON + timedelta(hours=1, microseconds=654_321)


def examined(plan: Any, what: str) -> int:
    """The first number of that name, however deep this version of the server puts it."""
    if not isinstance(plan, dict | list):
        return -1
    if isinstance(plan, dict) and what in plan:
        return plan[what]
    parts = plan.values() if isinstance(plan, dict) else plan
    return max((examined(part, what) for part in parts), default=-1)


def opened(name: str = "s1", at=NOON) -> OpenedCase:
    return open_case(submission_received(name, RECEIVED), rules_in_force(), ZONE, at)


def sending(key: str = "k1", **more) -> Sending:
    content = {"party": "ward-front", "item": "c1", "sequence": 1, "fate": Fate.DUPLICATE}
    return Sending(**{**content, "key": key, "events": (), **more})


def accepted(case: KeptCase, key: str = "k1", recorded=LATER) -> KeptCase:
    """The case after an acceptance."""
    data = CaseAccepted(version=case.state.version + 1, body=case.state.lead)
    event = accept(case.state.case, time=LATER).causes(data, source="/test", recorded=recorded)
    moved = sending(key, fate=Fate.KEPT, events=(event,), order="digest")
    return KeptCase(
        replace(case.state, stage=Stage.ACCEPTED, accepted=LATER, version=data.version),
        (*case.acted, moved),
    )


def concluded(case: KeptCase, key: str = "k2") -> KeptCase:
    data = CaseConcluded(
        version=case.state.version + 1, body=case.state.lead, outcome=Outcome.WRONG, in_time=True
    )
    event = conclude(case.state.case, time=LATER).causes(data, source="/test", recorded=LATER)
    moved = sending(key, item="c2", fate=Fate.KEPT, events=(event,), order="digest")
    return KeptCase(
        replace(case.state, stage=Stage.CONCLUDED, concluded=LATER, version=data.version),
        (*case.acted, moved),
    )


class TestCases:
    @pytest.fixture(params=["memory", "mongo"])
    def cases(self, request):
        if request.param == "memory":
            return MemoryCases()
        return MongoCases(request.getfixturevalue("mongo_database"))

    async def test_the_first_opening_stands(self, cases):
        first, second = opened(), opened(at=LATER)
        assert first.events != second.events

        assert list(await cases.add_once([first])) == [first.events]
        assert list(await cases.add_once([second])) == [first.events]

    async def test_known_cases_keep_their_place_among_new_ones(self, cases):
        old = opened("s2")
        await cases.add_once([old])

        standing = await cases.add_once([opened("s1"), opened("s2", at=LATER), opened("s3")])

        assert list(standing) == [opened("s1").events, old.events, opened("s3").events]

    async def test_no_case_is_none(self, cases):
        assert list(await cases.add_once([])) == []
        assert await cases.advance([]) == frozenset()

    async def test_a_case_is_known_as_it_was_opened(self, cases):
        case = opened()
        await cases.add_once([case])

        assert await cases.known([case.state.case, "nowhere"]) == {
            case.state.case: KeptCase(case.state)
        }

    async def test_a_step_is_kept(self, cases):
        before = KeptCase(opened().state)
        await cases.add_once([opened()])

        lost = await cases.advance([(before, accepted(before))])

        assert lost == frozenset()
        assert await cases.known([case_id("s1")]) == {case_id("s1"): accepted(before)}

    async def test_two_steps_are_kept_as_one(self, cases):
        before = KeptCase(opened().state)
        after = concluded(accepted(before))
        await cases.add_once([opened()])

        await cases.advance([(before, after)])
        kept = await cases.known([case_id("s1")])

        assert kept[case_id("s1")] == after
        assert kept[case_id("s1")].state.stage is Stage.CONCLUDED

    async def test_steps_one_after_the_other_add_up(self, cases):
        before = KeptCase(opened().state)
        await cases.add_once([opened()])

        await cases.advance([(before, accepted(before))])
        await cases.advance([(accepted(before), concluded(accepted(before)))])

        assert await cases.known([case_id("s1")]) == {case_id("s1"): concluded(accepted(before))}

    async def test_the_first_step_from_a_version_stands(self, cases):
        before = KeptCase(opened().state)
        await cases.add_once([opened()])
        await cases.advance([(before, accepted(before, "first"))])

        lost = await cases.advance([(before, accepted(before, "second"))])

        assert lost == {case_id("s1")}
        assert await cases.known([case_id("s1")]) == {case_id("s1"): accepted(before, "first")}

    async def test_the_same_sending_told_otherwise_has_lost(self, cases):
        before = KeptCase(opened().state)
        first, second = accepted(before), accepted(before, recorded=LATER + timedelta(seconds=1))
        await cases.add_once([opened()])
        await cases.advance([(before, first)])

        lost = await cases.advance([(before, second)])

        assert lost == {case_id("s1")}
        assert await cases.known([case_id("s1")]) == {case_id("s1"): first}

    async def test_a_lost_step_does_not_hold_the_others(self, cases):
        names = ("s1", "s2", "s3")
        before = {name: KeptCase(opened(name).state) for name in names}
        await cases.add_once([opened(name) for name in names])
        await cases.advance([(before["s2"], accepted(before["s2"], "first"))])

        lost = await cases.advance([(before[n], accepted(before[n], f"k-{n}")) for n in names])

        assert lost == {case_id("s2")}
        kept = await cases.known([case_id("s3")])
        assert kept[case_id("s3")].moved_by("k-s3")

    async def test_an_opening_after_a_step_repeats_the_opening(self, cases):
        before = KeptCase(opened().state)
        await cases.add_once([opened()])
        await cases.advance([(before, accepted(before))])

        assert list(await cases.add_once([opened(at=LATER)])) == [opened().events]
        assert await cases.known([case_id("s1")]) == {case_id("s1"): accepted(before)}


class TestLoad:
    @pytest.fixture(params=["memory", "mongo"])
    def cases(self, request):
        if request.param == "memory":
            return MemoryCases()
        return MongoCases(request.getfixturevalue("mongo_database"))

    async def test_without_cases_nobody_leads_one(self, cases):
        assert dict(await cases.open_by_lead()) == {}

    async def test_each_body_leads_its_open_cases(self, cases):
        on_chair = Concern(office="ward-chair")
        other = open_case(
            submission_received("s4", concerns=on_chair), rules_in_force(), ZONE, NOON
        )
        await cases.add_once([*(opened(f"s{n}") for n in range(3)), other])
        before = KeptCase(opened("s0").state)
        done = replace(before.state, stage=Stage.CONCLUDED, concluded=LATER, version=9)
        await cases.advance([(before, KeptCase(done))])

        assert dict(await cases.open_by_lead()) == {"ward-front": 2, "province-front": 1}


class TestOpenAfter:
    @pytest.fixture(params=["memory", "mongo"])
    def cases(self, request):
        if request.param == "memory":
            return MemoryCases()
        return MongoCases(request.getfixturevalue("mongo_database"))

    async def test_open_cases_follow_one_another_by_id(self, cases):
        every = sorted((opened(f"s{n}") for n in range(6)), key=lambda case: case.state.case)
        await cases.add_once(every)
        before = KeptCase(every[2].state)
        done = replace(before.state, stage=Stage.CONCLUDED, concluded=LATER, version=9)
        await cases.advance([(before, KeptCase(done))])

        first = await cases.open_after("", 2)
        others = await cases.open_after(first[-1].case, 10)

        assert [*first, *others] == [case.state for case in every if case is not every[2]]


async def test_concluded_cases_are_not_read_for_those_that_are_open(mongo_database):
    cases = MongoCases(mongo_database)
    await cases.prepare()
    await cases.add_once([opened(f"s{n}") for n in range(9)])
    await mongo_database["cases"].update_many({"_id": {"$ne": case_id("s5")}}, [DONE])

    find = {"find": "cases", "filter": {"open": True, "_id": {"$gt": ""}}, "sort": {"_id": 1}}
    said = await mongo_database.command("explain", find, verbosity="executionStats")

    assert examined(said, "totalDocsExamined") == 1
    assert "SORT" not in str(said["queryPlanner"]["winningPlan"])


async def test_open_cases_are_counted_without_reading_one(mongo_database):
    cases = MongoCases(mongo_database)
    await cases.prepare()
    await cases.add_once([opened(f"s{n}") for n in range(3)])

    said = await mongo_database.command(
        "explain",
        {"aggregate": "cases", "pipeline": list(OPEN_BY_LEAD), "cursor": {}},
        verbosity="executionStats",
    )

    assert examined(said, "totalDocsExamined") == 0
    assert examined(said, "totalKeysExamined") >= 3


class TestCommands:
    @pytest.fixture(params=["memory", "mongo"])
    def commands(self, request):
        if request.param == "memory":
            return MemoryCommands()
        return MongoCommands(request.getfixturevalue("mongo_database"))

    async def test_the_first_answer_stands(self, commands):
        first, second = sending(), sending(fate=Fate.REFUSED, events=(refused(),))

        assert list(await commands.add_once([first])) == [first]
        assert list(await commands.add_once([second])) == [first]

    async def test_an_answer_that_moved_a_case_takes_precedence(self, commands):
        early, moved = sending(fate=Fate.REFUSED, events=(refused(),)), kept_sending()
        await commands.add_once([early])

        assert list(await commands.add_once([moved])) == [moved]
        assert list(await commands.add_once([early])) == [moved]

    async def test_known_sendings_keep_their_place_among_new_ones(self, commands):
        await commands.add_once([sending("k2")])
        late = sending("k2", fate=Fate.REFUSED, events=(refused(),))

        standing = await commands.add_once([sending("k1"), late, sending("k3")])

        assert list(standing) == [sending("k1"), sending("k2"), sending("k3")]

    async def test_a_sending_is_known_word_for_word(self, commands):
        there = [sending("k1", fate=Fate.REFUSED, events=(refused(),)), kept_sending("k2")]
        await commands.add_once(there)

        known = await commands.known(["k1", "k2", "k3"])

        assert known == {"k1": there[0], "k2": there[1]}
        assert [event.encode() for event in known["k2"].events] == [
            event.encode() for event in there[1].events
        ]

    async def test_only_what_was_carried_out_has_acted(self, commands):
        moved = kept_sending("k1", item="c1")
        await commands.add_once(
            [
                moved,
                sending("k2", item="c1"),
                sending("k3", item="c2"),
                kept_sending("k4", party="x"),
            ]
        )

        acted = await commands.acted([("ward-front", "c1"), ("ward-front", "c2")])

        assert acted == {("ward-front", "c1"): moved}

    async def test_nothing_asked_has_acted(self, commands):
        assert await commands.acted([]) == {}
        assert await commands.add_once([]) == []

    async def test_sendings_are_told_in_stream_order(self, commands):
        there = [
            sending("k3", sequence=3),
            sending("k1", sequence=1),
            sending("k2", sequence=2, item="c2"),
            sending("k4", sequence=4, party="another"),
        ]
        await commands.add_once(there)

        by_item = await commands.told("ward-front", FatesAsked(items=("c1", "c9")))
        by_sequence = await commands.told("ward-front", FatesAsked(sequences=(2, 4)))

        assert [s.key for s in by_item] == ["k1", "k3"]
        assert [s.key for s in by_sequence] == ["k2"]


async def test_preparing_the_commands_again_is_harmless(mongo_database):
    commands = MongoCommands(mongo_database)

    await commands.prepare()
    await commands.prepare()

    assert await commands.add_once([sending()]) == [sending()]


class TestReplicas:
    """Two processes with one database, at work on the same case at once."""

    @pytest.fixture
    async def take(self, mongo_database):
        cases, commands = MongoCases(mongo_database), MongoCommands(mongo_database)
        await cases.add_once([opened(f"s{n}") for n in range(20)])
        rules = MemoryRules()
        await rules.add_once(
            [
                published(DirectoryPublished(version=3, directory=directory())),
                published(RulebookPublished(version=5, rulebook=rulebook())),
                published(CalendarPublished(version=7, calendar=calendar())),
            ]
        )
        ticks = count()
        return command_taker(
            rules, cases, commands, ZONE, lambda: LATER + timedelta(seconds=next(ticks))
        )

    def arrivals(self, item: str, first: int) -> list[Arrival]:
        """One acceptance for each of twenty cases."""
        return [
            sent(
                accept(case_id(f"s{n}"), item=f"{item}-{n}", time=LATER), first + n, recorded=LATER
            )
            for n in range(20)
        ]

    async def test_take_one_of_two_commands(self, take):
        told = await asyncio.gather(
            take(self.arrivals("a", 100)), take(self.arrivals("b", 200)), take([])
        )

        events = [event for answer in told for event in answer]
        assert sum(isinstance(event.data, CaseAccepted) for event in events) == 20
        assert sum(isinstance(event.data, Refused) for event in events) == 20

    async def test_answer_one_sending_with_one_event(self, take):
        same = self.arrivals("a", 100)

        first, second = await asyncio.gather(take(same), take(same))

        assert first == second

    async def test_carry_a_command_sent_twice_out_once(self, take):
        first, second = await asyncio.gather(
            take(self.arrivals("a", 100)), take(self.arrivals("a", 200))
        )

        assert len([*first, *second]) == 20


def kept_sending(key: str = "k1", **more) -> Sending:
    [there] = accepted(KeptCase(opened().state), key).acted
    return replace(there, **more)


def refused():
    data = Refused(
        party="ward-front",
        entrance="command",
        item="c1",
        sequence=1,
        type="/problems/not-lead",
        title="Another body leads this case",
    )
    cause = accept("case-1", time=LATER)
    return cause.causes(data, source="/test", recorded=sent(cause, 1).recorded)


class TestRules:
    @pytest.fixture(params=["memory", "mongo"])
    def rules(self, request):
        if request.param == "memory":
            return MemoryRules()
        return MongoRules(request.getfixturevalue("mongo_database"))

    async def test_are_none_while_one_is_missing(self, rules):
        await rules.add_once([directory_published(1), rulebook_published(1)])

        assert await rules.latest() is None

    async def test_are_the_latest_of_each(self, rules):
        await rules.add_once(
            [directory_published(9), directory_published(10), rulebook_published(2)]
        )
        await rules.add_once([calendar_published(3), calendar_published(1)])

        latest = await rules.latest()

        assert latest is not None
        assert (latest.directory_version, latest.rulebook_version, latest.calendar_version) == (
            10,
            2,
            3,
        )
        assert latest.directory.body("front-10", TODAY) is not None
        assert latest.rulebook == rulebook()
        assert not latest.working_days.is_working(calendar().holidays[0].day)

    async def test_a_newer_version_is_seen_at_once(self, rules):
        await rules.add_once([directory_published(1), rulebook_published(1), calendar_published(1)])
        await rules.latest()
        await rules.add_once([directory_published(2)])

        latest = await rules.latest()

        assert latest is not None
        assert latest.directory_version == 2
        assert latest.directory.body("front-2", TODAY) is not None

    async def test_the_first_of_a_number_stands(self, rules):
        await rules.add_once([directory_published(1), rulebook_published(1), calendar_published(1)])
        await rules.add_once([directory_published(1, name="another")])

        latest = await rules.latest()

        assert latest is not None
        assert latest.directory.body("another", TODAY) is None


async def test_rules_that_did_not_change_are_not_parsed_again(mongo_database):
    rules = MongoRules(mongo_database)
    await rules.add_once([directory_published(1), rulebook_published(1), calendar_published(1)])
    first = await rules.latest()
    await rules.add_once([rulebook_published(2)])
    second = await rules.latest()

    assert second.directory is first.directory
    assert second.rulebook_version == 2


def directory_published(version: int, name: str = ""):
    bodies = (body(name or f"front-{version}", "province"),)
    return published(DirectoryPublished(version=version, directory=directory(bodies=bodies)))


def rulebook_published(version: int):
    return published(RulebookPublished(version=version, rulebook=rulebook()))


def calendar_published(version: int):
    return published(CalendarPublished(version=version, calendar=calendar()))
