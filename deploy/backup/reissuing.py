"""Receipts of what was lost are known again: a code is derived, and never lay in a database."""

from base64 import b64decode
from collections.abc import Sequence

import orjson

from deploy.connection import Endpoints
from services.intake.store import MongoReceipts
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
