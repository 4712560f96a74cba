"""What is under way to the rows, asked of a real server."""

from datetime import UTC, datetime, timedelta

import pytest

from services.reporting.flight import StreamFlight
from shared.runtime.asking import Unanswered
from tests.examples_reporting import case_accepted, directory_published, submission_received

HOUR = timedelta(hours=1)


@pytest.fixture
def flight(jetstream):
    return StreamFlight(lambda: jetstream._nc)


async def say(jetstream, *events):
    for event in events:
        await jetstream.publish(event.data.nats_subject(), event.encode())


async def drain(jetstream, durable, stream):
    subscription = await jetstream.pull_subscribe_bind(durable, stream)
    for message in await subscription.fetch(10, timeout=5):
        await message.ack_sync()


def soon():
    return datetime.now(UTC) + HOUR


async def test_in_front_of_nobody_nothing_is_under_way(flight):
    covered = await flight.before(soon())

    assert (covered.position, covered.waiting, covered.oldest) == (0, {}, None)


async def test_an_event_waits_for_every_consumer_that_reads_it(jetstream, flight):
    await say(jetstream, submission_received())

    covered = await flight.before(soon())
    assert covered.waiting == {"routing-submission-received": 1, "reporting-rows": 1}
    assert abs(covered.oldest - datetime.now(UTC)) < HOUR


async def test_what_came_after_the_end_holds_nothing_up(jetstream, flight):
    await say(jetstream, submission_received())

    assert (await flight.before(datetime.now(UTC) - HOUR)).waiting == {}


async def test_what_is_counted_is_under_way_no_more(jetstream, flight):
    await say(jetstream, directory_published(), case_accepted(), directory_published(2))
    await drain(jetstream, "reporting-rows", "EVENTS")

    covered = await flight.before(soon())
    assert (covered.position, covered.waiting) == (2, {})


async def test_a_message_in_somebodys_hand_is_under_way(jetstream, flight):
    await say(jetstream, case_accepted())
    subscription = await jetstream.pull_subscribe_bind("reporting-rows", "EVENTS")
    await subscription.fetch(1, timeout=5)

    assert (await flight.before(soon())).waiting == {"reporting-rows": 1}


@pytest.mark.parametrize(
    ("subject", "waits_for"),
    [
        ("feed.a1.hotline-call.logged.v1", "intake-feed"),
        ("command.front.case.accept.v1", "routing-commands"),
        ("dead.case.accepted.v1", "dead-letters"),
    ],
)
async def test_items_orders_and_dead_letters_count(jetstream, flight, subject, waits_for):
    await jetstream.publish(subject, b"{}")

    assert (await flight.before(soon())).waiting == {waits_for: 1}


async def test_an_order_to_close_does_not_hold_itself_up(jetstream, flight):
    await jetstream.publish("command.operator.report.close.v1", b"{}")

    assert (await flight.before(soon())).waiting == {}


@pytest.mark.parametrize("waits", [[], ["reporting-rows"]])
@pytest.mark.parametrize("pending", [0, 1])
async def test_what_the_server_says_of_pending_messages_may_lag(
    jetstream, flight, monkeypatch, waits, pending
):
    """It confirms a message before its consumers have heard of it; the stream knows."""
    ask = flight.ask

    async def lagging(question, *more, **options):
        told = await ask(question, *more, **options)
        if question.startswith("CONSUMER"):
            told["num_pending"] = pending
        return told

    monkeypatch.setattr(flight, "ask", lagging)
    await say(jetstream, *(case_accepted() for _ in waits))

    assert (await flight.before(soon())).waiting == dict.fromkeys(waits, 1)


async def test_while_a_consumer_is_made_anew_there_is_no_answer(jetstream, flight):
    await jetstream.delete_consumer("EVENTS", "reporting-rows")

    with pytest.raises(Unanswered):
        await flight.before(soon())
