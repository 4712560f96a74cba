"""A message that was set aside and is driven again: to its consumer it is the one of then."""

from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from nats.aio.msg import Msg

SUBJECT, SEQUENCE, RECORDED = "Langnghe-Subject", "Langnghe-Sequence", "Langnghe-Recorded"


@dataclass(frozen=True, slots=True)
class Original:
    """Where a message lay before it was set aside: what its ids follow from."""

    subject: str
    sequence: int
    recorded: datetime

    def headers(self) -> dict[str, str]:
        return {
            SUBJECT: self.subject,
            SEQUENCE: str(self.sequence),
            RECORDED: self.recorded.isoformat(),
        }


def as_it_was(message: Msg) -> Any:  # noqa: ANN401 - a stand-in for a message of nats-py
    """The message with the place and time of its original; it is acknowledged where it lies."""
    headers = message.headers or {}
    return _AsItWas(
        message,
        Original(
            headers[SUBJECT], int(headers[SEQUENCE]), datetime.fromisoformat(headers[RECORDED])
        ),
    )


class _AsItWas:
    def __init__(self, message: Msg, original: Original) -> None:
        about = message.metadata
        self._message = message
        self.subject = original.subject
        self.redriven = str(about.sequence.stream)
        self.metadata = SimpleNamespace(
            sequence=SimpleNamespace(stream=original.sequence),
            timestamp=original.recorded,
            num_delivered=about.num_delivered,
        )

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a message has
        return getattr(self._message, name)
