"""What a stack must know of a server in order to run it."""

import asyncio
from typing import Protocol


class PartFailed(Exception):
    """A part did not start, or ended; the text has the end of its log.

    `code` is the exit code, minus the signal if one ended it; None if it never ran or still does.
    """

    def __init__(self, part: str, what: str, *, code: int | None = None, log_end: str = "") -> None:
        super().__init__(
            f"{part} {what}" + (f"; the end of its log:\n{log_end}" if log_end else "")
        )
        self.part, self.code, self.log_end = part, code, log_end


class Part(Protocol):
    """A server on a fixed port and store; `title` is its name in sentences."""

    title: str
    port: int
    url: str

    def command(self) -> list[str]:
        """How to start it; raises `PartFailed` where it is not installed."""

    async def answers(self) -> bool:
        """Whether it, and no other server that took its port, is ready for work."""


async def listens(port: int) -> bool:
    """Whether anybody takes connections there: known at once, where a driver would wait."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
