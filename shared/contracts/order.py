"""What the lead body of a case orders, on `command.<body>.<type>`; `subject` is the case."""

from datetime import date
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.case import Following, Ground, Referral
from shared.contracts.envelope import Code, UtcDatetime
from shared.contracts.ingress import IngressData
from shared.contracts.vocabulary import Concern, Kind, Outcome

Cited = Annotated[str, Field(min_length=3, max_length=200)]
"""Where it stands in law or in a decision: the citation alone, never a name or a text."""

MOST_RECOVERED = 10**15
"""Đồng; more than a case can be about is a slip of the hand."""
MOST_SANCTIONS = 100_000


class OrderData(IngressData):
    """What every order of a lead body may say."""

    version: int | None = Field(
        default=None,
        ge=1,
        description="The case's version by which this was decided; if it has moved since, the "
        "order is refused. Left out, the order holds whatever the version.",
    )


class CaseAccept(OrderData):
    """Command of a lead body: we take this case up. The event's `subject` is the case."""

    TYPE: ClassVar[str] = "case.accept.v1"


class CaseConclude(OrderData):
    """Command of a lead body: we answered, with this outcome. `subject` is the case."""

    TYPE: ClassVar[str] = "case.conclude.v1"

    outcome: Outcome
    recovered: int = Field(
        default=0,
        ge=0,
        le=MOST_RECOVERED,
        description="Sum recovered or to be paid back, in whole đồng (VND).",
    )
    sanctions: int = Field(
        default=0,
        ge=0,
        le=MOST_SANCTIONS,
        description="For how many people a sanction is proposed, never for whom.",
    )


class CaseWithdraw(OrderData):
    """Command of a lead body: the sender withdrew. `subject` is the case.

    The case is concluded as withdrawn, unless `goes_on` names why it has to be settled all the
    same: an exception of the rulebook's rule on withdrawals for this kind.
    """

    TYPE: ClassVar[str] = "case.withdraw.v1"

    asked: UtcDatetime = Field(description="When the sender asked for it.")
    goes_on: Code | None = None


class CaseDecline(OrderData):
    """Command of a lead body: we do not take this case up. `subject` is the case."""

    TYPE: ClassVar[str] = "case.decline.v1"

    ground: Ground
    citation: Cited


class CaseTransfer(OrderData):
    """Command of a lead body: this competent body leads from now on. `subject` is the case."""

    TYPE: ClassVar[str] = "case.transfer.v1"

    to: Code
    citation: Cited


class CaseAmend(OrderData):
    """Command of a lead body: the case concerns these too. `subject` is the case."""

    TYPE: ClassVar[str] = "case.amend.v1"

    concerns: tuple[Concern, ...] = Field(min_length=1, max_length=20)


class CaseExtend(OrderData):
    """Command of a lead body: we extend this term by so many days of its kind."""

    TYPE: ClassVar[str] = "case.extend.v1"

    clock: Code
    days: int = Field(ge=1, le=1000)
    citation: Cited


class CasePause(OrderData):
    """Command of a lead body: this term stands still from the act's local day on."""

    TYPE: ClassVar[str] = "case.pause.v1"

    clock: Code
    citation: Cited


class CaseResume(OrderData):
    """Command of a lead body: this term goes on from the act's local day, which counts."""

    TYPE: ClassVar[str] = "case.resume.v1"

    clock: Code


class CaseReopen(OrderData):
    """Command of a lead body: we take an answered case up again. `subject` is the case."""

    TYPE: ClassVar[str] = "case.reopen.v1"

    citation: Cited


class CaseRefer(OrderData):
    """Command of a lead body: nobody here may settle it; we guided, forwarded or urged."""

    TYPE: ClassVar[str] = "case.refer.v1"

    way: Referral
    citation: Cited


class CaseRecommend(OrderData):
    """Command of a lead body: we recommended something to this unit. `subject` is the case."""

    TYPE: ClassVar[str] = "case.recommend.v1"

    unit: Code
    citation: Cited
    due: date | None = None


class CaseFollowUp(OrderData):
    """Command of a lead body: this became of our recommendation; also on a concluded case."""

    TYPE: ClassVar[str] = "case.follow-up.v1"

    number: int = Field(ge=1, description="That of `case.recommended.v1`.")
    following: Following


class SplitPart(BaseModel):
    """A part of a mixed letter: its kind, and what else is different about it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: Kind
    category: Code | None = Field(default=None, description="That of the letter, if left out.")
    concerns: tuple[Concern, ...] = Field(
        default=(),
        max_length=20,
        description="Whom or what this part concerns besides all that the letter does.",
    )


class CaseSplit(OrderData):
    """Command of a lead body: this letter is mixed; each of these parts becomes a case."""

    TYPE: ClassVar[str] = "case.split.v1"

    parts: tuple[SplitPart, ...] = Field(min_length=1, max_length=len(Kind) - 1)
    citation: Cited


class CaseJoin(OrderData):
    """Command of a lead body: this case is a duplicate of another one that we lead."""

    TYPE: ClassVar[str] = "case.join.v1"

    into: str = Field(min_length=1, max_length=128, description="Id of the case that goes on.")
    citation: Cited


class CaseAskUnsealing(OrderData):
    """Command of a body: let this person of ours see what is sealed. `subject` is the case.

    Nothing is shown until a second person confirms it.
    """

    TYPE: ClassVar[str] = "case.ask-unsealing.v1"

    ground: Code = Field(description="Code of the rulebook's rule that allows it.")
    person: Code = Field(description="Who asks, by the code that the body knows them by.")
    citation: Cited


class CaseConfirmUnsealing(OrderData):
    """Command of a body that is not concerned: this person of ours agrees. `subject`: the case."""

    TYPE: ClassVar[str] = "case.confirm-unsealing.v1"

    number: int = Field(ge=1, description="That of `case.unsealing-asked.v1`.")
    person: Code = Field(description="Who agrees, by the code that the body knows them by.")


class CaseRefuseUnsealing(OrderData):
    """Command of a body that is not concerned: this person of ours does not agree."""

    TYPE: ClassVar[str] = "case.refuse-unsealing.v1"

    number: int = Field(ge=1, description="That of `case.unsealing-asked.v1`.")
    person: Code = Field(description="Who refuses, by the code that the body knows them by.")
