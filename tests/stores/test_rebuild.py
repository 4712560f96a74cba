"""A consumer that is made anew is the one that was there, on a real server."""

from nats.js.api import ConsumerConfig

from deploy.rebuild import DURABLE, from_the_beginning


async def test_a_consumer_begins_anew_as_it_was_declared(jetstream):
    before = await jetstream.consumer_info(DURABLE.stream, DURABLE.name)
    await jetstream.delete_consumer(DURABLE.stream, DURABLE.name)
    other = ConsumerConfig(**{**vars(before.config), "ack_wait": 7.0, "max_ack_pending": 3})
    await jetstream.add_consumer(DURABLE.stream, other)
    declared = (await jetstream.consumer_info(DURABLE.stream, DURABLE.name)).config
    streams = [info.config for info in await jetstream.streams_info()]

    there = []

    async def meanwhile():
        there.extend(info.name for info in await jetstream.consumers_info(DURABLE.stream))

    await from_the_beginning(jetstream, DURABLE, meanwhile)

    assert there
    assert DURABLE.name not in there
    info = await jetstream.consumer_info(DURABLE.stream, DURABLE.name)
    assert info.config == declared
    assert info.delivered.stream_seq == 0
    assert [each.config for each in await jetstream.streams_info()] == streams
