"""Events that are published together: in one batch where the stream takes it, else one by one."""

import asyncio

import nats
import pytest

from shared.contracts import ActivityRecorded
from shared.contracts.envelope import Event
from shared.runtime import publish
from shared.runtime.publish import NotTaken, Publisher
from shared.runtime.streams import EVENTS
from tests.system.test_bus import activity

MANY = [activity(f"e{number}") for number in range(1_200)]


@pytest.fixture
async def client(jetstream, nats_server):
    client = await nats.connect(nats_server.url)
    yield client
    await client.close()


async def stored(jetstream) -> list[str]:
    """Ids in the stream, in order."""
    info = await jetstream.stream_info(EVENTS)
    found = []
    for sequence in range(1, info.state.last_seq + 1):
        data = (await jetstream.get_msg(EVENTS, sequence)).data
        found.append(Event[ActivityRecorded].model_validate_json(data).id)
    return found


async def test_all_are_in_once_and_in_their_order(client, jetstream):
    await Publisher(lambda: client).publish(MANY)

    assert await stored(jetstream) == [event.id for event in MANY]


async def test_they_go_as_one_batch(client, jetstream):
    await Publisher(lambda: client).publish(MANY[:10])

    [batch] = {
        (await jetstream.get_msg(EVENTS, sequence)).headers[publish.BATCH_ID]
        for sequence in range(1, 11)
    }
    assert batch


async def test_few_go_by_themselves(client, jetstream):
    await Publisher(lambda: client).publish(MANY[: publish.FEWEST_TOGETHER - 1])

    first = await jetstream.get_msg(EVENTS, 1)
    assert publish.BATCH_ID not in first.headers


async def test_what_is_in_already_keeps_the_others_from_nothing(client, jetstream):
    publisher = Publisher(lambda: client)
    await publisher.publish([MANY[3]])
    await publisher.publish(MANY[:10])
    await publisher.publish(MANY[:12])

    found = await stored(jetstream)
    assert sorted(found) == sorted(event.id for event in MANY[:12])


async def test_the_same_event_twice_in_one_batch_is_in_once(client, jetstream):
    await Publisher(lambda: client).publish([*MANY[:10], *MANY[:10]])

    assert await stored(jetstream) == [event.id for event in MANY[:10]]


async def test_publishers_side_by_side_do_not_mix_their_batches(client, jetstream):
    publisher = Publisher(lambda: client)
    parts = [MANY[start : start + 50] for start in range(0, 500, 50)]

    await asyncio.gather(*map(publisher.publish, parts))

    assert sorted(await stored(jetstream)) == sorted(event.id for event in MANY[:500])


async def test_a_stream_that_takes_no_batches_takes_them_one_by_one(client, jetstream):
    info = await jetstream.stream_info(EVENTS)
    await jetstream.update_stream(info.config.evolve(allow_atomic=False))

    await Publisher(lambda: client).publish(MANY[:10])

    assert await stored(jetstream) == [event.id for event in MANY[:10]]


async def test_an_event_that_is_refused_for_good_is_said(client, jetstream):
    info = await jetstream.stream_info(EVENTS)
    await jetstream.update_stream(info.config.evolve(max_msg_size=1_000))
    large = MANY[9].data.model_copy(update={"decision": "x" * 2_000})
    events = [*MANY[:9], MANY[9].model_copy(update={"data": large})]

    with pytest.raises(NotTaken):
        await Publisher(lambda: client).publish(events)

    assert await stored(jetstream) == [event.id for event in MANY[:9]]
