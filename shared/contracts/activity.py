"""Supervision activities and dialogues, as reports count them."""

from datetime import date
from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from shared.contracts.envelope import Code, EventData
from shared.contracts.vocabulary import Channel


class ActivityKind(StrEnum):
    DIRECT = "direct"
    INDIRECT = "indirect"
    DIALOGUE = "dialogue"


class ActivityRecorded(EventData):
    """Intake kept a record of an activity; the event's `subject` is the activity."""

    TYPE: ClassVar[str] = "activity.recorded.v1"

    agency: Code
    unit: Code
    kind: ActivityKind
    held: date
    body: Code | None = None
    form: Code | None = None
    office: Code | None = None
    decision: str | None = None
    participants: int = Field(default=0, ge=0)
    opinions_received: int = Field(default=0, ge=0)
    opinions_accepted: int = Field(default=0, ge=0)


class ChannelAnnounced(EventData):
    """An agency's channel is known to the public; the event's `subject` is the agency."""

    TYPE: ClassVar[str] = "channel.announced.v1"

    agency: Code
    unit: Code
    channel: Channel
    published: date
