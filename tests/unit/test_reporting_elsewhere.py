"""A country that does not exist closes a period in a form of its own: nothing is hard-wired."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from deploy.rules import RULE_FILES, read_rules
from services.reporting.closing import Closer
from services.reporting.handlers import command_taker, row_keeper, rule_keeper
from services.reporting.issuing import Desk
from shared.contracts import DirectoryPublished, RulebookPublished
from shared.contracts.activity import ActivityKind
from shared.contracts.case import Referral
from shared.contracts.vocabulary import Kind, Outcome, Signatures
from tests.examples_reporting import (
    ROOT,
    activity_recorded,
    case_assigned,
    case_concluded,
    case_referred,
    close,
    event,
    submission_received,
)
from tests.fakes_reporting import (
    MemoryClosings,
    MemoryFlight,
    MemoryReports,
    MemoryRows,
    MemoryRules,
    MemorySendings,
)

RURITANIA = ROOT / "deploy" / "packs" / "ruritania"
ZONE = ZoneInfo("Europe/Vienna")
SUMMER = datetime(2026, 5, 4, 10, tzinfo=ZONE)
OVER = datetime(2026, 10, 1, tzinfo=ZONE)

CASES = (
    submission_received("s1", SUMMER, unit="bridge-house", kind=Kind.PETITION),
    submission_received("s2", SUMMER, unit="bridge-house", kind=Kind.DENUNCIATION),
    submission_received("s3", SUMMER, unit="town", signatures=Signatures.OTHER),
    submission_received("s4", SUMMER, unit="march", kind=Kind.COMPLAINT),
    case_assigned("s4", SUMMER),
    case_concluded("s4", SUMMER, outcome=Outcome.PARTLY_RIGHT, recovered=300),
    submission_received("s5", SUMMER, unit="march"),
    case_referred(Referral.GUIDED, "s5"),
    activity_recorded("ride", ActivityKind.DIRECT, SUMMER.date(), unit="town"),
)


def read(noun):
    return read_rules(RURITANIA / f"{noun}.yaml", RULE_FILES[noun])


async def reports():
    rows, rules, closings = MemoryRows(), MemoryRules(), MemoryClosings()
    out = []

    async def publish(events):
        out.extend(events)

    closer = Closer(rows, rules, closings, MemoryFlight(), zone=ZONE)
    desk = Desk(rules, closings, MemoryReports(), publish)
    take = command_taker(closer, desk, MemorySendings(), lambda: OVER + timedelta(hours=1))
    await rule_keeper(rules)(
        [
            event(DirectoryPublished(version=1, directory=read("directory"))),
            event(RulebookPublished(version=1, rulebook=read("rulebook"))),
        ]
    )
    await row_keeper(rows, closings, ZONE)(CASES)
    await take([close("2026-term")])
    return [each.data for each in out]


async def test_each_unit_has_the_one_form_of_the_country():
    said = await reports()

    assert [(report.form, report.unit) for report in said] == [
        ("roll-of-the-march", unit) for unit in ("bridge-house", "town", "march", "crown")
    ]


async def test_its_columns_count_what_its_own_rulebook_says():
    *_, crown = await reports()

    figures = dict(zip((c.code for c in crown.columns), crown.totals, strict=True))
    assert figures == {
        "proposals": 1,
        "signed": 1,
        "nameless": 1,
        "lying": 2,
        "judged": 1,
        "sent-on": 1,
        "matters": 5,
        "fines": 300,
        "rides": 1,
    }
    assert crown.identities == (
        "matters = proposals + lying + judged + sent-on",
        "lying = signed + nameless",
    )


async def test_its_headings_stack_as_deep_as_it_wants():
    *_, crown = await reports()

    paths = {c.code: [heading.vi for heading in c.path] for c in crown.columns}
    assert paths["signed"] == ["Matters", "Before the bench", "By hand", "Signed"]
    assert paths["lying"] == ["Matters", "Before the bench", "All"]
    assert paths["rides"] == []
