"""Draws NKeys and keeps them: a user's seed in a file of its own, the public keys in one list.

A seed is written once and read by its owner alone; the server needs the public key only.
"""

import fcntl
import os
from base64 import b32decode
from binascii import Error as NotBase32
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import nkeys  # type: ignore[import-untyped]
import orjson

from deploy.whole_file import write_whole

SEED_BYTES = 32
CHECKSUM_BYTES = 2
PUBLIC_KEYS = "users.json"


class KeyRefused(Exception):
    """The key cannot be listed for this user; the text says why."""


def draw_once(folder: Path, user: str) -> Path:
    """The file of the user's seed; made and listed now, unless it is there.

    Raises `KeyRefused` where the user keeps the seed elsewhere.
    """
    file = folder / f"{user}.nk"
    with _alone(folder):
        known = public_keys(folder)
        if not file.exists():
            if user in known:
                raise KeyRefused(f"{user} keeps its seed elsewhere; only its public key is here.")
            write_whole(file, nkeys.encode_seed(os.urandom(SEED_BYTES), nkeys.PREFIX_BYTE_USER))
        _list(folder, user, public_key_of(file))
    return file


def register(folder: Path, user: str, public: str) -> None:
    """List the public key of a user who drew the seed elsewhere; raises `KeyRefused`."""
    if not _is_public_user_key(public):
        raise KeyRefused("A user's public NKey has 56 characters and begins with U.")
    with _alone(folder):
        _list(folder, user, public)


def public_keys(folder: Path) -> Mapping[str, str]:
    """By user; empty before the first."""
    file = folder / PUBLIC_KEYS
    known: dict[str, str] = orjson.loads(file.read_bytes()) if file.exists() else {}
    return known


def public_key_of(seed: Path) -> str:
    key: bytes = nkeys.from_seed(bytearray(seed.read_bytes().strip())).public_key
    return key.decode()


def _list(folder: Path, user: str, public: str) -> None:
    """A key that stands is never replaced, and no two users share one: the server takes neither."""
    known = public_keys(folder)
    if known.get(user, public) != public:
        raise KeyRefused(f"{user} has another key already.")
    if public in (key for other, key in known.items() if other != user):
        raise KeyRefused("Another user has this key.")
    if user not in known:
        content = orjson.dumps(
            {**known, user: public}, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2
        )
        write_whole(folder / PUBLIC_KEYS, content)


def _is_public_user_key(text: str) -> bool:
    try:
        raw = b32decode(text)
    except (NotBase32, ValueError):
        return False
    content, checksum = raw[:-CHECKSUM_BYTES], raw[-CHECKSUM_BYTES:]
    return (
        len(content) == 1 + SEED_BYTES
        and content[0] == nkeys.PREFIX_BYTE_USER
        and checksum == nkeys.crc16(content).to_bytes(CHECKSUM_BYTES, "little")
    )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Of two who add a key at once, neither writes over the other's."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
