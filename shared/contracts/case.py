"""The life of a case: what routing announces, and the commands that bodies give.

What bodies order is in `order`; what follows from it is an event.
Every event carries the case's `version`: 1, 2, 3 … without a gap, so that a reader can tell
an older state from a newer one in whatever order they arrive.
"""

from datetime import date
from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from shared.contracts.envelope import Code, EventData, UtcDatetime, derived_id
from shared.contracts.vocabulary import (
    Channel,
    Concern,
    Form,
    Kind,
    Outcome,
    Signatures,
    Unseals,
    Value,
)


def case_id(submission: str) -> str:
    """The case that a submission opens."""
    return derived_id(submission, "case")


def part_id(parent: str, kind: Kind) -> str:
    """The case into which a mixed letter's part of this kind is split off."""
    return derived_id(parent, "case", kind.value)


class Basis(StrEnum):
    """Why this body leads."""

    SAME_LEVEL = "same-level"
    """The body of the unit that the matter concerns."""
    HIGHER_LEVEL = "higher-level"
    """That unit has no competent body: the nearest one above."""
    CONFLICT = "conflict"
    """A nearer body was competent and is concerned by the matter."""
    FALLBACK = "fallback"
    """Nobody else is competent and clean: the instance's named desk."""
    TRANSFER = "transfer"
    """The body that led before handed it over."""
    ESCALATION = "escalation"
    """A body below let a term end."""


class Reason(Value):
    """Why it was decided so, as a clerk of the body may read it aloud; it never names a person."""

    rule: Code
    citation: str
    vi: str
    en: str


class Exclusion(Value):
    """A body that may not touch the case, and the rule that says so."""

    body: Code
    rule: Code
    office: Code | None = None
    reason: Reason | None = Field(
        default=None, description="Given where the case would have gone to this body otherwise."
    )


class CaseEvent(EventData):
    """Said of a case; the event's `subject` is the case."""

    version: int = Field(ge=1)


class Assigning(StrEnum):
    """What made routing name the bodies of a case."""

    OPENING = "opening"
    DECLINE = "decline"
    """The lead declined."""
    TRANSFER = "transfer"
    """The lead handed the case over."""
    ESCALATION = "escalation"
    """A term ended and the rulebook takes the case up the ladder."""
    CONCERNS = "concerns"
    """The case concerns more than was known, and one of its bodies among it."""
    RULES = "rules"
    """By a new version, or a day that the directory names, one of its bodies may not go on."""


class CaseOpened(CaseEvent):
    """Routing took a submission up as a case."""

    TYPE: ClassVar[str] = "case.opened.v1"

    submission: str
    unit: Code
    channel: Channel
    form: Form
    kind: Kind
    category: Code
    signatures: Signatures
    concerns: Concern
    eligibility: Code
    received: UtcDatetime
    parent: str | None = Field(
        default=None, description="The case of the mixed letter that this part was split from."
    )


class CaseAssigned(CaseEvent):
    """A competent body that the matter does not concern leads the case."""

    TYPE: ClassVar[str] = "case.assigned.v1"

    lead: Code
    cooperating: tuple[Code, ...] = ()
    basis: Basis
    within_competence: bool = Field(
        description="The lead is of the receiving unit's own line; otherwise it was forwarded."
    )
    excluded: tuple[Exclusion, ...] = ()
    rule: Code = Field(description="The rule of the rulebook that named the lead.")
    citation: str
    directory: int = Field(ge=0)
    rulebook: int = Field(ge=0)
    reasons: tuple[Reason, ...] = Field(
        default=(), description="Of the lead first, then of each co-operating body, in order."
    )
    why: Assigning = Assigning.OPENING
    lead_before: Code | None = Field(default=None, description="None at the opening.")
    accepted: bool = Field(default=False, description="This lead had accepted it before.")


class CaseAccepted(CaseEvent):
    """The lead body took the case up."""

    TYPE: ClassVar[str] = "case.accepted.v1"

    body: Code


