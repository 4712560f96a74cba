"""Clocks that run on cases, found again by the day on which they have something to say."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

from pymongo import ASCENDING, IndexModel, UpdateOne

from services.routing.domain.clocks import Versions
from services.routing.domain.due import AT_ONCE, Fired
from services.routing.domain.lifecycle import CaseState
from services.routing.store.cases import count_by_lead
from services.routing.store.documents import STATE, event_of, state_fields
from shared.contracts.envelope import AnyEvent
from shared.runtime.mongo import Database, Document


def what_is_due(today: date, rules: Versions, directory: int) -> Document:
    """Each branch has an index of its own: where nothing is due, no case is read."""
    return {
        "$or": [
            {"clocks.look": {"$lte": today.isoformat()}},
            {"clocks.rulebook": {"$lt": rules.rulebook}},
            {"clocks.calendar": {"$lt": rules.calendar}},
            {"clocks.directory": {"$lt": directory}},
        ]
    }


def firing(fired: Fired) -> tuple[Document, Document]:
    """The update that keeps the case with its events, if it has not moved, and which case."""
    change: Document = {"$set": state_fields(fired.after)}
    if fired.events:
        change["$push"] = {
            "fired": {"$each": [event.model_dump(mode="json") for event in fired.events]},
            "waiting": {"$each": [event.id for event in fired.events]},
        }
    return {"_id": fired.before.case, "version": fired.before.version}, change


class MongoClocks:
    """Collection `cases`, as `MongoCases` keeps it: `clocks` finds a case, see `state_fields`.

    `fired` holds every event that its clocks announced, word for word, and `waiting` the ids of
    those not yet known to be in their stream: they are kept in the write that moves the case,
    so that a crash before the announcement costs nothing.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cases = database.get_collection("cases")

    async def prepare(self) -> None:
        """Create the indexes, and have cases without `clocks` looked at; again is harmless."""
        await self._cases.create_indexes(
            [
                IndexModel([("clocks.look", ASCENDING)], sparse=True),
                IndexModel([("clocks.rulebook", ASCENDING)], sparse=True),
                IndexModel([("clocks.calendar", ASCENDING)], sparse=True),
                IndexModel([("clocks.directory", ASCENDING)], sparse=True),
                IndexModel([("waiting", ASCENDING)], sparse=True),
            ]
        )
        await self._cases.update_many(
            {"clocks": {"$exists": False}},
            {"$set": {"clocks": {"look": AT_ONCE.isoformat()}, "fired": []}},
        )

    async def time(self) -> datetime:
        hello = await self._database.client.admin.command("hello")
        said: datetime = hello["localTime"]
        return said.astimezone(UTC)

    async def due(
        self, today: date, rules: Versions, limit: int, *, directory: int = 0
    ) -> Sequence[CaseState]:
        wanted = what_is_due(today, rules, directory)
        found = self._cases.find(wanted, {"state": 1}, limit=limit)
        return [STATE.validate_python(document["state"]) async for document in found]

    async def open_by_lead(self) -> Mapping[str, int]:
        return await count_by_lead(self._cases)

    async def fire(self, fired: Sequence[Fired]) -> None:
        updates = [UpdateOne(*firing(each)) for each in fired]
        if updates:
            await self._cases.bulk_write(updates, ordered=False)

    async def waiting(self, limit: int) -> Sequence[AnyEvent]:
        found = self._cases.find({"waiting": {"$gt": ""}}, {"fired": 1, "waiting": 1}, limit=limit)
        return [
            event_of(event)
            async for document in found
            for event in document["fired"]
            if event["id"] in document["waiting"]
        ]

    async def announced(self, events: Sequence[AnyEvent]) -> None:
        cases: dict[str | None, list[str]] = {}
        for event in events:
            cases.setdefault(event.subject, []).append(event.id)
        updates = [
            UpdateOne({"_id": case}, {"$pull": {"waiting": {"$in": ids}}})
            for case, ids in cases.items()
        ]
        if updates:
            await self._cases.bulk_write(updates, ordered=False)
