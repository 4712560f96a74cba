"""A guarded NATS server of a test's own, and what its users say."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import nats
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from nats.aio.client import Client

from deploy.access.local import LocalAccess
from deploy.access.nkeys import draw_once
from deploy.access.permissions import (
    User,
    operator,
)
from deploy.access.violations import Violation, violations
from deploy.connection import credentials
from deploy.local import LocalStack
from deploy.local.stack import today
from shared.contracts.directory import Agency
from shared.runtime.sealing import DEAD_LETTER_USE, Seal
from shared.runtime.streams import declare
from tests.examples_intake import call, directory, sent

CALL = "hotline-call.logged.v1"
SEAL = Seal(X25519PrivateKey.generate().public_key().public_bytes_raw(), DEAD_LETTER_USE)
SECURITY_EVENT_SECONDS = 5.0


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def arrived(client: Client) -> None:
    """Return when the server has read all that was said: a first PING overtakes what waits."""
    await client.flush()
    await client.flush()


def province(*agencies: str):
    """One in which a body may have an agency's code."""
    [front] = directory().bodies
    return directory(
        agencies=tuple(Agency(code=a, unit="an-thai") for a in agencies),
        bodies=(front, *(front.model_copy(update={"code": a}) for a in agencies)),
    )


def logged(agency_code: str, item: str, **more) -> bytes:
    return sent(CALL, call(call=item), item=item, agency=agency_code, **more).body


class Guarded:
    """A guarded server of the test's own; `let_in` writes its file and waits until it holds."""

    def __init__(self, state: Path, thread) -> None:
        self.state, self._thread = state, thread
        self.access = LocalAccess(state)
        self.stack = LocalStack(state, parts=("nats",), access=self.access)
        thread.run(self.stack.__aenter__())

    @property
    def url(self) -> str:
        return self.stack.nats_url

    async def let_in(self, whom, *named: User) -> None:
        for user in named:
            draw_once(self.access.keys, user.name)
        await self.access.renew(whom, today(), self.stack.reload_access)
        async with asyncio.timeout(10):
            for user in named:
                while not await self.lets_in(user):
                    await asyncio.sleep(0.02)

    async def lets_in(self, user: User) -> bool:
        try:
            async with self.connected(user):
                return True
        except (nats.errors.Error, OSError):
            return False

    @asynccontextmanager
    async def connected(self, user: User) -> AsyncIterator[Client]:
        async def quiet(_error: Exception) -> None:
            """Refusals are read from the server's log."""

        client = await nats.connect(
            self.url,
            allow_reconnect=False,
            error_cb=quiet,
            **credentials(self.access.seed(user.name), user),
        )
        try:
            yield client
        finally:
            await client.close()

    def refused(self) -> list[Violation]:
        log = (self.state / "log" / "nats.log").read_text()
        return list(violations(log.splitlines()))


@pytest.fixture
def guarded(loop_thread, tmp_path) -> Iterator[Guarded]:
    server = Guarded(tmp_path / "guarded", loop_thread)
    yield server
    loop_thread.run(server.stack.__aexit__())


@pytest.fixture
async def ours(guarded) -> AsyncIterator[Client]:
    """The operator's connection, all streams declared."""
    async with guarded.connected(operator()) as client:
        await declare(client.jetstream())
        yield client


async def waiting(ours: Client) -> Counter:
    """How many messages lie in the feed, by subject, when all that was sent has arrived there."""
    last = await ours.jetstream().publish(f"feed.the-last.{CALL}", b"")
    await ours.jetstream().delete_msg("FEED", last.seq)
    info = await ours.jetstream().stream_info("FEED", subjects_filter=">")
    return Counter(info.state.subjects or {})


class At(Guarded):
    """A guarded server that somebody else runs."""

    def __init__(self, state: Path, url: str) -> None:
        self.state, self._url, self.access = state, url, LocalAccess(state)

    @property
    def url(self) -> str:
        return self._url