class CaseConcluded(CaseEvent):
    """The lead body answered; the event's `time` is the moment of the answer."""

    TYPE: ClassVar[str] = "case.concluded.v1"

    body: Code
    outcome: Outcome
    in_time: bool = Field(description="Every clock that the answer stops was met.")
    times: int = Field(default=1, ge=1, description="How often the case has been settled by now.")
    recovered: int = Field(
        default=0, ge=0, description="Sum recovered or to be paid back, in đồng (VND)."
    )
    sanctions: int = Field(
        default=0, ge=0, description="For how many people a sanction was proposed, never for whom."
    )


class CaseWithdrawn(CaseEvent):
    """The sender withdrew; `case.concluded.v1` follows at once, unless the case goes on."""

    TYPE: ClassVar[str] = "case.withdrawn.v1"

    body: Code
    asked: UtcDatetime = Field(description="When the sender asked for it.")
    rule: Code = Field(description="The rule on withdrawals that held on that day.")
    citation: str = Field(description="Of the exception where the case goes on, else of the rule.")
    goes_on: Code | None = Field(
        default=None, description="The exception for which the case is settled all the same."
    )


class Ground(StrEnum):
    """Why a body declines."""

    NOT_COMPETENT = "not-competent"
    CONCERNED = "concerned"
    """It knows of a conflict of interest that the directory does not."""


class CaseDeclined(CaseEvent):
    """The lead body does not take the case up; `case.assigned.v1` says who does."""

    TYPE: ClassVar[str] = "case.declined.v1"

    body: Code
    ground: Ground
    citation: str


class CaseAmended(CaseEvent):
    """The case concerns more offices or units than the submission was read to name."""

    TYPE: ClassVar[str] = "case.amended.v1"

    body: Code
    concerns: tuple[Concern, ...] = Field(description="All that it concerns now.")
    taken_from: str | None = Field(
        default=None, description="The duplicate that was joined to it, if that is why."
    )
    learnt_from: str | None = Field(
        default=None,
        description="The case in which they were named, if it was another: of the same letter, "
        "or of one that was joined.",
    )


class Part(Value):
    """A part of a mixed letter that goes on as a case of its own."""

    case: str
    kind: Kind


class CaseDivided(CaseEvent):
    """The lead split a mixed letter, one case for each kind; this case keeps its own.

    Each part is announced as a case of its own, with `parent`.
    """

    TYPE: ClassVar[str] = "case.divided.v1"

    body: Code
    parts: tuple[Part, ...] = Field(min_length=1)
    citation: str


class CaseJoined(CaseEvent):
    """The lead closed the case as a duplicate; what is done is done in the case `into`."""

    TYPE: ClassVar[str] = "case.joined.v1"

    body: Code
    into: str
    citation: str


class CaseReopened(CaseEvent):
    """An answered case is taken up again by its lead; the earlier conclusion stays on record."""

    TYPE: ClassVar[str] = "case.reopened.v1"

    body: Code
    citation: str


class Referral(StrEnum):
    """What is done with a matter that no body here may settle (Form 01/XLD, columns 23 to 25)."""

    GUIDED = "guided"
    """The sender was told whom to turn to."""
    FORWARDED = "forwarded"
    """It was passed to the authority that is competent."""
    URGED = "urged"
    """The authority that has it already was urged to settle it."""


class CaseReferred(CaseEvent):
    """The lead closed the case without looking into it: it belongs to somebody outside."""

    TYPE: ClassVar[str] = "case.referred.v1"

    body: Code
    way: Referral
    citation: str
    in_time: bool = Field(description="Every clock that an answer stops was met.")


class CaseRecommended(CaseEvent):
    """The lead recommended something to a unit, that answers for it."""

    TYPE: ClassVar[str] = "case.recommended.v1"

    body: Code
    number: int = Field(ge=1, description="1, 2, 3 … within the case.")
    unit: Code
    citation: str
    due: date | None = None


class Following(StrEnum):
    """What became of a recommendation."""

    ACCEPTED = "accepted"
    CARRIED_OUT = "carried-out"
    PARTLY_CARRIED_OUT = "partly-carried-out"
    REFUSED = "refused"


class CaseFollowedUp(CaseEvent):
    """The lead looked what became of a recommendation; the newest of a number counts."""

    TYPE: ClassVar[str] = "case.followed-up.v1"

    body: Code
    number: int = Field(ge=1)
    following: Following


