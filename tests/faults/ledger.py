"""What was tried from outside, and what was answered: kept apart from the system."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

ACCEPTED, REFUSED, UNKNOWN = "accepted", "refused", "unknown"


def hash_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


@dataclass(slots=True)
class Attempt:
    """One sending. `source` and `item` name the event: several attempts may share them.

    `pattern` names what was said in what words, `text` the hash of all of it. `answer` is what
    the sender was told; `unknown` where no answer came, so that it may be in or not.
    """

    number: int
    channel: str
    source: str
    item: str
    pattern: str
    text: str
    sent: float
    answer: str = UNKNOWN
    sequence: int = 0

    @property
    def event(self) -> tuple[str, str]:
        return self.source, self.item


@dataclass(slots=True)
class Ledger:
    attempts: list[Attempt] = field(default_factory=list)
    canaries: list[str] = field(default_factory=list)
    orders: list[Attempt] = field(default_factory=list)

    def tried(self, sent: float, channel: str, source: str, item: str, **more: Any) -> Attempt:
        attempt = Attempt(len(self.attempts) + 1, channel, source, item, sent=sent, **more)
        self.attempts.append(attempt)
        return attempt

    def ordered(self, sent: float, party: str, item: str, case: str) -> Attempt:
        number = len(self.orders) + 1
        attempt = Attempt(number, "order", party, item, case, hash_of(case), sent)
        self.orders.append(attempt)
        return attempt

    def accepted(self) -> dict[tuple[str, str], Attempt]:
        """By event: the first accepted attempt; none of it may be lost."""
        found: dict[tuple[str, str], Attempt] = {}
        for attempt in self.attempts:
            if attempt.answer == ACCEPTED:
                found.setdefault(attempt.event, attempt)
        return found

    def tried_events(self) -> dict[tuple[str, str], Attempt]:
        """By event: any attempt; nothing else may be there."""
        return {attempt.event: attempt for attempt in reversed(self.attempts)}
