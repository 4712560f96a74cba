"""The same stages as FastStream's tutorial shows them: one typed event at a time, awaited.

`python -m deploy.bench.naive intake|routing|reporting NATS MONGO`, one process a stage.
"""

import sys
from typing import Any

import uvloop
from faststream import FastStream
from faststream.nats import JStream, NatsBroker
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import WriteConcern

from deploy.bench.bare import READERS, Database, Document, opened, received, told
from shared.contracts import HotlineCallLogged, SubmissionReceived
from shared.contracts.envelope import Event

DATABASE = "bench_naive"
FEED, EVENTS = "NAIVE_FEED", "NAIVE_EVENTS"
PREFIX = "naive."
STAGES = {"intake": FEED, "routing": EVENTS, "reporting": EVENTS}
"""By stage: the stream that it takes from."""
FEED_STREAM, EVENT_STREAM = JStream(FEED, declare=False), JStream(EVENTS, declare=False)


def handle_events(broker: NatsBroker, database: Database, stage: str) -> None:
    """Subscribe the stage's handler: one write, then its events one after the other."""

    async def announce(event: Document) -> None:
        headers = {"Nats-Msg-Id": event["id"]}
        subject = f"{PREFIX}{event['type']}"
        await broker.publish(event, subject, headers=headers, stream=EVENTS, timeout=10)

    async def receive(event: Event[HotlineCallLogged]) -> None:
        document, body = received(event)
        await database["submissions"].insert_one(document)
        await announce(body)

    async def assign(event: Event[SubmissionReceived]) -> None:
        document, bodies = opened(event)
        await database["cases"].insert_one(document)
        for body in bodies:
            await announce(body)

    async def keep(event: dict[str, Any]) -> None:
        case, place, facet = told(READERS[event["type"]].model_validate(event))
        await database["rows"].update_one({"_id": case}, {"$set": {place: facet}}, upsert=True)

    if stage == "intake":
        broker.subscriber(f"{PREFIX}feed", stream=FEED_STREAM, durable="naive-intake")(receive)
    elif stage == "routing":
        subject = f"{PREFIX}{SubmissionReceived.TYPE}"
        broker.subscriber(subject, stream=EVENT_STREAM, durable="naive-routing")(assign)
    else:
        everything = f"{PREFIX}*.*.*"
        broker.subscriber(everything, stream=EVENT_STREAM, durable="naive-reporting")(keep)


async def run(stage: str, nats_url: str, mongo_url: str) -> None:
    """Until the process is ended."""
    motor: AsyncIOMotorClient[Document] = AsyncIOMotorClient(mongo_url)
    database = motor.get_database(DATABASE, write_concern=WriteConcern("majority", j=True))
    broker = NatsBroker(nats_url, logger=None)
    handle_events(broker, database, stage)
    await FastStream(broker, logger=None).run()


if __name__ == "__main__":
    uvloop.run(run(*sys.argv[1:4]))
