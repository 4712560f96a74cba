"""Promises of routing's reactions, in memory."""

from datetime import date, timedelta
from itertools import count

import pytest
from prometheus_client import REGISTRY

from services.routing.handlers import (
    CasesContended,
    RulesMissing,
    case_opener,
    command_taker,
    fate_teller,
    rule_keeper,
)
from shared.contracts import (
    CalendarPublished,
    CaseAccepted,
    CaseAssigned,
    CaseConcluded,
    CaseOpened,
    ClockStarted,
    DirectoryPublished,
    Refused,
    RulebookPublished,
)
from shared.contracts.case import Basis, case_id
from shared.contracts.ingress import Fate, FatesAsked, FatesTold
from shared.contracts.vocabulary import Concern
from tests.examples_routing import (
    NOON,
    ZONE,
    accept,
    body,
    calendar,
    conclude,
    directory,
    published,
    rulebook,
    sent,
    submission_received,
)
from tests.fakes_routing import MemoryCases, MemoryCommands, MemoryRules

CASE = case_id("s1")
HOUR = timedelta(hours=1)


class Routing:
    """Routing over memory, its clock a minute further at each question."""

    def __init__(self) -> None:
        minutes = count()
        self.cases, self.ledger, self.rules = MemoryCases(), MemoryCommands(), MemoryRules()
        self.open_cases = case_opener(self.rules, self.cases, ZONE, self.now(minutes))
        self.take_commands = command_taker(
            self.rules, self.cases, self.ledger, ZONE, self.now(minutes)
        )
        self.keep_rules = rule_keeper(self.rules)
        self._tell_fates = fate_teller(self.ledger)

    @staticmethod
    def now(minutes):
        return lambda: NOON + 2 * HOUR + timedelta(minutes=next(minutes))

    async def tell_fates(self, party: str, *items: str, sequences: tuple[int, ...] = ()):
        asked = FatesAsked(items=items, sequences=sequences)
        answer = await self._tell_fates(party, asked.model_dump_json().encode())
        return FatesTold.model_validate_json(answer).fates


RULES = (
    DirectoryPublished(version=3, directory=directory()),
    RulebookPublished(version=5, rulebook=rulebook()),
    CalendarPublished(version=7, calendar=calendar()),
)


@pytest.fixture
async def routing() -> Routing:
    there = Routing()
    await there.keep_rules([published(rule) for rule in RULES])
    return there


