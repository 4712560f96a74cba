"""Any figure as of a day, and as it was known at an instant; a published one is among them."""

import json
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.reporting.questions import NOT_YOURS, Counts, count_teller
from shared.contracts.directory import Body, Jurisdiction
from shared.contracts.report import CountAsked, CountTold
from shared.runtime.asking import Unanswered
from tests.examples_reporting import (
    AFTER,
    DAY,
    END,
    LAST_DAY,
    START,
    WITHIN,
    ZONE,
    case_assigned,
    case_concluded,
    clock_started,
    close,
    directory,
    directory_published,
    event,
    label,
    revise,
    rulebook_published,
    submission_received,
    unit,
)
from tests.reporting_in_memory import Reporting
from tests.unit.test_reporting_properties import histories

PERIOD = "2026-h1"


def body(code, at, **more):
    jurisdictions = (Jurisdiction(unit=at),)
    return Body(
        code=code, name=label(code), kind="front", unit=at, jurisdictions=jurisdictions, **more
    )


BODIES = (
    body("front", "province"),
    body("ward-front", "ward"),
    body("old-front", "ward", valid_to=date(2020, 1, 1)),
)


async def begun(*events):
    service = Reporting()
    there = directory().model_copy(update={"bodies": BODIES})
    published = directory_published()
    data = published.data.model_copy(update={"directory": there})
    rules = [published.model_copy(update={"data": data}), rulebook_published()]
    await service.keep_rules([e.model_copy(update={"recordedtime": START}) for e in rules])
    await service.keep_rows(events)
    return service


def answerer(service, at):
    counts = Counts(
        rows=service.rows,
        rules=service.rules,
        closings=service.closings,
        flight=service.flight,
        overseers={"operator"},
        zone=ZONE,
    )
    return count_teller(counts, lambda: at)


async def asked(service, party="operator", *, at=AFTER, **more):
    question = {"form": "01-xld", "unit": "ward", "period": PERIOD, **more}
    teller = answerer(service, at)
    return CountTold.model_validate_json(await teller(party, json.dumps(question).encode()))


async def figure(service, column="1", **more):
    counted = (await asked(service, **more)).counted
    return counted.totals[[c.code for c in counted.columns].index(column)]


async def problem(service, **more):
    told = await asked(service, **more)
    assert (told.status, told.counted) == ("invalid", None)
    [found] = told.problems
    return found.field, found.rule, found.advice


class TestFigures:
    async def test_as_of_a_day_what_came_on_the_day_after_is_left_out(self):
        service = await begun(submission_received(time=WITHIN))
        day = WITHIN.astimezone(ZONE).date()

        assert await figure(service, as_of=str(day)) == 1
        assert await figure(service, as_of=str(day - DAY)) == 0

    async def test_as_known_at_a_moment_what_was_recorded_later_is_left_out(self):
        service = await begun(submission_received(time=WITHIN - 5 * DAY, recorded=WITHIN + DAY))

        assert await figure(service, known=str(WITHIN + DAY)) == 1
        assert await figure(service, known=str(WITHIN + DAY - timedelta(seconds=1))) == 0

    async def test_a_term_is_overdue_only_once_its_last_day_was_over(self):
        due = date(2026, 3, 2)
        service = await begun(submission_received(), case_assigned(), clock_started(due=due))

        async def overdue(day):
            return await figure(service, "overdue", form="s-124", as_of=str(day))

        assert (await overdue(due - DAY), await overdue(due)) == (0, 1)

    async def test_a_period_that_runs_is_counted_to_the_last_whole_day(self):
        service = await begun(submission_received())
        noon = WITHIN + timedelta(hours=10)

        counted = (await asked(service, at=noon)).counted
        assert counted.period.last_day == noon.astimezone(ZONE).date() - DAY
        assert counted.known == noon

    async def test_rules_of_later_are_not_known_yet(self):
        service = await begun(submission_received(unit="hamlet"))
        units = (*directory().units, unit("hamlet", "ward", 3))
        late = directory_published(2, units=units)
        await service.keep_rules([late.model_copy(update={"recordedtime": END + DAY})])

        then = (await asked(service, unit="province", known=str(END))).counted
        now = (await asked(service, unit="hamlet", at=END + 2 * DAY)).counted
        assert (then.directory, now.directory) == (1, 2)
        assert now.totals[0] == 1

    async def test_it_says_what_is_under_way(self):
        service = await begun()
        service.flight.waiting = {"reporting-rows": 2, "dead-letters": 1}

        counted = (await asked(service)).counted
        assert (counted.covers, counted.in_flight) == (service.flight.position, 3)

    async def test_nothing_is_kept_or_published(self):
        service = await begun(submission_received())
        before = [dict(service.rows.rows), dict(service.closings.closings)]
        await asked(service)

        assert [dict(service.rows.rows), dict(service.closings.closings)] == before
        assert service.out == []


