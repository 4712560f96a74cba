"""Submissions, and what is said on them afterwards: idempotent by unique index, for ever."""

import asyncio
from array import array
from collections.abc import Mapping, Sequence
from itertools import chain

from pymongo import ASCENDING, DESCENDING

from services.intake.handlers.ports import Kept, KeptRecord, Said, Standing
from services.intake.store.acknowledgements import DUE
from services.intake.store.sealed import SealedParts
from shared.contracts import EVENTS
from shared.contracts.envelope import AnyEvent, Event
from shared.runtime.mongo import Collection, Database, Document, insert_new

UNPLACED = "unplaced"
"""Field of a submission that was not compared with others yet: see `MongoMatters`."""
PENDING = "unannounced"
"""Field of what is kept and not yet announced; it is taken away with the announcement."""


class MongoSubmissions:
    """Collection `submissions`: one document per submission, `_id` its id.

    `keys` are the fingerprints under which it is known (unique, multikey): whichever item comes
    second under one of them is a duplicate, for ever. `event` and `also` are what was announced,
    word for word; `sealed.<part>` see `SealedParts`; `arrival` names the first sending.
    `thread`, `sender` and `matter` find what goes on with it or resembles it; all are keyed hashes.
    `acknowledge` see `MongoAcknowledgements`.
    """

    def __init__(self, database: Database) -> None:
        self._documents = database.get_collection("submissions")
        self._parts = SealedParts(database)

    async def prepare(self) -> None:
        await self._documents.create_index([("keys", ASCENDING)], unique=True)
        await self._documents.create_index(
            [("agency", ASCENDING), ("event.data.channel", ASCENDING), ("kept", DESCENDING)]
        )
        for field in ("thread", PENDING):
            await self._documents.create_index([(field, ASCENDING)], sparse=True)

    async def add_once(
        self, kept: Sequence[Kept], *, unannounced: bool = False
    ) -> Sequence[Standing]:
        """Keep each unless one of its keys is known; answer, in order, with what stands."""
        documents = [
            _document(k, await self._parts.kept(k.sealed), unannounced=unannounced) for k in kept
        ]
        fresh = [Standing(k.event, k.arrival, k.also) for k in kept]
        return await _first_stands(self._documents, documents, fresh, self._parts)

    async def known(self, keys: Sequence[str]) -> Mapping[str, str]:
        """By key: the submission that is known under it; keys that nobody has are left out."""
        found = self._documents.find({"keys": {"$in": list(keys)}}, {"keys": 1})
        return {key: document["_id"] async for document in found for key in document["keys"]}

    async def erased(self, submissions: Sequence[str]) -> frozenset[str]:
        """Those of them whose keys were destroyed."""
        if not submissions:
            return frozenset()
        found = self._documents.find(
            {"_id": {"$in": list(submissions)}, "erased": {"$exists": True}}, {"_id": 1}
        )
        return frozenset([document["_id"] async for document in found])

    async def threads(self, answers: Sequence[str]) -> Mapping[str, tuple[str, str | None]]:
        """By a mail's fingerprint: the submission it belongs to, and its sender's fingerprint."""
        if not answers:
            return {}
        found = self._documents.find({"thread": {"$in": list(answers)}}, {"thread": 1, "sender": 1})
        return {
            own: (document["_id"], document.get("sender"))
            async for document in found
            for own in document["thread"]
        }


class MongoConversations:
    """Collection `conversations`: one document per thing said on a submission, `_id` its id.

    `submission` is the one it belongs to, `by` who said it; the rest as in `submissions`.
    """

    def __init__(self, database: Database) -> None:
        self._documents = database.get_collection("conversations")
        self._parts = SealedParts(database)

    async def prepare(self) -> None:
        await self._documents.create_index([("keys", ASCENDING)], unique=True)
        await self._documents.create_index([("submission", ASCENDING)])
        await self._documents.create_index([(PENDING, ASCENDING)], sparse=True)

    async def add_once(
        self, said: Sequence[Said], *, unannounced: bool = False
    ) -> Sequence[Standing]:
        """Keep each unless one of its keys is known; answer, in order, with what stands."""
        documents = [
            {
                "_id": one.id,
                "submission": one.submission,
                "by": one.by.value,
                "keys": list(one.keys),
                "arrival": one.arrival,
                "kept": one.event.recordedtime,
                "event": one.event.model_dump(mode="json"),
                "sealed": await self._parts.kept(one.sealed),
            }
            | ({PENDING: True} if unannounced else {})
            for one in said
        ]
        fresh = [Standing(one.event, one.arrival) for one in said]
        return await _first_stands(self._documents, documents, fresh, self._parts)


