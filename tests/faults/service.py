"""A service that may be ended at a named point: `python -m tests.faults.service intake`.

What runs is the service as it is; the points are laid around its store, its publisher and its
acknowledgements from outside, here and nowhere else. A point is armed by a file that names it,
and whoever reaches it takes the file along and dies as by `kill -9`. A flag is a file too, and holds for as long as it lies there: see `FLAGS`.
`WEAKENED` takes a promise away instead, to see that the harness notices.
"""

import asyncio
import os
import random
import signal
import sys
from pathlib import Path

from motor.motor_asyncio import AsyncIOMotorCollection
from nats.aio.msg import Msg

from deploy.serving import serve
from services.intake.store import MongoOutbox
from services.reporting.chain import MongoCheckpoints
from services.reporting.store import MongoClosings
from services.routing.store import MongoClocks
from shared.runtime import bus as runtime_bus
from shared.runtime.bus import Bus
from shared.runtime.publish import Publisher

FOLDER, WEAKENED = "FAULTS_FOLDER", "FAULTS_WEAKENED"
HEARTBEAT, DELAYS = "FAULTS_HEARTBEAT", "FAULTS_DELAYS"
FLAGS = {
    "slow": "handlers take so many seconds longer",
    "shuffle": "messages come in any order, some of them seconds later",
    "no-ack": "one acknowledgement in so many is never sent",
    "poison": "the handler fails with what holds this word, and with one event in sixteen",
    "deadly": "the process dies of what holds this word",
}
POINTS = (
    "received",
    "read",
    "before-write",
    "in-write",
    "after-write",
    "kept",
    "before-publish",
    "in-publish",
    "published",
    "acknowledged",
    "before-marking",
    "marked",
)
"""In the order in which a batch comes to them; the last two are an outbox's."""
SOON = 0.002
"""Seconds: long enough for what was sent to leave, too short for most answers."""
WRITES = ("insert_many", "bulk_write")
OUTBOXES = (MongoOutbox, MongoClocks, MongoCheckpoints)


class Points:
    def __init__(self, folder: Path, service: str) -> None:
        self._armed, self._reached = folder / f"{service}.die", folder / f"{service}.died"
        self._folder = folder

    def flag(self, name: str) -> str:
        try:
            return (self._folder / f"flag-{name}").read_text()
        except FileNotFoundError:
            return ""

    def reach(self, point: str, *, soon: bool = False) -> None:
        try:
            if self._armed.read_text() != point:
                return
            self._armed.rename(self._reached)
        except FileNotFoundError:
            return
        if soon:
            asyncio.get_running_loop().call_later(SOON, die)
        else:
            die()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def lay(points: Points) -> None:
    """Put the points around what the service is made of."""
    _around_handlers(points)
    _around_writes(points)
    _around_publishing(points)
    _around_outboxes(points)


def _around_handlers(points: Points) -> None:
    work, subscribe, ack = Bus._work, Bus._subscribe, Msg.ack
    draw = random.Random(1)

    async def working(self, durable, read, handler, batch):
        points.reach("received")
        if points.flag("shuffle"):
            batch = await _shuffled(batch, draw)
        await work(self, durable, read, handler, batch)

    def subscribing(self, durable, read, handler):
        async def handling(batch):
            points.reach("read")
            if seconds := points.flag("slow"):
                await asyncio.sleep(float(seconds))
            for item in batch:
                _suffer(points, item)
            follow = await handler(batch)
            points.reach("kept")
            return follow

        handling.__doc__ = handler.__doc__
        subscribe(self, durable, read, handling)

    async def acknowledging(self):
        if (one_in := points.flag("no-ack")) and draw.randrange(int(one_in)) == 0:
            self._ackd = True
            return
        await ack(self)
        points.reach("acknowledged", soon=True)

    Bus._work, Bus._subscribe, Msg.ack = working, subscribing, acknowledging


async def _shuffled(batch, draw):
    """The batch in another order, without those that are put off."""
    rest = []
    for message in batch:
        if message.metadata.num_delivered == 1 and draw.random() < 0.3:
            await message.nak(delay=draw.random() * 2)
        else:
            rest.append(message)
    draw.shuffle(rest)
    return rest


def _suffer(points: Points, item) -> None:
    """What is deadly kills, what is poison fails, as long as the flag lies there."""
    body = getattr(item, "body", b"")
    if (word := points.flag("deadly")) and word.encode() in body:
        die()
    word = points.flag("poison")
    if word and (word.encode() in body or (not body and item.id.endswith("f"))):
        raise LookupError("poison")


def _around_writes(points: Points) -> None:
    def around(write):
        async def writing(self, *arguments, **more):
            points.reach("before-write")
            written = asyncio.ensure_future(write(self, *arguments, **more))
            points.reach("in-write", soon=True)
            result = await written
            points.reach("after-write")
            return result

        return writing

    for name in WRITES:
        setattr(AsyncIOMotorCollection, name, around(getattr(AsyncIOMotorCollection, name)))


def _around_publishing(points: Points) -> None:
    publish, window = Publisher.publish, Publisher._publish_window

    async def publishing(self, events):
        if events:
            points.reach("before-publish")
        await publish(self, events)
        if events:
            points.reach("published")

    async def in_window(self, connection, events):
        points.reach("in-publish", soon=True)
        await window(self, connection, events)

    Publisher.publish, Publisher._publish_window = publishing, in_window


def _around_outboxes(points: Points) -> None:
    def around(mark):
        async def marking(self, *arguments):
            points.reach("before-marking")
            await mark(self, *arguments)
            points.reach("marked")

        return marking

    for outbox in OUTBOXES:
        outbox.announced = around(outbox.announced)
    MongoClosings.issued = around(MongoClosings.issued)


def weaken(what: str) -> None:
    """Take one promise away."""
    if what == "idempotence":
        _forget_what_was_kept()
    elif what == "acknowledgement":
        _acknowledge_first()
    elif what == "confirmation":
        _do_not_wait_for_the_stream()
    elif what == "all":
        raise ValueError("one at a time")


def _forget_what_was_kept() -> None:
    """The second write stands, not the first, as without a unique index."""

    async def insert_new(collection, documents):
        for document in documents:
            await collection.replace_one({"_id": document["_id"]}, dict(document), upsert=True)
        return frozenset()

    for name, module in list(sys.modules.items()):
        if name.startswith("services.") and hasattr(module, "insert_new"):
            module.insert_new = insert_new


def _acknowledge_first() -> None:
    attempt = Bus._attempt

    async def attempting(self, durable, handler, batch):
        for message, _ in batch:
            await message.ack()
        await self.connection.flush()
        for message, _ in batch:
            message._ackd = False
        await attempt(self, durable, handler, batch)

    Bus._attempt = attempting


def _do_not_wait_for_the_stream() -> None:
    async def publish(self, events):
        connection = self._connection()
        for event in events:
            await connection.publish(event.data.nats_subject(), event.encode())

    Publisher.publish = publish


def main(name: str) -> None:
    if seconds := os.environ.get(HEARTBEAT):
        runtime_bus.HEARTBEAT_SECONDS = float(seconds)
    if seconds := os.environ.get(DELAYS):
        delays = tuple(map(float, seconds.split()))
        Bus.__init__.__kwdefaults__["delays"] = delays
    if what := os.environ.get(WEAKENED):
        weaken(what)
    lay(Points(Path(os.environ[FOLDER]), name))
    serve(name)


if __name__ == "__main__":
    main(sys.argv[1])
