"""A message that could not be handled, set aside with its reason."""

from typing import ClassVar

from pydantic import Field

from shared.contracts.envelope import EventData


class MessageSetAside(EventData):
    """The message itself is sealed to the operator's key: it may name people."""

    TYPE: ClassVar[str] = "message.set-aside.v1"

    stream: str
    sequence: int
    original_subject: str
    consumer: str
    deliveries: int = Field(ge=1)
    reason: str = Field(description="`unreadable`, `unknown`, `failed` or `crashed`.")
    detail: str = Field(
        default="",
        description="Kind of error and the place, or the unknown type; never a value.",
    )
    sealed: str = Field(description="HPKE-sealed message, base64.")

    def nats_subject(self) -> str:
        return f"dead.{self.original_subject}"
