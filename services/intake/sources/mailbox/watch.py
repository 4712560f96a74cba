"""Keeps one mailbox under watch: connect, sweep, wait for news, and after a failure begin again."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import blake2b

import structlog

from services.intake.handlers.ports import StoreAway
from services.intake.sources.mailbox.box import Mailbox
from services.intake.sources.mailbox.imap import (
    Declined,
    Imap,
    LoginDeclined,
    Patience,
    Selected,
)
from services.intake.sources.mailbox.sweep import SUSPECT, Memory, Sweep, Taking

log = structlog.get_logger("mailbox")


@dataclass(frozen=True, slots=True)
class Pace:
    """How often to look, and how long to pause; in seconds.

    `renew` ends an IDLE and looks again: so a dead connection is found, and servers hang up after
    30 minutes (RFC 2177). Without IDLE `poll` is how often to ask. After a failure the pause
    doubles from `first` to `longest`; after a wrong password it is `declined`, so that no account
    is locked.
    """

    renew: float = 240.0
    poll: float = 30.0
    first: float = 1.0
    longest: float = 60.0
    declined: float = 600.0
    patience: Patience = field(default_factory=Patience)

    def pause(self, name: str, attempt: int) -> float:
        """Half to whole of the doubled pause, by name and attempt, so that mailboxes spread."""
        most = min(self.longest, self.first * 2.0 ** min(attempt, 30))
        drawn = blake2b(f"{name}/{attempt}".encode(), digest_size=2).digest()
        return most * (0.5 + int.from_bytes(drawn) / 131_072)


@dataclass(frozen=True, slots=True)
class MailboxState:
    """`trouble`: empty, `connection`, `login`, `declined`, `store-away` or `error`.

    `too_large` and `failing` count mails that still lie in the mailbox: larger than is taken, and
    tried in vain several times.
    """

    connected: bool = False
    last_heard: datetime | None = None
    last_kept: datetime | None = None
    kept: int = 0
    too_large: int = 0
    failing: int = 0
    trouble: str = ""


class Watch:
    """`name` stands for the mailbox where people read; it holds no address.

    `gate` bounds how many connections are made to one server at a time.
    """

    def __init__(
        self,
        name: str,
        box: Mailbox,
        *,
        taking: Taking,
        tls: ssl.SSLContext,
        gate: asyncio.Semaphore,
        pace: Pace,
    ) -> None:
        self._name, self._box, self._taking = name, box, taking
        self._tls, self._gate, self._pace = tls, gate, pace
        self._memory = Memory()
        self._state = MailboxState()

    @property
    def state(self) -> MailboxState:
        memory = self._memory
        return replace(
            self._state,
            last_kept=memory.last_kept,
            kept=memory.kept,
            too_large=len(memory.too_large),
            failing=sum(1 for count in memory.failures.values() if count >= SUSPECT),
        )

    async def run(self) -> None:
        """Until cancelled, at any point: what is not marked then is offered again."""
        attempt = 0
        while True:
            kept = self._memory.kept
            trouble, was_well = await self._session()
            if was_well or self._memory.kept > kept:
                attempt = 0
            pause = self._pace.pause(self._name, attempt)
            attempt += 1
            await asyncio.sleep(self._pace.declined if trouble == "login" else pause)

    async def _session(self) -> tuple[str, bool]:
        """Watch until something fails: what it was, and whether all had been well before."""
        well = False
        try:
            async with self._selected() as (imap, selected):
                sweep = Sweep(
                    imap,
                    selected,
                    box=self._box,
                    name=self._name,
                    taking=self._taking,
                    memory=self._memory,
                )
                await sweep.begin()
                renewing = False
                while True:
                    imap.news = False
                    await sweep.run(renewing=renewing)
                    well = True
                    self._state = replace(
                        self._state, connected=True, trouble="", last_heard=self._taking.now()
                    )
                    renewing = not (imap.news or await imap.wait(self._pace.renew, self._pace.poll))
        except StoreAway:
            trouble, kind = "store-away", ""
        except LoginDeclined:
            trouble, kind = "login", ""
        except Declined:
            trouble, kind = "declined", ""
        except OSError as error:  # of the network, of TLS, and `Gone`
            trouble, kind = "connection", type(error).__name__
        except Exception as error:  # noqa: BLE001 - one mailbox never ends the others
            trouble, kind = "error", type(error).__name__
        if trouble != self._state.trouble:
            log.warning("mailbox is not watched", part=self._name, reason=trouble, kind=kind)
        self._state = replace(self._state, connected=False, trouble=trouble)
        return trouble, well

    @asynccontextmanager
    async def _selected(self) -> AsyncIterator[tuple[Imap, Selected]]:
        box = self._box
        async with self._gate:
            imap = await Imap.connect(
                box.host,
                box.port,
                self._tls if box.tls else None,
                self._pace.patience,
                self._taking.bounds.largest,
            )
            try:
                await imap.login(box.user, box.password.get_secret_value())
                selected = await imap.select(box.folder)
            except BaseException:
                imap.close()
                raise
        try:
            yield imap, selected
        finally:
            imap.close()
