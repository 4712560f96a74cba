"""Takes mail straight from a mail server, by LMTP (RFC 2033).

A recipient's "250" is said only when the mail is kept; "451" while nothing can be, and the mail
server tries again. A line ends in CR LF and in nothing else, so that no mail can hide another
one behind a bare LF. Mails are taken in the process's own event loop.
"""

import asyncio
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from services.intake.handlers.ports import Accept, StoreAway
from services.intake.sources.arriving_mail import LARGEST_MAIL, Room, mail_arrival
from shared.runtime.tasks import end

ENTRANCE = "lmtp"
PIECE = 64 * 1024

_END = b"\r\n.\r\n"
_PATH = re.compile(r'<(?:@[^:<>"]*:)?((?:"(?:[^"\\]|\\.)*"|[^<>"\s])*)>((?: [^ ]+)*) *')
_EXTENSIONS = ("PIPELINING", "ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8")
_TAKEN, _NOT_KEPT = "250 2.0.0 kept", "451 4.3.0 cannot be kept just now, try again"
_TOO_LARGE = "552 5.3.4 larger than is taken"

log = structlog.get_logger("lmtp")


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes, numbers and seconds. `mail_seconds` is for one mail, from its first byte to its last.

    `room` is how many bytes of mail may be in the hand at once.
    """

    mail: int = LARGEST_MAIL
    line: int = 2048
    recipients: int = 100
    connections: int = 50
    commands: int = 10_000
    silence: float = 300.0
    mail_seconds: float = 900.0
    room: int = 100 * 1024 * 1024


class Lmtp:
    """Listens on `host` and `port`; 0 lets the system choose.

    `agency_of` answers with the agency of a mailbox's published address, or `None`; what it raises
    is answered with "try again". `key` keys the ids of mails: at most 64 secret bytes.
    Where mail comes from another machine, `tls` encrypts from the first byte.
    """

    def __init__(
        self,
        accept: Accept,
        agency_of: Callable[[str], str | None],
        now: Callable[[], datetime],
        key: bytes,
        *,
        hostname: str,
        host: str = "127.0.0.1",
        port: int = 0,
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.accept, self.agency_of, self.now, self.key = accept, agency_of, now, key
        self.hostname = hostname
        self.limits = limits or Limits()
        self.room = Room(self.limits.room)
        self._host, self._port, self._tls = host, port, tls
        self._server: asyncio.Server | None = None
        self._sessions: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port that is listened on, once `start` has returned."""
        if self._server is None:
            return self._port
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        self._server = await asyncio.start_server(
            self._serve, self._host, self._port, limit=PIECE, ssl=self._tls
        )

    async def run(self) -> None:
        """Listen until cancelled."""
        await self.start()
        try:
            await asyncio.Event().wait()
        finally:
            await self.stop()

    async def stop(self) -> None:
        """Hang up. A mail that was not answered for comes again."""
        if self._server is not None:
            self._server.close()
            await end(*self._sessions)
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = asyncio.current_task()
        assert session is not None  # noqa: S101 - a coroutine always runs in a task
        self._sessions.add(session)
        try:
            await _Session(self, _Wire(reader, writer, self.limits)).run(
                is_welcome=len(self._sessions) <= self.limits.connections
            )
        except (OSError, EOFError) as error:  # the sender sends again what was not answered for
            log.info("sender is gone", kind=type(error).__name__)
        except asyncio.CancelledError:
            pass  # the listener stops
        finally:
            self._sessions.discard(session)
            writer.close()


class _LineTooLong(Exception):
    pass


