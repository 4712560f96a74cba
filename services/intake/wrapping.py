"""Wraps data keys with a key-encryption key that the database does not hold."""

import os
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12


class WrappingAway(Exception):
    """The key service does not answer."""


class KeyGone(Exception):
    """The key-encryption key no longer exists."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    kek: str
    content: bytes


class Wrapping(Protocol):
    async def wrap(self, keys: Sequence[bytes], bound: Sequence[bytes]) -> Sequence[Wrapped]: ...

    async def unwrap(
        self, wrapped: Sequence[Wrapped], bound: Sequence[bytes]
    ) -> Sequence[bytes]: ...


class FileWrapping:
    def __init__(self, keks: Mapping[str, bytes], current: str) -> None:
        self._keks = {name: AESGCM(key) for name, key in keks.items()}
        self._current = current

    @classmethod
    def from_file(cls, path: Path) -> "FileWrapping":
        content = orjson.loads(path.read_bytes())
        return cls({n: b64decode(k) for n, k in content["keys"].items()}, content["current"])

    async def wrap(self, keys: Sequence[bytes], bound: Sequence[bytes]) -> Sequence[Wrapped]:
        wrapped = []
        for key, about in zip(keys, bound, strict=True):
            nonce = os.urandom(NONCE_BYTES)
            content = nonce + self._keks[self._current].encrypt(nonce, key, about)
            wrapped.append(Wrapped(self._current, content))
        return wrapped

    async def unwrap(self, wrapped: Sequence[Wrapped], bound: Sequence[bytes]) -> Sequence[bytes]:
        return [
            self._keks[w.kek].decrypt(w.content[:NONCE_BYTES], w.content[NONCE_BYTES:], about)
            for w, about in zip(wrapped, bound, strict=True)
        ]
