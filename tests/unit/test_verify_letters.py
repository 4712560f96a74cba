"""`verify` says of letters that were split and joined what does not hold together.

A second count, by other means, agrees with the forms on them.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from deploy.recount import COUNTED, Log, World, recount
from deploy.verify.routing import routing
from deploy.verify.seen import Kept, Seen
from shared.contracts.case import part_id
from shared.contracts.report import Edition, ReportPublished
from shared.contracts.vocabulary import Kind, Signatures
from tests.examples_reporting import (
    BEFORE,
    DAY,
    END,
    LETTERS,
    START,
    SUPERVISION,
    WITHIN,
    ZONE,
    case_accepted,
    case_assigned,
    case_concluded,
    case_joined,
    case_opened,
    case_reopened,
    cases_counted,
    directory,
    label,
    window,
)
from tests.unit.test_routing_letters import FIRST, PART, SECOND, Desk, join, split

Change = Callable[[dict[str, Any]], None]


@pytest.fixture
async def seen() -> Seen:
    """The first letter was split in two, the second joined to it; what routing keeps of them."""
    desk = await Desk().begin()
    await desk.order(split(Kind.DENUNCIATION))
    await desk.order(join(), SECOND)
    kept, openings = desk.routing.cases.kept, desk.routing.cases.openings
    return Seen(
        events={e.id: e for e in desk.routing.log},
        intake=Kept(submissions={"s1": {}, "s2": {}}),
        cases={
            case: {
                "opening": [e.model_dump(mode="json") for e in openings[case]],
                "acted": [
                    {"events": [e.model_dump(mode="json") for e in sending.events]}
                    for sending in kept[case].acted
                ],
            }
            for case in kept
        },
    )


def findings(seen: Seen) -> list[str]:
    return [str(finding) for finding in routing(seen)]


def test_parts_and_duplicates_are_no_finding(seen):
    assert findings(seen) == []


def without(case: str) -> Change:
    return lambda cases: cases.pop(case)


def opening(case: str, **fields: Any) -> Change:
    return lambda cases: cases[case]["opening"][0]["data"].update(fields)


def parts(*named: tuple[str, str]) -> Change:
    said = [{"case": case, "kind": kind} for case, kind in named]
    return lambda cases: cases[FIRST]["acted"][0]["events"][0]["data"].update({"parts": said})


OTHER = part_id(FIRST, Kind.PETITION)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (without(PART), f"part {PART} of case {FIRST} is no case"),
        (parts(), f"part {PART} is none that case {FIRST} names"),
        (parts((OTHER, "petition")), f"part {OTHER} of case {FIRST} is no case"),
        (without(FIRST), f"part {PART} of case {FIRST}, which is none"),
        (without(FIRST), f"case {SECOND} was joined to {FIRST}, which is none"),
        (opening(PART, parent=None), f"case {PART} has no submission"),
        (opening(PART, parent=None), "has another parent"),
        (opening(PART, kind="petition"), "has another kind"),
        (opening(PART, submission="s2"), "has another submission"),
        (opening(PART, unit="elsewhere"), "has another unit"),
        (opening(PART, received="2026-01-01T00:00:00Z"), "has another received"),
        (opening(FIRST, kind="denunciation"), "is split into ['denunciation', 'denunciation']"),
    ],
)
def test_what_does_not_hold_together_is(seen, change, says):
    change(seen.cases)

    assert any(says in finding for finding in findings(seen))


JOINED_AND_NOT = [
    (),
    (case_joined(),),
    (case_joined(time=END),),
    (case_joined(time=BEFORE),),
    (case_joined(time=START),),
    (case_joined(), case_reopened(version=6)),
    (case_joined(), case_reopened(version=6), case_joined(version=7)),
    (case_concluded(version=3), case_reopened(version=4), case_joined(version=5)),
    (case_joined(), case_reopened(version=6), case_concluded(version=7)),
]


@pytest.mark.parametrize("received", [WITHIN, BEFORE - DAY])
@pytest.mark.parametrize("form", [LETTERS, SUPERVISION], ids=lambda form: form.code)
@pytest.mark.parametrize("ended", JOINED_AND_NOT)
def test_a_second_count_agrees_with_the_forms(form, ended, received):
    opened = case_opened(received=received, signatures=Signatures.ONE)
    events = [opened, case_assigned(time=received), case_accepted(version=2), *ended]
    report = ReportPublished.model_construct(
        form=form.code,
        unit="ward",
        period=window().period,
        edition=Edition.INTERNAL,
        revision=1,
        title=label("x"),
    )

    closed = END + timedelta(days=5)
    world = World(Log.of(events), directory(), frozenset({"take-up"}), ZONE)
    counted = recount(report, closed, world)

    figures = cases_counted(form, events)
    known = {code: figure for code, figure in figures.items() if code in COUNTED[form.code]}
    assert {code: figure for code, figure in counted.items() if figure} == known