@st.composite
def told_later(draw):
    """A history of which each event was recorded some time after it happened."""
    return [
        each.model_copy(
            update={"recordedtime": max(each.time, START) + draw(st.integers(0, 99)) * 5 * DAY}
        )
        for each in draw(histories())
        if each.time < AFTER
    ]


def stands(report):
    return report.rows, report.totals, report.columns, report.directory, report.rulebook


@settings(max_examples=12, deadline=None)
@given(told_later())
async def test_as_known_at_a_closing_it_is_what_that_closing_published(events):
    service = await begun()
    published = {}
    for revision in (1, 2, 3):
        at = END + revision * 60 * DAY
        await service.keep_rows([e for e in events if e.recordedtime <= at])
        service.at = at
        order = close() if revision == 1 else revise(command=f"r{revision}", sequence=revision)
        for each in await service.take([order]):
            if each.type == "report.published.v1":
                published[each.data.form, each.data.unit, each.time] = each.data
    await service.keep_rows(events)

    last_day = str(LAST_DAY)
    for number, ((form, code, time), report) in enumerate(published.items()):
        for more in ({"as_of": last_day},) if number % 2 else ({},):
            told = await asked(
                service, at=END + 999 * DAY, form=form, unit=code, known=str(time), **more
            )
            assert stands(told.counted) == stands(report)


class TestWhoIsTold:
    async def test_a_body_is_told_of_its_own_unit(self):
        service = await begun(submission_received())

        assert (await asked(service, "ward-front")).status == "told"

    @pytest.mark.parametrize("unit", ["province", "school", "commune", "atlantis"])
    async def test_of_no_other_unit_not_even_whether_it_is_one(self, unit):
        service = await begun(submission_received())

        assert await asked(service, "ward-front", unit=unit) == NOT_YOURS

    @pytest.mark.parametrize("party", ["old-front", "a1", "reporting", "", "ward"])
    async def test_who_is_no_body_today_is_told_nothing(self, party):
        service = await begun(submission_received())

        assert await asked(service, party) == NOT_YOURS
        assert await asked(service, party, form=7) == NOT_YOURS

    async def test_a_body_called_operator_is_a_body(self):
        service = await begun(submission_received())
        there = directory().model_copy(update={"bodies": (body("operator", "commune"),)})
        published = directory_published(2)
        data = published.data.model_copy(update={"directory": there})
        await service.keep_rules([published.model_copy(update={"data": data})])

        assert await asked(service, "operator", unit="ward") == NOT_YOURS
        assert (await asked(service, "operator", unit="commune")).status == "told"

    async def test_without_rules_only_the_operator_is_told_that_there_are_none(self):
        field, rule, advice = await problem(Reporting())

        assert (field, rule) == ("/known", "no-rules")
        assert "No directory, or no rulebook, had been published by then." in advice
        assert await asked(Reporting(), "ward-front") == NOT_YOURS


