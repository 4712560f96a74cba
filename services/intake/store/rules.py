"""Intake's own copies of the directory and the rulebook."""

from collections.abc import Sequence

from services.intake.handlers.ports import Rules, RulesMissing
from shared.contracts import CalendarPublished, DirectoryPublished, RulebookPublished
from shared.runtime.mongo import Collection, Database, Document, insert_new


class MongoRules:
    """Collections `directories`, `rulebooks` and `calendars`: every version, `_id` its number."""

    def __init__(self, database: Database) -> None:
        self._directories = database.get_collection("directories")
        self._rulebooks = database.get_collection("rulebooks")
        self._calendars = database.get_collection("calendars")
        self._latest: Rules | None = None
        self._newest: tuple[int | None, ...] = ()

    async def keep(
        self,
        directories: Sequence[DirectoryPublished],
        rulebooks: Sequence[RulebookPublished],
        calendars: Sequence[CalendarPublished] = (),
    ) -> None:
        for collection, published in (
            (self._directories, directories),
            (self._rulebooks, rulebooks),
            (self._calendars, calendars),
        ):
            await insert_new(
                collection,
                [{"_id": p.version, "content": p.model_dump(mode="json")} for p in published],
            )

    async def latest(self) -> Rules:
        """The newest versions; raises `RulesMissing` before the first of either."""
        versions = [
            await collection.find_one({}, {"_id": 1}, sort=[("_id", -1)])
            for collection in (self._directories, self._rulebooks, self._calendars)
        ]
        directory, rulebook, calendar = newest = tuple(f["_id"] if f else None for f in versions)
        if directory is None or rulebook is None:
            raise RulesMissing
        if self._latest is None or self._newest != newest:
            self._newest = newest
            self._latest = Rules(
                DirectoryPublished.model_validate(await _content(self._directories, directory)),
                RulebookPublished.model_validate(await _content(self._rulebooks, rulebook)),
                CalendarPublished.model_validate(await _content(self._calendars, calendar))
                if calendar is not None
                else None,
            )
        return self._latest


async def _content(collection: Collection, version: int) -> Document:
    found = await collection.find_one({"_id": version})
    if found is None:
        raise RulesMissing
    content: Document = found["content"]
    return content
