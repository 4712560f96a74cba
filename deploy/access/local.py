"""The guard of one machine's server: its keys, its access file, its disk encrypted."""

from datetime import date
from pathlib import Path
from secrets import token_urlsafe

import orjson

from deploy.access.nkeys import draw_once, public_keys
from deploy.access.permissions import OPERATOR, PUBLIC, SERVICE, users
from deploy.access.server_file import server_file
from deploy.whole_file import write_whole
from shared.contracts.directory import Directory
from shared.runtime.streams import ANNOUNCES

KEYS = Path("keys") / "nats"
STORE_KEY = KEYS / "store.conf"
ACCESS_FILE = "nats-access.conf"
STORE_KEY_BYTES = 32


class LocalAccess:
    """What lies in a state folder about who may connect.

    `keys/nats/<user>.nk` are seeds, `users.json` the public keys; `store.conf` holds the key
    of the stream files. `nats-directory.json` is the directory without its people, so that
    parties are let in as soon as the server starts again.
    """

    def __init__(self, state: Path) -> None:
        self._state = state.resolve()
        self.keys = self._state / KEYS
        self._directory = self._state / "nats-directory.json"

    def prepare(self, on: date) -> None:
        """Make what is missing, before the server starts."""
        self.draw_ours()
        store_key = self._state / STORE_KEY
        if not store_key.exists():
            write_whole(store_key, f'key: "{token_urlsafe(STORE_KEY_BYTES)}"\n'.encode())
        self.write(self.last_directory(), on)

    def draw_ours(self) -> None:
        """Make the keys of everybody but the parties."""
        self.keys.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for user in (OPERATOR, PUBLIC, *(SERVICE + name for name in ANNOUNCES)):
            draw_once(self.keys, user)

    def seed(self, user: str) -> Path:
        return self.keys / f"{user}.nk"

    def write(self, directory: Directory | None, on: date) -> bool:
        """Write the access file; whether it changed, so that the server must read it again."""
        if directory is not None:
            _write_if_new(self._directory, orjson.dumps(_parties(directory)))
        content = server_file(users(directory, on), public_keys(self.keys))
        return _write_if_new(self._state / ACCESS_FILE, content)

    def last_directory(self) -> Directory | None:
        """The parties of the directory last written from."""
        if not self._directory.exists():
            return None
        return Directory.model_validate_json(self._directory.read_bytes())


def _parties(directory: Directory) -> object:
    kept = {"title", "agencies", "bodies", "fallback_body"}
    return directory.model_dump(mode="json", include=kept) | {"units": []}


def _write_if_new(file: Path, content: bytes) -> bool:
    if file.exists() and file.read_bytes() == content:
        return False
    write_whole(file, content)
    return True
