"""One connection to an IMAP server: the few commands that a mailbox's watch needs.

RFC 3501, with IDLE (2177), UIDPLUS (4315) and MOVE (6851) where the server has them. Encrypted
from the first byte or not at all: STARTTLS is left out, as RFC 8314 §3 asks.
"""

import asyncio
import ssl
from base64 import b64encode
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from services.intake.sources.mailbox.responses import (
    ENDS_IN_LITERAL,
    PassedOver,
    Response,
    attributes,
    folder_name,
    internal_date,
    is_status,
    number_set,
    quoted,
    read_response,
)

LONGEST_LINE = 1024 * 1024
"""Bytes: a SEARCH that finds about a hundred thousand mails."""
MOST_LITERALS, MOST_RESPONSES = 20, 200_000
PIECE = 64 * 1024


class Gone(ConnectionError):
    """The connection is of no more use: closed, silent, or what was said is not IMAP."""


class Declined(Exception):
    """The server answered NO or BAD; only its code is kept, since the text may name people."""

    def __init__(self, code: bytes) -> None:
        super().__init__()
        self.code = code


class LoginDeclined(Exception):
    """Name or password are not right, or the server takes them only over TLS."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: to connect, without a byte while an answer is awaited, for one whole answer."""

    connect: float = 20.0
    silence: float = 60.0
    answer: float = 600.0


@dataclass(frozen=True, slots=True)
class Selected:
    r"""`keeps` holds the flags that the server keeps for ever, `\*` if any keyword."""

    uidvalidity: int
    keeps: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class Facts:
    """`size` in bytes, as the server tells it; `arrived` is its INTERNALDATE."""

    uid: int
    size: int
    arrived: datetime


