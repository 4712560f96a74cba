"""What protects who spoke: opening an identity, erasing a submission, holding it for the law.

Orders come on `command.<party>.submission.<verb>.v1`; the event's `subject` is the submission.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.envelope import Code, EventData
from shared.contracts.ingress import IngressData, Line, Text

Citation = Annotated[str, Field(min_length=3, max_length=1_000)]
"""A legal ground, in words; it names nobody."""


class SubmissionErase(IngressData):
    """Destroy the keys of what was said and of who said it; case, clocks and counts stay."""

    TYPE: ClassVar[str] = "submission.erase.v1"

    citation: Citation


class SubmissionHold(IngressData):
    """Nothing of this submission may be erased until it is released."""

    TYPE: ClassVar[str] = "submission.hold.v1"

    citation: Citation


class SubmissionRelease(IngressData):
    """The hold ends."""

    TYPE: ClassVar[str] = "submission.release.v1"

    citation: Citation


class SubmissionErased(EventData):
    """The keys are destroyed: text and identity can never be read again, from any copy."""

    TYPE: ClassVar[str] = "submission.erased.v1"

    party: Code
    citation: str


class SubmissionHeld(EventData):
    """It may not be erased until it is released, for the reason cited."""

    TYPE: ClassVar[str] = "submission.held.v1"

    party: Code
    citation: str


class SubmissionReleased(EventData):
    """It may be erased again."""

    TYPE: ClassVar[str] = "submission.released.v1"

    party: Code
    citation: str


class IdentityOpened(EventData):
    """Somebody of the body that holds the case was told who spoke; `subject` is the submission.

    Announced before the answer is given. The reason stays sealed with the submission.
    """

    TYPE: ClassVar[str] = "identity.opened.v1"

    case: str
    body: Code
    persons: tuple[Code, ...] = Field(description="Who asked, then who agreed.")
    unsealing: int | None = Field(
        default=None, description="Number of `case.unsealing-confirmed.v1` on the case."
    )


class Asked(BaseModel):
    """A question of a body on `ask.<body>.intake.<question>`, about a case that it holds."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    case: Annotated[str, Field(max_length=128)]
    person: Code = Field(description="Code of the person who asks, as the body knows them.")


class TextAsked(Asked):
    """`text`: what was said, and what has been said since."""


class IdentityAsked(Asked):
    """`identity`: who spoke, told once to the person whose asking a second person confirmed."""

    unsealing: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="Number of `case.unsealing-confirmed.v1` on this case."
    )
    reason: Annotated[str, Field(min_length=10, max_length=2_000)]


class MessageAsked(Asked):
    """`say`: tell who spoke something, or ask it, without knowing who it is."""

    text: Text
    item: Line = Field(description="Names the message: the same item again is the same message.")


class TextReadersAsked(BaseModel):
    """`readers`: who was told what was said on a case. The operator alone is told."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    case: Annotated[str, Field(max_length=128)]


class Told(BaseModel):
    """The answer; `content` only where `status` is `told`."""

    model_config = ConfigDict(frozen=True)

    status: Literal["told", "kept", "second-person-needed", "not-yours", "erased", "invalid"]
    advice: str = ""
    content: dict[str, Any] | None = None
