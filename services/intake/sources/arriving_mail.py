"""A mail as it is handed to intake, whichever way it came, and the room that mails may take."""

import asyncio
from base64 import b64encode
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from hashlib import blake2b

import orjson

from shared.contracts import MailboxMessageArrived
from shared.runtime.arrival import Arrival

LARGEST_MAIL = 25 * 1024 * 1024
"""Bytes. What is larger is refused where one can answer, and left in its mailbox where not."""

_USE = b"langnghe mail id"
_DIGEST_BYTES = 16


def mail_id(raw: bytes, key: bytes) -> str:
    """The event id of a mail: the same bytes, the same id.

    Keyed with a secret of at most 64 bytes, so that who reads the database cannot ask whether a
    certain mail came.
    """
    return "mail-" + blake2b(raw, key=key, person=_USE, digest_size=_DIGEST_BYTES).hexdigest()


def mail_arrival(
    raw: bytes,
    *,
    entrance: str,
    agency: str,
    time: datetime,
    recorded: datetime,
    key: bytes,
    place: str = "",
) -> Arrival:
    """One mail to an agency; `time` is when it reached the mailbox, at the latest `recorded`.

    `place` tells sendings of the same bytes apart that are handed over in one breath.
    """
    item = mail_id(raw, key)
    event = {
        "specversion": "1.0",
        "id": item,
        "source": f"/agencies/{agency}",
        "type": MailboxMessageArrived.TYPE,
        "time": min(time, recorded).isoformat(),
        "datacontenttype": "application/json",
        "data": {"raw": b64encode(raw).decode()},
    }
    return Arrival(
        entrance=entrance,
        party=agency,
        type=MailboxMessageArrived.TYPE,
        body=orjson.dumps(event),
        sequence=0,
        recorded=recorded,
        name="/".join(part for part in (agency, item, place) if part),
    )


class Room:
    """How many bytes of mail may be in the hand at once; who comes first is served first.

    A mail costs about four times its bytes until it is kept: raw, in base64, in its event and
    once more where the event is read.
    """

    def __init__(self, size: int) -> None:
        self._size = self._free = size
        self._queue: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def taken(self, size: int) -> AsyncIterator[None]:
        """Wait until there is room for `size` bytes; what is larger than all of it takes all."""
        wanted = min(size, self._size)
        turn = asyncio.get_running_loop().create_future()
        self._queue.append((wanted, turn))
        self._admit()
        try:
            await turn
            yield
        finally:
            if not turn.cancelled():
                self._free += wanted
            self._admit()

    def _admit(self) -> None:
        while self._queue:
            wanted, turn = self._queue[0]
            if not turn.cancelled():
                if wanted > self._free:
                    return
                self._free -= wanted
                turn.set_result(None)
            self._queue.popleft()
