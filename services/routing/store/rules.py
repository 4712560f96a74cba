"""Versions of the directory, the rulebook and the calendar."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from pymongo import DESCENDING

from services.routing.domain.calendar import WorkingDays
from services.routing.domain.directory import DirectoryIndex
from services.routing.domain.rules import RulePublished, RulesInForce
from shared.contracts.directory import Directory, DirectoryPublished
from shared.contracts.rulebook import Calendar, CalendarPublished, Rulebook, RulebookPublished
from shared.runtime.mongo import Collection, Database, Document, insert_new


class MongoRules:
    """Collections `directories`, `rulebooks`, `calendars`: one document per version, its `_id`.

    The latest versions stay parsed in memory; each question reads only their numbers.
    """

    def __init__(self, database: Database) -> None:
        self._directories = database.get_collection("directories")
        self._rulebooks = database.get_collection("rulebooks")
        self._calendars = database.get_collection("calendars")
        self._latest: RulesInForce | None = None

    async def add_once(self, published: Sequence[RulePublished]) -> None:
        fresh: dict[str, dict[int, Document]] = defaultdict(dict)
        for event in published:
            collection, content = self._place(event)
            document = {"_id": event.data.version, "content": content.model_dump(mode="json")}
            fresh[collection.name].setdefault(event.data.version, document)
        for collection in (self._directories, self._rulebooks, self._calendars):
            await insert_new(collection, list(fresh[collection.name].values()))

    async def latest(self) -> RulesInForce | None:
        directory, rulebook, calendar = await asyncio.gather(
            _latest_version(self._directories),
            _latest_version(self._rulebooks),
            _latest_version(self._calendars),
        )
        if directory is None or rulebook is None or calendar is None:
            return None
        kept = self._latest
        self._latest = RulesInForce(
            directory=kept.directory
            if kept and kept.directory_version == directory
            else DirectoryIndex(
                Directory.model_validate(await _content(self._directories, directory))
            ),
            directory_version=directory,
            rulebook=kept.rulebook
            if kept and kept.rulebook_version == rulebook
            else Rulebook.model_validate(await _content(self._rulebooks, rulebook)),
            rulebook_version=rulebook,
            working_days=kept.working_days
            if kept and kept.calendar_version == calendar
            else WorkingDays(Calendar.model_validate(await _content(self._calendars, calendar))),
            calendar_version=calendar,
        )
        return self._latest

    def _place(self, event: RulePublished) -> tuple[Collection, Directory | Rulebook | Calendar]:
        match event.data:
            case DirectoryPublished(directory=directory):
                return self._directories, directory
            case RulebookPublished(rulebook=rulebook):
                return self._rulebooks, rulebook
            case CalendarPublished(calendar=calendar):
                return self._calendars, calendar


async def _latest_version(collection: Collection) -> int | None:
    document = await collection.find_one({}, {"_id": 1}, sort=[("_id", DESCENDING)])
    return document["_id"] if document else None


async def _content(collection: Collection, version: int) -> object:
    document = await collection.find_one({"_id": version})
    return document["content"] if document else None
