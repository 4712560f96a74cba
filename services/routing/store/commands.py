"""Sendings of commands, and what became of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from pymongo import ASCENDING, IndexModel, UpdateOne

from services.routing.domain.command import Sending
from services.routing.store.documents import sending_document, sending_of
from shared.contracts.ingress import Fate, FatesAsked
from shared.runtime.mongo import Database, insert_new


class MongoCommands:
    """Collection `commands`: one document per sending of a command, `_id` its key.

    Holds party, command id, stream sequence, fate, digest of the order, and the announced
    events word for word. That a command acts once is the case's promise, not this ledger's:
    a ledger entry may be missing where a process died after it had moved the case.
    """

    def __init__(self, database: Database) -> None:
        self._commands = database.get_collection("commands")

    async def prepare(self) -> None:
        """Create the indexes; again is harmless."""
        await self._commands.create_indexes(
            [
                IndexModel([("party", ASCENDING), ("item", ASCENDING), ("sequence", ASCENDING)]),
                IndexModel([("party", ASCENDING), ("sequence", ASCENDING)]),
            ]
        )

    async def known(self, keys: Iterable[str]) -> Mapping[str, Sending]:
        found = self._commands.find({"_id": {"$in": list(keys)}})
        return {document["_id"]: sending_of(document) async for document in found}

    async def acted(self, commands: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], Sending]:
        items: dict[str, list[str]] = defaultdict(list)
        for party, item in commands:
            items[party].append(item)
        if not items:
            return {}
        asked = [{"party": party, "item": {"$in": names}} for party, names in items.items()]
        found = self._commands.find({"$or": asked, "fate": Fate.KEPT.value})
        sendings = [sending_of(document) async for document in found]
        return {(sending.party, sending.item): sending for sending in sendings}

    async def add_once(self, sendings: Sequence[Sending]) -> Sequence[Sending]:
        known = await insert_new(self._commands, [sending_document(s) for s in sendings])
        if not known:
            return list(sendings)
        # Two processes may have had the same sending at once. The one that moved the case is right.
        moved = [
            UpdateOne({"_id": sending.key}, {"$set": sending_document(sending)})
            for position in known
            if (sending := sendings[position]).fate is Fate.KEPT
        ]
        if moved:
            await self._commands.bulk_write(moved, ordered=False)
        keys = {sendings[position].key for position in known}
        standing = await self.known(keys)
        return [standing[s.key] if s.key in keys else s for s in sendings]

    async def told(self, party: str, asked: FatesAsked) -> Sequence[Sending]:
        wanted = [
            {"party": party, "item": {"$in": list(asked.items)}},
            {"party": party, "sequence": {"$in": list(asked.sequences)}},
        ]
        found = self._commands.find({"$or": wanted}).sort(
            [("sequence", ASCENDING), ("_id", ASCENDING)]
        )
        return [sending_of(document) async for document in found]
