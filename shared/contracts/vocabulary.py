"""Words that several contracts share. ISO 37002 and the statutory forms give them their meaning."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from shared.contracts.envelope import Code


class Value(BaseModel):
    """A part of an event's data."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Channel(StrEnum):
    """Where a submission came in."""

    HOTLINE = "hotline"
    MAILBOX = "mailbox"
    WEB_FORM = "web-form"
    LETTER = "letter"
    PAPER_BOX = "paper-box"


class Kind(StrEnum):
    """What a submission is by its content, never by its title."""

    COMPLAINT = "complaint"
    DENUNCIATION = "denunciation"
    PETITION = "petition"
    REFLECTION = "reflection"


class Form(StrEnum):
    """How it was brought; the law knows a denunciation only as signed letter or in person."""

    SIGNED_LETTER = "signed-letter"
    UNSIGNED_LETTER = "unsigned-letter"
    IN_PERSON = "in-person"
    TELEPHONE = "telephone"
    EMAIL = "e-mail"
    WEB_FORM = "web-form"


class Signatures(StrEnum):
    """How many people sign, as Form 01/XLD counts it (columns 2, 3, 4)."""

    SEVERAL = "several"
    ONE = "one"
    OTHER = "other"
    """None, or nobody can tell: anonymous submissions are counted here."""


class Outcome(StrEnum):
    """How the matter ended on the merits."""

    RIGHT = "right"
    WRONG = "wrong"
    PARTLY_RIGHT = "partly-right"
    WITHDRAWN = "withdrawn"
    SUSPENDED = "suspended"
    """The body stopped settling it for good; a stop for a time is a pause of its terms."""


class Unseals(StrEnum):
    """What a second person lets a first one see, once."""

    IDENTITY = "identity"
    """Who spoke, told by intake to a person of a body that holds the case."""
    CASE = "case"
    """A case that others hold, told by routing to a person of a superior body."""


class Concern(Value):
    """What a submission is about: an office, or a public unit, in its public role only."""

    unit: Code | None = None
    office: Code | None = None
