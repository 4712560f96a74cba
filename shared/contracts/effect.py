"""What the operator asks before new rules hold: what they would do to the cases that are open.

On `ask.<party>.routing.effect`, page by page. Nothing is kept of it, and nothing moves.
"""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.case import Reason
from shared.contracts.directory import Directory
from shared.contracts.envelope import Code
from shared.contracts.rulebook import Calendar, Rulebook
from shared.contracts.vocabulary import Value
from shared.contracts.worklist import Asked

MOST_WEIGHED = 1000
"""Open cases on one page."""
MOST_TOLD = 20
"""Cases of a page that are told one by one."""


class EffectAsked(Asked):
    """`effect`: the first page brings the new rules, the others only `after`.

    Routing keeps the rules between pages for a while; `send-again` asks for them once more.
    """

    directory: Directory | None = None
    rulebook: Rulebook | None = None
    calendar: Calendar | None = None
    limit: int = Field(default=500, ge=1, le=MOST_WEIGHED)
    after: str = Field(
        default="",
        max_length=500_000,
        description="`next` of the page before; it means nothing else.",
    )


class BodyMoves(Value):
    """How many cases a body would hold no more, and how many it would hold anew."""

    body: Code
    leave: int = Field(ge=0)
    arrive: int = Field(ge=0)


class CaseMove(Value):
    """A case that would come into other hands."""

    case: str
    lead_before: Code
    lead: Code
    leave: tuple[Code, ...] = ()
    arrive: tuple[Code, ...] = ()
    reasons: tuple[Reason, ...] = Field(
        default=(), description="Why whoever leaves may not go on, then why the others come in."
    )


class EffectTold(BaseModel):
    """One page. The sums of all pages are the effect of rules that hold from this moment on."""

    model_config = ConfigDict(frozen=True)

    status: Literal["told", "send-again", "not-yours", "invalid"]
    advice: str = ""
    open: int = Field(default=0, ge=0, description="Open cases in all, as counted lately.")
    weighed: int = Field(default=0, ge=0, description="Open cases on this page.")
    moves: int = Field(default=0, ge=0, description="Of them, those that would move.")
    bodies: tuple[BodyMoves, ...] = Field(default=(), description="By code.")
    cases: tuple[CaseMove, ...] = Field(default=(), description="The first of those that move.")
    terms: int = Field(default=0, ge=0, description="Last days that would be others.")
    earliest: date | None = Field(default=None, description="The first of these, as it would be.")
    next: str = Field(default="", description="Ask with it as `after`; empty: this is the end.")
