"""Real servers for tests: one MongoDB a worker, a NATS server of its own for each test."""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any
from uuid import uuid4

import nats
import pytest
from hypothesis import HealthCheck, settings
from nats.js import JetStreamContext

from deploy.local import LocalStack
from shared.runtime.mongo import Database, open_client, open_database
from shared.runtime.streams import declare

# How long an example takes says more of the machine than of the code.
settings.register_profile("langnghe", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("langnghe")


class LoopThread:
    """An event loop in a thread that lives as long as its servers, which die with it."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        future: Future[Any] = asyncio.run_coroutine_threadsafe(work, self.loop)
        return future.result(120)

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()


@pytest.fixture(scope="session")
def loop_thread() -> Iterator[LoopThread]:
    thread = LoopThread()
    yield thread
    thread.stop()


@pytest.fixture(scope="session")
def servers(
    loop_thread: LoopThread, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalStack]:
    """NATS and MongoDB, shared by all tests of one worker: nobody may disturb them."""
    stack = LocalStack(tmp_path_factory.mktemp("servers"))
    loop_thread.run(stack.__aenter__())
    yield stack
    loop_thread.run(stack.__aexit__())


@pytest.fixture
async def mongo_database(servers: LocalStack) -> AsyncIterator[Database]:
    """A fresh database on the worker's MongoDB."""
    client = open_client(servers.mongo_url)
    name = f"test_{uuid4().hex}"
    yield open_database(client, name)
    await client.drop_database(name)
    client.close()


class NatsServer:
    """A NATS server that a test may kill and start again on the same port and store.

    Its methods wait: inside an async test call them by `asyncio.to_thread`.
    """

    def __init__(self, state: Path, thread: LoopThread) -> None:
        self._thread = thread
        self._stack = LocalStack(state, parts=("nats",))
        thread.run(self._stack.__aenter__())

    @property
    def url(self) -> str:
        return self._stack.nats_url

    def kill(self) -> None:
        self._thread.run(self._stack.kill("nats"))

    def start(self) -> None:
        self._thread.run(self._stack.start_part("nats"))

    def stop(self) -> None:
        self._thread.run(self._stack.__aexit__())


@pytest.fixture
def nats_server(loop_thread: LoopThread, tmp_path: Path) -> Iterator[NatsServer]:
    server = NatsServer(tmp_path / "nats-server", loop_thread)
    yield server
    server.stop()


@pytest.fixture
async def jetstream(nats_server: NatsServer) -> AsyncIterator[JetStreamContext]:
    """A connection to `nats_server`, all streams and consumers declared."""
    client = await nats.connect(nats_server.url)
    await declare(client.jetstream())
    yield client.jetstream()
    await client.close()
