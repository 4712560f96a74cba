"""Counted on MongoDB: as known at a closing, whatever came since, it says what was published."""

from datetime import timedelta
from types import SimpleNamespace

from hypothesis import HealthCheck, given, settings

from services.reporting.domain.change import change
from services.reporting.figures import own_cells
from services.reporting.ports import RulesInForce
from services.reporting.store import (
    MongoClosings,
    MongoReports,
    MongoRows,
    MongoRules,
    MongoSendings,
)
from shared.contracts import DirectoryPublished
from shared.contracts.activity import ActivityKind
from shared.runtime.streams import CONSUMERS
from tests.examples_reporting import (
    DAY,
    END,
    LAST_DAY,
    START,
    activity_recorded,
    case_assigned,
    case_concluded,
    case_joined,
    case_opened,
    case_reopened,
    close,
    directory,
    directory_published,
    event,
    revise,
    rulebook_published,
    submission_received,
    unit,
    window,
)
from tests.fakes_reporting import MemoryRows
from tests.histories_reporting import CLOSED, THERE, histories
from tests.reporting_in_memory import Reporting
from tests.unit.test_reporting_count import asked, stands

LATER = END + timedelta(days=3, microseconds=456_789)
FIRST = (
    submission_received("s1", START - DAY),
    submission_received("s2", unit="commune"),
    case_opened("s2", unit="commune"),
    case_assigned("s1"),
    case_concluded("s1", version=5),
    activity_recorded(),
)
SECOND = (
    case_reopened("s1", version=6),
    case_concluded("s1", version=7, times=2, in_time=False),
    case_joined("s2", version=5),
    submission_received("s3", unit="school"),
    event(activity_recorded(kind=ActivityKind.INDIRECT).data, about="act1", name="corrected"),
    directory_published(2, units=(*directory().units, unit("hamlet", "ward", 3))),
)


def recorded(events, at):
    return [each.model_copy(update={"recordedtime": at}) for each in events]


async def test_it_says_what_each_closing_published(mongo_database):
    kinds = {
        "rows": MongoRows,
        "rules": MongoRules,
        "closings": MongoClosings,
        "reports": MongoReports,
        "sendings": MongoSendings,
    }
    stores = {name: kind(mongo_database) for name, kind in kinds.items()}
    for name in ("closings", "reports", "sendings"):
        await stores[name].prepare()
    service = Reporting(stores=SimpleNamespace(**stores))
    await service.keep_rules(recorded([directory_published(), rulebook_published()], START))
    await service.keep_rows(recorded(FIRST, END))
    published = list(await service.take([close()]))
    *late, there = recorded(SECOND, LATER)
    await service.keep_rows(late)
    await service.keep_rules([there])
    service.at = LATER
    published += await service.take([revise()])

    assert {each.data.revision for each in published} == {1, 2}
    for each in published:
        more = {"form": each.data.form, "unit": each.data.unit, "known": str(each.time)}
        for day in ({}, {"as_of": str(LAST_DAY)}):
            told = await asked(service, at=LATER + DAY, **more, **day)
            assert stands(told.counted) == stands(each.data)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(told=histories())
async def test_any_history_counts_as_it_does_in_memory(mongo_database, told):
    for table in ("case", "activity", "channel"):
        await mongo_database[f"{table}_rows"].delete_many({})
    changes = [change(each) for each in told if each.type in CONSUMERS["reporting-rows"].subjects]
    stores = MongoRows(mongo_database), MemoryRows()
    for rows in stores:
        await rows.apply(changes)

    there = DirectoryPublished(version=1, directory=THERE)
    rules = RulesInForce(there, rulebook_published().data)
    for known in CLOSED:
        first, *others = [
            await own_cells(rows, rules, window(), known=known, long_ago=long_ago)
            for rows in stores
            for long_ago in (True, False)
        ]
        assert all(other == first for other in others)
