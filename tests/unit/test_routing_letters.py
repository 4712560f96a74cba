"""Promises of splitting a mixed letter and joining a duplicate, order by order."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.routing.domain.conflict import excluded
from services.routing.domain.lifecycle import Stage
from shared.contracts import CalendarPublished, DirectoryPublished, RulebookPublished
from shared.contracts.case import Assigning, Ground, case_id, part_id
from shared.contracts.directory import Holding
from shared.contracts.envelope import AnyEvent
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
from shared.contracts.vocabulary import Concern, Kind, Outcome
from tests.examples_routing import (
    BODIES,
    NOON,
    REGULATION,
    TODAY,
    body,
    calendar,
    clock_rule,
    directory,
    event,
    index,
    matter,
    published,
    rulebook,
    sent,
    submission_received,
)
from tests.histories_routing import Routing

HOUR = timedelta(hours=1)
WARD = "ward-front"
YOUTH = body("ward-youth", "ward", members=("school-head",))
OF_KIND = (
    clock_rule("answer", kinds=(Kind.REFLECTION,), days=20),
    clock_rule("settle", kinds=(Kind.DENUNCIATION,), starts="received", days=30),
)
FIRST, SECOND = case_id("s1"), case_id("s2")
PART = part_id(FIRST, Kind.DENUNCIATION)


def split(*kinds: Kind, **more: Any) -> CaseSplit:
    return CaseSplit(parts=tuple(SplitPart(kind=k, **more) for k in kinds), citation=REGULATION)


def join(into: str = FIRST) -> CaseJoin:
    return CaseJoin(into=into, citation=REGULATION)


class Desk:
    """Routing with two letters, and orders that reach it one after the other."""

    def __init__(self) -> None:
        self.routing = Routing()
        self.routing.at = NOON + HOUR
        self.sequence = 0

    async def begin(self, **second: Any) -> "Desk":
        there = directory(bodies=(*BODIES, YOUTH))
        await self.routing.rules.add_once(
            (
                published(DirectoryPublished(version=1, directory=there)),
                published(RulebookPublished(version=1, rulebook=rulebook(clocks=OF_KIND))),
                published(CalendarPublished(version=1, calendar=calendar())),
            )
        )
        await self.routing.receive([submission_received("s1"), submission_received("s2", **second)])
        return self

    def arrival(self, order: Any, case: str, party: str = WARD, **more: Any):
        self.sequence += 1
        item = more.pop("item", f"c{self.sequence}")
        at = more.pop("at", NOON + 2 * HOUR)
        given = event(order, item=item, subject=case, time=at)
        return sent(given, self.sequence, party=party, recorded=at)

    async def order(self, order: Any, case: str = FIRST, party: str = WARD, **more: Any):
        """What was announced of it."""
        before = len(self.routing.log)
        await self.routing.order([self.arrival(order, case, party, **more)])
        return self.routing.log[before:]

    async def refused(self, *arguments: Any, **more: Any) -> Any:
        [said] = await self.order(*arguments, **more)
        assert said.type == "item.refused.v1", said.type
        return said.data

    def state(self, case: str):
        return self.routing.states[case]


@pytest.fixture
async def desk() -> Desk:
    return await Desk().begin()


def types(events: list[AnyEvent]) -> list[str]:
    return [each.type for each in events]


def named(refusal: Any) -> str:
    return refusal.type.removeprefix("/problems/")


class TestSplit:
    async def test_each_part_is_announced_as_a_case_of_its_own(self, desk):
        said = await desk.order(split(Kind.DENUNCIATION))

        assert types(said) == [
            "case.divided.v1",
            "case.opened.v1",
            "case.assigned.v1",
            "clock.started.v1",
        ]
        assert [e.data.version for e in said[1:]] == [1, 2, 3]
        assert {e.subject for e in said[1:]} == {PART}
        assert said[1].data.parent == FIRST
        assert said[1].data.submission == "s1"
        assert said[0].data.parts[0].model_dump() == {"case": PART, "kind": Kind.DENUNCIATION}

    async def test_the_terms_of_a_part_are_those_of_a_letter_of_its_kind(self, desk):
        await desk.order(split(Kind.DENUNCIATION), at=NOON + timedelta(days=9))
        await desk.routing.receive([submission_received("s3", kind=Kind.DENUNCIATION)])

        assert desk.state(PART).clocks == desk.state(case_id("s3")).clocks
        assert desk.state(PART).clocks != desk.state(FIRST).clocks

    async def test_everything_that_the_letter_concerns_a_part_concerns(self, desk):
        await desk.order(CaseAmend(concerns=(Concern(office="ward-chair"),)), party=WARD)
        lead = desk.state(FIRST).lead
        assert lead != WARD
        said = await desk.order(
            split(Kind.DENUNCIATION, concerns=(Concern(office="province-chair"),)), party=lead
        )

        concerned = {"school-head", "ward-chair", "province-chair"}
        assert set(desk.state(PART).matter.offices) == concerned
        assert not {WARD, "province-front", "ward-youth"} & set(desk.state(PART).bodies)
        [amended] = [e for e in said if (e.type, e.subject) == ("case.amended.v1", PART)]
        assert {c.office for c in amended.data.concerns} == concerned

    async def test_who_declined_as_concerned_does_not_lead_a_part(self, desk):
        concerned = CaseDecline(ground=Ground.CONCERNED, citation=REGULATION)
        await desk.order(concerned)
        await desk.order(split(Kind.DENUNCIATION), party=desk.state(FIRST).lead)

        assert WARD not in desk.state(PART).bodies

    async def test_who_declined_as_not_competent_may_lead_a_part(self, desk):
        await desk.order(CaseDecline(ground=Ground.NOT_COMPETENT, citation=REGULATION))
        await desk.order(split(Kind.DENUNCIATION), party=desk.state(FIRST).lead)

        assert desk.state(PART).lead == WARD

    async def test_what_was_not_eligible_has_no_terms_in_parts_either(self):
        desk = await Desk().begin(eligibility="stored-anonymous")
        await desk.order(split(Kind.DENUNCIATION), SECOND)

        assert desk.state(part_id(SECOND, Kind.DENUNCIATION)).clocks == ()

    @pytest.mark.parametrize("kinds", [(Kind.REFLECTION,), (Kind.PETITION, Kind.PETITION)])
    async def test_a_kind_that_is_there_is_refused(self, desk, kinds):
        refusal = await desk.refused(split(*kinds))

        assert named(refusal) == "kind-there"
        assert refusal.problems[0].field == f"/data/parts/{len(kinds) - 1}/kind"

    async def test_a_kind_is_split_off_once(self, desk):
        await desk.order(split(Kind.DENUNCIATION))

        assert named(await desk.refused(split(Kind.DENUNCIATION))) == "kind-there"
        assert types(await desk.order(split(Kind.PETITION)))[0] == "case.divided.v1"

    async def test_of_equal_bodies_the_one_with_fewer_cases_leads_a_part(self, desk):
        """The Front of the ward leads both letters; the Youth Union comes after it by code."""
        equal = directory(bodies=(*BODIES, body("ward-youth", "ward")))
        await desk.routing.rules.add_once(
            (published(DirectoryPublished(version=2, directory=equal)),)
        )

        await desk.order(split(Kind.DENUNCIATION))

        assert desk.state(FIRST).lead == WARD
        assert desk.state(PART).lead == "ward-youth"

    async def test_a_part_is_not_split(self, desk):
        await desk.order(split(Kind.DENUNCIATION))
        lead = desk.state(PART).lead

        refusal = await desk.refused(split(Kind.PETITION), PART, party=lead)

        assert named(refusal) == "part-of-a-letter"

    async def test_a_concluded_case_is_not_split(self, desk):
        await desk.order(CaseAccept())
        await desk.order(CaseConclude(outcome=Outcome.RIGHT))

        assert named(await desk.refused(split(Kind.DENUNCIATION))) == "already-concluded"

    async def test_what_the_rules_do_not_know_is_refused(self, desk):
        strange = split(Kind.PETITION, category="nowhere")
        nobody = split(Kind.PETITION, concerns=(Concern(office="nobody"),))

        assert named(await desk.refused(strange)) == "unknown-category"
        refusal = await desk.refused(nobody)
        assert refusal.problems[0].field == "/data/parts/0/concerns/0"

    async def test_only_the_lead_splits(self, desk):
        refusal = await desk.refused(split(Kind.PETITION), party="province-front")

        assert named(refusal) == "not-lead"

    async def test_the_same_order_sent_again_opens_nothing_new(self, desk):
        await desk.order(split(Kind.DENUNCIATION), item="same")
        before = dict(desk.routing.states)

        said = await desk.order(split(Kind.DENUNCIATION), item="same")

        assert said == []
        assert desk.routing.states == before


class TestJoin:
    async def test_the_standing_case_records_it_and_the_duplicate_is_closed(self, desk):
        said = await desk.order(join(), SECOND)

        assert [(e.type, e.subject) for e in said] == [
            ("case.amended.v1", FIRST),
            ("case.joined.v1", SECOND),
        ]
        assert said[0].data.taken_from == SECOND
        assert said[1].data.into == FIRST
        assert desk.state(SECOND).stage is Stage.CONCLUDED

    async def test_whom_the_duplicate_concerns_leaves_the_standing_case_at_once(self):
        desk = await Desk().begin(concerns=Concern(office="ward-chair"))
        handing_over = CaseTransfer(to="province-front", citation=REGULATION)
        await desk.order(handing_over, FIRST)
        await desk.order(handing_over, SECOND, desk.state(SECOND).lead)
        kept = desk.routing.cases.kept[FIRST]
        beside = replace(kept, state=replace(kept.state, cooperating=(WARD,)))
        desk.routing.cases.kept[FIRST] = beside

        said = await desk.order(join(), SECOND, "province-front")

        assert types(said) == ["case.amended.v1", "case.assigned.v1", "case.joined.v1"]
        assert said[1].data.why is Assigning.CONCERNS
        assert set(desk.state(FIRST).matter.offices) == {"school-head", "ward-chair"}
        assert desk.state(FIRST).bodies == ("province-front",)

    async def test_its_terms_are_told_as_stopped(self, desk):
        await desk.order(join(), SECOND)
        await desk.routing.sweep()

        met = [e for e in desk.routing.log if e.type == "clock.met.v1" and e.subject == SECOND]
        assert [e.data.clock for e in met] == ["answer"]

    @pytest.mark.parametrize(
        ("into", "problem"),
        [(SECOND, "joins-itself"), ("nowhere", "standing-not-led")],
    )
    async def test_into_what_is_no_other_case_of_the_body_is_refused(self, desk, into, problem):
        assert named(await desk.refused(join(into), SECOND)) == problem

    async def test_into_a_case_of_others_is_refused_as_if_there_were_none(self, desk):
        await desk.order(CaseTransfer(to="province-front", citation=REGULATION))

        assert await desk.refused(join(), SECOND, item="a") == (
            await desk.refused(join("nowhere"), SECOND, item="a")
        ).model_copy(update={"sequence": desk.sequence - 1})

    async def test_into_a_case_that_the_body_may_not_touch_any_more_is_refused(self):
        desk = await Desk().begin(concerns=Concern(office="ward-deputy"))
        handing_over = CaseTransfer(to=WARD, citation=REGULATION)
        await desk.order(handing_over, SECOND, desk.state(SECOND).lead)
        seated = body(WARD, "ward", members=("school-head",))
        there = directory(bodies=(*(b for b in BODIES if b.code != WARD), seated))
        news = published(DirectoryPublished(version=2, directory=there))
        await desk.routing.rules.add_once((news,))

        refusal = await desk.refused(join(), SECOND)

        assert named(refusal) == "standing-concerned"
        assert REGULATION in refusal.problems[0].advice

    async def test_before_the_standing_case_came_in_nothing_is_joined_to_it(self):
        desk = await Desk().begin()
        late = submission_received("late", NOON + 4 * HOUR)
        await desk.routing.receive([late])

        refusal = await desk.refused(join(case_id("late")), SECOND)

        assert named(refusal) == "time-before-receipt"

    async def test_nothing_is_joined_before_it_was_accepted(self, desk):
        await desk.order(CaseAccept(), SECOND, at=NOON + 3 * HOUR)

        refusal = await desk.refused(join(), SECOND)

        assert named(refusal) == "time-before-acceptance"

    async def test_who_declined_the_duplicate_as_concerned_does_not_get_the_standing_case(
        self, desk
    ):
        concerned = CaseDecline(ground=Ground.CONCERNED, citation=REGULATION)
        await desk.order(concerned, SECOND)
        lead = desk.state(SECOND).lead
        await desk.order(CaseTransfer(to=lead, citation=REGULATION), FIRST)

        await desk.order(join(), SECOND, lead)

        assert WARD in desk.state(FIRST).past

    async def test_into_a_concluded_case_is_refused(self, desk):
        await desk.order(CaseAccept())
        await desk.order(CaseConclude(outcome=Outcome.RIGHT))

        assert named(await desk.refused(join(), SECOND)) == "standing-concluded"

    async def test_an_eligible_letter_is_not_joined_to_one_that_is_not(self):
        desk = await Desk().begin(eligibility="stored-anonymous")

        assert named(await desk.refused(join(SECOND), FIRST)) == "standing-not-eligible"
        assert types(await desk.order(join(FIRST), SECOND))[-1] == "case.joined.v1"

    async def test_parts_of_one_letter_are_no_duplicates(self, desk):
        await desk.order(split(Kind.DENUNCIATION))

        assert named(await desk.refused(join(), PART)) == "same-letter"

    async def test_a_closed_duplicate_is_joined_no_more(self, desk):
        await desk.order(join(), SECOND)

        assert named(await desk.refused(join(), SECOND)) == "already-concluded"

    async def test_only_a_reopening_takes_a_duplicate_up_again(self, desk):
        await desk.order(join(), SECOND)
        assert named(await desk.refused(CaseAccept(), SECOND)) == "already-concluded"

        await desk.order(CaseReopen(citation=REGULATION), SECOND)

        assert desk.state(SECOND).joined is None
        assert desk.state(SECOND).stage is Stage.ACCEPTED

    async def test_the_same_order_sent_again_changes_nothing(self, desk):
        await desk.order(join(), SECOND, item="same")
        before = dict(desk.routing.states)

        assert await desk.order(join(), SECOND, item="same") == []
        assert desk.routing.states == before

    async def test_orders_around_it_in_one_batch_are_taken_in_turn(self, desk):
        first = desk.arrival(CaseAccept(), SECOND)
        joined = desk.arrival(join(), SECOND)
        last = desk.arrival(CaseAccept(), FIRST)

        await desk.routing.order([first, joined, last])

        assert types(desk.routing.log)[-4:] == [
            "case.accepted.v1",
            "case.amended.v1",
            "case.joined.v1",
            "case.accepted.v1",
        ]
        assert desk.state(FIRST).stage is Stage.ACCEPTED


def test_whoever_held_the_office_on_the_duplicates_own_day_is_accused():
    """They hold another one by the day of the standing case's receipt."""
    moved = TODAY - timedelta(days=1)
    holdings = (
        Holding(person="p1", office="school-head", valid_to=moved),
        Holding(person="p1", office="ward-chair", valid_from=moved),
        Holding(person="p2", office="school-head", valid_from=moved),
    )
    there = index(holdings=holdings)
    duplicate = matter(acted=TODAY - timedelta(days=3))
    alone, both = matter(), matter().taking_over(duplicate)

    def kept_away(about):
        return {e.body for e in excluded(about, there, rulebook(), TODAY)}

    assert "ward-front" in kept_away(both) - kept_away(alone)
