"""The life of a submission, as other services may see it."""

from typing import ClassVar

from pydantic import Field

from shared.contracts.envelope import Code, EventData, derived_id
from shared.contracts.vocabulary import Channel, Concern, Form, Kind, Signatures

ELIGIBLE = "eligible"
"""The one eligibility outcome that is no refusal; the others are codes of the rulebook."""


def submission_id(agency: str, item: str) -> str:
    """The submission that an agency's item becomes, unless the same matter was sent before.

    Whoever sent the item can work it out beforehand.
    """
    return derived_id(f"/agencies/{agency}", item)


class SubmissionReceived(EventData):
    """Intake has kept a submission; text and identity stay sealed with it.

    The event's `subject` is the submission, its `time` the legal moment of receipt.
    Carries what the other services decide on, and nothing about who spoke.
    """

    TYPE: ClassVar[str] = "submission.received.v1"

    agency: Code
    unit: Code = Field(description="Unit whose channel it came through; reports count it there.")
    channel: Channel
    form: Form
    kind: Kind
    category: Code
    signatures: Signatures
    concerns: Concern
    eligibility: Code = Field(description="`eligible`, or the outcome code of the refusal ground.")
    citation: str | None = Field(default=None, description="Legal ground of a refusal.")
    decided_by: tuple[str, ...] = Field(
        default=(), description="Codes of the rules that chose kind, category and eligibility."
    )
    rulebook: int = Field(ge=0, description="Version of the rulebook that classified it.")
    directory: int = Field(ge=0, description="Version of the directory that named its object.")
