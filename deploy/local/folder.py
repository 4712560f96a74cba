"""The state folder: who may use it, what it remembers, where its servers are."""

import asyncio
import fcntl
import secrets
from pathlib import Path
from typing import IO

import orjson

from deploy.connection import ENDPOINTS_FILE
from deploy.whole_file import write_whole

POLL_SECONDS = 0.05
GRACE_SECONDS = 1.5
"""The servers of a stack that was killed end a moment after it; until then they hold the lock."""


class FolderRefused(Exception):
    """Another stack runs in this state folder, or it cannot be used; the text says which."""


class StateFolder:
    """`name` is this folder's alone, for ever: its servers go by it."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.name = ""
        self._memory = self.path / "local.json"
        self._ports: dict[str, int] = {}
        self._lock: IO[bytes] | None = None

    @property
    def lock(self) -> int:
        """The descriptor that servers inherit, so that the folder is free when all are gone."""
        if self._lock is None:
            raise RuntimeError("the folder is not locked")
        return self._lock.fileno()

    async def take(self) -> None:
        """Lock the folder and read what it remembers; raises `FolderRefused`."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = (self.path / "lock").open("wb")
            await self._wait_for_lock(self._lock.fileno())
            (self.path / ENDPOINTS_FILE).unlink(missing_ok=True)
            if self._memory.exists():
                remembered = orjson.loads(self._memory.read_bytes())
                self.name, self._ports = remembered["name"], remembered["ports"]
            else:
                self.name = f"langnghe-{secrets.token_hex(4)}"
                self._remember()
        except OSError as error:
            self.leave()
            raise FolderRefused(
                f"the state folder {self.path} cannot be used: {error.strerror}"
            ) from None
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def port(self, part: str) -> int:
        """The port of last time, or 0."""
        return self._ports.get(part, 0)

    def remember_port(self, part: str, port: int) -> None:
        if self._ports.get(part) != port:
            self._ports[part] = port
            self._remember()

    def say_where(self, nats: str, mongo: str, nats_seed: str | None) -> None:
        """`nats_seed` is the file of the operator's seed, where the server asks for one."""
        addresses = {"nats": nats, "mongo": mongo}
        if nats_seed is not None:
            addresses["nats_seed"] = nats_seed
        write_whole(self.path / ENDPOINTS_FILE, orjson.dumps(addresses))

    def say_nowhere(self) -> None:
        (self.path / ENDPOINTS_FILE).unlink(missing_ok=True)

    def _remember(self) -> None:
        write_whole(self._memory, orjson.dumps({"name": self.name, "ports": self._ports}))

    async def _wait_for_lock(self, descriptor: int) -> None:
        clock = asyncio.get_running_loop().time
        until = clock() + GRACE_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if clock() > until:
                    raise FolderRefused(f"another stack is running in {self.path}") from None
            else:
                return
            await asyncio.sleep(POLL_SECONDS)
