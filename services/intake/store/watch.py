"""How far each agency's own numbering has come, and when each channel was last heard."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pymongo import DESCENDING

from services.intake.domain.silence import Track, saw
from services.intake.handlers.ports import Feed
from shared.contracts.vocabulary import Channel
from shared.runtime.mongo import Database, Document, insert_new


class MongoFeeds:
    """Collection `feeds`: `_id` the agency, `contiguous`, `ahead`, `suspected`, `version`."""

    def __init__(self, database: Database) -> None:
        self._documents = database.get_collection("feeds")

    async def saw(self, numbers: Mapping[str, Sequence[int]]) -> None:
        """By agency: numbers that came. Replicas that write at once repeat, none overwrites."""
        for agency, came in numbers.items():
            while not await self._advanced(agency, came):
                pass

    async def all(self) -> Sequence[Feed]:
        return [
            Feed(
                agency=document["_id"],
                track=_track(document),
                suspected=tuple((a, b) for a, b in document.get("suspected", ())),
            )
            async for document in self._documents.find()
        ]

    async def suspect(self, agency: str, gaps: Sequence[tuple[int, int]]) -> None:
        await self._documents.update_one(
            {"_id": agency}, {"$set": {"suspected": [list(gap) for gap in gaps]}}
        )

    async def _advanced(self, agency: str, came: Sequence[int]) -> bool:
        """False if another replica wrote in between."""
        found = await self._documents.find_one({"_id": agency})
        track = _track(found) if found else Track()
        for number in came:
            track = saw(track, number)
        fields = {"contiguous": track.contiguous, "ahead": [list(part) for part in track.ahead]}
        if found is None:
            return not await insert_new(self._documents, [{"_id": agency, "version": 1, **fields}])
        written = await self._documents.update_one(
            {"_id": agency, "version": found["version"]},
            {"$set": fields, "$inc": {"version": 1}},
        )
        return written.matched_count == 1


class MongoHeard:
    """Asks collection `submissions` when each channel was last heard."""

    def __init__(self, database: Database) -> None:
        self._submissions = database.get_collection("submissions")

    async def last(self, agency: str, channel: Channel) -> datetime | None:
        found = await self._submissions.find_one(
            {"agency": agency, "event.data.channel": channel.value},
            {"kept": 1},
            sort=[("kept", DESCENDING)],
        )
        kept: datetime | None = found["kept"] if found else None
        return kept


def _track(document: Document) -> Track:
    return Track(document["contiguous"], tuple((a, b) for a, b in document["ahead"]))