class TestOpenCases:
    async def test_a_submission_becomes_an_assigned_case_with_its_clocks(self, routing):
        events = await routing.open_cases([submission_received()])

        assert [type(event.data) for event in events] == [
            CaseOpened,
            CaseAssigned,
            ClockStarted,
            ClockStarted,
        ]

    async def test_the_events_of_a_case_are_numbered_from_one(self, routing):
        events = await routing.open_cases([submission_received()])

        assert [event.data.version for event in events] == [1, 2, 3, 4]

    async def test_every_event_has_an_id_of_its_own(self, routing):
        events = await routing.open_cases([submission_received("s1"), submission_received("s2")])

        assert len({event.id for event in events}) == 8

    async def test_every_event_is_about_the_case(self, routing):
        received = submission_received()

        events = await routing.open_cases([received])

        assert {event.subject for event in events} == {CASE}
        assert {event.causationid for event in events} == {received.id}
        assert {event.correlationid for event in events} == {received.id}

    async def test_the_legal_receipt_is_the_time_of_all(self, routing):
        received = submission_received(time=NOON - HOUR)

        opened, *others = await routing.open_cases([received])

        assert opened.data.received == NOON - HOUR
        assert {event.time for event in (opened, *others)} == {NOON - HOUR}
        assert {event.recordedtime for event in (opened, *others)} == {NOON + 2 * HOUR}

    async def test_the_opening_repeats_what_others_count(self, routing):
        received = submission_received(unit="clinic", eligibility="stored-anonymous")

        opened, *_ = await routing.open_cases([received])

        assert opened.data.submission == "s1"
        told = opened.data.model_dump(exclude={"version", "submission", "received", "parent"})
        assert told == {name: getattr(received.data, name) for name in told} | {
            "concerns": received.data.concerns.model_dump()
        }

    async def test_the_lead_is_named_with_rule_and_versions(self, routing):
        _, assigned, *_ = await routing.open_cases([submission_received()])

        assert assigned.data.lead == "ward-front"
        assert assigned.data.basis is Basis.HIGHER_LEVEL
        assert assigned.data.rule == "same-level"
        assert (assigned.data.directory, assigned.data.rulebook) == (3, 5)

    async def test_a_concerned_body_never_leads(self, routing):
        received = submission_received(concerns=Concern(office="ward-chair"))

        _, assigned, *_ = await routing.open_cases([received])

        assert (assigned.data.lead, assigned.data.basis) == ("province-front", Basis.CONFLICT)
        assert [exclusion.body for exclusion in assigned.data.excluded] == ["ward-front"]

    async def test_a_clock_says_when_it_ends(self, routing):
        _, _, answer, acknowledge = await routing.open_cases([submission_received()])

        assert (answer.data.clock, answer.data.due) == ("answer", date(2026, 4, 7))
        assert (acknowledge.data.clock, acknowledge.data.due) == ("acknowledge", date(2026, 3, 24))
        assert (answer.data.rulebook, answer.data.calendar) == (5, 7)

    async def test_an_ineligible_submission_is_led_without_a_clock(self, routing):
        received = submission_received(eligibility="stored-anonymous")

        events = await routing.open_cases([received])

        assert [type(event.data) for event in events] == [CaseOpened, CaseAssigned]

    async def test_a_redelivery_repeats_the_same_events(self, routing):
        first = await routing.open_cases([submission_received()])
        second = await routing.open_cases([submission_received()])

        assert first == second

    async def test_a_redelivery_after_new_rules_repeats_the_same_events(self, routing):
        first = await routing.open_cases([submission_received()])
        newer = DirectoryPublished(version=4, directory=directory(bodies=(body("x", "school"),)))
        await routing.keep_rules([published(newer)])
        second = await routing.open_cases([submission_received()])

        assert first == second

    async def test_a_submission_twice_in_a_batch_opens_one_case(self, routing):
        events = await routing.open_cases([submission_received(), submission_received()])

        assert len(events) == 4

    async def test_the_latest_rules_decide(self, routing):
        newer = DirectoryPublished(version=4, directory=directory(bodies=(body("x", "school"),)))
        older = DirectoryPublished(version=2, directory=directory(bodies=(body("y", "school"),)))
        await routing.keep_rules([published(newer), published(older)])

        _, assigned, *_ = await routing.open_cases([submission_received()])

        assert (assigned.data.lead, assigned.data.directory) == ("x", 4)

    @pytest.mark.parametrize("missing", range(3))
    async def test_nothing_is_opened_while_rules_are_missing(self, missing):
        routing = Routing()
        await routing.keep_rules([published(r) for n, r in enumerate(RULES) if n != missing])

        with pytest.raises(RulesMissing):
            await routing.open_cases([submission_received()])


class TestTakeCommands:
    @pytest.fixture(autouse=True)
    async def _two_cases(self, routing):
        await routing.open_cases([submission_received("s1"), submission_received("s2")])

    async def test_an_acceptance_of_the_lead_is_announced(self, routing):
        [accepted] = await routing.take_commands([sent(accept(CASE), 1)])

        assert accepted.data == CaseAccepted(version=5, body="ward-front")

    async def test_what_follows_belongs_to_the_case_s_affair(self, routing):
        command = accept(CASE).model_copy(update={"correlationid": "something-of-theirs"})

        [accepted] = await routing.take_commands([sent(command, 1)])

        assert (accepted.subject, accepted.time) == (CASE, NOON)
        assert (accepted.correlationid, accepted.causationid) == ("event-s1", "c-accept")

    async def test_each_counts_by_what_became_of_it(self, routing):
        def count_of(fate):
            labels = {"entrance": "command", "kind": "case.accept.v1", "fate": fate}
            return REGISTRY.get_sample_value("langnghe_items_total", labels) or 0.0

        before = {fate: count_of(fate) for fate in ("kept", "refused")}
        await routing.take_commands([sent(accept(CASE), 1), sent(accept("case-of-nobody"), 2)])

        assert {fate: count_of(fate) - before[fate] for fate in before} == {"kept": 1, "refused": 1}

    async def test_orders_on_one_case_are_taken_in_stream_order(self, routing):
        events = await routing.take_commands([sent(conclude(CASE), 2), sent(accept(CASE), 1)])

        assert [type(event.data) for event in events] == [CaseAccepted, CaseConcluded]
        assert [event.data.version for event in events] == [5, 6]

    async def test_a_conclusion_says_whether_it_was_in_time(self, routing):
        late = NOON + timedelta(days=40)
        await routing.take_commands([sent(accept(CASE), 1)])

        [concluded] = await routing.take_commands(
            [sent(conclude(CASE, time=late), 2, recorded=late)]
        )

        assert not concluded.data.in_time

    async def test_another_body_s_order_is_refused(self, routing):
        [refused] = await routing.take_commands([sent(accept(CASE), 1, party="province-front")])

        assert problem(refused) == ("/problems/not-lead", "c-accept")
        assert refused.data.nats_subject() == "command.province-front.refused"

    async def test_an_unknown_case_is_refused(self, routing):
        [refused] = await routing.take_commands([sent(accept("nowhere"), 1)])

        assert problem(refused) == ("/problems/unknown-case", "c-accept")

    async def test_what_cannot_be_read_is_refused(self, routing):
        [refused] = await routing.take_commands([sent(b"{", 9)])

        assert problem(refused) == ("/problems/unreadable", "")
        assert (refused.data.sequence, refused.subject) == (9, None)

    async def test_a_bad_command_does_not_hold_its_neighbours(self, routing):
        events = await routing.take_commands([sent(b"{", 1), sent(accept(CASE), 2)])

        assert [type(event.data) for event in events] == [Refused, CaseAccepted]


