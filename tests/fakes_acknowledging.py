"""Acknowledgements in memory, and a mail server that says what it is told to."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from services.intake.domain.acknowledging import Due, Given, Never, admit
from services.intake.vault import Sealed
from tests.fakes_intake import MemorySubmissions


class MemoryAcknowledgements:
    """Of the submissions that were kept; the suite in `stores/` holds it to what MongoDB does."""

    def __init__(self, submissions: MemorySubmissions) -> None:
        self._submissions = submissions
        self._due: dict[str, datetime] = {}
        self._given: dict[str, tuple[Given, ...]] = {}
        self.acknowledged: dict[str, datetime] = {}
        self.never_acknowledged: dict[str, Never] = {}

    async def take(self, at: datetime, until: datetime) -> Due | None:
        closed = self.acknowledged.keys() | self.never_acknowledged.keys()
        for kept in self._submissions.kept:
            subject = kept.event.subject or ""
            if kept.acknowledge and subject not in closed:
                self._due.setdefault(subject, kept.event.recordedtime)
        waiting = sorted((due, s) for s, due in self._due.items() if due <= at)
        if not waiting:
            return None
        _, submission = waiting[0]
        self._due[submission] = until
        event = self._kept(submission).event
        return Due(submission, event.data.agency, event.recordedtime)

    async def admit(self, recipient: str, name: str, at: datetime) -> bool:
        admitted = admit(self._given.get(recipient, ()), name, at)
        if admitted is not None:
            self._given[recipient] = admitted
        return admitted is not None

    async def join(self, submission: str, name: str) -> bool:
        kept = self._kept(submission)
        thread = replace(kept.thread, own=(*kept.thread.own, name))
        self._submissions.kept[self._submissions.kept.index(kept)] = replace(kept, thread=thread)
        return True

    async def postpone(self, submission: str, until: datetime) -> None:
        self._due[submission] = until

    async def done(self, submission: str, at: datetime) -> None:
        self.acknowledged[submission] = at
        self._due.pop(submission, None)

    async def never(self, submission: str, why: Never) -> None:
        self.never_acknowledged[submission] = why
        self._due.pop(submission, None)

    def due(self, submission: str) -> datetime:
        return self._due[submission]

    def _kept(self, submission: str):
        return next(k for k in self._submissions.kept if k.event.subject == submission)


class MemoryContents:
    def __init__(self, submissions: MemorySubmissions) -> None:
        self._submissions = submissions

    async def parts(self, submission: str, names: Sequence[str]) -> Mapping[str, Sealed] | None:
        for kept in self._submissions.kept:
            if kept.event.subject == submission:
                return {n: kept.sealed[n] for n in names if n in kept.sealed}
        return None

    async def conversation(self, submission: str) -> Sequence[object]:
        return []


class PostServer:
    """Speaks SMTP or LMTP. `answers`: by beginning of a command what is said instead.

    An empty answer hangs up. `DATA` is answered after the mail with what stands under `.`.
    """

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}
        self.commands: list[str] = []
        self.mails: list[bytes] = []
        self.greeting = "220 ready"
        self.offers: tuple[str, ...] = ("SIZE 1000000",)
        self.port = 0

    @asynccontextmanager
    async def listening(self):
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            await server.wait_closed()

    def recipients(self) -> list[str]:
        return [c[8:].strip() for c in self.commands if c.upper().startswith("RCPT TO:")]

    async def _serve(self, reader, writer):
        writer.write(f"{self.greeting}\r\n".encode())
        while line := await reader.readline():
            command = line.decode().rstrip("\r\n")
            self.commands.append(command)
            answer = self._answer(command)
            if not answer:
                break
            writer.write(f"{answer}\r\n".encode())
            if answer.startswith("354"):
                self.mails.append(await reader.readuntil(b"\r\n.\r\n"))
                answer = self.answers.get(".", "250 taken")
                if not answer:
                    break
                writer.write(f"{answer}\r\n".encode())
            if command.upper() == "QUIT":
                break
        writer.close()

    def _answer(self, command: str) -> str:
        for beginning, answer in self.answers.items():
            if command.upper().startswith(beginning):
                return answer
        match command.upper().split()[0]:
            case "EHLO" | "LHLO":
                return "\r\n".join(
                    ("250-here", *(f"250-{offer}" for offer in self.offers), "250 HELP")
                )
            case "DATA":
                return "354 go on"
            case "QUIT":
                return "221 bye"
        return "250 fine"
