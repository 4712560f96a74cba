"""Intake's ports, kept in MongoDB: majority and journalled, idempotent by unique index for ever."""

from collections.abc import Sequence

from pymongo import ASCENDING

from services.intake.handlers.ports import (
    ArrivalFate,
    Kept,
    KeptRecord,
    Rules,
    RulesMissing,
    Standing,
)
from services.intake.vault import Sealed
from shared.contracts import EVENTS, DirectoryPublished, RulebookPublished
from shared.contracts.envelope import AnyEvent, Event
from shared.contracts.ingress import Fate, FatesAsked, ItemFate, Refused
from shared.contracts.submission import SubmissionReceived
from shared.runtime.mongo import Collection, Database, Document, insert_new


class MongoSubmissions:
    """Collection `submissions`: one document per submission, `_id` its id.

    `keys` are the fingerprints under which it is known (unique, multikey): whichever item comes
    second under one of them is a duplicate, for ever. `event` is what was announced, word for
    word; `sealed.<part>` holds `content`, `key` and `kek`; `arrival` names the first sending.
    """

    def __init__(self, database: Database) -> None:
        self._documents = database.get_collection("submissions")

    async def prepare(self) -> None:
        await self._documents.create_index([("keys", ASCENDING)], unique=True)

    async def add_once(self, kept: Sequence[Kept]) -> Sequence[Standing]:
        """Keep each unless one of its keys is known; answer, in order, with what stands."""
        refused = await insert_new(self._documents, [_document(k) for k in kept])
        if not refused:
            return [Standing(k.event, k.arrival) for k in kept]
        known = {key for position in refused for key in kept[position].keys}
        by_key: dict[str, Standing] = {}
        async for found in self._documents.find(
            {"keys": {"$in": list(known)}}, {"event": 1, "arrival": 1, "keys": 1}
        ):
            event = Event[SubmissionReceived].model_validate(found["event"])
            by_key |= dict.fromkeys(found["keys"], Standing(event, found["arrival"]))
        return [
            next(by_key[key] for key in k.keys if key in by_key)
            if position in refused
            else Standing(k.event, k.arrival)
            for position, k in enumerate(kept)
        ]


class MongoRecords:
    """Collection `records`: activities and channels, `_id` the event's subject."""

    def __init__(self, database: Database) -> None:
        self._documents = database.get_collection("records")

    async def add_once(self, records: Sequence[KeptRecord]) -> Sequence[Standing]:
        """Keep each unless its `_id` is known; answer, in order, with what stands."""
        refused = await insert_new(
            self._documents,
            [
                {"_id": r.key, "arrival": r.arrival, "event": r.event.model_dump(mode="json")}
                for r in records
            ],
        )
        standing = {r.key: Standing(r.event, r.arrival) for r in records}
        async for found in self._documents.find(
            {"_id": {"$in": [records[position].key for position in refused]}}
        ):
            contract = EVENTS[found["event"]["type"]]
            event: AnyEvent = Event[contract].model_validate(found["event"])  # type: ignore[valid-type]
            standing[found["_id"]] = Standing(event, found["arrival"])
        return [standing[r.key] for r in records]


class MongoArrivals:
    """Collection `arrivals`: what became of every sending, `_id` the arrival's key.

    A refused one keeps the refusal and the message itself, sealed as part `refused`.
    """

    def __init__(self, database: Database) -> None:
        self._documents = database.get_collection("arrivals")

    async def prepare(self) -> None:
        await self._documents.create_index([("party", ASCENDING), ("item", ASCENDING)])
        await self._documents.create_index([("party", ASCENDING), ("sequence", ASCENDING)])

    async def note(self, fates: Sequence[ArrivalFate]) -> None:
        """Write each down once; a redelivery changes nothing."""
        await insert_new(self._documents, [_noted(fate) for fate in fates])

    async def fates(self, party: str, asked: FatesAsked) -> Sequence[ItemFate]:
        wanted: list[Document] = []
        if asked.items:
            wanted.append({"party": party, "item": {"$in": list(asked.items)}})
        if asked.sequences:
            wanted.append({"party": party, "sequence": {"$in": list(asked.sequences)}})
        if not wanted:
            return []
        return [
            ItemFate(
                item=found["item"],
                sequence=found["sequence"],
                fate=Fate(found["fate"]),
                submission=found.get("submission"),
                refusal=Refused.model_validate(found["refusal"]) if "refusal" in found else None,
            )
            async for found in self._documents.find({"$or": wanted}, {"sealed": 0})
        ]


class MongoRules:
    """Collections `directories` and `rulebooks`: every version, `_id` its number."""

    def __init__(self, database: Database) -> None:
        self._directories = database.get_collection("directories")
        self._rulebooks = database.get_collection("rulebooks")
        self._latest: Rules | None = None

    async def keep(
        self,
        directories: Sequence[DirectoryPublished],
        rulebooks: Sequence[RulebookPublished],
    ) -> None:
        for collection, published in (
            (self._directories, directories),
            (self._rulebooks, rulebooks),
        ):
            await insert_new(
                collection,
                [{"_id": p.version, "content": p.model_dump(mode="json")} for p in published],
            )

    async def latest(self) -> Rules:
        """The newest versions; raises `RulesMissing` before the first of either."""
        versions = [
            await collection.find_one({}, {"_id": 1}, sort=[("_id", -1)])
            for collection in (self._directories, self._rulebooks)
        ]
        directory, rulebook = (found["_id"] if found else None for found in versions)
        if directory is None or rulebook is None:
            raise RulesMissing
        if self._latest is None or self._latest.versions != (directory, rulebook):
            self._latest = Rules(
                DirectoryPublished.model_validate(await _content(self._directories, directory)),
                RulebookPublished.model_validate(await _content(self._rulebooks, rulebook)),
            )
        return self._latest


async def _content(collection: Collection, version: int) -> Document:
    found = await collection.find_one({"_id": version})
    if found is None:
        raise RulesMissing
    content: Document = found["content"]
    return content


def _sealed(sealed: Sealed) -> Document:
    return {"content": sealed.content, "key": sealed.key, "kek": sealed.kek}


def _document(kept: Kept) -> Document:
    return {
        "_id": kept.event.subject,
        "keys": list(kept.keys),
        "arrival": kept.arrival,
        "agency": kept.event.data.agency,
        "kept": kept.event.recordedtime,
        "flags": list(kept.flags),
        "event": kept.event.model_dump(mode="json"),
        "sealed": {part: _sealed(sealed) for part, sealed in kept.sealed.items()},
    }


def _noted(fate: ArrivalFate) -> Document:
    document: Document = {
        "_id": fate.arrival.key,
        "party": fate.arrival.party,
        "type": fate.arrival.type,
        "sequence": fate.arrival.sequence,
        "recorded": fate.arrival.recorded,
        "item": fate.item,
        "fate": fate.fate.value,
    }
    if fate.subject is not None:
        document["submission"] = fate.subject
    if fate.refusal is not None:
        document["refusal"] = fate.refusal.model_dump(mode="json")
    if fate.sealed is not None:
        document["sealed"] = {"refused": _sealed(fate.sealed)}
    return document
