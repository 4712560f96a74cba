"""What became of each sending of an order."""

from collections.abc import Iterable, Mapping, Sequence

from pymongo import ASCENDING

from services.reporting.ports import Sending
from shared.contracts import Refused
from shared.contracts.envelope import Event
from shared.contracts.ingress import Fate, FatesAsked
from shared.runtime.mongo import Database, Document, insert_new


class MongoSendings:
    """Collection `commands`: one document per sending of a command, `_id` its key."""

    def __init__(self, database: Database) -> None:
        self._commands = database.get_collection("commands")

    async def prepare(self) -> None:
        await self._commands.create_index([("party", ASCENDING), ("item", ASCENDING)])
        await self._commands.create_index([("party", ASCENDING), ("sequence", ASCENDING)])

    async def known(self, keys: Iterable[str]) -> Mapping[str, Sending]:
        found = self._commands.find({"_id": {"$in": list(keys)}})
        return {document["_id"]: _sending(document) async for document in found}

    async def add_once(self, sending: Sending) -> None:
        refusal = sending.refusal.model_dump(mode="json") if sending.refusal else None
        document = {
            "_id": sending.key,
            "party": sending.party,
            "item": sending.item,
            "sequence": sending.sequence,
            "fate": sending.fate.value,
            "period": sending.period,
            "refusal": refusal,
        }
        await insert_new(self._commands, [document])

    async def told(self, party: str, asked: FatesAsked) -> Sequence[Sending]:
        wanted = [
            {"party": party, "item": {"$in": list(asked.items)}},
            {"party": party, "sequence": {"$in": list(asked.sequences)}},
        ]
        found = self._commands.find({"$or": wanted}).sort("sequence", ASCENDING)
        return [_sending(document) async for document in found]


def _sending(document: Document) -> Sending:
    refusal = document["refusal"]
    return Sending(
        key=document["_id"],
        party=document["party"],
        item=document["item"],
        sequence=document["sequence"],
        fate=Fate(document["fate"]),
        period=document["period"],
        refusal=Event[Refused].model_validate(refusal) if refusal else None,
    )
