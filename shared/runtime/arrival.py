"""A message of an outside party, as it lay in its stream."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Arrival:
    """One sending. `party` and `type` come from the subject, which the server guards.

    `sequence` is the one that the sender's PubAck named; `recorded` is when the stream took it,
    the same at every redelivery.
    """

    entrance: str
    """`feed` or `command`."""
    party: str
    type: str
    body: bytes
    sequence: int
    recorded: datetime

    @property
    def key(self) -> str:
        """Names this sending for ever, also beyond a stream that was made anew."""
        return f"{self.entrance}:{self.sequence}:{self.recorded.isoformat()}"
