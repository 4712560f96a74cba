"""Promises of what a case's assignment tells the others: who takes it, and why, in words."""

from datetime import datetime, timedelta

from services.routing.domain.opening import open_case
from shared.contracts.case import CaseAssigned
from shared.contracts.directory import Holding, OfficeRank
from shared.contracts.rulebook import CooperationMethod
from shared.contracts.vocabulary import Concern
from tests.examples_routing import (
    COMPETENCE,
    NOON,
    OFFICES,
    TODAY,
    UNITS,
    ZONE,
    body,
    index,
    office,
    rulebook,
    rules_in_force,
    submission_received,
)

LONG_BEFORE = NOON - timedelta(days=300)


def assigned(load=None, time: datetime = NOON, concerns=None, rules=None, **more) -> CaseAssigned:
    received = submission_received(
        time=time, concerns=concerns or Concern(office="school-head"), unit="school"
    )
    there = rules_in_force(directory=index(**more), rulebook=rules or rulebook())
    opened = open_case(received, there, ZONE, NOON, load or {})
    [found] = [event.data for event in opened.events if isinstance(event.data, CaseAssigned)]
    return found


def test_an_assignment_says_its_reasons():
    found = assigned()

    assert [reason.rule for reason in found.reasons] == [found.rule]


def test_among_equals_the_one_with_fewest_open_cases_leads():
    bodies = (body("a", "ward"), body("b", "ward"))

    assert assigned({"a": 2, "b": 1}, bodies=bodies).lead == "b"


def test_cooperating_bodies_are_announced_with_their_reasons():
    moved = TODAY - timedelta(days=100)
    timeline = COMPETENCE.model_copy(update={"cooperation": CooperationMethod.OFFICE_TIMELINE})
    there = {
        "units": UNITS,
        "offices": (*OFFICES, office("province-deputy", "province", OfficeRank.DEPUTY)),
        "bodies": (body("p", "province"), body("s", "school")),
        "holdings": (
            Holding(person="p1", office="school-head", valid_to=moved),
            Holding(person="p1", office="province-deputy", valid_from=moved),
        ),
    }

    found = assigned(time=LONG_BEFORE, rules=rulebook(competence=(timeline,)), **there)

    assert (found.lead, found.cooperating) == ("p", ("s",))
    assert [reason.vi.split()[0] for reason in found.reasons] == ["Người", "p", "s"]


def test_an_assignment_of_before_reasons_still_reads():
    old = assigned().model_dump(mode="json", exclude={"reasons"})

    assert CaseAssigned.model_validate(old).reasons == ()
