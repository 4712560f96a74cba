"""The guard of one machine's server: its keys, its access file, its disk encrypted."""

from collections.abc import Awaitable, Callable, Collection
from datetime import date
from pathlib import Path
from secrets import token_urlsafe

import orjson

from deploy.access.nkeys import draw_once, public_keys
from deploy.access.permissions import DOORKEEPER, OPERATOR, PUBLIC, SERVICE, readers, users
from deploy.access.server_file import accounts_in, server_file
from deploy.webhooks import codes_in
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

    def __init__(self, state: Path, access_file: Path | None = None) -> None:
        self._state = state.resolve()
        self.keys = self._state / KEYS
        self._file = access_file or self._state / ACCESS_FILE
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
        for user in (OPERATOR, PUBLIC, DOORKEEPER, *(SERVICE + name for name in ANNOUNCES)):
            draw_once(self.keys, user)

    def seed(self, user: str) -> Path:
        return self.keys / f"{user}.nk"

    def write(self, directory: Directory | None, on: date) -> None:
        """Write the access file for a server that is not running."""
        self._remember(directory)
        write_whole(self._file, self._content(directory, on))

    async def renew(
        self, directory: Directory | None, on: date, reload: Callable[[], Awaitable[None]]
    ) -> None:
        """Write the access file for a running server and have it read, if anything changed.

        nats-server 2.15 connects the imports of an account that is new to it only the second
        time that it reads the file; so nobody is let into such an account before that.
        """
        self._remember(directory)
        content, standing = self._content(directory, on), self._file.read_bytes()
        if content == standing:
            return
        if new := accounts_in(content) - accounts_in(standing):
            write_whole(self._file, self._content(directory, on, new))
            await reload()
        write_whole(self._file, content)
        await reload()

    def _content(self, directory: Directory | None, on: date, shut: Collection[str] = ()) -> bytes:
        keys = public_keys(self.keys)
        every = (*users(directory, on, codes_in(self.keys.parent)), *readers(keys))
        return server_file(every, keys, shut)

    def _remember(self, directory: Directory | None) -> None:
        if directory is not None:
            write_whole(self._directory, orjson.dumps(_parties(directory)))

    def last_directory(self) -> Directory | None:
        """The parties of the directory last written from."""
        if not self._directory.exists():
            return None
        return Directory.model_validate_json(self._directory.read_bytes())


def _parties(directory: Directory) -> object:
    kept = {"title", "agencies", "bodies", "fallback_body"}
    return directory.model_dump(mode="json", include=kept) | {"units": []}
