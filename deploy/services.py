"""The three services as processes of one machine; one that ends is said and started again."""

import asyncio
import http.client
import sys
import urllib.request
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path

from deploy.local.stack import how_it_ended
from deploy.process import Process, free_port, is_free
from shared.runtime.tasks import end

NAMES = ("intake", "routing", "reporting")
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
"""Seconds before a new start: the first, then doubled up to the longest."""
GIVES_UP_AFTER, WITHIN_SECONDS = 5, 60.0
POLL_SECONDS = 0.05

_DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Whatever proxy the environment names: our own addresses are here."""


class GaveUp(Exception):
    """A service does not start, or ended again and again; the text has the end of its log."""


def serve_command(name: str) -> Sequence[str]:
    return [sys.executable, "-m", "deploy.serving", name]


class Services:
    """`environment` is given to each; `on_event` hears of every end and every new start.

    `seeds` are the files of the services' NKeys, by service. `http_port` is the first of three
    in a row; 0 means any that are free.
    """

    def __init__(
        self,
        state: Path,
        environment: Mapping[str, str],
        *,
        seeds: Mapping[str, Path] | None = None,
        http_port: int = 0,
        on_event: Callable[[str], None] = lambda _text: None,
        command: Callable[[str], Sequence[str]] = serve_command,
    ) -> None:
        self._on_event = on_event
        self._ports = {
            name: http_port + place if http_port else free_port()
            for place, name in enumerate(NAMES)
        }
        self._processes = {
            name: Process(
                name,
                command(name),
                state / "log" / f"{name}.log",
                {
                    **environment,
                    **({"LANGNGHE_NATS_SEED": str(seeds[name])} if seeds else {}),
                    "LANGNGHE_HTTP_PORT": str(self._ports[name]),
                    "PYTHONUNBUFFERED": "1",  # a log must not lose its end with its process
                },
            )
            for name in NAMES
        }
        self._watchers: list[asyncio.Task[None]] = []

    def pid(self, name: str) -> int:
        return self._processes[name].pid

    def address(self, name: str) -> str:
        return f"http://127.0.0.1:{self._ports[name]}"

    async def start(self) -> None:
        for name, port in self._ports.items():
            if not is_free(port):
                raise GaveUp(f"{name} did not start: port {port} is in use")
        for process in self._processes.values():
            await _start(process)
            self._watchers.append(asyncio.create_task(self._watch(process)))

    async def wait_ready(self, seconds: float = 30.0) -> None:
        """Return when all three say that they are ready; raises `GaveUp` after the wait."""
        waiting = set(NAMES)
        try:
            async with asyncio.timeout(seconds):
                while waiting:
                    await self._raise_if_given_up()
                    for name in sorted(waiting):
                        if await asyncio.to_thread(_says_ready, f"{self.address(name)}/readyz"):
                            waiting.discard(name)
                    if waiting:
                        await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            ends = [f"{name}:\n{self._processes[name].log_end()}" for name in sorted(waiting)]
            raise GaveUp(
                f"{', '.join(sorted(waiting))} not ready after {seconds:.0f} s; "
                "the end of the log of " + "\n".join(ends)
            ) from None

    async def failed(self) -> None:
        """Wait until a service has to be given up; then raise `GaveUp`."""
        while True:
            await self._raise_if_given_up()
            await asyncio.sleep(POLL_SECONDS)

    async def stop(self) -> None:
        """SIGTERM to all, SIGKILL after 12 s to those that are still there."""
        await end(*self._watchers)
        await asyncio.gather(*(process.stop() for process in self._processes.values()))

    async def _raise_if_given_up(self) -> None:
        for watcher in self._watchers:
            if watcher.done():
                await watcher

    async def _watch(self, process: Process) -> None:
        clock = asyncio.get_running_loop().time
        ends: deque[float] = deque(maxlen=GIVES_UP_AFTER)
        pause = FIRST_PAUSE
        while True:
            how = how_it_ended(await process.ended())
            now = clock()
            if ends and now - ends[-1] > WITHIN_SECONDS:
                pause = FIRST_PAUSE
            ends.append(now)
            if len(ends) == GIVES_UP_AFTER and now - ends[0] < WITHIN_SECONDS:
                raise GaveUp(
                    f"{process.name} ended {GIVES_UP_AFTER} times ({how}); "
                    f"the end of its log:\n{process.log_end()}"
                )
            self._on_event(f"{process.name} ended ({how}); it is started again in {pause:.1f} s")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            await _start(process)


async def _start(process: Process) -> None:
    try:
        await process.start()
    except OSError as error:
        raise GaveUp(f"{process.name} did not start: {error.strerror}") from None


def _says_ready(url: str) -> bool:
    try:
        with _DIRECTLY.open(url, timeout=2) as answer:
            return bool(answer.status == HTTPStatus.OK)
    except (OSError, http.client.HTTPException):
        return False
