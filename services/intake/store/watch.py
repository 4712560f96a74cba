"""How far each agency's own numbering has come, and when each channel was last heard."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pymongo import ASCENDING, DESCENDING

from services.intake.domain.heartbeat import Gap, Listening, listening
from services.intake.domain.silence import Track, passed_over, saw
from services.intake.handlers.ports import Feed, Sign
from shared.contracts.vocabulary import Channel
from shared.runtime.mongo import Database, Document, insert_new

LOOKS = "feeds"
"""`_id` of the one document of collection `looks`."""


class MongoFeeds:
    """Collection `feeds`: one document per agency that numbers or sends heartbeats, `_id` its code.

    `contiguous` and `ahead` (its track), `heard`, `version`; `beats` if it has sent a heartbeat;
    `broken` if a number is missing, and `gaps` (`[first, last, noticed]`) of the last look.
    Collection `looks`: `since` and `looked`, from when to when there was no lapse.
    """

    def __init__(self, database: Database) -> None:
        self._documents = database.get_collection("feeds")
        self._looks = database.get_collection("looks")

    async def prepare(self) -> None:
        await self._documents.create_index([("broken", ASCENDING)], sparse=True)
        await self._documents.create_index([("beats", ASCENDING), ("heard", ASCENDING)])

    async def saw(self, signs: Mapping[str, Sign]) -> None:
        """By agency: signs that came. Replicas that write at once repeat, none overwrites."""
        for agency, sign in signs.items():
            while not await self._advanced(agency, sign):
                pass

    async def broken(self) -> Sequence[Feed]:
        return [_feed(document) async for document in self._documents.find({"broken": True})]

    async def notice(self, agency: str, gaps: Sequence[Gap]) -> None:
        written = [[gap.first, gap.last, gap.noticed] for gap in gaps]
        await self._documents.update_one({"_id": agency}, {"$set": {"gaps": written}})

    async def pass_over(self, agency: str, gaps: Sequence[Gap]) -> None:
        numbers = [range(gap.first, gap.last + 1) for gap in gaps]
        while (found := await self._documents.find_one({"_id": agency})) is not None:
            if await self._replaced(found, passed_over(_track(found), numbers), {}):
                return

    async def quiet(self, before: datetime) -> Sequence[Feed]:
        found = self._documents.find({"beats": True, "heard": {"$lte": before}})
        return [_feed(document) async for document in found]

    async def listening(self, at: datetime) -> datetime:
        found = await self._looks.find_one({"_id": LOOKS})
        now = listening(Listening(found["since"], found["looked"]) if found else None, at)
        fields = {"since": now.since, "looked": now.looked}
        await self._looks.update_one({"_id": LOOKS}, {"$set": fields}, upsert=True)
        return now.since

    async def _advanced(self, agency: str, sign: Sign) -> bool:
        """False if another replica wrote in between."""
        found = await self._documents.find_one({"_id": agency})
        if found is None:
            first = {"_id": agency, "version": 0, "contiguous": 0, "ahead": []}
            await insert_new(self._documents, [{**first, "heard": sign.heard}])
            return False
        track = _track(found)
        for number in sign.numbers:
            track = saw(track, number)
        fields: Document = {"heard": max(found["heard"], sign.heard)}
        if sign.beats:
            fields["beats"] = True
        return await self._replaced(found, track, fields)

    async def _replaced(self, found: Document, track: Track, more: Document) -> bool:
        fields = {
            "contiguous": track.contiguous,
            "ahead": [list(part) for part in track.ahead],
            **({"broken": True} if track.ahead else {}),
            **more,
        }
        change: Document = {"$set": fields, "$inc": {"version": 1}}
        if not track.ahead:
            change["$unset"] = {"broken": True, "gaps": True}
        written = await self._documents.update_one(
            {"_id": found["_id"], "version": found["version"]}, change
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


def _feed(document: Document) -> Feed:
    return Feed(
        agency=document["_id"],
        track=_track(document),
        heard=document["heard"],
        gaps=tuple(Gap(*gap) for gap in document.get("gaps", ())),
    )


def _track(document: Document) -> Track:
    return Track(document["contiguous"], tuple((a, b) for a, b in document["ahead"]))
