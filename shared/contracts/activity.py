"""Supervision activities and dialogues, as reports count them."""

from datetime import date
from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from shared.contracts.envelope import Code, EventData, UtcDatetime
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
    """An agency's channel is known to the public; `subject` is the record's id."""

    TYPE: ClassVar[str] = "channel.announced.v1"

    agency: Code
    unit: Code
    channel: Channel
    published: date


class ChannelSilent(EventData):
    """Nothing has come through a channel for longer than the instance allows.

    The event's `subject` is `<agency>/<channel>`.
    """

    TYPE: ClassVar[str] = "channel.silent.v1"

    agency: Code
    unit: Code
    channel: Channel
    last_heard: UtcDatetime | None = Field(default=None, description="None: never.")
    working_days: int = Field(ge=1, description="How many working days nothing came.")


class ChannelInterrupted(EventData):
    """An agency's own numbering of its events has a gap; `subject` is the agency.

    Or it has stopped: a feed that sends heartbeats fell silent. Then `silent_since` says since
    when, and `first` and `last` are the one number that was due next.
    """

    TYPE: ClassVar[str] = "channel.interrupted.v1"

    agency: Code
    first: int = Field(ge=0, description="First number that never came.")
    last: int = Field(ge=0, description="Last number that never came.")
    silent_since: UtcDatetime | None = Field(
        default=None, description="When the feed was last heard, if nothing at all has come since."
    )
