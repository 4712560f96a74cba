"""Calls whose records are still coming in, and how many were missed."""

from collections.abc import Sequence
from datetime import datetime

from pymongo import ASCENDING

from services.intake.handlers.calling import HeardCall
from services.intake.vault import Sealed
from shared.runtime.mongo import Database


class MongoCalls:
    """Collection `calls`: `_id` a keyed hash, `agency`, `records` sealed, `waits_since`.

    Once it is `taken` or `missed` only its `state` and `agency` stay, to be counted.
    """

    def __init__(self, database: Database) -> None:
        self._documents = database.get_collection("calls")

    async def prepare(self) -> None:
        await self._documents.create_index([("waits_since", ASCENDING)], sparse=True)

    async def add(self, name: str, agency: str, sealed: Sealed, at: datetime) -> None:
        """Keep more records of a call; it waits anew."""
        await self._documents.update_one(
            {"_id": name},
            {
                "$set": {"agency": agency, "waits_since": at},
                "$push": {"records": {"content": sealed.content, "key": sealed.key}},
            },
            upsert=True,
        )

    async def due(self, before: datetime, limit: int) -> Sequence[HeardCall]:
        """Calls of which nothing new has come since then, the oldest first."""
        found = self._documents.find({"waits_since": {"$lt": before}}, limit=limit)
        return [
            HeardCall(
                name=document["_id"],
                agency=document["agency"],
                records=tuple(Sealed(r["content"], r["key"]) for r in document["records"]),
            )
            async for document in found.sort("waits_since", ASCENDING)
        ]

    async def close(self, name: str, state: str, records: int) -> bool:
        """The call is `taken` or `missed`; False if a record came in between."""
        closed = await self._documents.update_one(
            {"_id": name, "records": {"$size": records}},
            {"$set": {"state": state}, "$unset": {"records": "", "waits_since": ""}},
        )
        return closed.modified_count == 1
