"""Which data keys something that is kept names: those others seal nothing."""

from collections.abc import Sequence

from pymongo import ASCENDING

from services.intake.handlers.sweeping import HeldKey, UnknownUse
from shared.runtime.mongo import Database

SEALED = frozenset(("submissions", "conversations", "arrivals", "openings", "calls"))
UNSEALED = frozenset(
    (
        *("records", "alarms", "ratings", "relations", "receipts", "cases", "feeds"),
        *("directories", "rulebooks", "calendars", "sealed.files", "sealed.chunks"),
        "acknowledged_senders",
        "looks",
        "readings",
    )
)
"""Collections that name no data key. One that is in neither list could: see `named`."""


class MongoKeyUses:
    """Asks every collection in which something lies sealed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def prepare(self) -> None:
        openings = self._database.get_collection("openings")
        await openings.create_index([("sealed.reason.key", ASCENDING)], sparse=True)

    async def named(self, keys: Sequence[HeldKey]) -> frozenset[str]:
        """Those that what is kept names; raises `UnknownUse` if there is a place to look unknown.

        Each key is looked for with its owner: a submission and what was said on it since, an
        arrival, a call.
        """
        names = await self._database.list_collection_names()
        ours = {name for name in names if not name.startswith("system.")}
        if unknown := ours - SEALED - UNSEALED:
            raise UnknownUse(", ".join(sorted(unknown)))
        owners = [key.owner for key in keys]
        wanted = {"$in": owners}
        found: set[str] = set()
        for collection, query in (
            ("submissions", {"_id": wanted}),
            ("conversations", {"submission": wanted}),
            ("arrivals", {"_id": wanted}),
            ("openings", {"sealed.reason.key": {"$in": [key.name for key in keys]}}),
        ):
            cursor = self._database.get_collection(collection).aggregate(
                [
                    {"$match": query},
                    {"$project": {"sealed": {"$objectToArray": {"$ifNull": ["$sealed", {}]}}}},
                    {"$project": {"keys": "$sealed.v.key"}},
                ]
            )
            async for document in cursor:
                found.update(document["keys"])
        calls = [owner.removeprefix("call/") for owner in owners if owner.startswith("call/")]
        heard = self._database.get_collection("calls").find(
            {"_id": {"$in": calls}}, {"records.key": 1}
        )
        async for call in heard:
            found.update(record["key"] for record in call.get("records", ()))
        return frozenset(found)
