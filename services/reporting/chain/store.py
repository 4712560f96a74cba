"""The chain's ports, kept in MongoDB."""

from collections.abc import AsyncIterator, Sequence

from services.reporting.chain.keeping import Link
from services.reporting.domain.chain import Frontier, Logged
from shared.contracts import AuditCheckpoint
from shared.contracts.envelope import Event
from shared.runtime.mongo import Database, Document, insert_new

HASH = 32
"""Bytes of one."""


class MongoLinks:
    """Collection `chain`: one document per link, `_id` the chain's size before it.

    `size` is the size after it; `leaves` and `peaks` are hashes, one behind the other.
    Collection `log`: every message of the stream of events, `_id` its sequence, with `subject` and
    `body` as the server keeps them, so that the stream can be filled again.
    """

    def __init__(self, database: Database) -> None:
        self._links = database.get_collection("chain")
        self._log = database.get_collection("log")

    async def last(self) -> Link | None:
        found = await self._links.find_one({}, sort=[("_id", -1)])
        return _link(found) if found else None

    async def add_once(self, link: Link) -> bool:
        document = {
            "_id": link.start,
            "size": link.after.size,
            "leaves": b"".join(link.leaves),
            "peaks": b"".join(link.after.peaks),
        }
        return not await insert_new(self._links, [document])

    async def copied(self) -> int:
        last = await self._log.find_one({}, {"_id": 1}, sort=[("_id", -1)])
        return int(last["_id"]) if last else 0

    async def copy(self, messages: Sequence[Logged]) -> None:
        await insert_new(
            self._log,
            [{"_id": m.sequence, "subject": m.subject, "body": m.body} for m in messages],
        )

    async def leaves(self) -> AsyncIterator[bytes]:
        """Every leaf, from the first message on; ends before a link that is missing."""
        size = 0
        async for document in self._links.find({}, {"peaks": 0}, sort=[("_id", 1)]):
            if document["_id"] != size:
                return
            size = document["size"]
            for leaf in _hashes(document["leaves"]):
                yield leaf


class MongoCheckpoints:
    """Collection `checkpoints`: one document per checkpoint, `_id` its key.

    `event` is what is announced, word for word; `unannounced` is there until it is.
    """

    def __init__(self, database: Database) -> None:
        self._checkpoints = database.get_collection("checkpoints")

    async def prepare(self) -> None:
        await self._checkpoints.create_index([("unannounced", 1)], sparse=True)

    async def add_once(self, key: str, event: Event[AuditCheckpoint]) -> Event[AuditCheckpoint]:
        document = {"_id": key, "event": event.model_dump(mode="json"), "unannounced": True}
        if not await insert_new(self._checkpoints, [document]):
            return event
        standing = await self._checkpoints.find_one({"_id": key})
        return _event(standing) if standing else event

    async def waiting(self) -> Sequence[Event[AuditCheckpoint]]:
        found = self._checkpoints.find({"unannounced": True}, sort=[("event.data.size", 1)])
        return [_event(document) async for document in found]

    async def announced(self, events: Sequence[Event[AuditCheckpoint]]) -> None:
        ids = [event.id for event in events]
        await self._checkpoints.update_many(
            {"event.id": {"$in": ids}}, {"$unset": {"unannounced": ""}}
        )


def _link(document: Document) -> Link:
    frontier = Frontier(document["size"], _hashes(document["peaks"]))
    return Link(document["_id"], _hashes(document["leaves"]), frontier)


def _hashes(content: bytes) -> tuple[bytes, ...]:
    return tuple(content[place : place + HASH] for place in range(0, len(content), HASH))


def _event(document: Document) -> Event[AuditCheckpoint]:
    return Event[AuditCheckpoint].model_validate(document["event"])
