"""How far feeds have come, in memory as in MongoDB; and one feed withheld in part, on the real one."""

from datetime import timedelta

import pytest

from services.intake.domain.heartbeat import HEARTBEAT, LAPSE, QUIET, Gap
from services.intake.domain.silence import Track
from services.intake.handlers.ports import Feed, Sign
from services.intake.store import MongoOutbox, MongoRecords
from tests.examples_intake import NOON
from tests.fakes_intake import MemoryFeeds
from tests.stores.test_intake_stores import in_mongo
from tests.withholding import AGENCY, Watched, told, traffic

MINUTE = timedelta(minutes=1)


@pytest.fixture(params=["memory", "mongo"])
def database(request):
    return request.getfixturevalue("mongo_database") if request.param == "mongo" else None


@pytest.fixture
async def feeds(database):
    return MemoryFeeds() if database is None else (await in_mongo(database)).feeds


class TestFeeds:
    async def test_one_with_every_number_is_not_broken(self, feeds):
        await feeds.saw({"a017": Sign((1, 2), NOON), "a018": Sign((1, 3), NOON)})
        await feeds.saw({"a017": Sign((4,), NOON), "a018": Sign((2,), NOON)})

        assert await feeds.broken() == [Feed("a017", Track(2, ((4, 5),)), NOON)]

    async def test_the_gaps_of_the_last_look_are_known_at_the_next(self, feeds):
        await feeds.saw({AGENCY: Sign((3, 5), NOON)})
        gaps = (Gap(1, 2, NOON), Gap(4, 4, NOON + MINUTE))
        await feeds.notice(AGENCY, gaps)

        [feed] = await feeds.broken()
        assert feed.gaps == gaps

    async def test_what_is_passed_over_is_missing_no_more(self, feeds):
        await feeds.saw({AGENCY: Sign((3, 5), NOON)})
        await feeds.pass_over(AGENCY, [Gap(4, 4, NOON)])
        assert [feed.track for feed in await feeds.broken()] == [Track(0, ((3, 6),))]

        await feeds.pass_over(AGENCY, [Gap(1, 2, NOON)])

        assert await feeds.broken() == []

    async def test_an_older_sign_does_not_turn_time_back(self, feeds):
        await feeds.saw({AGENCY: Sign((2,), NOON + MINUTE, beats=True)})
        await feeds.saw({AGENCY: Sign((1,), NOON)})

        assert await feeds.quiet(NOON) == []
        assert await feeds.quiet(NOON + MINUTE) == [Feed(AGENCY, Track(2), NOON + MINUTE)]

    async def test_one_that_never_sent_a_heartbeat_is_not_quiet(self, feeds):
        await feeds.saw({AGENCY: Sign((1,), NOON)})

        assert await feeds.quiet(NOON + QUIET) == []

    async def test_a_lapse_between_looks_begins_anew(self, feeds):
        looks = (NOON, NOON + LAPSE, NOON + 3 * LAPSE, NOON + 4 * LAPSE)

        since = [await feeds.listening(at) for at in looks]

        assert since == [NOON, NOON, NOON + 3 * LAPSE, NOON + 3 * LAPSE]


async def test_one_in_fifty_withheld_is_said_within_two_heartbeat_intervals(mongo_database):
    """T-04."""
    stores, alarms = await in_mongo(mongo_database), MongoRecords(mongo_database, "alarms")
    watched = await Watched(stores, alarms).start()
    sendings = traffic(4, hours=1.0)
    await watched.until(sendings[-1].at + HEARTBEAT + QUIET + MINUTE, sendings)

    said = await MongoOutbox(mongo_database).waiting(1_000)
    alarmed = [event for event in said if event.type == "channel.interrupted.v1"]
    found, withheld = told(alarmed), {s.number: s.at for s in sendings if s.arrives is None}
    assert withheld
    assert found.keys() == withheld.keys()
    assert all(found[n] - withheld[n] <= 2 * HEARTBEAT for n in withheld)
    [silence] = [event for event in alarmed if event.data.silent_since is not None]
    assert silence.time - silence.data.silent_since <= timedelta(minutes=15)


@pytest.mark.parametrize(
    "question",
    [{"broken": True}, {"beats": True, "heard": {"$lte": NOON}}],
    ids=["broken", "quiet"],
)
async def test_a_look_reads_only_what_it_finds(mongo_database, question):
    stores = await in_mongo(mongo_database)
    await stores.feeds.saw({f"a{n}": Sign((1,), NOON + MINUTE, beats=True) for n in range(50)})
    await stores.feeds.saw({f"b{n}": Sign((2,), NOON, beats=True) for n in range(2)})

    plan = await mongo_database.command(
        {
            "explain": {"find": "feeds", "filter": question},
            "verbosity": "executionStats",
        }
    )

    assert plan["executionStats"]["totalDocsExamined"] == 2
