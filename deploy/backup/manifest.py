"""What an archive holds, and whether it is still that."""

import hashlib
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from deploy.whole_file import write_whole

MANIFEST, SUM = "manifest.json", "manifest.json.sha256"
BLOCK = 1024 * 1024


class Holds(StrEnum):
    """An archive of stores holds no key, one of keys nothing that they open."""

    STORES = "stores"
    KEYS = "keys"


class Damaged(Exception):
    """An archive is not what was written; the text names the file."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Position(_Part):
    """How far a durable consumer was: what lies below `acknowledged` was done."""

    delivered: int
    acknowledged: int


class StreamHeld(_Part):
    messages: int
    first: int
    last: int
    consumers: dict[str, Position] = {}


class FileHeld(_Part):
    bytes: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Self:
        sha256, size = hashlib.sha256(), 0
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                sha256.update(block)
                size += len(block)
        return cls(bytes=size, sha256=sha256.hexdigest())


class Manifest(_Part):
    """The streams are as of `streams_at` or a little later, the databases as of `stores_at`.

    `stores_at` is the later one, always: what the streams lack, the databases have.
    `collections` has the number of documents by `<database>/<collection>`; `files` is by path.
    """

    format: Literal[1] = 1
    holds: Holds
    streams_at: datetime
    stores_at: datetime
    streams: dict[str, StreamHeld] = {}
    collections: dict[str, int] = {}
    files: dict[str, FileHeld] = {}


def write_manifest(folder: Path, manifest: Manifest) -> Manifest:
    """Last of all: an archive without it is none. Returns it with the sums of all files."""
    files = {name: FileHeld.of(folder / name) for name in _files(folder)}
    whole = manifest.model_copy(update={"files": files})
    content = whole.model_dump_json(indent=1).encode() + b"\n"
    write_whole(folder / SUM, f"{hashlib.sha256(content).hexdigest()}  {MANIFEST}\n".encode())
    write_whole(folder / MANIFEST, content)
    return whole


def read_archive(folder: Path, holds: Holds) -> Manifest:
    """Its manifest, once every file was held against it; raises `Damaged`."""
    manifest = _read(folder)
    if manifest.holds is not holds:
        raise Damaged(f"{folder} is an archive of {manifest.holds}, not of {holds}.")
    found = set(_files(folder))
    for name in sorted(manifest.files.keys() - found):
        raise Damaged(f"{folder / name} is missing. Take another backup of that day.")
    for name in sorted(found - manifest.files.keys()):
        raise Damaged(f"{folder / name} does not belong to the archive: move it away.")
    for name, held in sorted(manifest.files.items()):
        if FileHeld.of(folder / name) != held:
            raise Damaged(f"{folder / name} is damaged: its SHA-256 is another than was written.")
    return manifest


def _read(folder: Path) -> Manifest:
    try:
        content = (folder / MANIFEST).read_bytes()
        sum_of_it = (folder / SUM).read_text(encoding="utf-8").split()[0]
        if hashlib.sha256(content).hexdigest() != sum_of_it:
            raise Damaged(f"{folder / MANIFEST} is damaged: {SUM} has another SHA-256.")
        return Manifest.model_validate_json(content)
    except FileNotFoundError as missing:
        raise Damaged(f"{missing.filename} is missing: that is no finished archive.") from None
    except (OSError, IndexError, ValidationError, UnicodeDecodeError):
        raise Damaged(f"{folder / MANIFEST} cannot be read.") from None


def _files(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in (MANIFEST, SUM)
    )