class TestRedelivery:
    @pytest.fixture(autouse=True)
    async def _case(self, routing):
        await routing.open_cases([submission_received("s1"), submission_received("s2")])

    async def test_of_a_command_repeats_the_same_event(self, routing):
        first = await routing.take_commands([sent(accept(CASE), 1)])
        second = await routing.take_commands([sent(accept(CASE), 1)])

        assert first == second

    async def test_of_a_refused_command_repeats_the_same_refusal(self, routing):
        first = await routing.take_commands([sent(conclude(CASE), 1)])
        await routing.take_commands([sent(accept(CASE), 2)])
        second = await routing.take_commands([sent(conclude(CASE), 1)])

        assert first == second

    async def test_after_a_crash_between_case_and_ledger_repeats_the_same_event(self, routing):
        first = await routing.take_commands([sent(accept(CASE), 1), sent(conclude(CASE), 2)])
        routing.ledger.sendings.clear()
        second = await routing.take_commands([sent(accept(CASE), 1), sent(conclude(CASE), 2)])

        assert first == second

    async def test_after_that_crash_another_sending_is_a_duplicate(self, routing):
        await routing.take_commands([sent(accept(CASE), 1)])
        routing.ledger.sendings.clear()

        assert await routing.take_commands([sent(accept(CASE), 2)]) == []

    async def test_within_one_batch_acts_once(self, routing):
        events = await routing.take_commands([sent(accept(CASE), 1), sent(accept(CASE), 1)])

        assert len(events) == 1


class TestSentTwice:
    @pytest.fixture(autouse=True)
    async def _case(self, routing):
        await routing.open_cases([submission_received("s1"), submission_received("s2")])

    async def test_a_command_acts_once(self, routing):
        await routing.take_commands([sent(accept(CASE), 1)])

        assert await routing.take_commands([sent(accept(CASE), 2)]) == []

    async def test_a_command_acts_once_within_a_batch(self, routing):
        events = await routing.take_commands([sent(accept(CASE), 1), sent(accept(CASE), 2)])

        assert [type(event.data) for event in events] == [CaseAccepted]

    async def test_a_refused_command_is_decided_anew(self, routing):
        await routing.take_commands([sent(conclude(CASE), 1)])
        await routing.take_commands([sent(accept(CASE), 2)])

        [concluded] = await routing.take_commands([sent(conclude(CASE), 3)])

        assert isinstance(concluded.data, CaseConcluded)

    async def test_the_same_id_of_another_party_is_another_command(self, routing):
        await routing.take_commands([sent(accept(CASE), 1)])

        [refused] = await routing.take_commands([sent(accept(CASE), 2, party="province-front")])

        assert problem(refused) == ("/problems/not-lead", "c-accept")

    @pytest.mark.parametrize("case", [CASE, case_id("s2")])
    async def test_the_same_id_for_another_order_is_refused(self, routing, case):
        await routing.take_commands([sent(accept(CASE, item="c1"), 1)])

        [refused] = await routing.take_commands([sent(conclude(case, item="c1"), 2)])

        assert problem(refused) == ("/problems/id-reused", "c1")

    async def test_another_acceptance_is_refused(self, routing):
        await routing.take_commands([sent(accept(CASE, item="c1"), 1)])

        [refused] = await routing.take_commands([sent(accept(CASE, item="c2"), 2)])

        assert problem(refused) == ("/problems/already-accepted", "c2")


