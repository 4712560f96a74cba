"""A period that was counted: what may still be under way, what comes late, what is counted again."""

from datetime import timedelta

import pytest

from services.reporting.questions import recount_teller
from shared.contracts import ReportPublished
from shared.contracts.case import case_id
from shared.contracts.envelope import Event
from shared.contracts.ingress import Fate
from shared.contracts.report import RecountAsked, RecountTold
from tests.examples_reporting import (
    END,
    LAST_DAY,
    LETTERS,
    UNITS,
    activity_recorded,
    case_assigned,
    channel_announced,
    close,
    directory_published,
    form_rule,
    revise,
    rulebook_published,
    submission_received,
    unit,
)
from tests.reporting_in_memory import Reporting, published, refusal


@pytest.fixture
async def reporting():
    service = Reporting()
    await service.keep_rules([directory_published(), rulebook_published()])
    await service.keep_rows([submission_received(), case_assigned()])
    return service


LATER = timedelta(minutes=1)


async def dies():
    raise ConnectionError
    yield


class TestFlight:
    async def test_a_period_is_not_closed_while_its_events_are_under_way(self, reporting):
        reporting.flight.waiting = {"routing-commands": 3, "dead-letters": 1}

        refused = await refusal(reporting, close())
        assert refused.type == "/problems/events-in-flight"
        assert "dead-letters 1, routing-commands 3" in refused.title

    async def test_closed_by_force_every_report_says_so(self, reporting):
        reporting.flight.waiting = {"routing-commands": 3}

        events = await reporting.take([close(force=True)])
        assert {event.data.in_flight for event in events} == {3}

    async def test_a_report_says_how_far_the_stream_was_counted(self, reporting):
        events = await reporting.take([close()])

        assert {event.data.covers for event in events} == {7}