class Imap:
    """A command at a time. `news` is set whenever the server tells of another mail."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        patience: Patience,
        largest: int,
    ) -> None:
        self._reader, self._writer = reader, writer
        self._patience, self._largest = patience, largest
        self._tags = 0
        self._exists = 0
        self._uidvalidity = 0
        self._capabilities: frozenset[bytes] = frozenset()
        self.news = False

    @classmethod
    async def connect(
        cls, host: str, port: int, tls: ssl.SSLContext | None, patience: Patience, largest: int
    ) -> Self:
        """Reads the greeting too. `largest` literal in bytes; of a larger one only the size."""
        async with asyncio.timeout(patience.connect):
            reader, writer = await asyncio.open_connection(host, port, ssl=tls, limit=LONGEST_LINE)
            imap = cls(reader, writer, patience, largest)
            try:
                greeting = await imap._response()
            except BaseException:
                writer.transport.abort()
                raise
        if greeting.word != b"OK":
            writer.transport.abort()
            raise Gone("the server does not take connections")
        return imap

    def close(self) -> None:
        with suppress(OSError, RuntimeError):
            self._writer.write(b"Z LOGOUT\r\n")
        self._writer.close()

    async def login(self, user: str, password: str) -> None:
        await self._learn()
        try:
            if b"AUTH=PLAIN" in self._capabilities:
                secret = b64encode(f"\0{user}\0{password}".encode())
                await self._command(b"AUTHENTICATE PLAIN", continued=secret)
            else:
                await self._command(b"LOGIN " + quoted(user) + b" " + quoted(password))
        except (Declined, ValueError):
            raise LoginDeclined from None
        await self._learn()

    async def select(self, folder: str) -> Selected:
        self._exists = self._uidvalidity = 0
        said = await self._command(b"SELECT " + folder_name(folder))
        keeps = next((r.code_value for r in said if r.code == b"PERMANENTFLAGS"), b"")
        flags = frozenset(keeps.strip(b"()").lower().split())
        read_only = said[-1].code == b"READ-ONLY"
        return Selected(self._uidvalidity, frozenset() if read_only else flags)

    async def search(self, criteria: bytes) -> list[int]:
        said = await self._command(b"UID SEARCH " + criteria)
        found = [v for r in said if r.word == b"SEARCH" for v in r.values[1:]]
        return [int(uid) for uid in found if isinstance(uid, bytes)]

    async def facts(self, uids: Sequence[int], now: datetime) -> list[Facts]:
        """Of those that are still there; `now` stands for a date that cannot be read."""
        said = await self._command(
            b"UID FETCH " + number_set(uids) + b" (UID RFC822.SIZE INTERNALDATE)"
        )
        found: dict[int, Facts] = {}
        for one in (attributes(r) for r in said if r.word == b"FETCH"):
            uid, size, date = (one.get(n) for n in (b"UID", b"RFC822.SIZE", b"INTERNALDATE"))
            if isinstance(uid, bytes) and isinstance(size, bytes) and isinstance(date, bytes):
                found[int(uid)] = Facts(int(uid), int(size), internal_date(date, now))
        return [found[uid] for uid in uids if uid in found]

    async def mail(self, uid: int) -> bytes | PassedOver | None:
        """The whole mail, unmarked; `None` if it is no longer there."""
        said = await self._command(b"UID FETCH %d (UID BODY.PEEK[])" % uid)
        for one in (attributes(r) for r in said if r.word == b"FETCH"):
            content = one.get(b"BODY[]")
            if one.get(b"UID") == b"%d" % uid and not isinstance(content, list | None):
                return content
        return None

    async def mark(self, uids: Sequence[int], flags: Sequence[bytes]) -> None:
        await self._command(
            b"UID STORE " + number_set(uids) + b" +FLAGS.SILENT (" + b" ".join(flags) + b")"
        )

    async def move(self, uids: Sequence[int], folder: str) -> None:
        """Make the folder if it is not there.

        A server without MOVE copies and marks as deleted; it expunges only if it can do so for
        these mails alone (UIDPLUS), since others may have marked theirs.
        """
        can_move = b"MOVE" in self._capabilities
        verb = b"UID MOVE " if can_move else b"UID COPY "
        command = verb + number_set(uids) + b" " + folder_name(folder)
        try:
            await self._command(command)
        except Declined as declined:
            if declined.code != b"TRYCREATE":
                raise
            await self._command(b"CREATE " + folder_name(folder))
            await self._command(command)
        if not can_move:
            await self.mark(uids, [rb"\Deleted"])
            if b"UIDPLUS" in self._capabilities:
                await self._command(b"UID EXPUNGE " + number_set(uids))

    async def wait(self, seconds: float, poll: float) -> bool:
        """Whether the server told of news within `seconds`; without IDLE ask each `poll`."""
        if b"IDLE" in self._capabilities:
            await self._idle(seconds)
            return self.news
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while not self.news and loop.time() < until:
            await asyncio.sleep(min(poll, max(0.0, until - loop.time())))
            await self._command(b"NOOP")
        return self.news

    async def _idle(self, seconds: float) -> None:
        tag = await self._send(b"IDLE")
        try:
            async with asyncio.timeout(self._patience.silence):
                while (said := await self._response()).tag != b"+":
                    if said.tag == tag:
                        raise Gone("the server does not idle")
        except TimeoutError:
            raise Gone("the server is silent") from None
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self.news:
                    await self._response()
        await self._write(b"DONE\r\n")
        await self._answer(tag)

    async def _learn(self) -> None:
        said = await self._command(b"CAPABILITY")
        words = [v for r in said if r.word == b"CAPABILITY" for v in r.values[1:]]
        self._capabilities = frozenset(w.upper() for w in words if isinstance(w, bytes))

    async def _command(self, command: bytes, continued: bytes = b"") -> list[Response]:
        """What the server said, its tagged OK last. Raises `Declined` or `Gone`."""
        tag = await self._send(command)
        return await self._answer(tag, continued)

    async def _send(self, command: bytes) -> bytes:
        self._tags += 1
        tag = b"L%d" % self._tags
        await self._write(tag + b" " + command + b"\r\n")
        return tag

    async def _write(self, line: bytes) -> None:
        self._writer.write(line)
        try:
            async with asyncio.timeout(self._patience.silence):
                await self._writer.drain()
        except TimeoutError:
            raise Gone("the server does not read") from None

    async def _answer(self, tag: bytes, continued: bytes = b"") -> list[Response]:
        said: list[Response] = []
        try:
            async with asyncio.timeout(self._patience.answer):
                while len(said) < MOST_RESPONSES:
                    said.append(await self._response(self._patience.silence))
                    if said[-1].tag == b"+" and continued:
                        await self._write(continued + b"\r\n")
                        continued = b""
                    elif said[-1].tag == tag:
                        if said[-1].word != b"OK":
                            raise Declined(said[-1].code)
                        return said
        except TimeoutError:
            raise Gone("the server is silent") from None
        raise Gone("the server does not come to an end")

    async def _response(self, silence: float | None = None) -> Response:
        """Raises `TimeoutError` after `silence` seconds without a byte."""
        try:
            line = await self._line(silence)
            literals: list[bytes | PassedOver] = []
            while not is_status(line) and (found := ENDS_IN_LITERAL.search(line)):
                if len(literals) == MOST_LITERALS:
                    raise Gone("this is not IMAP")
                literals.append(await self._literal(int(found[1]), silence))
                line += await self._line(silence)
            response = read_response(line, literals)
            self._notice(response)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            raise Gone("closed, or not IMAP") from None
        return response

    async def _line(self, silence: float | None) -> bytes:
        async with asyncio.timeout(silence):
            return (await self._reader.readuntil(b"\r\n"))[:-2]

    async def _literal(self, size: int, silence: float | None) -> bytes | PassedOver:
        content = bytearray()
        left = size
        while left:
            async with asyncio.timeout(silence):
                piece = await self._reader.read(min(left, PIECE))
            if not piece:
                raise Gone("closed")
            left -= len(piece)
            if size <= self._largest:
                content += piece
        return bytes(content) if size <= self._largest else PassedOver(size)

    def _notice(self, response: Response) -> None:
        match response.word:
            case b"EXISTS":
                self.news = self.news or response.number > self._exists
                self._exists = response.number
            case b"EXPUNGE":
                self._exists -= 1
            case b"BYE" if response.tag == b"*":
                raise Gone("the server said goodbye")
        if response.code == b"UIDVALIDITY":
            told = int(response.code_value)
            if self._uidvalidity not in (0, told):
                raise Gone("the mailbox was made anew")
            self._uidvalidity = told