class CaseUnsealingAsked(CaseEvent):
    """A person asked to see what is sealed; nothing is shown until a second one agrees."""

    TYPE: ClassVar[str] = "case.unsealing-asked.v1"

    number: int = Field(ge=1, description="1, 2, 3 … within the case.")
    unseals: Unseals
    body: Code
    person: Code
    ground: Code = Field(description="Code of the rulebook's rule.")
    law: str = Field(description="Citation of that rule.")
    citation: str = Field(description="The decision by which it is asked, as the body gives it.")
    until: date = Field(description="Last local day on which the second person may agree.")
    rulebook: int = Field(ge=0)


class CaseUnsealingConfirmed(CaseEvent):
    """A second person agreed: `body` and `person`, who asked, may see it once until `until`."""

    TYPE: ClassVar[str] = "case.unsealing-confirmed.v1"

    number: int = Field(ge=1)
    unseals: Unseals
    body: Code
    person: Code
    ground: Code
    second_body: Code
    second_person: Code
    until: date = Field(description="Last local day on which it may be read.")


class CaseUnsealingRefused(CaseEvent):
    """The second person did not agree."""

    TYPE: ClassVar[str] = "case.unsealing-refused.v1"

    number: int = Field(ge=1)
    second_body: Code
    second_person: Code


class CaseUnsealingLapsed(CaseEvent):
    """Nobody agreed in time; the event's `time` is the midnight that closed the last day."""

    TYPE: ClassVar[str] = "case.unsealing-lapsed.v1"

    number: int = Field(ge=1)
    body: Code = Field(description="Whose person asked.")
    until: date


class CaseUnsealed(CaseEvent):
    """The case was shown, this once, to the person who asked; kept before it was shown."""

    TYPE: ClassVar[str] = "case.unsealed.v1"

    number: int = Field(ge=1)
    body: Code
    person: Code
    ground: Code


class ClockStarted(CaseEvent):
    """A legal term began to run on a case."""

    TYPE: ClassVar[str] = "clock.started.v1"

    clock: Code
    citation: str
    started: UtcDatetime
    due: date = Field(description="Last day of the term, local; it ends at that day's midnight.")
    rulebook: int = Field(ge=0)
    calendar: int = Field(ge=0)


class ClockWarned(CaseEvent):
    """A term comes to its end and nobody has answered; the event's `time` is the day's beginning.

    Once for each last day: a term that is restated to another one warns again.
    """

    TYPE: ClassVar[str] = "clock.warned.v1"

    clock: Code
    citation: str
    body: Code = Field(description="The lead body.")
    due: date


class ClockMet(CaseEvent):
    """A term was kept; the event's `time` is the moment of the act that stopped it."""

    TYPE: ClassVar[str] = "clock.met.v1"

    clock: Code
    citation: str
    body: Code = Field(description="The lead body.")
    due: date
    told_late: bool = Field(
        default=False,
        description="The body told of its act only after `clock.missed.v1` had been announced.",
    )


class ClockMissed(CaseEvent):
    """A term ended unanswered; the event's `time` is the midnight that closed its last day."""

    TYPE: ClassVar[str] = "clock.missed.v1"

    clock: Code
    citation: str
    body: Code = Field(description="The lead body.")
    due: date


class ClockPaused(CaseEvent):
    """A term stands still from the local day `first` on, which counts no more.

    `clock.restated.v1` ends the pause.
    """

    TYPE: ClassVar[str] = "clock.paused.v1"

    clock: Code
    citation: str = Field(description="As the body gives it.")
    body: Code
    first: date


class Restating(StrEnum):
    """What moved a last day. Nothing else does."""

    CALENDAR = "calendar"
    """A new version of the calendar counts other days."""
    RULEBOOK = "rulebook"
    """A new version of the rulebook has another term under the clock's code."""
    EXTENSION = "extension"
    PAUSE = "pause"
    """A pause ended, and the term is the longer for it."""


class ClockRestated(CaseEvent):
    """The last day of a running term became another one, and why."""

    TYPE: ClassVar[str] = "clock.restated.v1"

    clock: Code
    citation: str
    due_before: date
    due: date
    why: Restating
    rulebook_before: int = Field(ge=0)
    rulebook: int = Field(ge=0)
    calendar_before: int = Field(ge=0)
    calendar: int = Field(ge=0)
