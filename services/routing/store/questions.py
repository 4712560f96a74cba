"""Cases as bodies read them: what each holds, in the order of its worklist."""

from collections.abc import Sequence
from typing import Any

from pymongo import ASCENDING, IndexModel

from services.routing.domain.due import Fired
from services.routing.domain.lifecycle import CaseState
from services.routing.domain.worklist import Life
from services.routing.store.clocks import firing
from services.routing.store.documents import STATE, event_of
from shared.runtime.mongo import Collection, Database, Document

HISTORY = {"state": 1, "opening": 1, "acted.events": 1, "fired": 1}


class MongoWorklists:
    """Collection `cases`, as `MongoCases` and `MongoClocks` keep it.

    One index over `bodies`, `open` and `turn` finds what a body holds, already in order.
    """

    def __init__(self, database: Database) -> None:
        self._cases: Collection = database.get_collection("cases")

    async def prepare(self) -> None:
        """Create the index; again is harmless."""
        keys = [("bodies", ASCENDING), ("open", ASCENDING), ("turn", ASCENDING)]
        await self._cases.create_indexes([IndexModel(keys)])

    async def held(
        self, body: str, limit: int, *, finished: bool = False, after: str = "", before: str = ""
    ) -> Sequence[CaseState]:
        found = self._cases.find(
            wanted(body, finished=finished, after=after, before=before),
            {"state": 1},
            sort=[("turn", ASCENDING)],
            limit=limit,
        )
        return [STATE.validate_python(document["state"]) async for document in found]

    async def holders(self) -> Sequence[str]:
        found: list[str] = await self._cases.distinct("bodies")
        return sorted(found)

    async def life(self, case: str) -> Life | None:
        document = await self._cases.find_one({"_id": case}, HISTORY)
        if document is None:
            return None
        said = [
            *document["opening"],
            *(event for sending in document["acted"] for event in sending["events"]),
            *document["fired"],
        ]
        events = sorted(map(event_of, said), key=lambda event: int(event.data.version))
        return Life(STATE.validate_python(document["state"]), tuple(events))

    async def show(self, fired: Fired) -> bool:
        """The schedule announces it, as whatever clocks say: see `MongoClocks`."""
        done = await self._cases.update_one(*firing(fired))
        return done.modified_count == 1


def wanted(body: str, *, finished: bool, after: str, before: str) -> Document:
    """What `held` asks for. `open` is named either way, so that the index gives the order."""
    turns: dict[str, Any] = {"$gt": after}
    if before:
        turns["$lt"] = before
    return {"bodies": body, "open": {"$in": [True, False]} if finished else True, "turn": turns}
