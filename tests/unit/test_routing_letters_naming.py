"""Whom one case of a letter names, every case of it concerns: by amendment, split or join."""

from typing import Any

import pytest

from services.routing.domain.lifecycle import Stage
from shared.contracts.case import Assigning, part_id
from shared.contracts.envelope import AnyEvent
from shared.contracts.order import (
    CaseAccept,
    CaseAmend,
    CaseConclude,
    CaseReopen,
    CaseTransfer,
)
from shared.contracts.vocabulary import Concern, Kind, Outcome
from tests.examples_routing import NOON, REGULATION
from tests.unit.test_routing_letters import FIRST, PART, SECOND, WARD, Desk, join, named, split

THIRD = part_id(FIRST, Kind.PETITION)
OTHERS = part_id(SECOND, Kind.DENUNCIATION)
CHAIR = CaseAmend(concerns=(Concern(office="ward-chair"),))
"""Who heads the ward sits in its Front."""


@pytest.fixture
async def desk() -> Desk:
    desk = await Desk().begin()
    await desk.order(split(Kind.DENUNCIATION, Kind.PETITION))
    assert {desk.state(case).lead for case in (FIRST, PART, THIRD)} == {WARD}
    return desk


def offices(desk: Desk, case: str) -> set[str]:
    return set(desk.state(case).matter.offices)


def said_of(events: list[AnyEvent], case: str) -> list[AnyEvent]:
    return [event for event in events if event.subject == case]


@pytest.mark.parametrize("where", [FIRST, PART, THIRD])
async def test_whom_one_case_names_leaves_every_case_of_the_letter(desk, where):
    await desk.order(CHAIR, where)

    for case in (FIRST, PART, THIRD):
        assert "ward-chair" in offices(desk, case)
        assert WARD not in desk.state(case).bodies


async def test_each_case_tells_where_it_was_named_and_why_it_moved(desk):
    said = await desk.order(CHAIR, PART)

    amended, assigned = said_of(said, THIRD)
    assert (amended.data.learnt_from, amended.data.body) == (PART, WARD)
    assert (assigned.data.why, assigned.data.lead_before) == (Assigning.CONCERNS, WARD)
    assert said_of(said, PART)[0].data.learnt_from is None
    assert len({event.id for event in said}) == len(said)


async def test_a_body_that_is_told_its_order_is_kept_may_rely_on_it(desk):
    """Both orders come at once: the second is decided by what the first one named."""
    to_the_ward = CaseTransfer(to=WARD, citation=REGULATION)
    await desk.order(CaseTransfer(to="province-front", citation=REGULATION), PART)
    orders = [
        desk.arrival(CHAIR, FIRST),
        desk.arrival(to_the_ward, PART, party="province-front"),
    ]
    before = len(desk.routing.log)

    await desk.routing.order(orders)

    refusals = [e for e in desk.routing.log[before:] if e.type == "item.refused.v1"]
    assert [named(e.data) for e in refusals] == ["receiver-concerned"]


async def test_a_case_that_is_concluded_learns_it_and_is_not_taken_up_by_whom_it_concerns(desk):
    await desk.order(CaseAccept(), PART)
    await desk.order(CaseConclude(outcome=Outcome.RIGHT), PART)

    said = await desk.order(CHAIR, FIRST)

    assert "case.assigned.v1" not in {event.type for event in said_of(said, PART)}
    assert desk.state(PART).stage is Stage.CONCLUDED
    assert "ward-chair" in offices(desk, PART)
    assert named(await desk.refused(CaseReopen(citation=REGULATION), PART)) == "concerned"


async def test_whom_a_part_is_split_off_for_does_not_keep_the_rest(desk):
    said = await desk.order(split(Kind.COMPLAINT, concerns=(Concern(office="ward-chair"),)))

    for case in (FIRST, PART, THIRD):
        assert "ward-chair" in offices(desk, case)
        assert WARD not in desk.state(case).bodies
    assert said_of(said, FIRST)[-1].data.why is Assigning.CONCERNS


async def test_what_is_split_off_later_begins_with_it(desk):
    await desk.order(CHAIR, PART)
    lead = desk.state(FIRST).lead
    await desk.order(split(Kind.COMPLAINT), FIRST, lead)

    assert "ward-chair" in offices(desk, part_id(FIRST, Kind.COMPLAINT))


class TestJoined:
    @pytest.fixture
    async def joined(self, desk: Desk) -> Desk:
        """The second letter is split too, and its first case is a duplicate of our first."""
        await desk.order(split(Kind.DENUNCIATION), SECOND)
        await desk.order(join(FIRST), SECOND)
        return desk

    async def test_what_is_left_of_a_duplicates_letter_tells_the_case_that_goes_on(self, joined):
        said = await joined.order(CHAIR, OTHERS)

        assert said_of(said, FIRST)[0].data.learnt_from == OTHERS
        for case in (FIRST, PART, THIRD, SECOND, OTHERS):
            assert "ward-chair" in offices(joined, case)
        assert all(WARD not in joined.state(case).bodies for case in (FIRST, PART, THIRD, OTHERS))

    async def test_what_is_taken_over_is_told_to_the_whole_letter(self):
        desk = await Desk().begin(concerns=Concern(office="ward-chair"))
        await desk.order(split(Kind.DENUNCIATION))
        up = CaseTransfer(to="province-front", citation=REGULATION)
        await desk.order(up, FIRST)
        await desk.order(up, SECOND, desk.state(SECOND).lead)

        said = await desk.order(join(FIRST), SECOND, "province-front")

        assert WARD not in desk.state(PART).bodies
        assert said_of(said, PART)[0].data.learnt_from == FIRST


async def test_letters_of_others_learn_nothing(desk):
    await desk.order(CHAIR, FIRST)

    assert offices(desk, SECOND) == {"school-head"}
    assert desk.state(SECOND).lead == WARD


async def test_the_same_order_again_says_nothing_more(desk):
    order: dict[str, Any] = {"item": "same", "at": NOON}
    await desk.order(CHAIR, PART, **order)
    before = dict(desk.routing.states)

    assert await desk.order(CHAIR, PART, **order) == []
    assert desk.routing.states == before
