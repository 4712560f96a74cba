"""Wraps data keys under key-encryption keys, which never lie in the database.

Either the key-encryption keys lie in a file of this machine, or they never leave HashiCorp
Vault's transit engine. Keys go in batches: a key service is asked once for hundreds of them.
"""

import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import httpx
import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES, NONCE_BYTES = 32, 12


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A data key as it is kept; `kek` names the key-encryption key, with its version if any."""

    kek: str
    content: bytes


class WrappingAway(Exception):
    """The key service cannot be asked just now, or does not answer as it should: wait."""


class KeyGone(Exception):
    """A key-encryption key no longer exists, and with it what it wraps.

    `positions` are those of the batch that are lost; the others may be asked for again.
    """

    def __init__(self, positions: Sequence[int]) -> None:
        super().__init__(f"{len(positions)} of the batch are wrapped under a key that is gone")
        self.positions = tuple(positions)


class BoundElsewhere(Exception):
    """A wrapped key was changed, or belongs to another submission or part than was said.

    `positions` are those of the batch of which this is so.
    """

    def __init__(self, positions: Sequence[int]) -> None:
        super().__init__(f"{len(positions)} of the batch are not what they were wrapped as")
        self.positions = tuple(positions)


class Wrapping(Protocol):
    """`bound` says, key by key, what each belongs to: it unwraps for nothing else.

    Every method raises `WrappingAway`, then nothing has happened; a batch is done whole or not.
    """

    async def wrap(self, keys: Sequence[bytes], bound: Sequence[bytes]) -> Sequence[Wrapped]:
        """Wrap each, in order, under the current key-encryption key."""

    async def unwrap(self, wrapped: Sequence[Wrapped], bound: Sequence[bytes]) -> Sequence[bytes]:
        """The data keys, in order; raises `KeyGone`, `BoundElsewhere`."""

    async def rewrap(self, wrapped: Sequence[Wrapped], bound: Sequence[bytes]) -> Sequence[Wrapped]:
        """Each under the current key-encryption key; raises `KeyGone`, `BoundElsewhere`.

        The old ones still unwrap, until their key-encryption key is dropped.
        """


class FileWrapping:
    """Key-encryption keys in a file, which is read again as soon as it has changed.

    Thus a rotation needs no restart, and no process wraps under a key that has been dropped.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._state: tuple[int, ...] = ()
        self._current, self._keks = "", dict[str, AESGCM]()

    @classmethod
    def from_file(cls, path: Path) -> "FileWrapping":
        """Reads `{"current": name, "keys": {name: key}}`, keys in base64; other members stay.

        Replace the file in one step (rename). Raises `WrappingAway` if it cannot be read.
        """
        wrapping = cls(path)
        wrapping._read()
        return wrapping

    async def wrap(self, keys: Sequence[bytes], bound: Sequence[bytes]) -> Sequence[Wrapped]:
        self._read()
        cipher = self._keks[self._current]
        wrapped = []
        for key, belongs in zip(keys, bound, strict=True):
            nonce = os.urandom(NONCE_BYTES)
            content = nonce + cipher.encrypt(nonce, key, belongs)
            wrapped.append(Wrapped(self._current, content))
        return wrapped

    async def unwrap(self, wrapped: Sequence[Wrapped], bound: Sequence[bytes]) -> Sequence[bytes]:
        self._read()
        pairs = list(zip(wrapped, bound, strict=True))
        if gone := [at for at, (one, _) in enumerate(pairs) if one.kek not in self._keks]:
            raise KeyGone(gone)
        keys, elsewhere = [], []
        for at, (one, belongs) in enumerate(pairs):
            nonce, sealed = one.content[:NONCE_BYTES], one.content[NONCE_BYTES:]
            try:
                keys.append(self._keks[one.kek].decrypt(nonce, sealed, belongs))
            except (InvalidTag, ValueError):  # of a content cut short
                elsewhere.append(at)
        if elsewhere:
            raise BoundElsewhere(elsewhere)
        return keys

    async def rewrap(self, wrapped: Sequence[Wrapped], bound: Sequence[bytes]) -> Sequence[Wrapped]:
        return await self.wrap(await self.unwrap(wrapped, bound), bound)

    def _read(self) -> None:
        try:
            found = self._path.stat()
            state = (found.st_mtime_ns, found.st_ino, found.st_size)
            if state == self._state:
                return
            current, keys = _key_file(self._path.read_bytes())
        except (OSError, ValueError) as error:
            raise WrappingAway(f"the key file cannot be read: {type(error).__name__}") from None
        self._current, self._keks = current, {name: AESGCM(key) for name, key in keys.items()}
        self._state = state


def rotated(content: bytes, name: str, key: bytes) -> bytes:
    """A key file's new content: `key` under `name` is current, the old ones still unwrap.

    Raises `ValueError` if the name is taken or the key has not 32 bytes.
    """
    file, keys = orjson.loads(content), _key_file(content)[1]
    if name in keys or not name:
        raise ValueError("a new key-encryption key needs a name that was never used")
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key-encryption key has {KEY_BYTES} bytes")
    file["keys"][name] = b64encode(key).decode()
    return orjson.dumps(file | {"current": name})


def dropped(content: bytes, name: str) -> bytes:
    """A key file's new content without an old key: what is still wrapped under it is lost.

    Rewrap first, until nothing kept names the key any more. Raises `ValueError`
    if the key is current or unknown.
    """
    file = orjson.loads(content)
    current, keys = _key_file(content)
    if name == current:
        raise ValueError("the current key-encryption key cannot be dropped: rotate first")
    if name not in keys:
        raise ValueError("no key-encryption key has this name")
    del file["keys"][name]
    return orjson.dumps(file)


