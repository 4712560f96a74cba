"""A message of an outside party, as it lay in its stream."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Arrival:
    """One sending. `party` and `type` come from the subject, which the server guards.

    `sequence` is the one that the sender's PubAck named, 0 where no stream was between;
    `recorded` is when the stream took it, the same at every redelivery.
    """

    entrance: str
    """`feed` or `command`; `http`, `imap`, `lmtp`, `call` … for a source of a service's own."""
    party: str
    type: str
    body: bytes
    sequence: int
    recorded: datetime
    name: str = ""
    """Of a sending that lay in no stream: names it among those of its entrance."""

    @property
    def key(self) -> str:
        """Names this sending for ever, also beyond a stream that was made anew."""
        named = self.name or str(self.sequence)
        return f"{self.entrance}:{named}:{self.recorded.isoformat()}"
