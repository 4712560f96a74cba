"""Databases as files of BSON and back, byte by byte, with their indexes.

All are read as of one moment of the replica set. The folder is the one that `mongodump` makes.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from bson import CodecOptions, json_util
from bson.raw_bson import RawBSONDocument

from shared.runtime.mongo import Client, Database, PyMongoError, open_client, open_database

SERVICES = ("intake", "routing", "reporting")
KEYS = ("intake_keys",)
"""Wrapped data keys: never in one archive with what they open."""
RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument, tz_aware=True)
BATCH_BYTES = 8 * 1024 * 1024
LENGTH_BYTES = 4
DOCUMENTS, METADATA = ".bson", ".metadata.json"


class NotRead(Exception):
    """The databases could not be read as of one moment; the text says why."""


async def write_databases(
    url: str, prefix: str, targets: Mapping[Path, Sequence[str]]
) -> dict[Path, dict[str, int]]:
    """Write `<prefix>_<database>` to each folder, and answer how many documents it has of each.

    `targets` says which databases go to which folder; all are of one moment.
    """
    mongo = open_client(url)
    try:
        before = await _names(mongo, prefix, targets)
        async with await mongo.start_session(snapshot=True) as session:
            counts = {
                folder: {
                    f"{name}/{collection}": await _write(
                        mongo[f"{prefix}_{name}"], collection, folder / name, session
                    )
                    for name in names
                    for collection in before[name]
                }
                for folder, names in targets.items()
            }
        if await _names(mongo, prefix, targets) != before:
            raise NotRead("A collection was made meanwhile: back up again.")
    except PyMongoError as error:
        raise NotRead(
            f"MongoDB could not be read as of one moment ({type(error).__name__}). If reading "
            "takes longer than five minutes, raise minSnapshotHistoryWindowInSeconds."
        ) from None
    finally:
        mongo.close()
    return counts


async def read_databases(url: str, prefix: str, folder: Path, counts: Mapping[str, int]) -> None:
    """Put back every collection that `counts` names; raises `NotRead` if one is not whole."""
    mongo = open_client(url)
    try:
        for place, count in sorted(counts.items()):
            database, _, collection = place.partition("/")
            await _read(mongo, f"{prefix}_{database}", collection, folder / database)
            target = open_database(mongo, f"{prefix}_{database}").get_collection(collection)
            if (found := await target.count_documents({})) != count:
                raise NotRead(f"{place} came back with {found} documents of {count}.")
    except PyMongoError as error:
        raise NotRead(f"MongoDB did not take everything ({type(error).__name__}).") from None
    finally:
        mongo.close()


async def filled(url: str, prefix: str, names: Sequence[str]) -> list[str]:
    """The collections of these databases that hold anything."""
    mongo = open_client(url)
    try:
        found = await _names(mongo, prefix, {Path(): names})
        return [
            f"{name}/{collection}"
            for name in names
            for collection in found[name]
            if await mongo[f"{prefix}_{name}"][collection].find_one({}, {"_id": 1})
        ]
    except PyMongoError as error:
        raise NotRead(f"MongoDB does not answer ({type(error).__name__}).") from None
    finally:
        mongo.close()


async def drop(url: str, prefix: str, names: Sequence[str]) -> None:
    """Collection by collection: a service's user may do that, and no more."""
    mongo = open_client(url)
    try:
        for name, collections in (await _names(mongo, prefix, {Path(): names})).items():
            for collection in collections:
                await mongo[f"{prefix}_{name}"].drop_collection(collection)
    finally:
        mongo.close()


async def _names(
    mongo: Client, prefix: str, targets: Mapping[Path, Sequence[str]]
) -> dict[str, list[str]]:
    return {
        name: sorted(
            collection
            for collection in await mongo[f"{prefix}_{name}"].list_collection_names()
            if not collection.startswith("system.")
        )
        for names in targets.values()
        for name in names
    }


async def _write(
    database: Database,
    collection: str,
    place: Path,
    session: Any,  # noqa: ANN401 - of the driver, which only the runtime knows
) -> int:
    place.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - a moment
    source: Any = database.get_collection(collection, codec_options=RAW)
    indexes = [dict(index) async for index in database[collection].list_indexes()]
    (place / f"{collection}{METADATA}").write_text(
        json_util.dumps({"collectionName": collection, "indexes": indexes, "options": {}})
    )
    count = 0
    with (place / f"{collection}{DOCUMENTS}").open("wb") as file:
        async for document in source.find({}, sort=[("_id", 1)], session=session):
            file.write(document.raw)
            count += 1
    return count


async def _read(mongo: Client, database: str, collection: str, folder: Path) -> None:
    target: Any = open_database(mongo, database).get_collection(collection, codec_options=RAW)
    metadata = json_util.loads((folder / f"{collection}{METADATA}").read_text())
    specifications = [
        {key: value for key, value in index.items() if key not in ("v", "ns")}
        for index in metadata["indexes"]
        if index["name"] != "_id_"
    ]
    if collection not in await mongo[database].list_collection_names():
        await mongo[database].create_collection(collection)
    async for batch in _batches(folder / f"{collection}{DOCUMENTS}"):
        await target.insert_many(batch, ordered=False)
    if specifications:
        command = {"createIndexes": collection, "indexes": specifications}
        await mongo[database].command(command)


async def _batches(path: Path) -> AsyncIterator[list[RawBSONDocument]]:
    with path.open("rb") as file:
        batch: list[RawBSONDocument] = []
        size = 0
        for raw in _raw(file):
            batch.append(RawBSONDocument(raw, RAW))
            size += len(raw)
            if size > BATCH_BYTES:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch


def _raw(file: BinaryIO) -> Iterator[bytes]:
    """A document of BSON begins with its own length."""
    while head := file.read(LENGTH_BYTES):
        yield head + file.read(int.from_bytes(head, "little") - LENGTH_BYTES)
