"""What a body asks routing about the cases that it holds, on `ask.<body>.routing.<question>`.

A body reads a case while it leads it or co-operates and nothing keeps it away today. Of any other
case it is told what it would be told of one that does not exist.
"""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.case import Exclusion
from shared.contracts.envelope import Code, UtcDatetime
from shared.contracts.vocabulary import Kind, Unseals, Value

MOST_ROWS = 200
MOST_LOOKS = 1000


class Asked(BaseModel):
    """A question; the party that asks stands in the subject."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    person: Code | None = Field(
        default=None,
        description="Code of the person who asks, as the body's system knows them, never a name; "
        "kept with the record of what was told. A token of a person's own says it by itself.",
    )


class WorklistAsked(Asked):
    """`worklist`: the cases that the body holds, those first whose term ends first."""

    which: Literal["open", "all"] = "open"
    due_by: date | None = Field(
        default=None,
        description="Only those whose next term ends on this local day or before; those whose "
        "last day is over are among them.",
    )
    limit: int = Field(default=50, ge=1, le=MOST_ROWS)
    after: str = Field(
        default="", max_length=256, description="`next` of the page before; it means nothing else."
    )


class CaseAsked(Asked):
    """`case`: one case with its whole history."""

    case: Annotated[str, Field(min_length=1, max_length=128)]
    after: int = Field(default=0, ge=0, description="Version after which the history goes on.")
    unsealing: int | None = Field(
        default=None,
        ge=1,
        description="Number of `case.unsealing-confirmed.v1`: the case is shown to its `person`, "
        "once, on one page, although others hold it.",
    )


class LoadAsked(Asked):
    """`load`: how many open cases a body holds; the operator is told of every body."""


class UnsealingsAsked(Asked):
    """`unsealings`: what was asked to be unsealed on a case.

    A body is told of what its own persons asked, and of what it may still agree to or refuse.
    """

    case: Annotated[str, Field(min_length=1, max_length=128)]


class ReadersAsked(Asked):
    """`readers`: who opened one case. The operator alone is told."""

    case: Annotated[str, Field(min_length=1, max_length=128)]
    after: UtcDatetime | None = Field(default=None, description="`next` of the page before.")
    limit: int = Field(default=200, ge=1, le=MOST_LOOKS)


class Row(Value):
    """A case in the worklist of one body.

    `due`, `clock` and `citation` are those of the term that ends first of all that nothing has
    stopped yet; a missed one stays until it is answered. None if nothing runs, or what runs is
    paused.
    """

    case: str
    unit: Code
    kind: Kind
    category: Code
    stage: Literal["assigned", "accepted", "concluded"]
    lead: Code
    role: Literal["lead", "co-operating"]
    version: int
    received: UtcDatetime
    due: date | None = None
    clock: Code | None = None
    citation: str | None = None
    parent: str | None = Field(
        default=None, description="The case of the mixed letter that it was split from."
    )
    divided: tuple[Kind, ...] = Field(
        default=(), description="Kinds that were split from it, each a case of its own."
    )
    joined: str | None = Field(
        default=None, description="The case that it was joined to as a duplicate."
    )


class Term(Value):
    """A legal term of a case as it stands."""

    clock: Code
    citation: str
    stops: str = Field(description="`accepted` or `concluded`: what the term asks for.")
    due: date
    standing: Literal["running", "paused", "missed", "met", "late"]


class WorklistTold(BaseModel):
    """The answer. Pages follow one another in order; what moves meanwhile may be met twice."""

    model_config = ConfigDict(frozen=True)

    status: Literal["told", "invalid"]
    advice: str = ""
    rows: tuple[Row, ...] = ()
    next: str = Field(default="", description="Ask with it as `after`; empty: this is the end.")


class CaseTold(BaseModel):
    """The answer; all but `advice` only where `status` is `told`."""

    model_config = ConfigDict(frozen=True)

    status: Literal["told", "not-yours", "invalid"]
    advice: str = ""
    row: Row | None = None
    unsealing: int | None = Field(
        default=None,
        description="The number by which it is shown, this once; `role` in `row` says nothing "
        "then: others hold the case.",
    )
    cooperating: tuple[Code, ...] = ()
    terms: tuple[Term, ...] = ()
    excluded: tuple[Exclusion, ...] = Field(
        default=(), description="Who may not touch it today, each with its reason in words."
    )
    events: tuple[dict[str, Any], ...] = Field(
        default=(), description="What was announced of it, as CloudEvents, in version order."
    )
    more: bool = Field(default=False, description="Ask again after the last version told.")


class BodyLoad(Value):
    body: Code
    open: int = Field(ge=0, description="As many as `worklist` has rows for it.")


class LoadTold(BaseModel):
    model_config = ConfigDict(frozen=True)

    status: Literal["told", "invalid"]
    advice: str = ""
    bodies: tuple[BodyLoad, ...] = Field(default=(), description="By code.")


class Looked(Value):
    """Somebody was told a case, or was told that it is not theirs."""

    body: Code
    person: Code | None = None
    told: int = Field(ge=0, description="1, or 0: told that it is not theirs.")
    rule: Code = Field(description="By which: `held`, the ground of an opening, or `not-yours`.")
    at: UtcDatetime


class ReadersTold(BaseModel):
    """The answer, oldest first. Lists are kept by their length alone: no case stands in them."""

    model_config = ConfigDict(frozen=True)

    status: Literal["told", "not-yours", "invalid"]
    advice: str = ""
    looks: tuple[Looked, ...] = ()
    next: UtcDatetime | None = Field(
        default=None, description="Ask with it as `after`; none: this is the end."
    )


class UnsealingRow(Value):
    number: int = Field(ge=1)
    unseals: Unseals
    standing: Literal["asked", "confirmed", "refused", "lapsed", "shown"]
    body: Code
    person: Code
    ground: Code
    citation: str = Field(description="The decision by which it was asked.")
    until: date = Field(description="Last day to agree; once confirmed, to read.")


class UnsealingsTold(BaseModel):
    """The answer; of a case that nobody knows, the same as of one without any."""

    model_config = ConfigDict(frozen=True)

    status: Literal["told", "invalid"]
    advice: str = ""
    unsealings: tuple[UnsealingRow, ...] = ()
