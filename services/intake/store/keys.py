"""Data keys, wrapped, in a database of their own: it is backed up apart from what they seal."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pymongo import ASCENDING, UpdateOne

from services.intake.handlers.sweeping import HeldKey
from services.intake.vault import DataKey
from services.intake.wrapping import KeyGone, Wrapped, Wrapping
from shared.runtime.mongo import Database, Document, insert_new


class MongoDataKeys:
    """Collection `data_keys`: `_id` the key's name, `owner`, and the key wrapped under `kek`.

    `doubted` is since when nothing was found that names it.
    """

    def __init__(self, database: Database, wrapping: Wrapping) -> None:
        self._documents = database.get_collection("data_keys")
        self._wrapping = wrapping

    async def prepare(self) -> None:
        await self._documents.create_index([("owner", ASCENDING)])
        await self._documents.create_index([("kek", ASCENDING)])

    async def keep(self, keys: Sequence[DataKey]) -> None:
        """Before anything that they seal is kept: what lies there can always be opened."""
        wrapped = await self._wrapping.wrap([k.secret for k in keys], [_bound(k) for k in keys])
        await insert_new(
            self._documents,
            [
                {"_id": key.name, "owner": key.owner, "kek": w.kek, "wrapped": w.content}
                for key, w in zip(keys, wrapped, strict=True)
            ],
        )

    async def find(self, names: Sequence[str]) -> Mapping[str, DataKey]:
        """By name; one that was destroyed, or whose wrapping key was, is left out."""
        found = [d async for d in self._documents.find({"_id": {"$in": list(names)}})]
        try:
            secrets = await self._unwrapped(found)
        except KeyGone as gone:
            found = [d for at, d in enumerate(found) if at not in gone.positions]
            secrets = await self._unwrapped(found)
        return {
            d["_id"]: DataKey(d["_id"], d["owner"], secret)
            for d, secret in zip(found, secrets, strict=True)
        }

    async def _unwrapped(self, found: Sequence[Document]) -> Sequence[bytes]:
        return await self._wrapping.unwrap(
            [_wrapped(d) for d in found], [_bound_of(d) for d in found]
        )

    async def forget(self, names: Sequence[str]) -> None:
        """Keys that seal nothing that is kept."""
        if names:
            await self._documents.delete_many({"_id": {"$in": list(names)}})

    async def rewrap(self, kek: str, limit: int) -> int:
        """Up to `limit` keys that `kek` wraps, under the current one; 0 when none is left."""
        found = [d async for d in self._documents.find({"kek": kek}, limit=limit)]
        wrapped = await self._wrapping.rewrap(
            [_wrapped(d) for d in found], [_bound_of(d) for d in found]
        )
        changes = [
            UpdateOne({"_id": d["_id"], "kek": kek}, {"$set": {"kek": w.kek, "wrapped": w.content}})
            for d, w in zip(found, wrapped, strict=True)
        ]
        if changes:
            await self._documents.bulk_write(changes, ordered=False)
        return len(changes)

    async def destroy(self, owner: str) -> int:
        """Erasure: every key of an owner, for good; answers how many there were."""
        return (await self._documents.delete_many({"owner": owner})).deleted_count

    async def held(self, after: str, limit: int) -> Sequence[HeldKey]:
        """The next keys by name."""
        found = self._documents.find({"_id": {"$gt": after}}, {"owner": 1, "doubted": 1})
        return [
            HeldKey(document["_id"], document["owner"], document.get("doubted"))
            async for document in found.sort("_id", ASCENDING).limit(limit)
        ]

    async def doubt(self, names: Sequence[str], at: datetime) -> None:
        """Mark those that are not marked yet."""
        if not names:
            return
        await self._documents.update_many(
            {"_id": {"$in": list(names)}, "doubted": None}, {"$set": {"doubted": at}}
        )

    async def trust(self, names: Sequence[str]) -> None:
        """Take the mark away."""
        if names:
            await self._documents.update_many(
                {"_id": {"$in": list(names)}}, {"$unset": {"doubted": ""}}
            )

    async def destroy_doubted(self, names: Sequence[str], before: datetime) -> int:
        """Destroy those that were marked before then; answers how many."""
        if not names:
            return 0
        found = {"_id": {"$in": list(names)}, "doubted": {"$lt": before}}
        return (await self._documents.delete_many(found)).deleted_count


def _bound(key: DataKey) -> bytes:
    return f"{key.owner}/{key.name}".encode()


def _bound_of(document: Document) -> bytes:
    return f"{document['owner']}/{document['_id']}".encode()


def _wrapped(document: Document) -> Wrapped:
    return Wrapped(document["kek"], document["wrapped"])
