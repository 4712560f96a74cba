"""The life of a submission, as other services may see it."""

from enum import StrEnum
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


class Link(StrEnum):
    """Why two submissions may belong together."""

    SAME_MATTER = "same-matter"
    """Their words are alike; `score` estimates how much of them (Jaccard, 0 to 1)."""
    REPLY = "reply"
    """The mail answers one of the other's, and nothing proves that the same person wrote it."""


class SubmissionRelated(EventData):
    """A submission may be on the matter of an earlier one: a suggestion, nothing is merged.

    The event's `subject` is the later submission.
    """

    TYPE: ClassVar[str] = "submission.related.v1"

    earlier: str
    link: Link
    score: float | None = Field(default=None, ge=0, le=1)


class Addition(StrEnum):
    """What came in addition to a submission."""

    MESSAGE = "message"
    CALL_NOTE = "call-note"
    ANSWER = "answer"
    """The body that handles the case said or asked something."""


class SubmissionSupplemented(EventData):
    """More was said on a submission, the event's `subject`. What was said stays sealed."""

    TYPE: ClassVar[str] = "submission.supplemented.v1"

    addition: Addition
    files: int = Field(default=0, ge=0, description="How many files came with it.")


class SubmissionRated(EventData):
    """Who spoke says how satisfied they are with the answer, from 1 to 5."""

    TYPE: ClassVar[str] = "submission.rated.v1"

    score: int = Field(ge=1, le=5)
