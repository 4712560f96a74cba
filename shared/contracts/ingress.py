"""What comes from outside: events of agencies, on `feed.<agency>.<type>`, and their answers.

The agency is the one in the subject, which the server lets only that agency publish to.
A field that the contract does not know is refused here, so that a slip in a name is answered
and not silently lost.
"""

from base64 import b64decode, b64encode
from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, EncodedBytes, EncoderProtocol, Field
from pydantic_core import PydanticCustomError

from shared.contracts.envelope import Code, EventData, UtcDatetime
from shared.contracts.vocabulary import Channel, Concern, Kind

Text = Annotated[str, Field(max_length=200_000)]


class _WholeBase64(EncoderProtocol):
    """Base64 (RFC 4648, section 4) that may be cut into lines, and holds nothing else.

    Python's own decoder passes over what is no base64, and so would keep half a file.
    """

    @classmethod
    def decode(cls, data: bytes) -> bytes:
        try:
            return b64decode(b"".join(data.split()), validate=True)
        except ValueError:
            raise PydanticCustomError("base64", "no base64") from None

    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return b64encode(value)

    @classmethod
    def get_json_format(cls) -> Literal["base64"]:
        return "base64"


Base64 = Annotated[bytes, EncodedBytes(encoder=_WholeBase64)]
Line = Annotated[str, Field(max_length=1_000)]


class IngressData(EventData):
    """Data of an event that an outside party writes."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Reporter(BaseModel):
    """Who spoke. Sealed before anything else happens; no other contract carries it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Line | None = None
    address: Line | None = None
    phone: Line | None = None
    email: Line | None = None


class StatedConcern(Concern):
    """What the sender's own system says that an item is about."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Enclosure(BaseModel):
    """A file that came with an item. `name` is data, never a path; the content is never opened."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, Field(max_length=255)] = ""
    content_type: Annotated[str, Field(max_length=255)] = "application/octet-stream"
    content: Base64 = Field(description="The file's bytes, base64.")


class HotlineCallLogged(IngressData):
    """A call to an agency's hotline has ended; the event's `time` is when it began."""

    TYPE: ClassVar[str] = "hotline-call.logged.v1"

    call: Line = Field(description="The exchange's id of the call (Asterisk: linkedid).")
    caller: Line | None = Field(default=None, description="Number of the caller, if shown.")
    ended: UtcDatetime | None = None
    note: Text = Field(description="What the call-taker wrote down.")
    reporter: Reporter | None = None
    concerns: StatedConcern | None = None
    kind: Kind | None = Field(default=None, description="As the call-taker judged it.")
    category: Code | None = None
    recording: Enclosure | None = Field(default=None, description="The recorded call.")


class MailboxMessageArrived(IngressData):
    """A message lay in an agency's mailbox; the event's `time` is when it arrived there."""

    TYPE: ClassVar[str] = "mailbox-message.arrived.v1"

    raw: Base64 = Field(description="The whole message (RFC 5322), base64.")


class FormSubmitted(IngressData):
    """Somebody sent an agency's web form."""

    TYPE: ClassVar[str] = "form.submitted.v1"

    text: Text
    reporter: Reporter | None = None
    concerns: StatedConcern | None = None
    kind: Kind | None = None
    category: Code | None = None
    attachments: tuple[Enclosure, ...] = Field(default=(), max_length=20)


class LetterRegistered(IngressData):
    """A letter was entered in an agency's register; the event's `time` is the date of receipt."""

    TYPE: ClassVar[str] = "letter.registered.v1"

    register_number: Line
    summary: Text
    signatures: int = Field(ge=0, le=100_000, description="Number of people who signed; 0: none.")
    in_person: bool = False
    paper_box: bool = False
    reporter: Reporter | None = None
    concerns: StatedConcern | None = None
    kind: Kind | None = None
    category: Code | None = None


class ActivityMode(StrEnum):
    """Direct: a team that goes there. Indirect: through meetings, reports, self-criticism."""

    DIRECT = "direct"
    INDIRECT = "indirect"


