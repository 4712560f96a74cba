"""Another rulebook, held against what a real log says that the standing one did."""

import asyncio
import json
import os
import sys
from datetime import date, timedelta
from pathlib import Path

import nats
import pytest
import yaml

from deploy.rulebook.replay import simulate
from deploy.rules import Invalid
from services.routing.domain.directory import DirectoryIndex
from services.routing.domain.opening import open_case
from shared.contracts import CalendarPublished, CaseAssigned, ClockStarted, DirectoryPublished
from shared.contracts.case import Assigning, case_id
from shared.contracts.rulebook import DayKind
from shared.contracts.vocabulary import Concern
from shared.runtime.streams import EVENTS
from tests.examples_routing import (
    CLOCKS,
    NOON,
    TODAY,
    ZONE,
    body,
    calendar,
    clock_rule,
    directory,
    event,
    published,
    rulebook,
    rules_in_force,
    submission_received,
)

ROOT = Path(__file__).parents[2]
ON_CHAIR = Concern(office="ward-chair")


class Log:
    """The stream of events, as the services would have written it."""

    def __init__(self, client) -> None:
        self.client = client

    async def tells(self, *events) -> None:
        for told in events:
            await self.client.jetstream().publish(told.type, told.encode(), stream=EVENTS)

    async def opens(self, name: str, **more) -> None:
        received = submission_received(name, **more)
        opened = open_case(received, rules_in_force(), ZONE, received.time)
        await self.tells(received, *opened.events)

    async def simulate(self, since=TODAY, **changed):
        return await simulate(self.client, rulebook(**changed), since, ZONE)


@pytest.fixture
async def bare(nats_server, jetstream):
    client = await nats.connect(nats_server.url)
    yield Log(client)
    await client.close()


@pytest.fixture
async def log(bare):
    await bare.tells(
        published(DirectoryPublished(version=3, directory=directory())),
        published(CalendarPublished(version=7, calendar=calendar())),
    )
    return bare


async def test_the_standing_rulebook_changes_nothing(log):
    await log.opens("s1")
    await log.opens("s2", concerns=ON_CHAIR)

    outcome = await log.simulate()

    assert (outcome.cases, outcome.differences) == (2, [])


async def test_a_case_that_another_body_would_lead_is_told_with_the_reason(log):
    await log.opens("s1", concerns=ON_CHAIR)
    await log.opens("s2")

    outcome = await log.simulate(conflicts=())

    [difference] = outcome.differences
    assert (outcome.other_lead, outcome.other_due) == (1, 0)
    assert difference.case == case_id("s1")
    assert (difference.lead_was, difference.lead_would) == ("province-front", "ward-front")
    assert difference.why[1] == "ward-front is kept away by sits-in-body, would not be"


async def test_a_term_that_would_end_on_another_day_is_told(log):
    await log.opens("s1")

    outcome = await log.simulate(clocks=(clock_rule(days=20, day_kind=DayKind.CALENDAR), CLOCKS[1]))

    [term] = outcome.differences[0].terms
    assert (outcome.other_lead, outcome.other_due) == (0, 1)
    assert (term.clock, term.was, term.would) == ("answer", date(2026, 4, 7), date(2026, 3, 30))


async def test_terms_that_would_begin_to_run_or_cease_to_are_told(log):
    await log.opens("s1")

    outcome = await log.simulate(clocks=(CLOCKS[0], clock_rule("new", days=1)))

    terms = outcome.differences[0].terms
    assert [(t.clock, t.was, t.would) for t in terms] == [
        ("acknowledge", date(2026, 3, 24), None),
        ("new", None, date(2026, 3, 11)),
    ]


async def test_among_equal_bodies_the_one_that_led_goes_on(bare):
    equals = directory(bodies=tuple(body(code, "school") for code in ("a", "b")))
    await bare.tells(
        published(DirectoryPublished(version=3, directory=equals)),
        published(CalendarPublished(version=7, calendar=calendar())),
    )
    rules = rules_in_force(directory=DirectoryIndex(equals))
    for n in range(4):
        received = submission_received(f"s{n}")
        opened = open_case(received, rules, ZONE, received.time, {"a": 1})
        await bare.tells(received, *opened.events)

    assert (await bare.simulate()).differences == []


