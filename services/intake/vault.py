"""Sealed texts and identities: one data key for each part of each submission.

A part is closed with AES-256-GCM under a key of its own; that key is wrapped with a
key-encryption key which never lies in the database. Destroying the wrapped key is erasure.
"""

import os
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES, NONCE_BYTES = 32, 12


@dataclass(frozen=True, slots=True)
class Sealed:
    """`content` and `key` are nonce + ciphertext; `kek` names the key that wraps `key`."""

    content: bytes
    key: bytes
    kek: str


class Vault:
    """Opens and closes parts; `keks` are key-encryption keys by name, `current` closes."""

    def __init__(self, keks: Mapping[str, bytes], current: str, fingerprint_key: bytes) -> None:
        self._keks = {name: AESGCM(key) for name, key in keks.items()}
        self._current = current
        self.fingerprint_key = fingerprint_key
        """Keys the hashes under which an item sent twice is known; it never rotates."""

    @classmethod
    def from_file(cls, path: Path) -> "Vault":
        """Reads `{"current": name, "keys": {name: key}, "fingerprint": key}`; keys in base64."""
        content = orjson.loads(path.read_bytes())
        keys = {name: b64decode(key) for name, key in content["keys"].items()}
        return cls(keys, content["current"], b64decode(content["fingerprint"]))

    def close(self, submission: str, part: str, content: bytes) -> Sealed:
        """Each call draws a new key, so nothing is ever closed twice under one."""
        bound = f"{submission}/{part}".encode()
        key = os.urandom(KEY_BYTES)
        return Sealed(
            content=_close(AESGCM(key), content, bound),
            key=_close(self._keks[self._current], key, bound),
            kek=self._current,
        )

    def open(self, submission: str, part: str, sealed: Sealed) -> bytes:
        """Raises `cryptography.exceptions.InvalidTag` for another submission, part or key."""
        bound = f"{submission}/{part}".encode()
        key = _open(self._keks[sealed.kek], sealed.key, bound)
        return _open(AESGCM(key), sealed.content, bound)


def _close(cipher: AESGCM, content: bytes, bound: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, content, bound)


def _open(cipher: AESGCM, sealed: bytes, bound: bytes) -> bytes:
    return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound)