class TestLostRace:
    async def test_is_decided_anew(self, routing):
        await routing.open_cases([submission_received()])
        cases = OvertakenCases(routing.cases, routing.take_commands, [sent(accept(CASE), 1)])
        slower = command_taker(routing.rules, cases, routing.ledger, ZONE, lambda: NOON)

        [refused] = await slower([sent(accept(CASE, item="c2"), 2)])

        assert problem(refused) == ("/problems/already-accepted", "c2")

    async def test_to_the_same_command_is_a_duplicate(self, routing):
        await routing.open_cases([submission_received()])
        cases = OvertakenCases(routing.cases, routing.take_commands, [sent(accept(CASE), 1)])
        slower = command_taker(routing.rules, cases, routing.ledger, ZONE, lambda: NOON)

        assert await slower([sent(accept(CASE), 2)]) == []

    async def test_to_the_same_sending_repeats_its_event(self, routing):
        await routing.open_cases([submission_received()])
        cases = OvertakenCases(routing.cases, routing.take_commands, [sent(accept(CASE), 1)])
        slower = command_taker(routing.rules, cases, routing.ledger, ZONE, lambda: NOON)

        repeated = await slower([sent(accept(CASE), 1)])

        assert repeated == await routing.take_commands([sent(accept(CASE), 1)])

    async def test_leaves_the_other_cases_of_the_batch_moved(self, routing):
        await routing.open_cases([submission_received("s1"), submission_received("s2")])
        cases = OvertakenCases(routing.cases, routing.take_commands, [sent(accept(CASE), 1)])
        slower = command_taker(routing.rules, cases, routing.ledger, ZONE, lambda: NOON)

        events = await slower(
            [sent(accept(CASE, item="c2"), 2), sent(accept(case_id("s2"), item="c3"), 3)]
        )

        assert [type(event.data) for event in events] == [Refused, CaseAccepted]

    async def test_without_end_gives_the_batch_back(self, routing):
        await routing.open_cases([submission_received()])
        slower = command_taker(
            routing.rules, NeverFirst(routing.cases), routing.ledger, ZONE, lambda: NOON
        )

        with pytest.raises(CasesContended):
            await slower([sent(accept(CASE), 1)])


class TestTellFates:
    async def test_each_sending_has_its_own(self, routing):
        await routing.open_cases([submission_received()])
        await routing.take_commands([sent(accept(CASE, item="c1"), n) for n in (1, 2)])
        await routing.take_commands([sent(accept(CASE, item="c2"), 3)])

        told = await routing.tell_fates("ward-front", "c1", "c2", "c3")

        assert [(fate.item, fate.sequence, fate.fate) for fate in told] == [
            ("c1", 1, Fate.KEPT),
            ("c1", 2, Fate.DUPLICATE),
            ("c2", 3, Fate.REFUSED),
        ]

    async def test_a_refused_one_says_why(self, routing):
        [refused] = await routing.take_commands([sent(accept("nowhere", item="c1"), 1)])

        [fate] = await routing.tell_fates("ward-front", "c1")

        assert fate.refusal == refused.data

    async def test_one_without_an_id_is_asked_for_by_sequence(self, routing):
        await routing.take_commands([sent(b"{", 4)])

        [fate] = await routing.tell_fates("ward-front", sequences=(4,))

        assert fate.fate is Fate.REFUSED

    async def test_another_party_learns_nothing(self, routing):
        await routing.take_commands([sent(accept("nowhere", item="c1"), 1)])

        assert await routing.tell_fates("province-front", "c1", sequences=(1,)) == ()


class OvertakenCases(MemoryCases):
    """Before the first step, somebody else's commands go through."""

    def __init__(self, cases: MemoryCases, take_commands, arrivals) -> None:
        self.openings, self.kept = cases.openings, cases.kept
        self._overtake = lambda: take_commands(arrivals)

    async def advance(self, steps):
        overtake, self._overtake = self._overtake, None
        if overtake:
            await overtake()
        return await super().advance(steps)


class NeverFirst(MemoryCases):
    def __init__(self, cases: MemoryCases) -> None:
        self.openings, self.kept = cases.openings, cases.kept

    async def advance(self, steps):
        return frozenset(before.state.case for before, _ in steps)


def problem(event) -> tuple[str, str]:
    assert isinstance(event.data, Refused)
    return event.data.type, event.data.item
