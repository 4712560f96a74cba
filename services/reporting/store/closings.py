"""Closings: what each count of a period decided."""

import json
from collections.abc import Collection, Mapping, Sequence

from pymongo import ASCENDING, DESCENDING

from services.reporting.domain.revision import Closing
from shared.contracts.report import Edition
from shared.runtime.mongo import Database, Document, insert_new


class MongoClosings:
    """Collections `closings` and `late`.

    `closings` has one document a count, `_id` `<period>#<revision>`. `closing` is the decision as
    JSON text, so that instants come back to the microsecond; so are its `figures`, apart, since
    few read them. `waits` has the editions that are not known to be out. There are a handful a
    year, so only orders are looked up by an index. `late` has the periods to be counted again,
    each with how often it was marked.
    """

    def __init__(self, database: Database) -> None:
        self._closings = database.get_collection("closings")
        self._late = database.get_collection("late")

    async def prepare(self) -> None:
        await self._closings.create_index([("party", ASCENDING), ("command", ASCENDING)])

    async def add_once(self, closing: Closing) -> Closing:
        code, revision = closing.period.code, closing.revision
        document = {
            "_id": f"{code}#{revision}",
            "period": code,
            "revision": revision,
            "party": closing.party,
            "command": closing.command,
            "at": closing.at,
            "closing": closing.model_dump_json(exclude={"figures"}),
            "figures": json.dumps(closing.model_dump(mode="json", include={"figures"})["figures"]),
            "waits": [edition.value for edition in Edition],
        }
        await self.mark_late([code])
        if not await insert_new(self._closings, [document]):
            return closing
        found = await self._closings.find_one({"_id": document["_id"]})
        return _closing(found) if found else closing

    async def of(self, period: str) -> Closing | None:
        newest = [("revision", DESCENDING)]
        found = await self._closings.find_one({"period": period}, sort=newest)
        return _closing(found) if found else None

    async def ordered(self, party: str, command: str) -> Closing | None:
        found = await self._closings.find_one({"party": party, "command": command})
        return _closing(found) if found else None

    async def history(self, period: str) -> Sequence[Closing]:
        found = self._closings.find({"period": period}).sort("revision", ASCENDING)
        return [_closing(document) async for document in found]

    async def all(self) -> Sequence[Closing]:
        newest: dict[str, Closing] = {}
        order = [("period", ASCENDING), ("revision", ASCENDING)]
        async for document in self._closings.find({}, {"figures": 0}).sort(order):
            newest[document["period"]] = _closing({**document, "figures": "{}"})
        return list(newest.values())

    async def waiting(self, edition: Edition) -> Sequence[Closing]:
        order = [("at", ASCENDING), ("_id", ASCENDING)]
        found = self._closings.find({"waits": edition.value}).sort(order)
        return [_closing(document) async for document in found]

    async def issued(self, closing: Closing, edition: Edition) -> None:
        name = f"{closing.period.code}#{closing.revision}"
        await self._closings.update_one({"_id": name}, {"$pull": {"waits": edition.value}})

    async def mark_late(self, periods: Collection[str]) -> None:
        for period in sorted(periods):
            await self._late.update_one({"_id": period}, {"$inc": {"marks": 1}}, upsert=True)

    async def late(self) -> Mapping[str, int]:
        found = self._late.find({}).sort("_id", ASCENDING)
        return {document["_id"]: document["marks"] async for document in found}

    async def no_longer_late(self, period: str, marks: int) -> None:
        await self._late.delete_one({"_id": period, "marks": marks})


def _closing(document: Document) -> Closing:
    decided, figures = json.loads(document["closing"]), json.loads(document["figures"])
    return Closing.model_validate({**decided, "figures": figures})
