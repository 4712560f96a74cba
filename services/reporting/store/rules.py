"""Reporting's own copy of the directory and the rulebook."""

from collections.abc import Sequence
from datetime import datetime

from pymongo import DESCENDING

from services.reporting.ports import RulesInForce, RulesMissing
from shared.contracts import DirectoryPublished, RulebookPublished
from shared.contracts.envelope import Event
from shared.runtime.mongo import Database, Document, insert_new


class MongoRules:
    """Collections `directories` and `rulebooks`: every version, `_id` its number.

    `recorded` is when it was recorded; one that was kept without it was known at any time.
    """

    def __init__(self, database: Database) -> None:
        self._directories = database.get_collection("directories")
        self._rulebooks = database.get_collection("rulebooks")

    async def add_once(
        self,
        directories: Sequence[Event[DirectoryPublished]],
        rulebooks: Sequence[Event[RulebookPublished]],
    ) -> None:
        await insert_new(self._directories, [_version(d) for d in directories])
        await insert_new(self._rulebooks, [_version(r) for r in rulebooks])

    async def latest(self) -> RulesInForce:
        return await self._newest({}, {})

    async def as_known(self, at: datetime) -> RulesInForce:
        by_then = {"recorded": {"$not": {"$gt": at}}}
        return await self._newest(by_then, by_then)

    async def versions(self, directory: int, rulebook: int) -> RulesInForce:
        return await self._newest({"_id": directory}, {"_id": rulebook})

    async def _newest(self, directory: Document, rulebook: Document) -> RulesInForce:
        newest: list[tuple[str, int]] = [("_id", DESCENDING)]
        units = await self._directories.find_one(directory, sort=newest)
        book = await self._rulebooks.find_one(rulebook, sort=newest)
        if units is None or book is None:
            raise RulesMissing
        return RulesInForce(
            DirectoryPublished.model_validate(units["content"]),
            RulebookPublished.model_validate(book["content"]),
        )


def _version(event: Event[DirectoryPublished] | Event[RulebookPublished]) -> Document:
    return {
        "_id": event.data.version,
        "recorded": event.recordedtime or event.time,
        "content": event.data.model_dump(mode="json"),
    }
