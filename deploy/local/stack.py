"""Both servers, from `async with` to its end.

Neither is ever started again silently: a part that ends is said, with the end of its log, and
the stack stops. Both end with the thread that started them, however that ends.
"""

import asyncio
import os
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from deploy.access.local import LocalAccess
from deploy.access.permissions import DOORKEEPER, OPERATOR
from deploy.access.reloading import NotReloaded, reload_servers
from deploy.connection import NotRunning
from deploy.local.folder import StateFolder
from deploy.local.mongod import Mongod, given_answers
from deploy.local.nats_server import NatsServer
from deploy.local.part import Part, PartFailed
from deploy.process import Process, free_port, is_free

READY_SECONDS = 60.0
"""MongoDB replays its journal before it answers."""
POLL_SECONDS = 0.05
PORTS_TRIED = 3

LEGAL_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
"""Where the directory's days begin and end."""


def today() -> date:
    return datetime.now(LEGAL_ZONE).date()


class LocalStack:
    """NATS and MongoDB in `state`; `nats_url` and `mongo_url` say where they are.

    With `LANGNGHE_MONGO_URL` set, that server is used and none is started. `parts` may name
    one of the two only. With `access` NATS lets in only those whom it lists, else it believes
    everybody on this machine. `sync_interval` is for measuring what durability costs. Raises
    `FolderRefused` and `PartFailed`.
    """

    def __init__(
        self,
        state: Path,
        parts: Sequence[str] = ("nats", "mongo"),
        *,
        access: LocalAccess | None = None,
        sync_interval: str = "always",
    ) -> None:
        self._sync_interval = sync_interval
        self._folder = StateFolder(state)
        self._access = access
        self._given_mongo = os.environ.get("LANGNGHE_MONGO_URL", "") if "mongo" in parts else ""
        self._wanted = [p for p in parts if p != "mongo" or not self._given_mongo]
        self._parts: dict[str, Part] = {}
        self._processes: dict[str, Process] = {}

    @property
    def nats_url(self) -> str:
        return self._parts["nats"].url

    @property
    def mongo_url(self) -> str:
        return self._given_mongo or self._parts["mongo"].url

    async def __aenter__(self) -> Self:
        await self._folder.take()
        try:
            if self._access is not None:
                self._access.prepare(today())
            async with asyncio.TaskGroup() as starting:
                for name in self._wanted:
                    starting.create_task(self._start_on_free_port(name))
                if self._given_mongo:
                    starting.create_task(self._find_given_mongo())
            if "nats" in self._parts and (self._given_mongo or "mongo" in self._parts):
                seed = str(self._access.seed(OPERATOR)) if self._access else None
                self._folder.say_where(self.nats_url, self.mongo_url, seed)
        except BaseException as error:
            await self._stop()
            if isinstance(error, BaseExceptionGroup):  # the first that failed ended the others
                raise error.exceptions[0] from None
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    def pid(self, part: str) -> int:
        return self._processes[part].pid

    async def reload_access(self) -> None:
        """Have NATS read the access file again; who stays in it stays connected.

        Raises `PartFailed` if it does not take the file.
        """
        if self._access is None:
            return
        try:
            await reload_servers(self.nats_url, self._access.seed(DOORKEEPER))
        except (NotReloaded, NotRunning) as error:
            raise PartFailed(NatsServer.title, f"does not take its access file: {error}") from None

    def _log(self, part: str) -> Path:
        return self._folder.path / "log" / f"{part}.log"

    async def start_part(self, part: str) -> None:
        """Start `nats` or `mongo` on its port and store; raises `PartFailed` unless it answers."""
        self._processes[part] = await self._started(part, self._parts[part])

    async def kill(self, part: str) -> None:
        """SIGKILL, on purpose: no failure of the stack."""
        await self._processes.pop(part).kill()

    async def failed(self) -> None:
        """Wait until a part ends by itself; then raise `PartFailed`."""
        while True:
            for name, process in self._processes.items():
                if (code := process.exit_code) is not None:
                    raise PartFailed(
                        self._parts[name].title,
                        f"ended ({how_it_ended(code)})",
                        code=code,
                        log_end=process.log_end(),
                    )
            await asyncio.sleep(POLL_SECONDS)

    async def _stop(self) -> None:
        self._folder.say_nowhere()
        await asyncio.gather(*(process.stop() for process in self._processes.values()))
        self._folder.leave()

    async def _find_given_mongo(self) -> None:
        """The address stays unsaid: it may hold a password."""
        if not await given_answers(self._given_mongo):
            raise PartFailed(Mongod.title, "does not answer at LANGNGHE_MONGO_URL")

    async def _start_on_free_port(self, name: str) -> None:
        """On the port of last time if it is free; on another if somebody is quicker."""
        port = self._folder.port(name)
        for tried in range(1, PORTS_TRIED + 1):
            if not port or not is_free(port):
                port = free_port()
            part = self._made(name, port)
            try:
                process = await self._started(name, part)
            except PartFailed:
                if is_free(port) or tried == PORTS_TRIED:
                    raise
                continue
            self._parts[name], self._processes[name] = part, process
            self._folder.remember_port(name, port)
            return

    def _made(self, name: str, port: int) -> Part:
        if name == "nats":
            return NatsServer(
                self._folder.path, self._folder.name, port, self._access, self._sync_interval
            )
        return Mongod(self._folder.path, self._folder.name, port)

    async def _started(self, name: str, part: Part) -> Process:
        """A process that answers; no process at all if it does not."""
        process = Process(name, (), self._log(name), descriptors=(self._folder.lock,))
        try:
            process.command = part.command()
            await process.start()
            async with asyncio.timeout(READY_SECONDS):
                await _until_it_answers(part, process)
        except BaseException as error:
            await process.stop()
            if isinstance(error, TimeoutError):
                what = f"did not start: no answer within {READY_SECONDS:.0f} s"
                raise PartFailed(part.title, what, log_end=process.log_end()) from None
            if isinstance(error, OSError):
                raise PartFailed(part.title, f"did not start: {error.strerror}") from None
            raise
        return process


async def _until_it_answers(part: Part, process: Process) -> None:
    while True:
        answers = await part.answers()
        if (code := process.exit_code) is not None:
            what = f"did not start: {how_it_ended(code)}"
            raise PartFailed(part.title, what, code=code, log_end=process.log_end())
        if answers:
            return
        await asyncio.sleep(POLL_SECONDS)


def how_it_ended(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
