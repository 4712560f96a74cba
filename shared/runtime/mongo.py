"""Opens a service's own database, and says what its errors mean.

Only this module and the services' stores know the driver (motor); see the ADR on the way out.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from motor.motor_asyncio import (
    AsyncIOMotorClient,
    AsyncIOMotorCollection,
    AsyncIOMotorDatabase,
    AsyncIOMotorGridFSBucket,
)
from pymongo import WriteConcern
from pymongo.errors import BulkWriteError, ConnectionFailure, ExecutionTimeout, PyMongoError
from pymongo.read_concern import ReadConcern

Document = dict[str, Any]
Client = AsyncIOMotorClient[Document]
Database = AsyncIOMotorDatabase[Document]
Collection = AsyncIOMotorCollection[Document]
Files = AsyncIOMotorGridFSBucket

JOURNALED_MAJORITY = WriteConcern("majority", j=True, wtimeout=10_000)
"""The only write after which something counts as kept."""

UNAVAILABLE: tuple[type[Exception], ...] = (ConnectionFailure, ExecutionTimeout)
"""The store is away for now; nothing is wrong with what was being kept."""

DUPLICATE_KEY = 11000


def open_client(url: str) -> Client:
    """Connects lazily; operations give up after 5 s without a server."""
    return AsyncIOMotorClient(
        url,
        tz_aware=True,
        serverSelectionTimeoutMS=5_000,
        connectTimeoutMS=5_000,
        appname="langnghe",
    )


def open_database(client: Client, name: str) -> Database:
    """The database of one service: majority, journalled writes, majority reads."""
    return client.get_database(
        name, write_concern=JOURNALED_MAJORITY, read_concern=ReadConcern("majority")
    )


def open_files(database: Database, name: str) -> Files:
    """Large contents of a database, in GridFS: majority, journalled writes, majority reads."""
    return AsyncIOMotorGridFSBucket(database, name, write_concern=JOURNALED_MAJORITY)


async def insert_new(
    collection: Collection, documents: Sequence[Mapping[str, Any]]
) -> frozenset[int]:
    """Insert each document unless a unique index knows it; majority, journalled.

    Returns the positions of those that were there already. Any other error rises.
    """
    if not documents:
        return frozenset()
    try:
        await collection.insert_many([dict(d) for d in documents], ordered=False)
    except BulkWriteError as error:
        details = error.details
        if details.get("writeConcernErrors"):
            raise
        failures = details["writeErrors"]
        if any(failure["code"] != DUPLICATE_KEY for failure in failures):
            raise
        return frozenset(failure["index"] for failure in failures)
    return frozenset()


__all__ = [
    "DUPLICATE_KEY",
    "JOURNALED_MAJORITY",
    "UNAVAILABLE",
    "Client",
    "Collection",
    "Database",
    "Document",
    "Files",
    "PyMongoError",
    "insert_new",
    "open_client",
    "open_database",
    "open_files",
]
