"""`verify` names whoever was told who spoke without a second person's word."""

import pytest

from deploy.verify.protection import protection
from deploy.verify.seen import Kept, Seen
from shared.contracts import CaseUnsealingConfirmed, IdentityOpened
from shared.contracts.vocabulary import Unseals
from tests.examples_routing import NOON, TODAY, event

AGREED = {
    "version": 4,
    "number": 1,
    "unseals": Unseals.IDENTITY,
    "body": "ward-front",
    "person": "cb-1",
    "ground": "who-spoke",
    "second_body": "province-front",
    "second_person": "kt-1",
    "until": TODAY,
}


def seen(*confirmed: dict, persons=("cb-1", "kt-1"), number: int | None = 1) -> Seen:
    opened = IdentityOpened(case="c1", body="ward-front", persons=persons, unsealing=number)
    said = [
        event(opened, item="opened", subject="s1"),
        *(
            event(CaseUnsealingConfirmed(**each), item=f"agreed-{n}", subject="c1")
            for n, each in enumerate(confirmed)
        ),
    ]
    asked = {"case": "c1", "body": "ward-front", "person": "cb-1", "at": NOON}
    return Seen(events={each.id: each for each in said}, intake=Kept(openings={"o1": asked}))


def problems(there: Seen) -> list[str]:
    return [str(finding) for finding in protection(there)]


def test_what_a_second_person_agreed_to_is_no_finding():
    assert problems(seen(AGREED)) == []


@pytest.mark.parametrize(
    "confirmed",
    [
        [],
        [AGREED | {"number": 2}],
        [AGREED | {"person": "cb-2"}],
        [AGREED | {"second_person": "kt-2"}],
        [AGREED | {"body": "inspectorate"}],
    ],
)
def test_anything_else_is_named(confirmed):
    [found] = problems(seen(*confirmed))

    assert "no second person agreed" in found


def test_that_nobody_is_kept_as_asking_is_named():
    there = seen(AGREED)
    there.intake.openings.clear()

    assert "it is not kept who asked" in "".join(problems(there))


def test_an_opening_of_former_days_goes_by_who_asked():
    assert problems(seen(persons=("cb-1",), number=None)) == []
