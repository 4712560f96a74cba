"""What makes tampering evident: signed checkpoints over everything that was announced."""

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.envelope import EventData

RootHash = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{43}=$")]
"""Root of the tree (RFC 9162, 2.1), 32 bytes in base64."""


class AuditCheckpoint(EventData):
    """The first `size` messages of the stream of events have this root, and no other ever will.

    Whoever keeps `signed` can later show that the log was changed, without trusting who runs it.
    """

    TYPE: ClassVar[str] = "audit.checkpoint.v1"

    size: int = Field(ge=1, description="Messages 1 to `size` of the stream EVENTS.")
    root: RootHash
    signed: str = Field(
        max_length=1_000,
        description="The same, signed: a C2SP tlog-checkpoint (origin, size, root, Ed25519).",
    )


class CheckpointTold(BaseModel):
    """The answer to `checkpoint`: everything up to now, signed, for a witness to keep."""

    model_config = ConfigDict(frozen=True)

    checkpoint: str = Field(description="A C2SP tlog-checkpoint; empty where there is a problem.")
    problem: str = ""
    key: str = Field(description="The public key that it is checked with.")
