"""Reporting's rows, thrown away and built again from the stream of events alone."""

from collections.abc import Awaitable, Callable

from nats.aio.client import Client
from nats.js import JetStreamContext

from deploy.connection import Endpoints
from deploy.demo import OPERATOR, quiet
from shared.contracts.report import RecountAsked, RecountTold
from shared.runtime.mongo import Database, open_client, open_database
from shared.runtime.streams import CONSUMERS, Durable

TABLES = ("case_rows", "activity_rows", "channel_rows")
DURABLE = CONSUMERS["reporting-rows"]
RECOUNT_SECONDS = 300.0
"""For one period: a minute or so for a million cases."""


async def rebuild_reporting(
    client: Client, endpoints: Endpoints, quiet_seconds: float = 3_600.0
) -> dict[str, RecountTold]:
    """By closed period: which revisions have the same own cells as before.

    Reporting may run meanwhile: its rows take every event from the first one on, and an event
    that it is given twice changes nothing. Until all are there, it closes no period, counts none
    again and answers no question for figures.
    Stopped between the two steps of making the consumer anew, `langnghe init` declares it again.
    """
    jetstream = client.jetstream()
    mongo = open_client(endpoints.mongo)
    try:
        database = open_database(mongo, f"{endpoints.mongo_prefix}_reporting")
        await from_the_beginning(jetstream, DURABLE, lambda: _drop(database))
        await quiet(client, quiet_seconds)
        periods = sorted(await database.get_collection("closings").distinct("period"))
    finally:
        mongo.close()
    return {period: await _recount(client, period) for period in periods}


async def _drop(database: Database) -> None:
    for table in TABLES:
        await database.drop_collection(table)


async def from_the_beginning(
    jetstream: JetStreamContext, durable: Durable, meanwhile: Callable[[], Awaitable[None]]
) -> None:
    """Give the consumer every message again; all else about it stays as it was declared.

    `meanwhile` is done while there is no such consumer, so that nobody counts what it throws away.
    """
    info = await jetstream.consumer_info(durable.stream, durable.name)
    await jetstream.delete_consumer(durable.stream, durable.name)
    await meanwhile()
    await jetstream.add_consumer(durable.stream, info.config)


async def _recount(client: Client, period: str) -> RecountTold:
    answer = await client.request(
        f"ask.{OPERATOR}.reporting.recount",
        RecountAsked(period=period).model_dump_json().encode(),
        timeout=RECOUNT_SECONDS,
    )
    return RecountTold.model_validate_json(answer.data)
