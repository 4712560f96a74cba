"""Which submission a receipt code is for; only slow hashes are kept."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b

from services.intake.domain.receipt import code_for, lookup_hash, slow_hash
from shared.runtime.mongo import Database, insert_new

THREADS = 2
"""Slow hashes at once, 19 MiB each."""


class MongoReceipts:
    """Collection `receipts`: `_id` the slow hash of a code, and its `submission`."""

    def __init__(self, database: Database, key: bytes) -> None:
        self._documents = database.get_collection("receipts")
        self._key = key
        self._pepper = blake2b(b"pepper", key=key, digest_size=32).digest()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="receipt")

    async def give(self, submission: str) -> str:
        """The submission's code, in digits; the same each time."""
        code = code_for(submission, self._key)
        hashed = await self._in_thread(slow_hash, code)
        await insert_new(self._documents, [{"_id": hashed, "submission": submission}])
        return code

    async def find(self, code: str) -> str | None:
        """Always one slow hash and one look: unknown and malformed codes cost the same."""
        hashed = await self._in_thread(lookup_hash, code)
        found = await self._documents.find_one({"_id": hashed})
        return found["submission"] if found else None

    async def _in_thread(self, hashing: Callable[[str, bytes], bytes], code: str) -> bytes:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, hashing, code, self._pepper)
