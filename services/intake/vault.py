"""Draws data keys and seals with them; who keeps the keys, wrapped, is another matter.

A submission has two data keys: one for what was said, one for who said it. Each part is closed
with AES-256-GCM under one of them. Destroying a key is erasure: what it sealed may then lie in
any backup and nobody can read it.
"""

import os
from base64 import b64decode
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES, NONCE_BYTES, NAME_BYTES = 32, 12, 16


@dataclass(frozen=True, slots=True)
class DataKey:
    """`name` is drawn with the key, so that no two attempts share one; `owner` is whose it is."""

    name: str
    owner: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sealed:
    """`content` is nonce + ciphertext under the data key named `key`."""

    content: bytes
    key: str


def draw_key(owner: str) -> DataKey:
    """A new key for `owner`: a submission, or an arrival that became none."""
    return DataKey(os.urandom(NAME_BYTES).hex(), owner, os.urandom(KEY_BYTES))


def close(key: DataKey, part: str, content: bytes) -> Sealed:
    nonce = os.urandom(NONCE_BYTES)
    sealed = AESGCM(key.secret).encrypt(nonce, content, _bound(key, part))
    return Sealed(nonce + sealed, key.name)


def open_sealed(key: DataKey, part: str, sealed: Sealed) -> bytes:
    """Raises `cryptography.exceptions.InvalidTag` for another owner, part or key."""
    nonce, content = sealed.content[:NONCE_BYTES], sealed.content[NONCE_BYTES:]
    return AESGCM(key.secret).decrypt(nonce, content, _bound(key, part))


@dataclass(frozen=True, slots=True)
class Secrets:
    """Keys of keyed hashes, beside the key-encryption keys; they never rotate."""

    fingerprints: bytes = field(repr=False)
    """Of the hashes under which an item sent twice is known."""
    receipts: bytes = field(repr=False)
    """From which receipt codes are derived."""

    @classmethod
    def from_file(cls, path: Path) -> "Secrets":
        """Reads `{"fingerprint": key, "receipt": key}`, base64; other members are passed over."""
        content = orjson.loads(path.read_bytes())
        return cls(b64decode(content["fingerprint"]), b64decode(content["receipt"]))


def _bound(key: DataKey, part: str) -> bytes:
    return f"{key.owner}/{part}".encode()
