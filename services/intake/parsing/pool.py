"""Mails go out to child processes and come back read, or refused; the service is never harmed."""

import asyncio
import re
import signal
import sys
from asyncio import IncompleteReadError
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from prometheus_client import Counter
from pydantic import TypeAdapter, ValidationError

from services.intake.domain.mail import Mail
from services.intake.domain.mail.caps import MOST_BYTES
from services.intake.domain.mail.reading import UNPARSABLE
from services.intake.parsing.child import LENGTH_BYTES, OUT_OF_MEMORY

MEBIBYTE = 1024 * 1024
MOST_ANSWER = 16 * MEBIBYTE
PIECE = 32
"""Mails that are on their way to one child at once."""

START_SECONDS = 30.0
GRACE_SECONDS = 10.0
"""Before a child is killed whose own clock has not ended it."""

LAST_LOOK_SECONDS = 1.0
"""For an answer that lies there already: it may be the service that stood still."""

CHILD = (sys.executable, "-P", "-s", "-B", "-m", "services.intake.parsing.child")
_ENVIRONMENT = {"PYTHONPATH": str(Path(__file__).resolve().parents[3]), "LC_ALL": "C.UTF-8"}
"""All that a child is told: the service's own environment holds its secrets."""

REFUSED = "refused-"
"""How the flags begin of what was kept unparsed, by the child or by us."""
REFUSED_SIZE, REFUSED_TIME = "refused-size", "refused-time"
REFUSED_MEMORY, REFUSED_CRASH = "refused-memory", "refused-crash"
_VERDICTS = {
    -signal.SIGALRM: REFUSED_TIME,
    -signal.SIGXCPU: REFUSED_TIME,
    OUT_OF_MEMORY: REFUSED_MEMORY,
}

PARSE_FAILURES = Counter(
    "langnghe_parse_failures_total", "Mails that were kept unparsed, by why.", ["reason"]
)
for each_reason in (REFUSED_SIZE, REFUSED_TIME, REFUSED_MEMORY, REFUSED_CRASH, UNPARSABLE):
    PARSE_FAILURES.labels(each_reason)

_MAIL = TypeAdapter(Mail)
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def _count_failures(mail: Mail) -> None:
    for flag in mail.flags:
        if flag == UNPARSABLE or flag.startswith(REFUSED):
            PARSE_FAILURES.labels(flag).inc()


class ParserUnavailable(RuntimeError):
    """No child starts here, whatever the mail."""


class _Died(Exception):
    """The child ended, or was ended, over a mail."""

    def __init__(self, verdict: str) -> None:
        super().__init__(verdict)
        self.verdict = verdict


class ParserPool:
    """Reads mails in up to `processes` children at once; usable between enter and exit.

    Each mail has `cpu_seconds` and `wall_seconds`, each child `memory_bytes` of address space.
    `child` is the command that serves, to which the limits are added.
    """

    def __init__(
        self,
        *,
        processes: int = 1,
        cpu_seconds: int = 5,
        memory_bytes: int = 256 * MEBIBYTE,
        wall_seconds: float = 2.0,
        grace_seconds: float = GRACE_SECONDS,
        child: Sequence[str] = CHILD,
    ) -> None:
        self._command = (*child, str(cpu_seconds), str(wall_seconds), str(memory_bytes))
        self._patience = wall_seconds + grace_seconds
        self._children: set[_Child] = set()
        self._free: asyncio.LifoQueue[_Child | None] = asyncio.LifoQueue()
        for _ in range(processes):
            self._free.put_nowait(None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for child in tuple(self._children):
            await self._end(child)

    async def read(self, raws: Sequence[bytes]) -> list[Mail]:
        """One `Mail` for each, in order.

        A mail over which a child dies is empty but for its flag: `refused-time`,
        `refused-memory` or `refused-crash`; one that is too large is not even sent. The others
        are not affected. Raises `ParserUnavailable`.
        """
        pieces = [raws[start : start + PIECE] for start in range(0, len(raws), PIECE)]
        read = await asyncio.gather(*map(self._read_piece, pieces))
        found = [mail for mails in read for mail in mails]
        for mail in found:
            _count_failures(mail)
        return found

    async def _read_piece(self, raws: Sequence[bytes]) -> list[Mail]:
        mails: list[Mail] = []
        child = await self._free.get()
        try:
            while len(mails) < len(raws):
                if len(raws[len(mails)]) > MOST_BYTES:
                    mails.append(Mail(flags=(REFUSED_SIZE,)))
                    continue
                if child is None:
                    child = await self._start()
                fresh, before = child.fresh, len(mails)
                try:
                    await child.read_on(raws, mails)
                except _Died as death:
                    await self._end(child)
                    child = None
                    # What earlier mails left in the child may have been at fault, unless time was.
                    blamed = fresh and len(mails) == before
                    if blamed or death.verdict == REFUSED_TIME:
                        mails.append(Mail(flags=(death.verdict,)))
            return mails
        finally:
            if child is not None and child.owes:
                await self._end(child)
                child = None
            self._free.put_nowait(child)

    async def _start(self) -> "_Child":
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,  # a traceback would quote the mail
                env=_ENVIRONMENT,
                cwd="/",
                start_new_session=True,
                limit=MEBIBYTE,
            )
        except OSError as failed:
            raise ParserUnavailable(type(failed).__name__) from None
        child = _Child(process, self._patience)
        self._children.add(child)
        try:
            await child.ready()
        except _Died:
            raise ParserUnavailable("The child ended before the first mail.") from None
        finally:
            if child.owes:
                await self._end(child)
        return child

    async def _end(self, child: "_Child") -> None:
        child.kill()
        await child.process.wait()
        self._children.discard(child)