async def test_what_was_received_before_the_day_is_left_out(log):
    await log.opens("s1", time=NOON - timedelta(days=1))
    await log.opens("s2")

    assert (await log.simulate()).cases == 1


async def test_a_day_begins_at_local_midnight(log):
    # Half an hour past midnight in Viet Nam is still the day before in UTC.
    await log.opens("s1", time=NOON - timedelta(hours=11, minutes=30))

    assert (await log.simulate()).cases == 1


async def test_a_later_directory_makes_no_difference(log):
    await log.opens("s1")
    moved = directory(bodies=(body("a-new-one", "school"),))
    await log.tells(published(DirectoryPublished(version=4, directory=moved)))

    assert (await log.simulate()).differences == []


async def test_a_later_calendar_makes_no_difference(log):
    await log.opens("s1")
    rested = calendar(weekly_rest=(5, 6, 7))
    await log.tells(published(CalendarPublished(version=8, calendar=rested)))

    assert (await log.simulate()).differences == []


async def test_a_term_that_began_after_the_opening_makes_no_difference(log):
    await log.opens("s1")
    later = ClockStarted(
        version=9,
        clock="settle",
        citation="Luật",
        started=NOON,
        due=TODAY,
        rulebook=5,
        calendar=7,
    )
    begun = event(later, item="later", subject=case_id("s1"))
    await log.tells(begun.model_copy(update={"causationid": "acceptance"}))

    assert (await log.simulate()).differences == []


@pytest.mark.parametrize("why", [why for why in Assigning if why is not Assigning.OPENING])
async def test_a_case_is_compared_as_it_was_opened_whoever_led_it_later(log, why):
    received = submission_received("s1")
    opened = open_case(received, rules_in_force(), ZONE, received.time)
    [first] = [told for told in opened.events if told.type == CaseAssigned.TYPE]
    moved = {"lead": "province-front", "why": why, "lead_before": first.data.lead, "version": 9}
    later = first.model_copy(update={"id": "later", "data": first.data.model_copy(update=moved)})

    # A crash may let the opening be told after what followed from it.
    await log.tells(received, later, *opened.events)

    assert (await log.simulate()).differences == []


async def test_a_case_whose_opening_is_not_told_yet_is_counted_as_waiting(log):
    received = submission_received("s1")
    opened = open_case(received, rules_in_force(), ZONE, received.time)
    [first] = [told for told in opened.events if told.type == CaseAssigned.TYPE]
    moved = first.data.model_copy(update={"why": Assigning.DECLINE})

    await log.tells(received, first.model_copy(update={"data": moved}))

    outcome = await log.simulate()
    assert (outcome.cases, outcome.waiting) == (0, 1)


async def test_a_term_that_an_acceptance_starts_makes_no_difference(log):
    await log.opens("s1")
    settle = clock_rule("settle", starts="accepted", days=30)

    assert (await log.simulate(clocks=(*CLOCKS, settle))).differences == []


async def test_a_submission_that_nobody_leads_yet_is_counted_as_waiting(log):
    await log.tells(submission_received("s1"))

    outcome = await log.simulate()

    assert (outcome.cases, outcome.waiting) == (0, 1)


async def test_without_a_directory_in_the_log_nothing_is_simulated(bare):
    with pytest.raises(Invalid):
        await bare.simulate()


async def test_the_command_tells_each_difference_and_the_counts(log, nats_server, tmp_path):
    await log.opens("s1", concerns=ON_CHAIR)
    file = tmp_path / "rulebook.yaml"
    content = rulebook(conflicts=()).model_dump(mode="json")
    file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    addresses = {"LANGNGHE_NATS_URL": nats_server.url, "LANGNGHE_MONGO_URL": "mongodb://unused"}

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy", "rulebook", "simulate", str(file)),
        *("--since", TODAY.isoformat(), "--json"),
        cwd=tmp_path,
        env=os.environ | addresses | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()

    assert process.returncode == 0, errors.decode()
    difference, counts = map(json.loads, output.splitlines())
    assert difference["lead_would"] == "ward-front"
    assert counts == {"cases": 1, "other_lead": 1, "other_due": 0, "waiting": 0}
