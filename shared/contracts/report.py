"""Periodic reports, and the command that closes a period."""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.directory import Label
from shared.contracts.envelope import Code, EventData, UtcDatetime
from shared.contracts.ingress import FieldProblem, IngressData
from shared.contracts.vocabulary import Value

PeriodCode = Annotated[str, Field(pattern=r"^[0-9]{4}-[a-z0-9]{1,12}$")]
"""Reporting year and the rulebook's code of the period, e.g. `2026-h1`."""


class Edition(StrEnum):
    INTERNAL = "internal"
    PUBLIC = "public"


class Period(Value):
    """Days of a period, both included; it ends at the last day's local midnight."""

    code: PeriodCode
    label: Label
    first_day: date
    last_day: date


class Column(Value):
    """A column; `label` has all its headings in one text."""

    code: str
    label: Label
    path: tuple[Label, ...] = Field(
        default=(),
        description="The headings as a table prints them, the widest first and the column's own "
        "last: neighbours with the same ones share a cell. Empty: `label` alone.",
    )


Cells = tuple[int | None, ...]
"""Figures in the order of the report's columns; null where the public edition withholds one."""


class ReportRow(Value):
    """One unit's figures."""

    unit: Code
    name: Label
    own: bool = Field(description="The unit's own figures, without the units below it.")
    cells: Cells


class Change(Value):
    """A figure that differs from the revision before; the total's where `unit` is null."""

    unit: Code | None = None
    column: str
    before: int | None = Field(default=None, description="Null if it was not there, or withheld.")
    now: int | None = Field(default=None, description="Null if it is not there, or withheld.")


class Cause(Value):
    """An event that came, or was corrected, after the revision before had been counted."""

    event: str
    about: str = Field(description="What it tells of the case or activity, e.g. `concluded`.")
    case: str | None = None


class ReportPublished(EventData):
    """One form of one unit for one period: the unit's own row, one per child, and the total.

    A published revision never changes. What comes late makes the next one, with the number after,
    so that a reader sees a gap; it says which figures changed, and what changed them.
    """

    TYPE: ClassVar[str] = "report.published.v1"

    form: Code
    unit: Code
    period: Period
    edition: Edition
    revision: int = Field(ge=1)
    title: Label
    citation: str
    columns: tuple[Column, ...]
    rows: tuple[ReportRow, ...]
    totals: Cells
    identities: tuple[str, ...] = Field(description="Cross-footing identities that were checked.")
    digest: str = Field(description="SHA-256 of form, unit, period, columns, rows and totals.")
    directory: int = Field(ge=0)
    rulebook: int = Field(ge=0)
    covers: int = Field(
        default=0, ge=0, description="Events up to this position of the stream were counted."
    )
    in_flight: int = Field(
        default=0,
        ge=0,
        description="Events that were not counted yet. At the first count: from before the "
        "period's end, and an operator closed it all the same. In a revision: of any time.",
    )
    threshold: int | None = Field(
        default=None, ge=2, description="Public edition: figures below this are withheld."
    )
    changes: tuple[Change, ...] = ()
    causes: tuple[Cause, ...] = Field(
        default=(), max_length=100, description="Internal edition: the first of them, by event."
    )

    def nats_subject(self) -> str:
        if self.edition is Edition.PUBLIC:
            return f"report.public.{self.form}.{self.unit}.{self.period.code}"
        return f"report.internal.{self.unit}.{self.form}.{self.period.code}"


class ReportClose(IngressData):
    """Command of an operator: close this period and publish its reports."""

    TYPE: ClassVar[str] = "report.close.v1"

    period: PeriodCode
    force: bool = Field(
        default=False,
        description="Close although events from before its end are in flight; the report says so.",
    )


class ReportRevise(IngressData):
    """Command of an operator: count a closed period again; what changed is published."""

    TYPE: ClassVar[str] = "report.revise.v1"

    period: PeriodCode


class RecountAsked(BaseModel):
    """`recount`: whether each revision of a period still follows from what is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    period: PeriodCode


class RecountTold(Value):
    """Revisions whose own cells, counted again as they were known, are the same or differ.

    Those that were counted while events were under way are `unsure`: nobody knows which they had.
    """

    same: tuple[int, ...] = ()
    differ: tuple[int, ...] = ()
    unsure: tuple[int, ...] = ()


class CountAsked(BaseModel):
    """`count`: a unit's figures in a form, as of a day and as they were known at an instant."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    form: Code
    unit: Code
    period: PeriodCode
    as_of: date | None = Field(
        default=None,
        description="Local day of the period, at whose midnight the counting ends; null: its last "
        "day, or of a period that runs the last day that was over.",
    )
    known: UtcDatetime | None = Field(
        default=None, description="What was recorded later is left out; null: this moment."
    )


class Counted(Value):
    """Figures as a report has them, of which nothing is kept or published.

    `period` ends on the day as of which they were counted.
    """

    form: Code
    unit: Code
    period: Period
    known: UtcDatetime
    title: Label
    citation: str
    columns: tuple[Column, ...]
    rows: tuple[ReportRow, ...]
    totals: Cells
    directory: int = Field(ge=0, description="The version that was known then.")
    rulebook: int = Field(ge=0)
    covers: int = Field(ge=0, description="Events up to this position of the stream are counted.")
    in_flight: int = Field(ge=0, description="Events from before the end that are not counted yet.")


class CountTold(Value):
    """The answer to `count`; `problems` say which field of the question to change, and how."""

    status: Literal["told", "not-yours", "invalid"]
    counted: Counted | None = None
    problems: tuple[FieldProblem, ...] = ()
