"""Draws NKeys and keeps them: a user's seed in a file of its own, the public keys in one list.

A seed is written once and read by its owner alone; the server needs the public key only.
While a key is changed for another a user has two, and both let it in.
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
MOST_KEYS = 2
"""Of one user: the one that it has, and the one that it changes to."""


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
            write_whole(file, _seed())
        _list(folder, user, public_key_of(file))
    return file


def draw_another(folder: Path, user: str) -> Path:
    """A new seed in the user's file; the key before it holds until it is forgotten.

    Raises `KeyRefused` where the user has none, or two already.
    """
    file = folder / f"{user}.nk"
    with _alone(folder):
        seed = _seed()
        _list(folder, user, _public_key(seed), beside=True)
        write_whole(file, seed)
    return file


def register(folder: Path, user: str, public: str, *, beside: bool = False) -> None:
    """List the public key of a user who drew the seed elsewhere; raises `KeyRefused`.

    `beside` the one that it has: that one holds until it is forgotten.
    """
    if not _is_public_user_key(public):
        raise KeyRefused("A user's public NKey has 56 characters and begins with U.")
    with _alone(folder):
        _list(folder, user, public, beside=beside)
        seed = folder / f"{user}.nk"
        if beside and seed.exists() and public_key_of(seed) != public:
            seed.unlink()  # from now on the user keeps its seed elsewhere


def forget(folder: Path, user: str, *, old: bool = False) -> int:
    """Let a user's keys hold no more, with `old` all but the newest; how many these were.

    With the last one its seed is removed, so that it is not listed again by itself.
    """
    with _alone(folder):
        known = public_keys(folder)
        has = known.get(user, ())
        kept = has[-1:] if old else ()
        if not old:  # first: a seed that is left alone would be listed again by itself
            (folder / f"{user}.nk").unlink(missing_ok=True)
        _write(folder, {**known, user: kept})
    return len(has) - len(kept)


def public_keys(folder: Path) -> Mapping[str, tuple[str, ...]]:
    """By user, the newest last; empty before the first."""
    file = folder / PUBLIC_KEYS
    listed: dict[str, str | list[str]] = orjson.loads(file.read_bytes()) if file.exists() else {}
    return {
        user: (keys,) if isinstance(keys, str) else tuple(keys) for user, keys in listed.items()
    }


def public_key_of(seed: Path) -> str:
    return _public_key(seed.read_bytes().strip())


def _seed() -> bytes:
    seed: bytes = nkeys.encode_seed(os.urandom(SEED_BYTES), nkeys.PREFIX_BYTE_USER)
    return seed


def _public_key(seed: bytes) -> str:
    key: bytes = nkeys.from_seed(bytearray(seed)).public_key
    return key.decode()


def _list(folder: Path, user: str, public: str, *, beside: bool = False) -> None:
    """A key that stands is never replaced, and no two users share one: the server takes neither."""
    known = public_keys(folder)
    has = known.get(user, ())
    if public in (key for other, keys in known.items() if other != user for key in keys):
        raise KeyRefused("Another user has this key.")
    if public in has:
        return
    if beside and not has:
        raise KeyRefused(f"{user} has no key yet: leave out --new.")
    if len(has) >= (MOST_KEYS if beside else 1):
        how = f"forget the older one first: `langnghe nats forget {user} --old`."
        raise KeyRefused(
            f"{user} has two keys already; {how}" if beside else f"{user} has another key already."
        )
    _write(folder, {**known, user: (*has, public)})


def _write(folder: Path, known: Mapping[str, tuple[str, ...]]) -> None:
    """One key as a text, as earlier versions read it; two as a list."""
    listed = {user: keys[0] if len(keys) == 1 else keys for user, keys in known.items() if keys}
    content = orjson.dumps(listed, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)
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