def _key_file(content: bytes) -> tuple[str, Mapping[str, bytes]]:
    """The current key's name, and all keys; `ValueError`, without the content, if it is none."""
    try:
        file = orjson.loads(content)
        keys = {str(name): b64decode(key) for name, key in file["keys"].items()}
        current = str(file["current"])
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ValueError("no key file") from None
    if current not in keys or any(len(key) != KEY_BYTES for key in keys.values()):
        raise ValueError("no key file")
    return current, keys


class TransitWrapping:
    """Key-encryption keys in HashiCorp Vault's transit engine: versions of one named key.

    The key must be of a type with associated data (`aes256-gcm96`, the default). The token's
    policy needs `update` on `<mount>/encrypt/<key>` and `<mount>/decrypt/<key>`, no more: `create`
    would let a slip in the key's name make a new key. `token` is asked at each call, since an
    agent renews it. Time-outs are the client's; a `kek` reads `<key>:v<version>`.
    """

    def __init__(
        self, url: str, mount: str, key: str, token: Callable[[], str], client: httpx.AsyncClient
    ) -> None:
        self._engine = f"{url.rstrip('/')}/v1/{quote(mount.strip('/'))}"
        self._key, self._token, self._client = key, token, client

    async def wrap(self, keys: Sequence[bytes], bound: Sequence[bytes]) -> Sequence[Wrapped]:
        items = [
            {"plaintext": _text(key), "associated_data": _text(belongs)}
            for key, belongs in zip(keys, bound, strict=True)
        ]
        try:
            found = await self._asked("encrypt", items, "ciphertext")
        except KeyGone:  # nothing is lost: the key is not there yet, or goes by another name
            raise WrappingAway("the key service has no key of this name") from None
        return [Wrapped(f"{self._key}:{_version(one)}", one.encode()) for one in found]

    async def unwrap(self, wrapped: Sequence[Wrapped], bound: Sequence[bytes]) -> Sequence[bytes]:
        items = [
            {
                "ciphertext": one.content.decode("ascii", "replace"),
                "associated_data": _text(belongs),
            }
            for one, belongs in zip(wrapped, bound, strict=True)
        ]
        return [b64decode(one) for one in await self._asked("decrypt", items, "plaintext")]

    async def rewrap(self, wrapped: Sequence[Wrapped], bound: Sequence[bytes]) -> Sequence[Wrapped]:
        # Not Vault's own `rewrap`: it takes no associated data, so what is bound cannot pass
        # through it (hashicorp/vault#29532). The data keys are in this process for a moment.
        return await self.wrap(await self.unwrap(wrapped, bound), bound)

    async def _asked(
        self, operation: str, items: Sequence[Mapping[str, str]], wanted: str
    ) -> Sequence[str]:
        if not items:
            return []
        try:
            answer = await self._client.post(
                f"{self._engine}/{operation}/{quote(self._key, safe='')}",
                json={"batch_input": items},
                headers={"X-Vault-Token": self._token(), "X-Vault-Request": "true"},
                follow_redirects=False,  # keys and token go nowhere but where they were sent
            )
            body = answer.json()
        except (httpx.RequestError, OSError, ValueError) as error:
            raise WrappingAway(f"the key service: {type(error).__name__}") from None
        return _results(answer.status_code, body, len(items), wanted)


GONE = (
    "encryption key not found",
    "policy not found",
    "ciphertext or signature version is disallowed by policy (too old)",
    "invalid ciphertext: version is too new",
)
"""How Vault says that the key, or this version of it, is no longer there."""

CHANGED = ("message authentication failed", "invalid ciphertext")
"""How it says that a ciphertext is not what it gave for this associated data."""


def _results(status: int, body: object, asked: int, wanted: str) -> Sequence[str]:
    """What Vault says of each item; of a failed one `error` is set, in an answer of status 400."""
    data = body.get("data") if isinstance(body, dict) else None
    results = data.get("batch_results") if isinstance(data, dict) else None
    if not isinstance(results, list):
        said = body.get("errors") if isinstance(body, dict) else None
        if isinstance(said, list) and any(_says(GONE, one) for one in said):
            raise KeyGone(range(asked))
        raise WrappingAway(f"the key service answers {status}")
    if len(results) != asked or not all(isinstance(one, dict) for one in results):
        raise WrappingAway("the key service answers something else than was asked")
    failed = {at: one["error"] for at, one in enumerate(results) if one.get("error")}
    if gone := [at for at, error in failed.items() if _says(GONE, error)]:
        raise KeyGone(gone)
    if changed := [at for at, error in failed.items() if _says(CHANGED, error)]:
        raise BoundElsewhere(changed)
    found = [one.get(wanted) for one in results]
    if failed or not all(isinstance(one, str) and one for one in found):
        raise WrappingAway(f"the key service cannot do its work: status {status}")
    return found


def _says(words: Sequence[str], error: object) -> bool:
    return any(word in str(error) for word in words)


def _version(ciphertext: str) -> str:
    """`v3` of `vault:v3:…`; raises `WrappingAway` if it has none."""
    parts = ciphertext.split(":", 2)
    if len(parts) != 3 or not parts[1].startswith("v"):  # noqa: PLR2004 - prefix, version, content
        raise WrappingAway("the key service answers with what is no ciphertext of its own")
    return parts[1]


def _text(content: bytes) -> str:
    return b64encode(content).decode()
