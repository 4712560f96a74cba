"""One suite for reporting's ports: what memory promises, MongoDB keeps."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.reporting.domain.change import change
from services.reporting.domain.edition import Issued
from services.reporting.domain.forms import Tally
from services.reporting.domain.revision import Closing, own_figures, reports_of, said
from services.reporting.domain.rollup import Tree
from services.reporting.domain.row import ActivityRow, ChannelRow
from services.reporting.ports import RulesMissing, Sending
from services.reporting.store import (
    MongoClosings,
    MongoReports,
    MongoRows,
    MongoRules,
    MongoSendings,
)
from shared.contracts import Refused
from shared.contracts.activity import ActivityKind
from shared.contracts.case import case_id
from shared.contracts.ingress import Fate, FatesAsked, FieldProblem
from shared.contracts.report import Edition
from shared.contracts.vocabulary import Channel
from tests.examples_reporting import (
    FORMS,
    LAST_DAY,
    WITHIN,
    activity_recorded,
    case_accepted,
    case_assigned,
    case_concluded,
    case_opened,
    case_rows,
    channel_announced,
    clock_started,
    directory,
    directory_published,
    event,
    rulebook_published,
    submission_received,
    unit,
    window,
)
from tests.fakes_reporting import (
    MemoryClosings,
    MemoryReports,
    MemoryRows,
    MemoryRules,
    MemorySendings,
)
from tests.unit.test_reporting_alike import EDGES, WINDOWS, every_side, kinds_by_facets, pieces
from tests.unit.test_reporting_properties import histories

LONG_AFTER = datetime(2100, 1, 1, tzinfo=UTC)
IN_MICROSECONDS = WITHIN + timedelta(microseconds=123_456)

LIFE = (
    submission_received(time=IN_MICROSECONDS),
    case_opened(received=IN_MICROSECONDS),
    case_assigned(within=False),
    clock_started(),
    clock_started(version=7, due=LAST_DAY + timedelta(days=3)),
    clock_started(clock="10-days", version=4),
    case_accepted(),
    case_concluded(),
    case_concluded(version=9, times=2, in_time=False),
)


@pytest.fixture(params=["memory", "mongo"])
def made(request):
    """Makes the memory store of a port, or the one in a fresh database."""
    if request.param == "memory":
        return lambda memory, _mongo: memory()
    database = request.getfixturevalue("mongo_database")
    return lambda _memory, mongo: mongo(database)


def closing(period="2026-h1", command="order-1", party="operator", **more):
    tree = Tree.on(LAST_DAY, directory())
    return Closing(
        period=window(period).period,
        party=party,
        command=command,
        correlation=command,
        sending=f"command:{command}",
        at=IN_MICROSECONDS,
        directory=1,
        rulebook=1,
        figures=own_figures(FORMS, Tally(window(period)), tree),
        **more,
    )


class TestRows:
    @pytest.fixture
    def rows(self, made):
        return made(MemoryRows, MongoRows)

    async def told(self, rows, *events):
        await rows.apply([change(each) for each in events])

    async def cases(self, rows):
        return sorted([row async for row in rows.cases()], key=lambda row: row.case)

    async def test_a_row_comes_back_as_it_was_told(self, rows):
        await self.told(rows, *LIFE)

        assert await self.cases(rows) == case_rows(LIFE)

    @pytest.mark.parametrize("order", [1, -1])
    async def test_events_one_by_one_make_the_row_of_one_batch(self, rows, order):
        for each in LIFE[::order]:
            await self.told(rows, each)

        assert await self.cases(rows) == case_rows(LIFE)

    async def test_a_repeat_changes_nothing(self, rows):
        await self.told(rows, *LIFE)
        await self.told(rows, *LIFE[:4])

        assert await self.cases(rows) == case_rows(LIFE)

    @pytest.mark.parametrize("order", [1, -1])
    async def test_what_stood_before_is_known_still(self, rows, order):
        early = clock_started(version=3, due=LAST_DAY - timedelta(days=9))
        late = clock_started(version=7, due=LAST_DAY, time=WITHIN + timedelta(days=1))
        for each in [early, late][::order] * 2:
            await self.told(rows, each)

        [row] = await self.cases(rows)
        assert row.as_known(WITHIN).due == {"answer": LAST_DAY - timedelta(days=9)}
        assert row.as_known(WITHIN - timedelta(days=1)).due == {}
        assert len(list(row.laid.all)) == 2

    async def test_the_past_is_the_same_one_by_one_and_at_once(self, rows):
        for each in (*LIFE, *LIFE[::-1]):
            await self.told(rows, each)

        [row], [expected] = await self.cases(rows), case_rows(LIFE)
        assert row.laid == expected.laid
        assert len(expected.laid.past) == 2

    async def test_an_older_version_never_overwrites_a_newer(self, rows):
        await self.told(rows, clock_started(version=7, due=LAST_DAY))
        await self.told(rows, clock_started(version=3, due=LAST_DAY - timedelta(days=9)))

        [row] = await self.cases(rows)
        assert row.due == {"answer": LAST_DAY}

    async def test_of_one_version_the_later_recorded_stays(self, rows):
        early = activity_recorded(participants=1)
        late = event(
            early.data.model_copy(update={"participants": 2}),
            about="act1",
            recorded=WITHIN + timedelta(seconds=1),
            name="again",
        )
        await self.told(rows, late)
        await self.told(rows, early)

        [row] = [each async for each in rows.activities()]
        assert ActivityRow.of(row.facets["recorded"]).participants == 2

    async def test_workers_side_by_side_lose_nothing(self, rows):
        await asyncio.gather(*(self.told(rows, each) for each in LIFE for _ in range(4)))

        assert await self.cases(rows) == case_rows(LIFE)

    async def test_a_batch_of_many_cases_is_kept_whole(self, rows):
        events = [submission_received(f"s{number}") for number in range(500)]
        await self.told(rows, *events, *(case_accepted(f"s{number}") for number in range(500)))

        found = await self.cases(rows)
        assert (len(found), {len(row.facets) for row in found}) == (500, {2})

    async def test_cases_that_come_in_many_batches_are_each_read_once(self, rows, monkeypatch):
        monkeypatch.setattr("services.reporting.store.rows.CASES_AT_ONCE", 7)
        events = [submission_received(f"s{number}") for number in range(50)]
        await self.told(rows, *events)

        assert await self.cases(rows) == sorted(case_rows(events), key=lambda row: row.case)

    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(told=histories())
    async def test_any_history_is_counted_as_in_memory(self, mongo_database, told):
        rows = MongoRows(mongo_database)
        await mongo_database["case_rows"].delete_many({})
        await self.told(rows, *told)

        counted, plain = Tally(window()), Tally(window())
        async for row in rows.cases():
            counted.add_case(row)
        for row in case_rows(told):
            plain.add_case(row)
        assert (counted.cases, counted.measures) == (plain.cases, plain.measures)

    async def test_rows_that_a_period_cannot_tell_apart_stand_for_each_other(self, rows):
        received = [
            submission_received(f"s{number}", WITHIN + timedelta(minutes=number))
            for number in range(40)
        ]
        await self.told(rows, *received, clock_started("s7"), clock_started("s9"))

        kinds = [each async for each in rows.alike(window(), LONG_AFTER)]
        least = min(case_id(f"s{number}") for number in range(40))
        assert len(kinds) == 2
        assert sorted(count for _, count in kinds) == [2, 38]
        assert min(row.case for row, _ in kinds) == least

    async def test_a_row_that_changes_while_it_is_counted_counts_once(self, rows):
        await self.told(rows, *(clock_started(f"s{number}") for number in range(9)))
        restated = [clock_started(f"s{number}", LAST_DAY, version=9) for number in range(9)]

        counted = 0
        async for _, count in rows.alike(window(), LONG_AFTER):
            counted += count
            await self.told(rows, *restated)  # each of them has a past now

        assert counted == 9

    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(told=pieces())
    async def test_kinds_of_any_row_are_those_of_memory(self, mongo_database, told):
        await self.see_the_same_kinds(mongo_database, told)

    async def test_kinds_on_each_side_of_each_boundary_are_those_of_memory(self, mongo_database):
        await self.see_the_same_kinds(mongo_database, list(every_side()))

    async def see_the_same_kinds(self, mongo_database, told):
        rows, memory = MongoRows(mongo_database), MemoryRows()
        await mongo_database["case_rows"].delete_many({})
        for store in (rows, memory):
            await self.told(store, *told)
        for period, known in product(WINDOWS, (*EDGES, LONG_AFTER)):
            found, expected = [
                kinds_by_facets([each async for each in store.alike(period, known)])
                for store in (rows, memory)
            ]
            assert found == expected

    async def test_each_kind_of_row_is_told_apart(self, rows):
        await self.told(
            rows,
            submission_received(),
            activity_recorded(kind=ActivityKind.DIALOGUE, held=LAST_DAY, participants=3),
            channel_announced("a1", Channel.HOTLINE, LAST_DAY),
        )

        [activity] = [ActivityRow.of(each.facets["recorded"]) async for each in rows.activities()]
        [channel] = [ChannelRow.of(each.facets["announced"]) async for each in rows.channels()]
        assert (activity.kind, activity.held, activity.participants) == ("dialogue", LAST_DAY, 3)
        assert (channel.agency, channel.channel, channel.published) == ("a1", "hotline", LAST_DAY)
        assert len(await self.cases(rows)) == 1

    async def test_nothing_to_keep_is_no_error(self, rows):
        await self.told(rows)

        assert await self.cases(rows) == []

    async def test_text_that_looks_like_an_expression_is_only_text(self, rows):
        odd = event(submission_received().data, about="$$ROOT")
        await self.told(rows, odd.model_copy(update={"id": "$submission"}))

        [row] = await self.cases(rows)
        assert row.facets["submission"].event == "$submission"


class TestClosings:
    @pytest.fixture
    def closings(self, made):
        return made(MemoryClosings, MongoClosings)

    async def test_a_closing_comes_back_to_the_microsecond(self, closings):
        await closings.add_once(closing())

        assert await closings.of("2026-h1") == closing()

    async def test_the_first_closing_of_a_period_stands(self, closings):
        await closings.add_once(closing())

        assert await closings.add_once(closing(command="order-2")) == closing()

    async def test_of_many_at_once_one_stands(self, closings):
        orders = [closing(command=f"order-{number}") for number in range(8)]

        standing = await asyncio.gather(*map(closings.add_once, orders))

        assert len({each.command for each in standing}) == 1

    async def test_a_period_that_is_open_has_none(self, closings):
        await closings.add_once(closing())

        assert await closings.of("2026-y") is None

    async def test_it_is_found_by_the_partys_command(self, closings):
        await closings.add_once(closing())

        assert await closings.ordered("operator", "order-1") == closing()
        assert await closings.ordered("other", "order-1") is None
        assert await closings.ordered("operator", "order-2") is None

    async def test_the_newest_revision_is_that_of_the_period(self, closings):
        second = closing(command="order-2", revision=2)
        await closings.add_once(second)
        await closings.add_once(closing())

        assert await closings.of("2026-h1") == second
        assert [(c.period.code, c.revision) for c in await closings.all()] == [("2026-h1", 2)]
        assert await closings.history("2026-h1") == [closing(), second]

    async def test_it_waits_until_its_reports_are_out(self, closings):
        first, second = closing(), closing(command="order-2", revision=2)
        await closings.add_once(first)
        await closings.add_once(second)
        await closings.issued(first, Edition.INTERNAL)

        assert await closings.waiting(Edition.INTERNAL) == [second]
        assert await closings.waiting(Edition.PUBLIC) == [first, second]

    async def test_what_is_kept_is_looked_at_once_more(self, closings):
        await closings.add_once(closing())

        assert list(await closings.late()) == ["2026-h1"]

    async def test_a_mark_is_taken_back_unless_it_was_set_again(self, closings):
        await closings.mark_late(["2026-y", "2026-h1"])
        seen = await closings.late()
        await closings.mark_late(["2026-h1"])
        for period in ("2026-h1", "2026-y"):
            await closings.no_longer_late(period, seen[period])
        await closings.no_longer_late("2026-q1", 1)

        assert list(await closings.late()) == ["2026-h1"]

    async def test_marks_of_many_at_once_are_all_set(self, closings):
        await asyncio.gather(*(closings.mark_late(["2026-h1"]) for _ in range(8)))

        assert await closings.late() == {"2026-h1": 8}


class TestReports:
    SAID = tuple(
        said(closing(), report)
        for report in reports_of(closing(), FORMS, Tree.on(LAST_DAY, directory()))
    )

    @pytest.fixture
    def reports(self, made):
        return made(MemoryReports, MongoReports)

    async def kept(self, reports):
        return tuple([event async for event in reports.of(closing())])

    async def test_what_is_kept_comes_back_in_its_order(self, reports):
        await reports.prepare()
        await reports.add_once(closing(), self.SAID)

        assert await self.kept(reports) == self.SAID

    async def test_a_closing_without_a_report_is_kept_too(self, reports):
        await reports.add_once(closing(), [])

        assert await self.kept(reports) == ()
        assert await reports.has(closing())
        assert not await reports.has(closing(revision=2))

    async def test_the_first_set_stands(self, reports):
        await reports.add_once(closing(), self.SAID)
        others = [each.model_copy(update={"id": f"other-{each.id}"}) for each in self.SAID]
        await reports.add_once(closing(), others)

        assert await self.kept(reports) == self.SAID

    async def test_the_newest_of_a_form_and_unit_stands(self, reports):
        second = self.SAID[0].data.model_copy(update={"revision": 2})
        await reports.add_once(closing(), self.SAID)
        await reports.add_once(closing(revision=2), [said(closing(revision=2), second)])

        standing = await reports.standing("2026-h1", Edition.INTERNAL)
        assert len(standing) == len(self.SAID)
        assert standing[second.form, second.unit] == second
        assert await reports.standing("2026-h1", Edition.PUBLIC) == {}
        assert await reports.standing("2026-y", Edition.INTERNAL) == {}

    async def test_each_edition_stands_apart(self, reports):
        public = self.SAID[0].data.model_copy(update={"edition": Edition.PUBLIC, "threshold": 10})
        event = said(closing(), public)
        await reports.add_once(closing(), self.SAID)
        assert not await reports.has(closing(), Edition.PUBLIC)
        await reports.add_once(closing(), [event], Edition.PUBLIC)

        assert [each async for each in reports.of(closing(), Edition.PUBLIC)] == [event]
        assert await self.kept(reports) == self.SAID
        standing = await reports.standing("2026-h1", Edition.PUBLIC)
        assert standing == {(public.form, public.unit): public}

    async def test_public_ones_of_periods_near_are_found(self, reports):
        public = self.SAID[0].data.model_copy(update={"edition": Edition.PUBLIC, "threshold": 10})
        third = closing(revision=3)
        await reports.add_once(third, [said(third, public)], Edition.PUBLIC)
        period, day = public.period, timedelta(days=1)

        def spanning(first_day, last_day):
            return period.model_copy(update={"first_day": first_day, "last_day": last_day})

        after = spanning(period.last_day + day, period.last_day + 30 * day)
        before = spanning(period.first_day - 30 * day, period.first_day - day)
        later = spanning(period.last_day + 2 * day, period.last_day + 30 * day)
        for near in (period, after, before):
            assert await reports.public_near(near) == [Issued(3, public)]
        assert await reports.public_near(later) == []

    async def test_what_a_crash_left_out_is_added(self, mongo_database):
        reports = MongoReports(mongo_database)
        await reports.add_once(closing(), self.SAID[:3])
        await mongo_database["issues"].delete_many({})

        assert not await reports.has(closing())
        await reports.add_once(closing(), self.SAID)
        assert await self.kept(reports) == self.SAID


class TestSendings:
    @pytest.fixture
    def sendings(self, made):
        return made(MemorySendings, MongoSendings)

    def sending(self, key="command:1", item="order-1", party="operator", sequence=1, **more):
        more = {"fate": Fate.KEPT, "period": "2026-h1", **more}
        return Sending(key=key, party=party, item=item, sequence=sequence, **more)

    def refused(self):
        problem = FieldProblem(field="/data/period", rule="unknown-period", advice="Another.")
        data = Refused(
            party="operator",
            entrance="command",
            item="order-2",
            sequence=2,
            type="/problems/unknown-period",
            title="Unknown",
            problems=(problem,),
        )
        refusal = event(data, datetime(2026, 6, 20, 1, 2, 3, 456_789, tzinfo=UTC))
        return self.sending(
            "command:2", "order-2", sequence=2, fate=Fate.REFUSED, period=None, refusal=refusal
        )

    async def test_preparing_again_is_harmless(self, sendings):
        await sendings.prepare()
        await sendings.prepare()
        await sendings.add_once(self.sending())

        assert await sendings.known(["command:1"]) == {"command:1": self.sending()}

    async def test_a_fate_comes_back_word_for_word(self, sendings):
        await sendings.add_once(self.sending())
        await sendings.add_once(self.refused())

        known = await sendings.known(["command:1", "command:2", "command:3"])
        assert known == {"command:1": self.sending(), "command:2": self.refused()}

    async def test_the_first_fate_stands(self, sendings):
        await sendings.add_once(self.sending())
        await sendings.add_once(self.sending(fate=Fate.DUPLICATE))

        assert await sendings.known(["command:1"]) == {"command:1": self.sending()}

    async def test_a_party_is_told_by_item_or_sequence_in_stream_order(self, sendings):
        await sendings.add_once(self.refused())
        await sendings.add_once(self.sending())
        await sendings.add_once(self.sending("command:3", "order-3", sequence=3))
        await sendings.add_once(self.sending("command:4", party="other", sequence=4))

        asked = FatesAsked(items=("order-1",), sequences=(2, 4))
        assert await sendings.told("operator", asked) == [self.sending(), self.refused()]

    async def test_nothing_asked_is_nothing_told(self, sendings):
        await sendings.add_once(self.sending())

        assert await sendings.told("operator", FatesAsked()) == []


class TestRules:
    @pytest.fixture
    def rules(self, made):
        return made(MemoryRules, MongoRules)

    async def test_before_the_first_of_either_there_are_none(self, rules):
        await rules.add_once([directory_published()], [])

        with pytest.raises(RulesMissing):
            await rules.latest()

    async def test_the_highest_version_is_the_latest(self, rules):
        directories = [directory_published(n) for n in (2, 10, 9)]
        await rules.add_once(directories, [rulebook_published(3)])

        latest = await rules.latest()
        assert (latest.directory, latest.rulebook) == (
            directories[1].data,
            rulebook_published(3).data,
        )

    async def test_the_first_of_a_version_stands(self, rules):
        first = directory_published()
        await rules.add_once([first, directory_published(units=(unit("other"),))], [])
        await rules.add_once([directory_published(units=(unit("other"),))], [])

        await rules.add_once([], [rulebook_published()])
        assert (await rules.versions(1, 1)).directory == first.data

    async def test_an_older_version_can_be_read_again(self, rules):
        versions = [directory_published(n) for n in (1, 2)]
        await rules.add_once(versions, [rulebook_published()])

        assert (await rules.versions(1, 1)).directory == versions[0].data

    async def test_a_version_that_never_came_is_missing(self, rules):
        with pytest.raises(RulesMissing):
            await rules.versions(1, 1)

    async def test_the_newest_that_was_recorded_by_then_was_known(self, rules):
        days = {n: WITHIN + timedelta(days=n, microseconds=700) for n in (1, 2, 3)}
        versions = [
            directory_published(n).model_copy(update={"recordedtime": at}) for n, at in days.items()
        ]
        book = rulebook_published().model_copy(update={"recordedtime": days[1]})
        await rules.add_once(versions, [book])

        for at, version in ((days[1], 1), (days[3] - timedelta(days=1), 2), (days[3], 3)):
            assert (await rules.as_known(at)).directory.version == version
        with pytest.raises(RulesMissing):
            await rules.as_known(days[1] - timedelta(days=1))


@given(st.permutations(range(len(LIFE))), st.integers(1, 4))
def test_the_memory_store_does_not_care_for_batches(order, size):
    async def kept():
        rows = MemoryRows()
        told = [change(LIFE[position]) for position in order]
        for start in range(0, len(told), size):
            await rows.apply(told[start : start + size])
        return [row async for row in rows.cases()]

    [row], [expected] = asyncio.run(kept()), case_rows(LIFE)
    assert row == expected
