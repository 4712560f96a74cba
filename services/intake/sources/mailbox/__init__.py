"""Agencies' mailboxes (IMAP): many are watched in one process, a connection each."""

import asyncio
import ssl
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from prometheus_client import Gauge

from services.intake.handlers.ports import Accept
from services.intake.sources.arriving_mail import Room
from services.intake.sources.mailbox.box import Mailbox, read_mailboxes
from services.intake.sources.mailbox.imap import Patience
from services.intake.sources.mailbox.sweep import KEPT, TOO_LARGE, Bounds, Taking
from services.intake.sources.mailbox.watch import MailboxState, Pace, Watch

__all__ = [
    "KEPT",
    "TOO_LARGE",
    "Bounds",
    "Mailbox",
    "MailboxState",
    "Mailboxes",
    "Pace",
    "Patience",
    "read_mailboxes",
]

TROUBLED = Gauge("langnghe_mailbox_troubled", "1: the mailbox is not watched.", ["mailbox"])
LEFT = Gauge(
    "langnghe_mailbox_left", "Mails that lie there: too large, or tried in vain.", ["mailbox"]
)

ROOM = 64 * 1024 * 1024
"""Bytes of mail in the hand, of all mailboxes together."""
CONNECTING_AT_ONCE = 10
"""To one server; a hundred log-ins in one breath look like an attack, and are refused like one."""


class Mailboxes:
    """Watches `boxes`. `key` keys the ids of mails: at most 64 secret bytes that never change.

    `tls` says whom to trust; by default the authorities that the system trusts.
    """

    def __init__(
        self,
        accept: Accept,
        boxes: Sequence[Mailbox],
        now: Callable[[], datetime],
        key: bytes,
        *,
        pace: Pace | None = None,
        bounds: Bounds | None = None,
        room: Room | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        taking = Taking(accept, now, key, room or Room(ROOM), bounds or Bounds())
        tls = tls or ssl.create_default_context()
        gates: defaultdict[tuple[str, int], asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(CONNECTING_AT_ONCE)
        )
        self._watches: dict[str, Watch] = {}
        places: Counter[str] = Counter()
        for box in boxes:
            places[box.agency] += 1
            name = f"{box.agency}-{places[box.agency]}"
            gate = gates[box.host, box.port]
            self._watches[name] = Watch(
                name, box, taking=taking, tls=tls, gate=gate, pace=pace or Pace()
            )

    def state(self) -> Mapping[str, MailboxState]:
        """By agency's code and the mailbox's place among the agency's, from 1."""
        return {name: watch.state for name, watch in self._watches.items()}

    async def tell(self, _at: datetime) -> int:
        """Say in metrics how each is; answers 0, since nothing else comes of it."""
        for name, state in self.state().items():
            TROUBLED.labels(name).set(bool(state.trouble))
            LEFT.labels(name).set(state.too_large + state.failing)
        return 0

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for watch in self._watches.values():
                tasks.create_task(watch.run())