class TestRevising:
    """What comes late makes the next revision, and never changes one that is out."""

    @pytest.fixture
    async def closed(self, reporting):
        self.first = await reporting.take([close()])
        reporting.at = END + timedelta(days=2)
        return reporting

    def late(self, name="late", **more):
        return submission_received(name, **more).model_copy(
            update={"recordedtime": END + timedelta(days=2)}
        )

    async def test_only_what_changed_is_published_again(self, closed):
        await closed.keep_rows([self.late()])

        events = await closed.take([revise()])
        assert {(e.data.form, e.data.unit, e.data.revision) for e in events} == {
            (form, unit, 2) for form in ("01-xld", "s-124") for unit in ("ward", "province")
        }

    async def test_a_revision_names_each_changed_figure(self, closed):
        await closed.keep_rows([self.late()])

        report = published(await closed.take([revise()]))["01-xld", "province"]
        before, now = (
            LETTERS.named(r.totals)["1"]
            for r in (published(self.first)["01-xld", "province"], report)
        )
        changes = {(c.unit, c.column): (c.before, c.now) for c in report.changes}
        assert (before, now) == (1, 2)
        assert changes["ward", "1"] == changes[None, "1"] == (1, 2)
        assert ("commune", "1") not in changes

    async def test_a_revision_names_its_cause(self, closed):
        late = self.late()
        await closed.keep_rows([late])

        [report, *_] = await closed.take([revise()])
        assert [(c.event, c.about, c.case) for c in report.data.causes] == [
            (late.id, "submission", case_id("late"))
        ]

    async def test_a_figure_that_was_not_there_before_can_be_read(self, closed):
        units = (*UNITS, unit("hamlet", "ward", 3))
        await closed.keep_rules([directory_published(2, units=units)])
        await closed.keep_rows([self.late(unit="hamlet")])

        events = await closed.take([revise()])
        report = published(events)["01-xld", "ward"]
        assert (None, 1) in {(c.before, c.now) for c in report.changes if c.unit == "hamlet"}
        for each in events:
            assert Event[ReportPublished].model_validate_json(each.encode()) == each

    async def test_a_count_that_dies_leaves_the_period_late(self, closed):
        await closed.keep_rows([self.late()])
        closed.rows.cases = dies

        with pytest.raises(ConnectionError):
            await closed.take([revise()])
        assert await closed.closings.late()

    async def test_what_comes_while_it_is_counted_is_looked_for_once_more(self, closed):
        await closed.take([revise()])
        standing = await closed.closings.of("2026-h1")
        await closed.closings.mark_late(["2026-h1"])
        rows = closed.rows.cases

        async def meanwhile():
            await closed.closings.mark_late(["2026-h1"])
            async for row in rows():
                yield row

        closed.rows.cases = meanwhile
        await closed.take([revise(command="order-r2", sequence=51)])

        assert await closed.closings.of("2026-h1") == standing
        assert await closed.closings.late()

    async def test_what_comes_late_is_waited_for_a_while(self, closed):
        async def still():
            pass

        async def arrives():
            await closed.keep_rows([self.late()])
            closed.flight.waiting = {}

        closed.flight.waiting, closed.flight.oldest = {"reporting-rows": 1}, END
        closed.meanwhile = [still, arrives]

        report = published(await closed.take([revise()]))["01-xld", "ward"]
        assert report.in_flight == 0
        assert LETTERS.named(report.totals)["1"] == 2

    async def test_what_does_not_come_in_time_is_said_and_stays_late(self, closed):
        await closed.keep_rows([self.late()])
        closed.flight.waiting, closed.flight.oldest = {"reporting-rows": 2}, END

        events = await closed.take([revise()])
        assert {event.data.in_flight for event in events} == {2}
        again = revise(command="order-r2", sequence=51)
        assert await closed.take([again]) == []
        assert await closed.closings.late()

    async def test_what_is_recorded_while_it_is_counted_is_left_to_the_next(self, closed):
        await closed.keep_rows([self.late()])
        order = closed.at + timedelta(seconds=1)

        async def more_comes():
            after = self.late("after").model_copy(update={"recordedtime": order + LATER})
            await closed.keep_rows([after])

        closed.flight.waiting, closed.flight.oldest = {"reporting-rows": 1}, END
        closed.meanwhile = [more_comes]
        first = published(await closed.take([revise()]))["01-xld", "ward"]
        closed.at += LATER
        second = published(await closed.take([revise(command="order-r2", sequence=51)]))

        assert LETTERS.named(first.totals)["1"] == 2
        assert LETTERS.named(second["01-xld", "ward"].totals)["1"] == 3
        assert {c.case for c in first.causes} == {case_id("late")}

    async def test_what_came_after_the_order_holds_nothing_up(self, closed):
        await closed.keep_rows([self.late()])
        closed.flight.waiting = {"reporting-rows": 2}
        closed.flight.oldest = closed.at + timedelta(hours=1)

        events = await closed.take([revise()])
        assert {event.data.in_flight for event in events} == {0}

    async def test_nothing_new_is_no_revision(self, closed):
        after = self.late(time=END + timedelta(days=1))
        await closed.keep_rows([submission_received(), after])

        assert await closed.take([revise()]) == []
        [fate] = await closed.told("operator", items=("order-r",))
        assert fate.fate is Fate.KEPT

    async def test_revisions_of_one_report_have_no_gap(self, closed):
        for number in (2, 3, 4):
            await closed.keep_rows([self.late(f"late-{number}", unit="school")])
            sending = revise(command=f"order-{number}", sequence=number)
            events = await closed.take([sending])
            assert {event.data.revision for event in events} == {number}

    async def test_a_revision_ordered_again_says_the_same(self, closed):
        await closed.keep_rows([self.late()])
        first = await closed.take([revise()])
        closed.closings.out.clear()
        await closed.keep_rows([self.late("later")])

        again = await closed.take([revise(sequence=51)])
        assert [event.id for event in again if event.data.revision > 1] == [e.id for e in first]

    async def test_rows_that_are_being_built_again_make_no_revision(self, closed):
        await closed.take([revise()])
        await closed.keep_rows([self.late()])
        closed.flight.position -= 1

        refused = await refusal(closed, revise(command="order-r2", sequence=51))
        assert refused.type == "/problems/rows-behind"
        assert await closed.closings.late()
        closed.flight.position += 1
        assert await closed.take([revise(command="order-r3", sequence=52)])

    async def test_a_period_that_is_open_is_not_revised(self, reporting):
        refused = await refusal(reporting, revise())

        assert refused.type == "/problems/not-closed"

    @pytest.mark.parametrize(
        ("event", "is_late"),
        [
            (submission_received("other"), True),
            (submission_received("other", time=END), False),
            (activity_recorded(held=LAST_DAY), True),
            (activity_recorded(held=LAST_DAY + timedelta(days=1)), False),
            (channel_announced(published=LAST_DAY), True),
            (channel_announced(published=LAST_DAY + timedelta(days=1)), False),
        ],
    )
    async def test_what_may_change_a_closed_period_marks_it(self, closed, event, is_late):
        await closed.take([revise()])
        await closed.keep_rows([event])

        assert list(await closed.closings.late()) == (["2026-h1"] if is_late else [])

    async def test_what_was_known_at_the_closing_can_be_counted_again(self, closed):
        closing = await closed.closings.of("2026-h1")
        told = (self.late(), case_assigned(version=8, within=False), activity_recorded())
        after = END + timedelta(days=3)
        await closed.keep_rows([e.model_copy(update={"recordedtime": after}) for e in told])
        closed.at = after
        await closed.take([revise()])

        revised = await closed.closings.of("2026-h1")
        assert revised.figures != closing.figures
        for each in (closing, revised):
            again = await closed.closer.figures_as_known(each)
            assert again.figures == each.figures


