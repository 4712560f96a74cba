"""Promises of reporting's reactions, with everything in memory."""

from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from services.reporting.domain.revision import digest
from services.reporting.ports import RulesMissing
from shared.contracts import ReportPublished
from shared.contracts.case import case_id
from shared.contracts.ingress import Fate
from shared.contracts.report import Edition
from shared.runtime.publish import Unconfirmed
from tests.examples_reporting import (
    END,
    LAST_DAY,
    LETTERS,
    case_assigned,
    close,
    directory_published,
    form_rule,
    period_rule,
    rulebook_published,
    sent,
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


class TestKeeping:
    async def test_nothing_follows_from_rows(self):
        assert await Reporting().keep_rows([submission_received()]) == []

    async def test_nothing_follows_from_rules(self):
        assert await Reporting().keep_rules([directory_published()]) == []


class TestClosing:
    async def test_every_unit_has_every_form(self, reporting):
        events = await reporting.take([close()])

        units = ("school", "commune", "ward", "province")
        assert [(e.data.form, e.data.unit) for e in events] == [
            (form, unit) for unit in units for form in ("01-xld", "03-kqgq", "s-124")
        ]

    async def test_a_report_has_the_units_own_row_its_children_and_their_sum(self, reporting):
        events = await reporting.take([close()])

        report = published(events)["01-xld", "province"]
        assert [(row.unit, row.own) for row in report.rows] == [
            ("province", True),
            ("commune", False),
            ("ward", False),
        ]
        assert LETTERS.named(report.totals)["1"] == 1

    async def test_a_report_says_by_which_rules_it_was_made(self, reporting):
        await reporting.keep_rules([directory_published(3), rulebook_published(2)])

        [report, *_] = await reporting.take([close()])

        assert (report.data.directory, report.data.rulebook) == (3, 2)
        assert report.data.identities == LETTERS.checked

    async def test_a_report_names_its_place_and_its_cause(self, reporting):
        [report, *_] = await reporting.take([close(command="order-7")])

        assert report.subject == "01-xld/school/2026-h1"
        assert report.causationid == report.correlationid == "order-7"
        assert report.data.nats_subject() == "report.internal.school.01-xld.2026-h1"

    async def test_the_digest_can_be_taken_again(self, reporting):
        events = await reporting.take([close()])

        assert all(digest(event.data) == event.data.digest for event in events)

    async def test_another_figure_has_another_digest(self, reporting):
        [report, *_] = await reporting.take([close()])

        changed = report.data.model_copy(update={"totals": (9, *report.data.totals[1:])})
        assert digest(changed) != report.data.digest

    async def test_how_a_table_stacks_its_headings_leaves_the_digest_alone(self, reporting):
        [report, *_] = await reporting.take([close()])

        columns = tuple(c.model_copy(update={"path": ()}) for c in report.data.columns)
        assert columns != report.data.columns
        assert digest(report.data.model_copy(update={"columns": columns})) == report.data.digest

    async def test_the_reports_are_kept_as_they_are_published(self, reporting):
        events = await reporting.take([close()])

        assert list(reporting.reports.reports["2026-h1", 1, Edition.INTERNAL]) == events

    async def test_it_waits_for_the_first_rules(self):
        with pytest.raises(RulesMissing):
            await Reporting().take([close()])

    async def test_a_period_can_be_closed_from_its_last_midnight_on(self):
        reporting = Reporting(first=END - timedelta(seconds=1, microseconds=7))
        await reporting.keep_rules([directory_published(), rulebook_published()])

        [report, *_] = await reporting.take([close()])

        assert isinstance(report.data, ReportPublished)


class TestOnceAndForGood:
    async def test_what_could_not_go_out_goes_out_word_for_word_later(self, reporting):
        reporting.away = True
        with pytest.raises(Unconfirmed):
            await reporting.take([close()])
        closing = await reporting.closings.of("2026-h1")
        await reporting.keep_rows([submission_received("late")])
        await reporting.keep_rules([directory_published(2, units=(unit("other"),))])
        reporting.away = False

        events = await reporting.take([close()])
        assert [event.data.directory for event in events] == [1] * 12
        assert {event.time for event in events} == {closing.at}
        assert LETTERS.named(published(events)["01-xld", "province"].totals)["1"] == 1

    async def test_what_is_out_does_not_go_out_again(self, reporting):
        await reporting.take([close()])
        reporting.sendings.sendings.clear()

        assert await reporting.take([close()]) == []

    async def test_a_crash_before_it_was_noted_repeats_the_reports(self, reporting):
        first = await reporting.take([close()])
        reporting.closings.out.clear()

        assert await reporting.take([close()]) == first

    async def test_a_sending_twice_in_a_batch_is_answered_once(self, reporting):
        assert len(await reporting.take([close(), close()])) == 12

    async def test_a_command_sent_again_is_a_duplicate(self, reporting):
        await reporting.take([close(), close(sequence=2)])

        fates = await reporting.told("operator", items=("order-1",))
        assert [(f.sequence, f.fate) for f in fates] == [(1, Fate.KEPT), (2, Fate.DUPLICATE)]

    async def test_a_redelivered_refusal_is_repeated_word_for_word(self, reporting):
        reporting.at = END - timedelta(hours=1)
        first = await reporting.take([close()])
        reporting.at = END

        assert await reporting.take([close()]) == first

    async def test_a_refused_command_can_be_sent_again(self, reporting):
        reporting.at = END - timedelta(hours=1)
        await reporting.take([close()])
        reporting.at = END

        events = await reporting.take([close(sequence=2)])
        assert len(events) == 12


class TestRefusals:
    @pytest.mark.parametrize(
        ("arrival", "problem", "field"),
        [
            (sent(b"\xff"), "invalid", "/"),
            (sent(b"[]"), "invalid", "/"),
            (sent(b"{}", type_="report.open.v1"), "unknown-type", None),
            (close("2026/h1"), "invalid", "/data/period"),
            (close("2026-h2"), "unknown-period", "/data/period"),
            (close("2026-y"), "period-not-over", "/data/period"),
        ],
        ids=["no JSON", "no object", "type", "field", "period", "too early"],
    )
    async def test_what_cannot_be_taken_is_answered(self, reporting, arrival, problem, field):
        refused = await refusal(reporting, arrival)

        assert refused.type == f"/problems/{problem}"
        assert field is None or field in {each.field for each in refused.problems}
        assert (refused.party, refused.entrance, refused.sequence) == ("operator", "command", 1)

    async def test_a_refusal_never_quotes_what_was_sent(self, reporting):
        refused = await refusal(reporting, close("Nguyễn Văn A"))

        assert "Nguyễn" not in refused.model_dump_json()

    async def test_a_refusal_names_the_command(self, reporting):
        refused = await refusal(reporting, close("2026-h2", command="order-9"))

        assert refused.item == "order-9"

    async def test_a_closed_period_is_not_closed_again(self, reporting):
        await reporting.take([close()])

        refused = await refusal(reporting, close(command="order-2", sequence=2))
        assert refused.type == "/problems/already-closed"

    async def test_an_id_belongs_to_the_party_that_used_it(self, reporting):
        await reporting.take([close()])

        refused = await refusal(reporting, close(party="other", sequence=2))
        assert refused.type == "/problems/already-closed"

    async def test_an_id_closes_one_period(self, reporting):
        rules = (period_rule("h1", "12-15", "06-14"), period_rule("q1", "12-15", "03-14"))
        await reporting.keep_rules([rulebook_published(2, periods=rules)])
        await reporting.take([close()])

        refused = await refusal(reporting, close("2026-q1", sequence=2))
        assert refused.type == "/problems/id-reused"

    async def test_a_directory_without_a_unit_on_that_day_closes_nothing(self, reporting):
        later = unit("province", valid_from=LAST_DAY + timedelta(days=1))
        await reporting.keep_rules([directory_published(2, units=(later,))])

        refused = await refusal(reporting, close())
        assert refused.type == "/problems/no-unit-in-force"


class TestFooting:
    ODD = form_rule("odd", {"1": "cases where received", "2": "cases where handled"}, "1 = 2")

    @pytest.fixture
    async def reporting(self):
        service = Reporting()
        await service.keep_rules([directory_published(), rulebook_published(forms=(self.ODD,))])
        await service.keep_rows(
            [submission_received("s1"), case_assigned("s1"), submission_received("s2")]
        )
        return service

    async def test_a_form_that_does_not_foot_is_not_published(self, reporting):
        refused = await refusal(reporting, close())

        assert refused.type == "/problems/does-not-foot"
        assert reporting.reports.reports == {}

    async def test_the_answer_names_form_unit_identity_figures_and_the_case(self, reporting):
        refused = await refusal(reporting, close())

        expected = f"odd of ward breaks 1 = 2 (1: 2, 2: 1); case {case_id('s2')}"
        assert expected in refused.title

    async def test_an_identity_between_two_forms_is_checked_too(self, reporting):
        one = form_rule("one", {"1": "cases where received"}, "1 = two.1")
        two = form_rule("two", {"1": "cases where handled"})
        await reporting.keep_rules([rulebook_published(2, forms=(one, two))])

        refused = await refusal(reporting, close())

        expected = f"one of ward breaks 1 = two.1 (one.1: 2, two.1: 1); case {case_id('s2')}"
        assert expected in refused.title
        assert reporting.reports.reports == {}

    async def test_the_period_stays_open_until_the_figures_foot(self, reporting):
        await reporting.take([close()])
        await reporting.keep_rows([case_assigned("s2")])

        [report, *_] = await reporting.take([close(command="order-2", sequence=2)])
        assert isinstance(report.data, ReportPublished)


class TestFates:
    async def test_a_party_is_told_its_own(self, reporting):
        await reporting.take([close("2026-h2", party="other"), close(sequence=2)])

        [fate] = await reporting.told("other", sequences=(1, 2))
        assert (fate.item, fate.fate) == ("order-1", Fate.REFUSED)
        assert fate.refusal is not None

    async def test_what_is_not_decided_has_no_fate(self, reporting):
        assert await reporting.told("operator", items=("order-1",)) == ()

    async def test_nothing_asked_is_nothing_told(self, reporting):
        await reporting.take([close()])

        assert await reporting.told("operator") == ()


async def test_an_order_counts_by_what_became_of_it(reporting):
    def kept():
        labels = {"entrance": "command", "kind": "report.close.v1", "fate": "kept"}
        return REGISTRY.get_sample_value("langnghe_items_total", labels) or 0.0

    before = kept()
    await reporting.take([close()])

    assert kept() == before + 1
