"""What became of every sending."""

from collections.abc import Sequence

from pymongo import ASCENDING

from services.intake.handlers.ports import ArrivalFate
from services.intake.store.sealed import SealedParts
from shared.contracts.ingress import Fate, FatesAsked, ItemFate, Refused
from shared.runtime.mongo import Database, Document, insert_new


class MongoArrivals:
    """Collection `arrivals`: what became of every sending, `_id` the arrival's key.

    One that became no submission keeps the message itself, sealed as a part named by its fate,
    and, if it was refused, the refusal.
    """

    def __init__(self, database: Database) -> None:
        self._documents = database.get_collection("arrivals")
        self._parts = SealedParts(database)

    async def prepare(self) -> None:
        await self._documents.create_index([("party", ASCENDING), ("item", ASCENDING)])
        await self._documents.create_index([("party", ASCENDING), ("sequence", ASCENDING)])
        await self._documents.create_index([("party", ASCENDING), ("submission", ASCENDING)])

    async def note(self, fates: Sequence[ArrivalFate]) -> None:
        """Write each down once; a redelivery changes nothing."""
        documents = []
        for fate in fates:
            sealed = {fate.fate.value: fate.sealed} if fate.sealed else {}
            documents.append(_noted(fate, await self._parts.kept(sealed)))
        await insert_new(self._documents, documents)

    async def fates(self, party: str, asked: FatesAsked) -> Sequence[ItemFate]:
        wanted: list[Document] = []
        if asked.items:
            wanted.append({"party": party, "item": {"$in": list(asked.items)}})
        if asked.sequences:
            wanted.append({"party": party, "sequence": {"$in": list(asked.sequences)}})
        if not wanted:
            return []
        return [_told(d) async for d in self._documents.find({"$or": wanted}, {"sealed": 0})]

    async def fed(self) -> int:
        """How many sendings of the feed were decided; it counts keys of the index alone."""
        of_feed = {"_id": {"$gte": "feed:", "$lt": "feed;"}}
        return int(await self._documents.count_documents(of_feed))

    async def fate(self, party: str, submission: str) -> ItemFate | None:
        """What became of a party's own item, by its submission: its first sending's fate."""
        found = await self._documents.find_one(
            {"party": party, "submission": submission}, {"sealed": 0}, sort=[("recorded", 1)]
        )
        return _told(found) if found else None


def _told(document: Document) -> ItemFate:
    refusal = document.get("refusal")
    return ItemFate(
        item=document["item"],
        sequence=document["sequence"],
        fate=Fate(document["fate"]),
        submission=document.get("submission"),
        refusal=Refused.model_validate(refusal) if refusal else None,
    )


def _noted(fate: ArrivalFate, sealed: Document) -> Document:
    document: Document = {
        "_id": fate.arrival.key,
        "party": fate.arrival.party,
        "type": fate.arrival.type,
        "sequence": fate.arrival.sequence,
        "recorded": fate.arrival.recorded,
        "item": fate.item,
        "fate": fate.fate.value,
    }
    if fate.subject is not None:
        document["submission"] = fate.subject
    if fate.refusal is not None:
        document["refusal"] = fate.refusal.model_dump(mode="json")
    if sealed:
        document["sealed"] = sealed
    return document
