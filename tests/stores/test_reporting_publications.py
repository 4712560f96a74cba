"""One suite for the reading of public reports, in memory and in MongoDB; and its plans."""

import pytest

from services.reporting.ports import Wanted
from services.reporting.store import MongoPublications, MongoReports
from services.reporting.store.publications import NEWEST, asked
from shared.contracts.report import Edition
from tests.examples_publishing import keep
from tests.fakes_reporting import MemoryPublications, MemoryReports


@pytest.fixture(params=["memory", "mongo"])
def stores(request):
    if request.param == "memory":
        kept = MemoryReports()
        return kept, MemoryPublications(kept)
    database = request.getfixturevalue("mongo_database")
    return MongoReports(database), MongoPublications(database)


@pytest.fixture
async def publications(stores):
    kept, publications = stores
    await keep(kept)
    return publications


def names(events):
    return [(e.data.form, e.data.period.code, e.data.revision) for e in events]


async def test_the_newest_come_first_and_no_internal_one(publications):
    found = await publications.newest(Wanted(), 10)

    assert names(found) == [
        ("01-xld", "2026-h1", 2),
        ("s-124", "2026-h1", 1),
        ("01-xld", "2026-h1", 1),
        ("s-124", "2025-h1", 1),
        ("01-xld", "2025-h1", 1),
    ]
    assert {e.data.edition for e in found} == {Edition.PUBLIC}


async def test_pages_follow_one_another_without_gap_or_repeat(publications):
    pages, after = [], ""
    while found := await publications.newest(Wanted(after=after), 2):
        pages += names(found)
        last = found[-1]
        after = f"public/{last.subject}/{last.data.revision}"

    assert pages == names(await publications.newest(Wanted(), 10))


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (Wanted(form="s-124"), 2),
        (Wanted(unit="tinh", period="2025-h1"), 2),
        (Wanted(form="03-kqgq"), 0),
        (Wanted(unit="other"), 0),
    ],
)
async def test_chosen_by_form_unit_and_period(publications, wanted, count):
    assert len(await publications.newest(wanted, 10)) == count


async def test_a_cursor_of_nothing_public_is_none(publications):
    for after in ("public/x/y/z/1", "internal/03-kqgq/tinh/2026-h1/1"):
        assert await publications.newest(Wanted(after=after), 2) is None


@pytest.mark.parametrize(("revision", "found"), [(None, 2), (1, 1), (3, None)])
async def test_one_revision_or_the_newest(publications, revision, found):
    event = await publications.one("01-xld", "tinh", "2026-h1", revision)

    assert (event and event.data.revision) == found


async def test_an_internal_report_is_not_found(publications):
    assert await publications.one("03-kqgq", "tinh", "2026-h1", None) is None
    assert await publications.others("03-kqgq", "tinh") == []


async def test_others_are_of_all_periods(publications):
    others = await publications.others("01-xld", "tinh")

    assert [(r.period.code, r.revision) for r in others] == [
        ("2026-h1", 2),
        ("2026-h1", 1),
        ("2025-h1", 1),
    ]


@pytest.mark.parametrize(
    "wanted",
    [Wanted(), Wanted(form="01-xld"), Wanted(unit="tinh"), Wanted(period="2026-h1")],
)
async def test_a_list_is_read_in_the_order_of_an_index(mongo_database, wanted):
    await keep(MongoReports(mongo_database))
    await MongoPublications(mongo_database).prepare()

    found = mongo_database["reports"].find(asked(wanted)).sort(NEWEST).limit(3)
    plan = str((await found.explain())["queryPlanner"]["winningPlan"])

    assert "IXSCAN" in plan
    assert "COLLSCAN" not in plan
    assert "'SORT'" not in plan