class SupervisionRecorded(IngressData):
    """A body supervised an office-holder's conduct of the office (Regulation 124-QĐ/TW)."""

    TYPE: ClassVar[str] = "supervision.recorded.v1"

    body: Code
    mode: ActivityMode
    form: Code = Field(description="Code from the rulebook's list of activity forms.")
    office: Code | None = Field(default=None, description="The supervised office, if only one.")
    decision: Line | None = Field(default=None, description="Citation of the decision.")
    held: date


class DialogueHeld(IngressData):
    """A head met members, staff or people in a dialogue."""

    TYPE: ClassVar[str] = "dialogue.held.v1"

    office: Code | None = Field(default=None, description="The office that held the dialogue.")
    held: date
    participants: int = Field(ge=0, le=1_000_000)
    opinions_received: int = Field(ge=0, le=1_000_000)
    opinions_accepted: int = Field(ge=0, le=1_000_000)


class ChannelPublished(IngressData):
    """An agency made a mailbox or hotline known to the public."""

    TYPE: ClassVar[str] = "channel.published.v1"

    channel: Channel
    address: Line = Field(description="The published address or number of the agency's channel.")
    published: date


class FeedHeartbeat(IngressData):
    """An agency's own system is there and can send; it says nothing else.

    What it tells is in its envelope: that it came, and with `sequence` how far the numbering is.
    """

    TYPE: ClassVar[str] = "feed.heartbeat.v1"


class Fate(StrEnum):
    """What became of one item that a party sent."""

    KEPT = "kept"
    DUPLICATE = "duplicate"
    REFUSED = "refused"
    JOINED = "joined"
    """Kept with a submission that was there before: a further word of who spoke."""
    AUTOMATIC = "automatic"
    """Nobody speaks: an automatic reply, a bounce, a loop. Kept and counted, no submission."""
    HEARD = "heard"
    """A heartbeat: nothing is kept of it but when it came and its number."""


class FieldProblem(BaseModel):
    """One field that breaks one rule. Never quotes the value: it may name people."""

    model_config = ConfigDict(frozen=True)

    field: str = Field(description="JSON pointer into the event, e.g. `/data/caller`.")
    rule: str = Field(description="The rule, as a code, e.g. `string_too_long`.")
    advice: str = Field(description="What to do.")


class Refused(EventData):
    """An item could not be taken: which field, which rule, what to do (RFC 9457 problem details).

    Published on `feed.<agency>.refused` and `command.<party>.refused`. The item itself is kept.
    """

    TYPE: ClassVar[str] = "item.refused.v1"

    party: Code
    entrance: Code = Field(description="`feed` or `command`.")
    item: str = Field(description="The id of the refused event, or empty if it had none.")
    sequence: int = Field(description="The stream sequence that the sender's PubAck named.")
    type: str = Field(description="URI reference of the problem type.")
    title: str
    problems: tuple[FieldProblem, ...] = ()

    def nats_subject(self) -> str:
        return f"{self.entrance}.{self.party}.refused"


class FatesAsked(BaseModel):
    """Request on `ask.<party>.<service>.fates`: what became of these sendings of mine?"""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    items: tuple[Annotated[str, Field(max_length=128)], ...] = Field(
        default=(), max_length=1000, description="Ids of events."
    )
    sequences: tuple[int, ...] = Field(
        default=(), max_length=1000, description="Stream sequences that PubAcks named."
    )


class ItemFate(BaseModel):
    """What became of one sending: `sequence` is the one that its PubAck named."""

    model_config = ConfigDict(frozen=True)

    item: str
    sequence: int
    fate: Fate
    submission: str | None = None
    refusal: Refused | None = None


class FatesTold(BaseModel):
    """The answer: one entry for each sending decided so far; an item without one is pending.

    `problems` say what is wrong with the question, if it cannot be answered.
    """

    model_config = ConfigDict(frozen=True)

    fates: tuple[ItemFate, ...]
    problems: tuple[FieldProblem, ...] = ()


class KeyTold(BaseModel):
    """The answer to `key`: where an agency seals what only intake may read."""

    model_config = ConfigDict(frozen=True)

    key: str = Field(description="Public key, X25519, base64.")