class TestWhatIsRefused:
    """Each answer names the field and says what may stand there."""

    @pytest.mark.parametrize(
        ("question", "says"),
        [
            ({"form": "02-xld"}, ("/form", "unknown-form", "01-xld, 03-kqgq, s-124")),
            ({"unit": "wart"}, ("/unit", "unknown-unit", "Did you mean ward?")),
            ({"unit": "zzzzzzzz"}, ("/unit", "unknown-unit", "e.g. province")),
            ({"period": "2026-q9"}, ("/period", "unknown-period", "<year>-<period>, with a period of the rulebook: h1, y.")),
            ({"period": "next year"}, ("/period", "string_pattern_mismatch", "Write <year>-<period>")),
            ({"period": "2027-h1"}, ("/period", "period-not-begun", "it begins on 2026-12-15")),
            ({"as_of": "2025-12-14"}, ("/as_of", "day-outside", "from 2025-12-15 to 2026-06-14")),
            ({"as_of": "2026-06-15"}, ("/as_of", "day-outside", "from 2025-12-15 to 2026-06-14")),
            ({"as_of": "tomorrow"}, ("/as_of", "date_from_datetime_parsing", "YYYY-MM-DD")),
            ({"known": str(AFTER + DAY)}, ("/known", "not-yet", "has not come yet")),
            ({"known": "2020-01-01T00:00:00Z"}, ("/known", "no-rules", "by then")),
            ({"known": "0001-01-01T00:00:00+14:00"}, ("/known", "out-of-range", "RFC 3339")),
            ({"known": "2026-06-20"}, ("/known", "timezone_aware", "RFC 3339")),
            ({"until": "2026-06-20"}, ("/until", "extra_forbidden", "Take this field out")),
            ({"form": None}, ("/form", "string_type", "its code in the rulebook")),
        ],
    )  # fmt: skip
    async def test_in_a_sentence(self, question, says):
        field, rule, advice = await problem(await begun(), **question)

        assert (field, rule) == says[:2]
        assert says[2] in advice

    async def test_a_day_that_was_not_over_at_that_moment(self):
        known = "2026-03-10T12:00:00+07:00"
        field, rule, advice = await problem(await begun(), as_of="2026-03-10", known=known)

        assert (field, rule) == ("/as_of", "day-outside")
        assert "Name a day from 2025-12-15 to 2026-03-09" in advice

    async def test_rows_that_are_being_built_again(self):
        service = await begun()
        await service.take([close()])
        service.flight.position -= 1
        assert (await problem(service))[:2] == ("/known", "rows-behind")

    async def test_rows_whose_consumer_is_being_made(self):
        service = await begun()

        async def absent(_end):
            raise Unanswered("CONSUMER.INFO.EVENTS.reporting-rows", 10014)

        service.flight.before = absent
        assert (await problem(service))[:2] == ("/known", "rows-behind")

    async def test_what_is_no_json(self):
        service = await begun()
        teller = answerer(service, AFTER)

        told = CountTold.model_validate_json(await teller("operator", b"\xff"))
        assert [p.rule for p in told.problems] == ["json_invalid"]

    async def test_a_period_whose_forms_cannot_be_filled(self):
        service = await begun()
        await service.keep_rules([rulebook_published(2, forms=())])

        field, rule, _ = await problem(service)
        assert (field, rule) == ("/period", "no-form-in-force")

    async def test_a_day_on_which_no_unit_was_in_force(self):
        service = await begun()
        units = (unit("province", level=1, valid_from=date(2026, 3, 1)),)
        late = directory_published(2, units=units)
        await service.keep_rules([late])

        field, rule, _ = await problem(service, unit="province", as_of="2026-02-28")
        assert (field, rule) == ("/as_of", "no-unit-in-force")


def test_a_question_says_no_more_than_its_contract():
    assert set(CountAsked.model_fields) == {"form", "unit", "period", "as_of", "known"}


async def test_what_was_concluded_and_corrected_is_told_as_it_was_known():
    first = case_concluded(version=5, in_time=True)
    later = case_concluded(version=7, in_time=False).model_copy(
        update={"recordedtime": END + 5 * DAY}
    )
    service = await begun(submission_received(), case_assigned(), first, later, event(first.data))

    async def late(known):
        more = {"form": "s-124", "at": END + 9 * DAY, "known": str(known)}
        return await figure(service, "answered-late", **more)

    assert (await late(END), await late(END + 6 * DAY)) == (0, 1)
