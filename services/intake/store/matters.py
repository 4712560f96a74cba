"""By which words a submission is found again, in hashes that nobody can ask for a text."""

from array import array
from collections.abc import Sequence

from pymongo import ASCENDING, UpdateOne

from services.intake.handlers.relating import Signature, Unplaced
from services.intake.store.submissions import UNPLACED, standing_of
from shared.runtime.mongo import Database

MOST_NEAR = 500
"""For one batch: a form letter that thousands send must not cost more with each of them."""


class MongoMatters:
    """Fields `matter.signature`, `matter.unit`, `matter.bands`, `unplaced` of `submissions`."""

    def __init__(self, database: Database) -> None:
        self._documents = database.get_collection("submissions")

    async def prepare(self) -> None:
        for field in ("matter.bands", UNPLACED):
            await self._documents.create_index([(field, ASCENDING)], sparse=True)

    async def unplaced(self, limit: int) -> Sequence[Unplaced]:
        """Those that were not compared yet, the oldest first."""
        found = self._documents.find({UNPLACED: True}, {"event": 1, "matter": 1}, limit=limit)
        return [
            Unplaced(
                standing_of(document).event,
                document["matter"]["unit"],
                _numbers(document["matter"]["signature"]),
            )
            async for document in found
        ]

    async def near(self, bands: Sequence[int]) -> Sequence[tuple[str, Sequence[int], Signature]]:
        """Some placed submissions that share a band, with bands and signatures; bounded."""
        found = self._documents.find(
            {"matter.bands": {"$in": list(bands)}}, {"matter": 1}, limit=MOST_NEAR
        )
        return [
            (d["_id"], d["matter"]["bands"], _numbers(d["matter"]["signature"]))
            async for d in found
        ]

    async def place(self, bands: Sequence[tuple[str, Sequence[int]]]) -> None:
        """From now on these submissions are found by their bands."""
        await self._documents.bulk_write(
            [
                UpdateOne(
                    {"_id": submission, UNPLACED: True},
                    {"$set": {"matter.bands": list(its)}, "$unset": {UNPLACED: ""}},
                )
                for submission, its in bands
            ],
            ordered=False,
        )


def _numbers(signature: bytes) -> Signature:
    numbers = array("I")
    numbers.frombytes(signature)
    return tuple(numbers)
