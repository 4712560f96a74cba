"""NATS, MongoDB and the three services as processes that can be killed, stopped and cut off."""

import asyncio
import json
import os
import signal
import sys
import time
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

import nats
from nats.aio.client import Client

from deploy.access.doorkeeper import Doorkeeper
from deploy.access.local import LocalAccess
from deploy.access.permissions import OPERATOR, SERVICE
from deploy.connection import Address, Endpoints, connected, credentials
from deploy.keys import ensure_keys
from deploy.local import LocalStack, PartFailed, nats_server
from deploy.local.mongod import Mongod
from deploy.local.nats_server import CONFIGURATION
from deploy.local.part import listens
from deploy.local.stack import today
from deploy.process import Process, free_port
from deploy.services import NAMES, _says_ready
from shared.runtime.mongo import PyMongoError, open_client
from shared.runtime.streams import declare
from shared.runtime.tasks import end
from tests.faults.link import Link
from tests.faults.service import DELAYS, FLAGS, FOLDER, HEARTBEAT, WEAKENED
from tests.system.happening import let_in

RESTART_SECONDS = 0.2
MEMBERS = 3
SHORT_DELAYS = "0.3 0.5 1 1 1"
"""Between the deliveries of what fails; in operation they add up to 13 minutes."""
STORE_BYTES = 96 * 1024 * 1024
BOUND = f"sync_interval: always\n  max_file_store: {STORE_BYTES}"


class Members:
    """Three real mongods, one replica set."""

    def __init__(self, state: Path) -> None:
        self._state, self._name = state, "faults"
        self.processes: dict[int, Process] = {}

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.processes)
        return f"mongodb://{hosts}/?replicaSet={self._name}"

    async def start(self) -> None:
        for number in range(MEMBERS):
            port = free_port()
            folder = self._state / f"member-{number}"
            folder.mkdir(parents=True)
            command = Mongod(folder, self._name, port).command()
            self.processes[port] = Process(f"mongo-{number}", command, folder / "log")
            await self.processes[port].start()
        for port in self.processes:
            while not await listens(port):
                await asyncio.sleep(0.05)
        members = [{"_id": n, "host": f"127.0.0.1:{p}"} for n, p in enumerate(self.processes)]
        settings = {"electionTimeoutMillis": 2_000}
        config = {"_id": self._name, "members": members, "settings": settings}
        client = open_client(f"mongodb://127.0.0.1:{min(self.processes)}/?directConnection=true")
        await client.admin.command("replSetInitiate", config)
        client.close()
        await self.primary()

    async def primary(self) -> int:
        """The port of the one that takes writes, as soon as there is one."""
        client = open_client(self.url)
        try:
            async with asyncio.timeout(60):
                while True:
                    try:
                        await client.admin.command("ping")
                        hello = await client.admin.command("hello")
                        if hello.get("isWritablePrimary"):
                            return int(hello["me"].split(":")[1])
                    except PyMongoError:
                        pass
                    await asyncio.sleep(0.1)
        finally:
            client.close()

    async def stop(self) -> None:
        await asyncio.gather(*(process.stop() for process in self.processes.values()))


