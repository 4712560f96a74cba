"""Every life that a case may have, and the columns of 01/XLD and S-124 in which it counts.

`tests/unit/reporting_figures.txt` was written while both forms were code; as data they must say
the same. A line is a life and its columns: `life | 01-xld | s-124`.
"""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

from services.reporting.domain.row import CaseRow
from shared.contracts.case import Referral
from shared.contracts.envelope import AnyEvent
from shared.contracts.vocabulary import Kind, Signatures
from tests.examples_reporting import (
    AFTER,
    BEFORE,
    LAST_DAY,
    WITHIN,
    case_accepted,
    case_assigned,
    case_concluded,
    case_referred,
    case_reopened,
    case_row,
    clock_started,
    submission_received,
)

FIGURES = Path(__file__).parent / "unit" / "reporting_figures.txt"

SAID = {
    "complaint/several": {"kind": Kind.COMPLAINT, "signatures": Signatures.SEVERAL},
    "denunciation/one": {"kind": Kind.DENUNCIATION, "signatures": Signatures.ONE},
    "petition/other": {"kind": Kind.PETITION, "signatures": Signatures.OTHER},
    "reflection/one/stored": {"kind": Kind.REFLECTION, "eligibility": "stored-anonymous"},
}
RECEIVED = {"before": BEFORE, "within": WITHIN}
ASSIGNED = {
    "nobody": (),
    "within": (case_assigned(),),
    "forwarded": (case_assigned(within=False),),
}
ACCEPTED = {
    "waiting": (),
    "accepted": (case_accepted(),),
    "accepted-after": (case_accepted(time=AFTER),),
}
ENDED = {
    "open": (),
    "overdue": (clock_started(due=LAST_DAY),),
    "take-up-overdue": (clock_started(clock="take-up", due=LAST_DAY),),
    "in-time": (case_concluded(),),
    "late": (case_concluded(in_time=False),),
    "twice": (case_concluded(times=2),),
    "ended-before": (case_concluded(time=BEFORE),),
    "ended-after": (case_concluded(time=AFTER),),
    "reopened": (case_concluded(), case_reopened(version=6)),
    **{way.value: (case_referred(way),) for way in Referral},
}


def lives() -> Iterator[tuple[str, CaseRow]]:
    parts = (SAID, RECEIVED, ASSIGNED, ACCEPTED, ENDED)
    for names in product(*parts):
        said, received, assigned, accepted, ended = (
            part[name] for part, name in zip(parts, names, strict=True)
        )
        events: tuple[AnyEvent, ...] = (
            submission_received(time=received, **said),
            *assigned,
            *accepted,
            *ended,
        )
        yield " ".join(names), case_row(*events)
