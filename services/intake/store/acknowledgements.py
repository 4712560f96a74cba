"""Which submissions' mails are still to be acknowledged, and how often their senders were."""

from datetime import datetime

from pymongo import ASCENDING

from services.intake.domain.acknowledging import DAY, Due, Given, Never, admit
from shared.runtime.mongo import Database, insert_new

DUE = "acknowledge"
"""Field of a submission whose mail is to be acknowledged: when to try next."""


class MongoAcknowledgements:
    """Fields of collection `submissions`: `acknowledge` is written together with the document.

    It gives way to `acknowledged`, when it was sent, or to `not_acknowledged`, why it never is.
    Collection `acknowledged_senders`: `_id` a keyed hash of an address, `given`, for a day.
    """

    def __init__(self, database: Database) -> None:
        self._submissions = database.get_collection("submissions")
        self._senders = database.get_collection("acknowledged_senders")

    async def prepare(self) -> None:
        await self._submissions.create_index([(DUE, ASCENDING)], sparse=True)
        await self._senders.create_index(
            [("last", ASCENDING)], expireAfterSeconds=int(DAY.total_seconds())
        )

    async def take(self, at: datetime, until: datetime) -> Due | None:
        """One that is due and that nobody else has taken, leased until then."""
        found = await self._submissions.find_one_and_update(
            {DUE: {"$lte": at}},
            {"$set": {DUE: until}},
            {"agency": 1, "kept": 1},
            sort=[(DUE, ASCENDING)],
        )
        return Due(found["_id"], found["agency"], found["kept"]) if found else None

    async def admit(self, recipient: str, name: str, at: datetime) -> bool:
        """Count it for its recipient, both keyed hashes; False: it would be one too many."""
        while True:
            found = await self._senders.find_one({"_id": recipient})
            given = [Given(g["name"], g["at"]) for g in found["given"]] if found else []
            admitted = admit(given, name, at)
            if admitted is None:
                return False
            fields = {"given": [{"name": g.name, "at": g.at} for g in admitted], "last": at}
            if found is None:
                new = {"_id": recipient, "version": 1, **fields}
                if not await insert_new(self._senders, [new]):
                    return True
                continue
            written = await self._senders.update_one(
                {"_id": recipient, "version": found["version"]},
                {"$set": fields, "$inc": {"version": 1}},
            )
            if written.matched_count:
                return True

    async def join(self, submission: str, name: str) -> bool:
        """A mail that answers this one belongs to the submission; False if it was erased."""
        joined = await self._submissions.update_one(
            {"_id": submission, DUE: {"$exists": True}}, {"$addToSet": {"thread": name}}
        )
        return joined.matched_count == 1

    async def postpone(self, submission: str, until: datetime) -> None:
        await self._submissions.update_one(
            {"_id": submission, DUE: {"$exists": True}}, {"$set": {DUE: until}}
        )

    async def done(self, submission: str, at: datetime) -> None:
        await self._submissions.update_one(
            {"_id": submission}, {"$set": {"acknowledged": at}, "$unset": {DUE: ""}}
        )

    async def never(self, submission: str, why: Never) -> None:
        await self._submissions.update_one(
            {"_id": submission}, {"$set": {"not_acknowledged": why.value}, "$unset": {DUE: ""}}
        )
