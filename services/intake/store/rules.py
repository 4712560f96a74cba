"""Intake's own copies of the directory and the rulebook."""

from collections.abc import Sequence

from services.intake.handlers.ports import Rules, RulesMissing
from shared.contracts import DirectoryPublished, RulebookPublished
from shared.runtime.mongo import Collection, Database, Document, insert_new


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
