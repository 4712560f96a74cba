"""How webhooks stand, kept in MongoDB."""

from dataclasses import fields
from datetime import datetime

from pymongo import ReturnDocument

from services.reporting.push.standing import Standing
from shared.runtime.mongo import Database, Document

_FIELDS = tuple(field.name for field in fields(Standing))


class MongoWebhooks:
    """Collection `webhooks`: one document per webhook, `_id` its code, and `Standing`'s fields."""

    def __init__(self, database: Database) -> None:
        self._webhooks = database.get_collection("webhooks")

    async def of(self, code: str) -> Standing:
        return _standing(await self._webhooks.find_one({"_id": code}))

    async def numbered(self, code: str, sequence: int) -> int:
        await self._webhooks.update_one({"_id": code}, {"$setOnInsert": {"number": 0}}, upsert=True)
        await self._webhooks.update_one(
            {"_id": code, "sequence": {"$ne": sequence}},
            {"$set": {"sequence": sequence}, "$inc": {"number": 1}},
        )
        return (await self.of(code)).number

    async def delivered(self, code: str, at: datetime) -> None:
        await self._webhooks.update_one(
            {"_id": code},
            {
                "$set": {"delivered": at},
                "$unset": {"failing_since": "", "failures": "", "reason": ""},
            },
            upsert=True,
        )

    async def failed(self, code: str, at: datetime, reason: str) -> Standing:
        found = await self._webhooks.find_one_and_update(
            {"_id": code},
            {"$min": {"failing_since": at}, "$inc": {"failures": 1}, "$set": {"reason": reason}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        return _standing(found)

    async def pause(self, code: str, at: datetime) -> None:
        await self._webhooks.update_one({"_id": code}, {"$set": {"paused": at}}, upsert=True)

    async def resume(self, code: str) -> bool:
        done = await self._webhooks.update_one(
            {"_id": code, "paused": {"$exists": True}},
            {"$unset": {"paused": "", "failing_since": "", "failures": "", "reason": ""}},
        )
        return done.modified_count > 0

    async def forget(self, code: str) -> None:
        await self._webhooks.delete_one({"_id": code})


def _standing(document: Document | None) -> Standing:
    found = document or {}
    return Standing(**{name: found[name] for name in _FIELDS if name in found})