class World:
    """`ack_wait` is the servers' own, in seconds; the heartbeat is a third of it, as it is there.

    `members` runs three mongods in place of one; `weakened` takes a promise away from the
    services. What the streams may take of the disk is bounded, so that it can be filled.
    """

    def __init__(self, state: Path, *, ack_wait=3.0, members=False, weakened="") -> None:
        self.state, self.ack_wait = state, ack_wait
        self._wants_members, self._weakened = members, weakened
        self.members: Members | None = None
        self.processes: dict[str, Process] = {}
        self.links: dict[tuple[str, str], Link] = {}
        self.ends: Counter[str] = Counter()
        self.held: set[str] = set()
        self._watchers: list[asyncio.Task] = []
        self._ending = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self.state.mkdir(parents=True, exist_ok=True)
        nats_server.CONFIGURATION = CONFIGURATION.replace("sync_interval: always", BOUND)
        access = LocalAccess(self.state)
        if self._wants_members:
            self.members = Members(self.state)
            self._ending.push_async_callback(self.members.stop)
            await self.members.start()
            os.environ["LANGNGHE_MONGO_URL"] = self.members.url
        try:
            self.stack = LocalStack(self.state, access=access)
        finally:
            if self._wants_members:
                del os.environ["LANGNGHE_MONGO_URL"]
        await self._ending.enter_async_context(self.stack)
        keys = ensure_keys(self.state)
        self.endpoints = Endpoints(
            Address(self.stack.nats_url, access.seed(OPERATOR)), self.stack.mongo_url, keys=keys
        )
        doorkeeper = Doorkeeper(access, self.stack.reload_access, today)
        async with connected(self.endpoints.nats) as client:
            await declare(client.jetstream(), ack_wait=self.ack_wait)
            await doorkeeper.look(client)
        keeping = asyncio.create_task(self._kept(doorkeeper))
        self._ending.push_async_callback(end, keeping)
        let_in(self.state, self.agencies())
        self._ending.push_async_callback(self.stop_services)
        for name in NAMES:
            await self._make(name, access)
        await self.start_services()
        return self

    async def __aexit__(self, *_) -> None:
        await self._ending.aclose()

    def agencies(self) -> list[str]:
        return [
            *("a-tinh", "a-so-xay-dung", "a-so-y-te", "a-so-noi-vu"),
            *("a-phuong-sen-trang", "a-xa-go-man"),
        ]

    async def _kept(self, doorkeeper: Doorkeeper) -> None:
        """The server is away again and again, and comes back: nothing of that is a failure."""
        while True:
            try:
                await doorkeeper.keep(self.endpoints.nats)
            except (PartFailed, ProcessLookupError, KeyError):
                await asyncio.sleep(0.5)

    async def twin(self, name: str) -> Process:
        """A second replica of a service, beside the first; nobody starts it again."""
        first = self.processes[name]
        environment = {**first.environment, "LANGNGHE_HTTP_PORT": str(free_port())}
        log = self.state / "log" / f"{name}-2.log"
        twin = Process(f"{name}-2", first.command, log, environment)
        await twin.start()
        return twin

    async def _make(self, name: str, access: LocalAccess) -> None:
        port = int(self.stack.nats_url.rpartition(":")[2])
        self.links[name, "nats"] = Link(port)
        mongo = self.stack.mongo_url
        if self.members is None:
            host = mongo.removeprefix("mongodb://").partition("/")[0]
            self.links[name, "mongo"] = Link(int(host.rpartition(":")[2]))
        for part in ("nats", "mongo"):
            if (name, part) in self.links:
                await self.links[name, part].open()
                self._ending.push_async_callback(self.links[name, part].close)
        if self.members is None:
            mongo = f"mongodb://127.0.0.1:{self.links[name, 'mongo'].port}/?directConnection=true"
        self.ports = getattr(self, "ports", {}) | {name: free_port()}
        environment = {
            "LANGNGHE_NATS_URL": f"nats://127.0.0.1:{self.links[name, 'nats'].port}",
            "LANGNGHE_NATS_SEED": str(access.seed(SERVICE + name)),
            "LANGNGHE_MONGO_URL": mongo,
            "LANGNGHE_KEYS": str((self.state / "keys").resolve()),
            "LANGNGHE_HTTP_PORT": str(self.ports[name]),
            "PYTHONUNBUFFERED": "1",
            FOLDER: str(self.state),
            HEARTBEAT: str(self.ack_wait / 3),
            WEAKENED: self._weakened,
            DELAYS: SHORT_DELAYS,
        }
        command = (sys.executable, "-m", "tests.faults.service", name)
        log = self.state / "log" / f"{name}.log"
        self.processes[name] = Process(name, command, log, environment)

    async def start_services(self, order=NAMES) -> None:
        for name in order:
            await self.processes[name].start()
        for name in order:
            self._watchers.append(asyncio.create_task(self._watch(name)))
        await self.ready()

    async def stop_services(self) -> None:
        await end(*self._watchers)
        self._watchers.clear()
        await asyncio.gather(*(process.stop() for process in self.processes.values()))

    async def kill_services(self) -> None:
        await end(*self._watchers)
        self._watchers.clear()
        await asyncio.gather(*(process.kill() for process in self.processes.values()))

    async def ready(self, seconds: float = 60.0) -> float:
        """How long it took until all three said so."""
        began = time.monotonic()
        async with asyncio.timeout(seconds):
            for name in NAMES:
                while not await asyncio.to_thread(_says_ready, f"{self.http(name)}/readyz"):
                    await asyncio.sleep(0.1)
        return time.monotonic() - began

    def http(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def signal(self, name: str, number: signal.Signals) -> None:
        os.kill(self.processes[name].pid, number)

    def arm(self, name: str, point: str) -> None:
        """Whoever reaches the point dies there, once."""
        (self.state / f"{name}.died").unlink(missing_ok=True)
        (self.state / f"{name}.die").write_text(point)

    async def died(self, name: str, seconds: float) -> bool:
        """Whether it came to the point within so long; else the point is armed no more."""
        for _ in range(int(seconds / 0.05)):
            if (self.state / f"{name}.died").exists():
                return True
            await asyncio.sleep(0.05)
        (self.state / f"{name}.die").unlink(missing_ok=True)
        return (self.state / f"{name}.died").exists()

    def flag(self, name: str, content: str = "1") -> None:
        assert name in FLAGS
        (self.state / f"flag-{name}").write_text(content)

    def unflag(self, name: str) -> None:
        (self.state / f"flag-{name}").unlink(missing_ok=True)

    async def connect(self) -> Client:
        """As the operator, past every wire; it comes back however long the server is away."""

        async def quiet(_error: Exception) -> None: ...

        return await nats.connect(
            str(self.endpoints.nats),
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.3,
            error_cb=quiet,
            **credentials(self.endpoints.nats.seed),
        )

    async def _watch(self, name: str) -> None:
        """What ends is started again, as by whatever runs containers."""
        process = self.processes[name]
        while True:
            await process.ended()
            self.ends[name] += 1
            await asyncio.sleep(RESTART_SECONDS)
            while name in self.held:
                await asyncio.sleep(0.05)
            await process.start()


def said(text: object) -> None:
    print(text if isinstance(text, str) else json.dumps(text), flush=True)
