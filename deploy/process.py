"""Child processes that never outlive the one that started them.

On Linux the kernel ends a child with SIGKILL when *the thread* that started it ends, however it
ends: start children from a thread that lives as long as they shall, e.g. the main thread.
Elsewhere only an orderly stop takes the children along.
"""

import asyncio
import ctypes
import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1
SIGKILL = int(signal.SIGKILL)
_PRCTL = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None
"""Found before any fork: between fork and exec nothing may be loaded."""

LOG_LINES, LOG_BYTES = 20, 65_536
STOP_SECONDS = 12.0

PORTS = range(20_000, 32_000)
"""Below the ports of outgoing connections (32768 and up on Linux): one of those could otherwise
take a server's port while it is away, a client that reconnects to it even its own."""


def _die_with_parent(parent: int) -> Callable[[], None]:
    def ask_the_kernel() -> None:
        if _PRCTL is not None:
            _PRCTL(PR_SET_PDEATHSIG, SIGKILL)
            if os.getppid() != parent:  # it ended before we asked
                os._exit(1)

    return ask_the_kernel


def free_port() -> int:
    """A port of the loopback address that nobody has just now."""
    while True:
        port = secrets.choice(PORTS)
        if is_free(port):
            return port


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # as the servers do: connections that are just closing do not hold the port
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


@dataclass(slots=True)
class Process:
    """One program; what it prints is appended to `log`, and it inherits `descriptors`."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    descriptors: Sequence[int] = ()
    running: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self.running = await asyncio.create_subprocess_exec(
                *self.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **self.environment},
                pass_fds=self.descriptors,
                start_new_session=True,  # Ctrl-C in the terminal is ours to pass on
                preexec_fn=_die_with_parent(os.getpid()),
            )

    @property
    def pid(self) -> int:
        if self.running is None:
            raise RuntimeError(f"{self.name} is not running")
        return self.running.pid

    @property
    def exit_code(self) -> int | None:
        """Of the last run, minus the signal if one ended it; None while it runs."""
        return self.running.returncode if self.running is not None else None

    async def ended(self) -> int:
        """Wait for its end; returns the exit code, or minus the signal."""
        if self.running is None:
            raise RuntimeError(f"{self.name} is not running")
        return await self.running.wait()

    async def stop(self, seconds: float = STOP_SECONDS) -> None:
        """SIGTERM, and SIGKILL if that is not enough."""
        process = self.running
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(seconds):
                await process.wait()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        if self.running is not None and self.running.returncode is None:
            self.running.kill()
            await self.running.wait()

    def log_end(self) -> str:
        """The last lines of the log, for whoever has to find out why it ended."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - LOG_BYTES))
            lines = file.read().decode("utf-8", errors="replace").splitlines()
        return "\n".join(lines[-LOG_LINES:])
