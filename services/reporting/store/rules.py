"""Reporting's own copy of the directory and the rulebook."""

from collections.abc import Sequence

from pymongo import DESCENDING

from services.reporting.ports import RulesInForce, RulesMissing
from shared.contracts import DirectoryPublished, RulebookPublished
from shared.runtime.mongo import Database, Document, insert_new


class MongoRules:
    """Collections `directories` and `rulebooks`: every version, `_id` its number."""

    def __init__(self, database: Database) -> None:
        self._directories = database.get_collection("directories")
        self._rulebooks = database.get_collection("rulebooks")

    async def add_once(
        self, directories: Sequence[DirectoryPublished], rulebooks: Sequence[RulebookPublished]
    ) -> None:
        await insert_new(self._directories, [_version(d) for d in directories])
        await insert_new(self._rulebooks, [_version(r) for r in rulebooks])

    async def latest(self) -> RulesInForce:
        directory = await self._directories.find_one({}, sort=[("_id", DESCENDING)])
        rulebook = await self._rulebooks.find_one({}, sort=[("_id", DESCENDING)])
        if directory is None or rulebook is None:
            raise RulesMissing
        return RulesInForce(
            DirectoryPublished.model_validate(directory["content"]),
            RulebookPublished.model_validate(rulebook["content"]),
        )

    async def versions(self, directory: int, rulebook: int) -> RulesInForce:
        units = await self._directories.find_one({"_id": directory})
        book = await self._rulebooks.find_one({"_id": rulebook})
        if units is None or book is None:
            raise RulesMissing
        return RulesInForce(
            DirectoryPublished.model_validate(units["content"]),
            RulebookPublished.model_validate(book["content"]),
        )


def _version(published: DirectoryPublished | RulebookPublished) -> Document:
    return {"_id": published.version, "content": published.model_dump(mode="json")}