class TestForms:
    """The forms are those that the rulebook has in force on the period's last day."""

    ONE = form_rule("one", {"1": "cases where received"})

    @pytest.fixture
    async def reporting(self):
        service = Reporting()
        await service.keep_rules([directory_published(), rulebook_published(forms=(self.ONE,))])
        await service.keep_rows([submission_received()])
        return service

    async def test_another_rulebook_has_other_forms(self, reporting):
        events = await reporting.take([close()])

        assert {each.data.form for each in events} == {"one"}
        assert published(events)["one", "province"].totals == (1,)

    async def test_a_closing_keeps_the_forms_of_its_rulebook(self, reporting):
        first = await reporting.take([close()])
        reporting.reports.reports.clear()
        reporting.closings.out.clear()
        await reporting.keep_rules(
            [rulebook_published(2, forms=(form_rule("two", {"1": "cases"}),))]
        )

        assert await reporting.take([close()]) == first

    async def test_a_rulebook_without_a_form_on_that_day_closes_nothing(self, reporting):
        ended = self.ONE.model_copy(update={"effective_to": LAST_DAY})
        await reporting.keep_rules([rulebook_published(2, forms=(ended,))])

        assert (await refusal(reporting, close())).type == "/problems/no-form-in-force"

    async def test_a_form_that_cannot_be_read_closes_nothing_and_is_named(self, reporting):
        wrong = form_rule("one", {"1": "cases where recieved"})
        await reporting.keep_rules([rulebook_published(2, forms=(wrong,))])

        refused = await refusal(reporting, close())

        assert refused.type == "/problems/no-such-form"
        assert "form one, column 1" in refused.title
        assert "did you mean 'received'?" in refused.title


class TestRecount:
    async def told(self, reporting, party="operator"):
        teller = recount_teller(reporting.closer, reporting.closings, {"operator"})
        question = RecountAsked(period="2026-h1").model_dump_json().encode()
        return RecountTold.model_validate_json(await teller(party, question))

    async def test_a_closing_that_follows_from_the_rows_is_the_same(self, reporting):
        await reporting.take([close()])

        assert await self.told(reporting) == RecountTold(same=(1,))

    async def test_a_row_that_was_lost_is_seen(self, reporting):
        await reporting.take([close()])
        reporting.rows.rows.clear()

        assert await self.told(reporting) == RecountTold(differ=(1,))

    async def test_of_one_that_was_forced_nobody_is_sure(self, reporting):
        reporting.flight.waiting = {"reporting-rows": 2}
        await reporting.take([close(force=True)])

        assert await self.told(reporting) == RecountTold(unsure=(1,))

    async def test_only_an_overseer_is_told(self, reporting):
        await reporting.take([close()])

        assert await self.told(reporting, "front") == RecountTold()