class _Wire:
    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limits: Limits
    ) -> None:
        self._reader, self._writer, self._limits = reader, writer, limits
        self._buffer = bytearray()

    async def say(self, *replies: str) -> None:
        self._writer.write("".join(f"{reply}\r\n" for reply in replies).encode())
        async with asyncio.timeout(self._limits.silence):
            await self._writer.drain()

    async def line(self) -> bytes:
        """A command without its CR LF; raises `_LineTooLong` and `EOFError`."""
        while (at := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > self._limits.line:
                raise _LineTooLong
            self._buffer += await self._piece()
        if at > self._limits.line:
            raise _LineTooLong
        line = bytes(self._buffer[:at])
        del self._buffer[: at + 2]
        return line

    async def mail(self) -> bytes | None:
        """What follows DATA, with its added dots taken off; `None` if larger than is taken.

        It is read to its end all the same: answers are due only there (RFC 5321 §4.2.5).
        """
        most, is_too_large = self._limits.mail, False
        held = bytearray(b"\r\n") + self._buffer  # a first line may be the end as well
        self._buffer.clear()
        searched = 0
        async with asyncio.timeout(self._limits.mail_seconds):
            while (at := held.find(_END, searched)) < 0:
                searched = max(0, len(held) - len(_END) + 1)
                if len(held) > most + most // 2:  # added dots are a third at most
                    is_too_large = True
                    del held[:searched]
                    searched = 0
                held += await self._piece()
        self._buffer += held[at + len(_END) :]
        if is_too_large:
            return None
        del held[at + 2 :]
        raw = bytes(held.replace(b"\r\n.", b"\r\n")[2:])
        return raw if len(raw) <= most else None

    async def _piece(self) -> bytes:
        async with asyncio.timeout(self._limits.silence):
            piece = await self._reader.read(PIECE)
        if not piece:
            raise EOFError
        return piece


class _Session:
    def __init__(self, lmtp: Lmtp, wire: _Wire) -> None:
        self._lmtp, self._wire = lmtp, wire
        self._is_greeted = False
        self._forget()

    def _forget(self) -> None:
        self._sender: str | None = None
        self._size = self._lmtp.limits.mail
        self._agencies: list[str] = []
        """Of each recipient that was accepted, in order: each is answered after DATA."""

    async def run(self, *, is_welcome: bool) -> None:
        if not is_welcome:
            await self._wire.say("421 4.3.2 too many connections")
            return
        await self._wire.say(f"220 {self._lmtp.hostname} LMTP")
        for _ in range(self._lmtp.limits.commands):
            try:
                line = await self._wire.line()
            except _LineTooLong:
                await self._wire.say("500 5.5.6 line too long")
                return
            verb, rest = _command(line)
            if verb == "QUIT":
                await self._wire.say("221 2.0.0 goodbye")
                return
            await self._wire.say(*await self._answer(verb, rest))
        await self._wire.say("421 4.7.0 too many commands")

    async def _answer(self, verb: str, rest: str) -> list[str]:
        match verb:
            case "LHLO":
                self._is_greeted = True
                self._forget()
                lines = (self._lmtp.hostname, f"SIZE {self._lmtp.limits.mail}", *_EXTENSIONS)
                return [f"250-{line}" for line in lines[:-1]] + [f"250 {lines[-1]}"]
            case "MAIL":
                return [self._mail(rest)]
            case "RCPT":
                return [self._recipient(rest)]
            case "DATA":
                return await self._data()
            case "RSET":
                self._forget()
                return ["250 2.0.0 forgotten"]
            case "NOOP":
                return ["250 2.0.0 here"]
            case "VRFY" | "EXPN":
                return ["502 5.5.1 nobody is told who is here"]
        return ["500 5.5.1 not a command of LMTP"]

    def _mail(self, rest: str) -> str:
        path = _path(rest, "FROM:")
        if not self._is_greeted or self._sender is not None:
            return "503 5.5.1 not now"
        if path is None:
            return "501 5.5.4 MAIL FROM:<address>"
        address, parameters = path
        size = 0
        for parameter in parameters:
            name, _, value = parameter.upper().partition("=")
            if name == "SIZE" and value.isdecimal() and len(value) <= 20:  # noqa: PLR2004
                size = int(value)
            elif (name, value) not in (
                ("BODY", "7BIT"),
                ("BODY", "8BITMIME"),
                ("SMTPUTF8", ""),
            ):
                return "555 5.5.4 this parameter is not known"
        if size > self._lmtp.limits.mail:
            return _TOO_LARGE
        self._sender, self._size = address, size or self._lmtp.limits.mail
        return "250 2.1.0 go on"

    def _recipient(self, rest: str) -> str:
        path = _path(rest, "TO:")
        if self._sender is None:
            return "503 5.5.1 not now"
        if path is None or not path[0]:
            return "501 5.1.3 RCPT TO:<address>"
        address, parameters = path
        if parameters:
            return "555 5.5.4 this parameter is not known"
        if len(self._agencies) == self._lmtp.limits.recipients:
            return "452 4.5.3 too many recipients"
        try:
            agency = self._lmtp.agency_of(address)
        except Exception as error:  # noqa: BLE001 - whatever fails here must not bounce a mail
            log.warning("recipients cannot be told", kind=type(error).__name__)
            return _NOT_KEPT
        if agency is None:
            return "550 5.1.1 no such mailbox"
        self._agencies.append(agency)
        return "250 2.1.5 go on"

    async def _data(self) -> list[str]:
        if not self._agencies:
            return ["503 5.5.1 no recipient"]
        async with self._lmtp.room.taken(self._size):
            await self._wire.say("354 end with a line of one dot")
            raw = await self._wire.mail()
            answers = [_TOO_LARGE] * len(self._agencies) if raw is None else await self._keep(raw)
        self._forget()
        return answers

    async def _keep(self, raw: bytes) -> list[str]:
        """An answer for each recipient (RFC 2033 §4.2), once the mail is kept or cannot be."""
        lmtp, recorded = self._lmtp, self._lmtp.now()
        # RFC 5321 §4.4: who delivers at last writes down whom to tell; `<>` is a machine's answer.
        with_sender = f"Return-Path: <{self._sender}>\r\n".encode() + raw
        arrivals = {
            agency: mail_arrival(
                with_sender,
                entrance=ENTRANCE,
                agency=agency,
                time=recorded,
                recorded=recorded,
                key=lmtp.key,
            )
            for agency in self._agencies
        }
        try:
            fates = await lmtp.accept(list(arrivals.values()))
        except StoreAway:
            return [_NOT_KEPT] * len(self._agencies)
        except Exception as error:  # noqa: BLE001 - the sender keeps the mail, and tries again
            log.warning("not taken", count=len(arrivals), kind=type(error).__name__)
            return [_NOT_KEPT] * len(self._agencies)
        kept = {fate.arrival.key for fate in fates}
        return [_TAKEN if arrivals[a].key in kept else _NOT_KEPT for a in self._agencies]


def _command(line: bytes) -> tuple[str, str]:
    """Verb, in capitals, and the rest; no verb where bytes are no text or hold a control sign."""
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return "", ""
    if not text.isprintable():
        return "", ""
    verb, _, rest = text.partition(" ")
    return verb.upper(), rest.strip()


def _path(rest: str, keyword: str) -> tuple[str, list[str]] | None:
    """Address and parameters of `FROM:<a@b> SIZE=5`; the address is empty in `FROM:<>`."""
    if rest[: len(keyword)].upper() != keyword:
        return None
    found = _PATH.fullmatch(rest[len(keyword) :].lstrip())
    return None if found is None else (found[1], found[2].split())