class MongoRecords:
    """Collection `records`: activities and channels, `_id` the event's subject.

    Of the same shape: collection `alarms`, what did not come, `_id` the event's id; collection
    `ratings`, `_id` the submission; collection `relations`, what may be the same matter.
    """

    def __init__(self, database: Database, name: str = "records") -> None:
        self._documents = database.get_collection(name)

    async def prepare(self) -> None:
        await self._documents.create_index([(PENDING, ASCENDING)], sparse=True)

    async def add_once(
        self, records: Sequence[KeptRecord], *, unannounced: bool = False
    ) -> Sequence[Standing]:
        """Keep each unless its `_id` is known; answer, in order, with what stands."""
        refused = await insert_new(
            self._documents,
            [
                {"_id": r.key, "arrival": r.arrival, "event": r.event.model_dump(mode="json")}
                | ({PENDING: True} if unannounced else {})
                for r in records
            ],
        )
        standing = {r.key: Standing(r.event, r.arrival) for r in records}
        async for found in self._documents.find(
            {"_id": {"$in": [records[position].key for position in refused]}}
        ):
            standing[found["_id"]] = standing_of(found)
        return [standing[r.key] for r in records]


class MongoOutbox:
    """What of these collections is kept and was not announced yet.

    Where an event was found is remembered until it is announced: a majority write on a collection
    that has none of the events would be waited for in vain.
    """

    def __init__(self, database: Database) -> None:
        self._collections = [
            database.get_collection(name)
            for name in (
                "submissions",
                "conversations",
                "records",
                "alarms",
                "ratings",
                "relations",
            )
        ]
        self._found: dict[str, Collection] = {}

    async def waiting(self, limit: int) -> Sequence[AnyEvent]:
        """Up to about `limit` events; empty if everything was announced."""
        found = await asyncio.gather(*(_pending(each, limit) for each in self._collections))
        events: list[AnyEvent] = []
        for collection, standings in zip(self._collections, found, strict=True):
            for standing in standings:
                self._found[standing.event.id] = collection
                events += (standing.event, *standing.also)
        return events

    async def announced(self, events: Sequence[AnyEvent]) -> None:
        """An item is done once its own event is among these."""
        found, self._found = self._found, {}
        ids: dict[Collection, list[str]] = {}
        for event in events:
            of_event = found.get(event.id)
            for collection in (of_event,) if of_event is not None else self._collections:
                ids.setdefault(collection, []).append(event.id)
        for collection, names in ids.items():
            await collection.update_many(
                {PENDING: True, "event.id": {"$in": names}}, {"$unset": {PENDING: ""}}
            )


async def _pending(collection: Collection, limit: int) -> list[Standing]:
    found = collection.find({PENDING: True}, {"event": 1, "also": 1}, limit=limit)
    return [standing_of(document) async for document in found]


async def _first_stands(
    collection: Collection,
    documents: Sequence[Document],
    fresh: Sequence[Standing],
    parts: SealedParts,
) -> Sequence[Standing]:
    """Insert each unless one of its `keys` is known; answer, in order, with what stands.

    `fresh` is what stands of those that are not known.
    """
    refused = await insert_new(collection, documents)
    by_key: dict[str, Standing] = {}
    known = set(chain.from_iterable(documents[position]["keys"] for position in refused))
    if known:
        async for found in collection.find(
            {"keys": {"$in": list(known)}}, {"event": 1, "also": 1, "arrival": 1, "keys": 1}
        ):
            by_key |= dict.fromkeys(found["keys"], standing_of(found))
    for position in refused:
        await parts.remove(documents[position]["sealed"])
    return [
        next(by_key[key] for key in document["keys"] if key in by_key)
        if position in refused
        else fresh[position]
        for position, document in enumerate(documents)
    ]


def standing_of(document: Document) -> Standing:
    return Standing(
        _event(document["event"]),
        document.get("arrival", ""),
        tuple(_event(event) for event in document.get("also", ())),
    )


def _event(document: Document) -> AnyEvent:
    contract = EVENTS[document["type"]]
    event: AnyEvent = Event[contract].model_validate(document)  # type: ignore[valid-type]
    return event


def _document(kept: Kept, sealed: Document, *, unannounced: bool) -> Document:
    document: Document = {
        "_id": kept.event.subject,
        "keys": list(kept.keys),
        "arrival": kept.arrival,
        "agency": kept.event.data.agency,
        "kept": kept.event.recordedtime,
        "flags": list(kept.flags),
        "event": kept.event.model_dump(mode="json"),
        "sealed": sealed,
    }
    if kept.also:
        document["also"] = [event.model_dump(mode="json") for event in kept.also]
    if kept.thread.own:
        document["thread"] = list(kept.thread.own)
    if kept.thread.sender:
        document["sender"] = kept.thread.sender
    if kept.matter:
        signature = array("I", kept.matter.signature).tobytes()
        document["matter"] = {"unit": kept.matter.unit, "signature": signature}
        document[UNPLACED] = True
    if kept.acknowledge:
        document[DUE] = kept.event.recordedtime
    if unannounced:
        document[PENDING] = True
    return document
