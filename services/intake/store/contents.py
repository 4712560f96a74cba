"""What is kept sealed, to be opened again or never more."""

from collections.abc import Mapping, Sequence

from pymongo import ASCENDING

from services.intake.handlers.ports import Opening, Protected, Reading, Speaker, Utterance
from services.intake.store.acknowledgements import DUE
from services.intake.store.sealed import SealedParts
from services.intake.store.submissions import UNPLACED
from services.intake.vault import Sealed
from shared.contracts import SubmissionErased
from shared.contracts.envelope import AnyEvent, Event
from shared.runtime.mongo import Database, insert_new

ERASED_FIELDS = ("sealed", "thread", "sender", "matter", UNPLACED, DUE)


class MongoContents:
    """Reads the sealed parts of collections `submissions` and `conversations`."""

    def __init__(self, database: Database) -> None:
        self._submissions = database.get_collection("submissions")
        self._conversations = database.get_collection("conversations")
        self._parts = SealedParts(database)

    async def parts(self, submission: str, names: Sequence[str]) -> Mapping[str, Sealed] | None:
        """These parts, as far as there are any; none once erased; None if it is unknown."""
        wanted = {f"sealed.{name}": 1 for name in names}
        found = await self._submissions.find_one({"_id": submission}, wanted)
        if found is None:
            return None
        return {
            name: await self._parts.find(part) for name, part in found.get("sealed", {}).items()
        }

    async def conversation(self, submission: str) -> Sequence[Utterance]:
        """What was said on it since, oldest first."""
        found = self._conversations.find({"submission": submission}).sort("kept", ASCENDING)
        return [
            Utterance(
                by=Speaker(document["by"]),
                at=document["kept"],
                parts={
                    name: await self._parts.find(part)
                    for name, part in document.get("sealed", {}).items()
                },
            )
            async for document in found
        ]


class MongoOpenings:
    """Collection `openings`: who asked who spoke, when, for which case; the reason sealed."""

    def __init__(self, database: Database) -> None:
        self._documents = database.get_collection("openings")
        self._parts = SealedParts(database)

    async def prepare(self) -> None:
        await self._documents.create_index([("case", ASCENDING), ("at", ASCENDING)])

    async def keep(self, opening: Opening) -> None:
        document = {
            "_id": opening.id,
            "case": opening.case,
            "body": opening.body,
            "person": opening.person,
            "at": opening.at,
            "sealed": await self._parts.kept({"reason": opening.reason}),
        }
        await insert_new(self._documents, [document])


class MongoReadings:
    """Collection `readings`: who was told what was said on which case, when; only ever added."""

    def __init__(self, database: Database) -> None:
        self._documents = database.get_collection("readings")

    async def prepare(self) -> None:
        await self._documents.create_index([("case", ASCENDING), ("at", ASCENDING)])

    async def keep(self, reading: Reading) -> None:
        document = {
            "_id": reading.id,
            "case": reading.case,
            "body": reading.body,
            "person": reading.person,
            "at": reading.at,
        }
        await insert_new(self._documents, [document])

    async def of(self, case: str) -> Sequence[Reading]:
        found = self._documents.find({"case": case}, {"_id": 0}).sort("at", ASCENDING)
        return [Reading(**document) async for document in found]


class MongoProtections:
    """Fields `held` and `erased` of collection `submissions`."""

    def __init__(self, database: Database) -> None:
        self._submissions = database.get_collection("submissions")
        self._conversations = database.get_collection("conversations")
        self._receipts = database.get_collection("receipts")
        self._openings = database.get_collection("openings")
        self._cases = database.get_collection("cases")
        self._parts = SealedParts(database)

    async def of(self, submission: str) -> Protected | None:
        """None for a submission that nobody knows."""
        found = await self._submissions.find_one({"_id": submission}, {"held": 1, "erased": 1})
        if found is None:
            return None
        erased = found.get("erased")
        return Protected(
            held=found.get("held"),
            erased=Event[SubmissionErased].model_validate(erased) if erased else None,
        )

    async def hold(self, submission: str, citation: str | None) -> None:
        """Hold it, or release it with None."""
        change = {"$set": {"held": citation}} if citation else {"$unset": {"held": ""}}
        await self._submissions.update_one({"_id": submission}, change)

    async def erase(self, submission: str, event: AnyEvent) -> bool:
        """Mark it erased and take away everything but its counts and keyed hashes, once.

        The event stands with it. False, and nothing is done, if it is held.
        """
        before = await self._submissions.find_one_and_update(
            {"_id": submission, "held": None},
            {
                "$set": {"erased": event.model_dump(mode="json")},
                "$unset": dict.fromkeys(ERASED_FIELDS, ""),
            },
        )
        if before is None:
            return False
        await self._parts.remove(before.get("sealed", {}))
        async for said in self._conversations.find({"submission": submission}):
            await self._parts.remove(said.get("sealed", {}))
        await self._conversations.update_many(
            {"submission": submission}, {"$unset": {"sealed": ""}}
        )
        cases = [c["_id"] async for c in self._cases.find({"submission": submission}, {"_id": 1})]
        await self._openings.update_many({"case": {"$in": cases}}, {"$unset": {"sealed": ""}})
        await self._receipts.delete_many({"submission": submission})
        return True