class _Child:
    """`owes` counts the mails that it has not answered yet, `fresh` that it never answered one."""

    def __init__(self, process: Process, patience: float) -> None:
        self.process = process
        self.fresh = True
        self.owes = 1  # it announces itself
        self._patience = patience

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()

    async def ready(self) -> None:
        if await self._answer(START_SECONDS):
            raise _Died(REFUSED_CRASH)
        self.owes = 0

    async def read_on(self, raws: Sequence[bytes], mails: list[Mail]) -> None:
        """Read the mails from where `mails` ends, up to one that is too large, and add to it.

        Raises `_Died` over the first mail that is missing then.
        """
        sent = []
        for raw in raws[len(mails) :]:
            if len(raw) > MOST_BYTES:
                break
            sent.append(raw)
        self.owes = len(sent)
        sending = asyncio.create_task(self._send(sent))
        try:
            while self.owes:
                mails.append(self._mail(await self._answer(self._patience)))
                self.fresh = False
                self.owes -= 1
        finally:
            sending.cancel()
            await asyncio.wait([sending])

    async def _send(self, raws: Sequence[bytes]) -> None:
        if self.process.stdin is None:
            raise TypeError("stdin")
        with suppress(ConnectionError):  # who reads the answers meets the child's end
            for raw in raws:
                self.process.stdin.write(len(raw).to_bytes(LENGTH_BYTES, "big"))
                self.process.stdin.write(raw)
                await self.process.stdin.drain()

    async def _answer(self, seconds: float) -> bytes:
        frame = asyncio.create_task(self._frame())
        try:
            for patience in (seconds, LAST_LOOK_SECONDS):
                await asyncio.wait((frame,), timeout=patience)
                if frame.done():
                    return await frame
        except IncompleteReadError:
            raise _Died(await self._verdict()) from None
        finally:
            frame.cancel()
        raise _Died(REFUSED_TIME)

    async def _frame(self) -> bytes:
        if self.process.stdout is None:
            raise TypeError("stdout")
        length = int.from_bytes(await self.process.stdout.readexactly(LENGTH_BYTES), "big")
        if length > MOST_ANSWER:
            raise _Died(REFUSED_CRASH)
        return await self.process.stdout.readexactly(length)

    async def _verdict(self) -> str:
        """Why it ended; one that has only closed its output is no better than a crashed one."""
        try:
            async with asyncio.timeout(1):
                code = await self.process.wait()
        except TimeoutError:
            return REFUSED_CRASH
        return _VERDICTS.get(code, REFUSED_CRASH)

    def _mail(self, answer: bytes) -> Mail:
        """What the child says is held against its type: it may speak for the mail's author."""
        try:
            if _NUL.search(answer):
                raise _Died(REFUSED_CRASH)
            return _MAIL.validate_json(answer, strict=True)
        except ValidationError:
            raise _Died(REFUSED_CRASH) from None
