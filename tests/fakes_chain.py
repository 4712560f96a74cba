"""The chain's ports in memory; the suite in `stores/` holds them to what MongoDB and NATS do."""

from collections.abc import AsyncIterator, Sequence

from services.reporting.chain import Link
from services.reporting.domain.chain import Logged
from shared.contracts import AuditCheckpoint
from shared.contracts.envelope import Event


class MemoryLog:
    """A stream of events that a test may tamper with."""

    def __init__(self, messages: Sequence[Logged] = ()) -> None:
        self.messages = list(messages)

    def say(self, subject: str, body: bytes) -> None:
        self.messages.append(Logged(len(self.messages) + 1, subject, body))

    async def read(self, start: int, most: int) -> Sequence[Logged]:
        return [m for m in self.messages if m.sequence >= start][:most]

    async def publish(self, events: Sequence[Event[AuditCheckpoint]]) -> None:
        for event in events:
            self.say(event.type, event.encode())


class MemoryLinks:
    def __init__(self) -> None:
        self.links: dict[int, Link] = {}
        self.log: dict[int, Logged] = {}

    async def last(self) -> Link | None:
        return self.links[max(self.links)] if self.links else None

    async def add_once(self, link: Link) -> bool:
        return self.links.setdefault(link.start, link) is link

    async def copied(self) -> int:
        return max(self.log, default=0)

    async def copy(self, messages: Sequence[Logged]) -> None:
        for message in messages:
            self.log.setdefault(message.sequence, message)

    async def leaves(self) -> AsyncIterator[bytes]:
        for start in sorted(self.links):
            for leaf in self.links[start].leaves:
                yield leaf


class MemoryCheckpoints:
    def __init__(self) -> None:
        self.kept: dict[str, Event[AuditCheckpoint]] = {}
        self._said: set[str] = set()

    async def add_once(self, key: str, event: Event[AuditCheckpoint]) -> Event[AuditCheckpoint]:
        return self.kept.setdefault(key, event)

    async def waiting(self) -> Sequence[Event[AuditCheckpoint]]:
        unsaid = [event for event in self.kept.values() if event.id not in self._said]
        return sorted(unsaid, key=lambda event: event.data.size)

    async def announced(self, events: Sequence[Event[AuditCheckpoint]]) -> None:
        self._said |= {event.id for event in events}
