"""The whole system on one machine, from `async with` to its end."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from deploy.access.doorkeeper import Doorkeeper
from deploy.access.local import LocalAccess
from deploy.access.permissions import OPERATOR, SERVICE
from deploy.connection import Address, Endpoints, connected
from deploy.keys import KeysLost, ensure_keys
from deploy.local import FolderRefused, LocalStack, PartFailed
from deploy.local.stack import today
from deploy.services import NAMES, GaveUp, Services, serve_command
from shared.runtime.streams import declare
from shared.runtime.tasks import end

Result = TypeVar("Result")

SIGNALS = (signal.SIGTERM, signal.SIGINT)
CAUSE_SECONDS = 0.5
"""Work that needs a part may see its end before we do; so long we look for the cause."""


class Stopped(Exception):
    """The system ended before its time; the text says why."""


@dataclass(slots=True)
class Running:
    endpoints: Endpoints
    stack: LocalStack
    services: Services
    stopping: asyncio.Event
    doorkeeper: asyncio.Task[None]

    def addresses(self) -> dict[str, str]:
        faces = {name: self.services.address(name) for name in NAMES}
        return {"nats": self.endpoints.nats, "mongo": self.endpoints.mongo, **faces}

    async def guard(self, work: Coroutine[Any, Any, Result]) -> Result:
        """The work's result; `Stopped` if a part fails or a signal comes before it is done."""
        return await _unless(self.until_stopped(), work)

    async def until_stopped(self) -> None:
        """Return on SIGTERM or Ctrl-C; raise `Stopped` when a part fails."""
        tasks = [
            asyncio.create_task(work)
            for work in (
                self.stopping.wait(),
                self.stack.failed(),
                self.services.failed(),
                _end_of(self.doorkeeper),
            )
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                await task
        except (PartFailed, GaveUp) as error:
            raise Stopped(str(error)) from None
        finally:
            await end(*tasks)


@asynccontextmanager
async def system(
    state: Path,
    *,
    http_port: int = 0,
    on_event: Callable[[str], None] = lambda _text: None,
    command: Callable[[str], Sequence[str]] = serve_command,
) -> AsyncIterator[Running]:
    """NATS, MongoDB, streams and the three services, ready; all of them ended afterwards.

    Takes over SIGTERM and SIGINT: the first stops in good order, a second ends all at once.
    """
    stopping = asyncio.Event()
    try:
        with _heard(stopping):
            async with AsyncExitStack() as ending:
                access = LocalAccess(state)
                stack = LocalStack(state, access=access)
                await _unless(stopping.wait(), ending.enter_async_context(stack))
                keys = ensure_keys(state)
                endpoints = Endpoints(
                    Address(stack.nats_url, access.seed(OPERATOR)), stack.mongo_url, keys=keys
                )
                doorkeeper = Doorkeeper(access, stack.reload_access, today)
                async with connected(endpoints.nats) as client:
                    await declare(client.jetstream())
                    await doorkeeper.look(client)
                keeping = asyncio.create_task(doorkeeper.keep(endpoints.nats))
                ending.push_async_callback(end, keeping)
                services = Services(
                    state,
                    {
                        "LANGNGHE_NATS_URL": stack.nats_url,
                        "LANGNGHE_MONGO_URL": stack.mongo_url,
                        "LANGNGHE_KEYS": str(keys.resolve()),
                    },
                    seeds={name: access.seed(SERVICE + name) for name in NAMES},
                    http_port=http_port,
                    on_event=on_event,
                    command=command,
                )
                ending.push_async_callback(services.stop)
                running = Running(endpoints, stack, services, stopping, keeping)
                await services.start()
                await running.guard(services.wait_ready())
                yield running
    except (PartFailed, FolderRefused, GaveUp, KeysLost) as error:
        raise Stopped(str(error)) from None


@contextmanager
def _heard(stopping: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()

    def hear(number: signal.Signals) -> None:
        if stopping.is_set():
            loop.remove_signal_handler(number)
            signal.raise_signal(number)
        stopping.set()

    for number in SIGNALS:
        loop.add_signal_handler(number, hear, number)
    try:
        yield
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)


async def _unless(stop: Coroutine[Any, Any, object], work: Coroutine[Any, Any, Result]) -> Result:
    """The work's result, unless `stop` ends or fails before; then `Stopped` or that failure."""
    doing, stopping = asyncio.create_task(work), asyncio.create_task(stop)
    try:
        await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        failed = doing.done() and (doing.cancelled() or doing.exception() is not None)
        if failed:
            await asyncio.wait({stopping}, timeout=CAUSE_SECONDS)
        if stopping.done() and (failed or not doing.done()):
            await stopping
            raise Stopped("stopped by a signal")
        return await doing
    finally:
        await end(doing, stopping)


async def _end_of(task: asyncio.Task[None]) -> None:
    """Its end as one's own, without taking it along when one is cancelled."""
    await asyncio.wait((task,))
    await task
