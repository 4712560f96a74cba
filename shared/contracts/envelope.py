"""The envelope of every event: CloudEvents 1.0, structured JSON.

`type` is the contract's name and, for everything that services announce, the NATS subject.
Ids are derived from their cause and never drawn: a step done twice says the same thing twice.
"""

from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar, cast
from uuid import UUID, uuid5

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

NAMESPACE = UUID("6ad6b6d5-8f29-5f19-9a6e-3f4a7d6c2b10")
"""Root of every derived id of this product; changing it would rename the past."""

MEDIA_TYPE = "application/cloudevents+json"

Code = Annotated[str, Field(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$")]
"""Name of a unit, body, office, agency, category …: safe as one token of a NATS subject."""

UtcDatetime = Annotated[AwareDatetime, AfterValidator(lambda at: at.astimezone(UTC))]
"""An instant; a time without a zone is refused."""

EventId = Annotated[str, Field(min_length=1, max_length=128)]


def derived_id(cause: str, *names: str) -> str:
    """The id of what follows from `cause` under `names`: the same each time it is asked."""
    return str(uuid5(NAMESPACE, "/".join((cause, *names))))


class EventData(BaseModel):
    """What an event says. Fields that a newer writer added are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    TYPE: ClassVar[str]

    def nats_subject(self) -> str:
        """Where the event is published; its type, unless the contract has a path of its own."""
        return self.TYPE


Data = TypeVar("Data", bound=EventData)
Caused = TypeVar("Caused", bound=EventData)


class Event(BaseModel, Generic[Data]):
    """One CloudEvent.

    `time` is when the thing happened, `recordedtime` when this system first kept it.
    `correlationid` names the affair, `causationid` the event that this one follows from.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    specversion: Literal["1.0"] = "1.0"
    id: EventId
    source: str = Field(min_length=1, max_length=256)
    type: str = Field(min_length=1, max_length=128)
    subject: str | None = Field(default=None, min_length=1, max_length=128)
    time: UtcDatetime
    recordedtime: UtcDatetime | None = None
    datacontenttype: Literal["application/json"] = "application/json"
    correlationid: str | None = Field(default=None, max_length=128)
    causationid: str | None = Field(default=None, max_length=128)
    sequence: Annotated[str, Field(pattern=r"^\d{1,18}$")] | None = Field(
        default=None,
        description="CloudEvents extension: the sender's own numbering, 1, 2, 3 … without a gap.",
    )
    data: Data

    def causes(
        self,
        data: Caused,
        *,
        source: str,
        recorded: datetime,
        time: datetime | None = None,
        subject: str | None = None,
    ) -> "Event[Caused]":
        """The event that follows from this one: same affair, derived id.

        `subject` and `time` are those of the cause unless given.
        """
        about = subject or self.subject or self.id
        shape = cast("type[Event[Caused]]", _shape(type(data)))
        return shape(
            id=derived_id(self.id, data.TYPE, about),
            source=source,
            type=data.TYPE,
            subject=about,
            time=time or self.time,
            recordedtime=recorded,
            correlationid=self.correlationid or self.id,
            causationid=self.id,
            data=data,
        )

    def encode(self) -> bytes:
        """The event as structured JSON; absent attributes are left out, as CloudEvents asks."""
        return self.model_dump_json(exclude_none=True).encode()


AnyEvent = Event[Any]


@cache
def _shape(contract: type[EventData]) -> type[AnyEvent]:
    """The event of a contract; pydantic's own way to it costs as much as to make one."""
    return Event[contract]  # type: ignore[valid-type]
