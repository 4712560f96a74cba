"""What older databases lack and can have again without anybody's help.

Receipts, since a code is derived and never lay in a database; and what intake found by itself and
announced, since it stands in the log whole. Were the latter found again, at another time, two
events would have one id.
"""

from base64 import b64decode
from collections.abc import Sequence

import orjson

from deploy.connection import Endpoints
from deploy.verify.seen import OF_ITSELF, Seen
from services.intake.handlers.ports import KeptRecord
from services.intake.store import MongoReceipts, MongoRecords
from shared.runtime.mongo import open_client, open_database

KEK, RECEIPT = "intake.kek", "receipt"


async def reissue(endpoints: Endpoints, submissions: Sequence[str]) -> int:
    """Let the codes of these submissions be known; how many. None without the folder of keys.

    Whoever asks under one is told what became of the case, and may say it all again under it.
    """
    kek = endpoints.keys / KEK if endpoints.keys is not None else None
    if kek is None or not kek.exists() or not submissions:
        return 0
    key = b64decode(orjson.loads(kek.read_bytes())[RECEIPT])
    mongo = open_client(endpoints.mongo)
    try:
        receipts = MongoReceipts(open_database(mongo, f"{endpoints.mongo_prefix}_intake"), key)
        for submission in submissions:
            await receipts.give(submission)
    finally:
        mongo.close()
    return len(submissions)


async def keep_again(endpoints: Endpoints, seen: Seen) -> int:
    """Keep as announced what intake announced of itself and does not keep; how many."""
    count = 0
    mongo = open_client(endpoints.mongo)
    try:
        intake = open_database(mongo, f"{endpoints.mongo_prefix}_intake")
        for name, types in OF_ITSELF.items():
            lost = [
                KeptRecord(key, f"log:{key}", event)
                for key, event in seen.said(*types).items()
                if key not in getattr(seen.intake, name)
            ]
            await MongoRecords(intake, name).add_once(lost)
            count += len(lost)
    finally:
        mongo.close()
    return count
