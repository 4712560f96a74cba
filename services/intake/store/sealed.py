"""Sealed parts in documents; large ones in GridFS, since a document ends at 16 MB."""

from collections.abc import Mapping
from functools import cached_property

from services.intake.vault import Sealed
from shared.runtime.mongo import Database, Document, Files, open_files

LARGE = 256 * 1024
"""Bytes; beyond, a part is a file of its own."""


class SealedParts:
    """Documents `{<part>: {content | file, key}}`; `file` names one in bucket `sealed`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @cached_property
    def _files(self) -> Files:
        """Opened at first use: the driver binds a bucket to the loop that it is opened in."""
        return open_files(self._database, "sealed")

    async def kept(self, parts: Mapping[str, Sealed]) -> Document:
        """What stands for the parts in their document; its files are kept before it is."""
        return {name: await self._one(name, sealed) for name, sealed in parts.items()}

    async def find(self, document: Document) -> Sealed:
        """A part, from what stands for it."""
        if "file" not in document:
            return Sealed(document["content"], document["key"])
        stream = await self._files.open_download_stream(document["file"])
        return Sealed(await stream.read(), document["key"])

    async def remove(self, documents: Mapping[str, Document]) -> None:
        """The files of these parts, if they have any."""
        for document in documents.values():
            if "file" in document:
                await self._files.delete(document["file"])

    async def _one(self, name: str, sealed: Sealed) -> Document:
        if len(sealed.content) <= LARGE:
            return {"content": sealed.content, "key": sealed.key}
        file = f"{sealed.key}/{name}"
        await self._files.upload_from_stream_with_id(file, name, sealed.content)
        return {"file": file, "key": sealed.key}
