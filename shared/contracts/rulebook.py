"""The rulebook and the working-day calendar: rules of law as data, each with its citation."""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from shared.contracts.activity import ActivityKind
from shared.contracts.directory import Label
from shared.contracts.envelope import Code, EventData
from shared.contracts.vocabulary import Form, Kind, Signatures, Unseals, Value


class Cited(Value):
    """A rule: where it stands, and when it holds (half-open interval of days)."""

    code: Code
    citation: str = Field(min_length=1)
    issued: date
    effective_from: date
    effective_to: date | None = None

    def in_force(self, on: date) -> bool:
        return self.effective_from <= on and (self.effective_to is None or on < self.effective_to)


class KindRule(Cited):
    """Text with one of these words is of this kind; the first rule that fits decides."""

    kind: Kind
    keywords: tuple[str, ...]


class CategoryRule(Cited):
    """Text with these words belongs to this category; most hits decide, then the order."""

    label: Label
    keywords: tuple[str, ...]


class EligibilityRule(Cited):
    """A ground on which a submission is kept and counted, and not taken up.

    It fires when every condition that is given fits; the first rule that fires decides.
    """

    label: Label
    kinds: tuple[Kind, ...] = ()
    forms: tuple[Form, ...] = ()
    signatures: tuple[Signatures, ...] = ()
    readable: bool | None = None
    names_object: bool | None = Field(
        default=None, description="Whether an office or unit could be named as its object."
    )


class CompetenceMethod(StrEnum):
    """How a rule finds the lead body."""

    SAME_LEVEL_THEN_UP = "same-level-then-up"
    """The body at the unit that the matter concerns, else the nearest one above it."""


class CooperationMethod(StrEnum):
    """Which bodies co-operate with the lead, by where the accused was and is."""

    NONE = "none"
    OFFICE_TIMELINE = "office-timeline"
    """Law on Denunciations: the office held at the time of the act and the one held now.

    Same level elsewhere: the superior of the old body leads, the new one's co-operates. Promoted:
    the head of the current body leads, the old one's co-operates. Became head there: the
    superior of that body leads. Otherwise the head of the old body leads.
    """


class CompetenceRule(Cited):
    """Which way the lead body is found for these kinds; the first rule that fits decides."""

    label: Label
    method: CompetenceMethod
    kinds: tuple[Kind, ...] = ()
    cooperation: CooperationMethod = CooperationMethod.NONE


class ConflictMethod(StrEnum):
    """Which bodies a rule keeps away from a case."""

    ACCUSED_SITS_IN_BODY = "accused-sits-in-body"
    """An office that the matter concerns, or any office its holder held or holds, is a member."""
    ACCUSED_HEADS_SUPERIOR = "accused-heads-superior"
    """The accused heads the unit at which the body sits, or one below which it sits."""
    DEPUTY_OF_ACCUSED = "deputy-of-accused"
    """A member of the body is a deputy or member in a unit that the accused heads."""
    DECLARED_RELATION = "declared-relation"
    """Somebody who sits in the body is declared close to the accused."""
    RECUSED = "recused"
    """The body recused itself from matters about the accused, the office or its unit."""
    AUTHOR_BODY = "author-body"
    """The submission was written by the body itself."""


class ConflictRule(Cited):
    label: Label
    method: ConflictMethod
    body_kinds: tuple[Code, ...] = Field(
        default=(), description="Keeps only bodies of these kinds away; empty: bodies of any kind."
    )


class DayKind(StrEnum):
    WORKING = "working"
    CALENDAR = "calendar"


class ClockRule(Cited):
    """A term of law. The day after the start is day one."""

    label: Label
    kinds: tuple[Kind, ...] = Field(default=(), description="Empty: every kind.")
    starts: Code = Field(
        description="`assigned`: the body receives it; `received`: intake does; `accepted`."
    )
    stops: Code = Field(description="`accepted` or `concluded`.")
    days: int = Field(ge=1)
    day_kind: DayKind
    longest: int | None = Field(
        default=None, ge=1, description="Days at most with every extension; None: no extension."
    )
    warn_before: int = Field(
        default=0, ge=0, description="Days of the same kind before the last at which to warn."
    )
    roll: bool = Field(
        default=False,
        description="A last day of rest gives way to the next working day "
        "(Civil Code 2015, Art. 148(5)).",
    )
    may_pause: bool = Field(default=False, description="Whether a pause of the case stops it.")


class EscalationRule(Cited):
    """What follows when a term ends unanswered: the next clean body up the ladder comes in."""

    label: Label
    clock: Code = Field(description="Code of the clock that was missed.")
    takes_over: bool = Field(
        default=False, description="It leads from then on; otherwise it co-operates, to urge."
    )
    again_after: int | None = Field(
        default=None,
        ge=1,
        le=3650,
        description="Days that the body above has before the next one up the ladder comes in as "
        "well, and so on to the fallback body; left out, the ladder has one step.",
    )
    day_kind: DayKind = Field(default=DayKind.WORKING, description="Of `again_after`.")


class WithdrawalException(Value):
    """A ground on which the settling goes on although the sender withdrew."""

    code: Code
    label: Label
    citation: str = Field(min_length=1)


class WithdrawalRule(Cited):
    """The sender may withdraw, and the settling is discontinued unless an exception stands.

    The rule of the local day on which the sender asked decides; without one nobody withdraws.
    """

    label: Label
    kinds: tuple[Kind, ...] = Field(default=(), description="Empty: every kind.")
    exceptions: tuple[WithdrawalException, ...] = ()


class UnsealingRule(Cited):
    """A ground on which what is sealed is shown to one person, once, if a second person agrees.

    Days are of the calendar and local; the last one ends at its midnight.
    """

    label: Label
    unseals: Unseals
    kinds: tuple[Kind, ...] = Field(default=(), description="Empty: cases of every kind.")
    confirm_days: int = Field(
        default=1,
        ge=0,
        le=30,
        description="So many days after the asking the second person may still agree.",
    )
    read_days: int = Field(
        default=1,
        ge=0,
        le=30,
        description="So many days after the agreement it may still be read.",
    )
    same_body: bool = Field(
        default=False,
        description="Whether both persons may be of one body, whose system then vouches for both.",
    )


class ActivityForm(Cited):
    label: Label
    kind: ActivityKind


MonthDay = Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]


class PeriodRule(Cited):
    """A statutory period of a reporting year, both days included.

    A period whose first month-day is after its last begins in the year before.
    """

    label: Label
    first_day: MonthDay
    last_day: MonthDay


class DisclosureRule(Cited):
    """Which periods have a public edition, and below which figure it withholds a cell.

    `code` names the rule. `periods` are codes of periods that do not overlap: two that do would
    tell together what each withholds.
    """

    threshold: int = Field(default=10, ge=2)
    periods: tuple[Code, ...] = Field(min_length=1)


class FormHeading(Value):
    """A heading that stands over several columns, or over other headings, of a printed form."""

    code: Code
    label: Label
    under: Code | None = Field(default=None, description="The heading above this one.")


class FormColumn(Value):
    """One column; `code` is the number or name by which identities know it."""

    code: Code
    label: Label
    under: Code | None = Field(default=None, description="The heading above it.")
    counts: str = Field(
        min_length=1,
        max_length=500,
        description="What is counted, e.g. `cases where received and several-signed`; "
        "docs/reports.md has the words.",
    )


class FormRule(Cited):
    """A form of report: what its columns count, and what must hold among them."""

    title: Label
    headings: tuple[FormHeading, ...] = ()
    columns: tuple[FormColumn, ...] = Field(min_length=1)
    identities: tuple[str, ...] = Field(
        default=(),
        description="E.g. `9 = 11 + 12 + 13`; a column of another form is `01-xld.20`.",
    )


class Rulebook(Value):
    """The rulebook as its operator writes it."""

    title: Label
    kinds: tuple[KindRule, ...]
    default_kind: Kind
    categories: tuple[CategoryRule, ...]
    default_category: Code
    eligibility: tuple[EligibilityRule, ...] = ()
    competence: tuple[CompetenceRule, ...]
    conflicts: tuple[ConflictRule, ...]
    clocks: tuple[ClockRule, ...]
    escalations: tuple[EscalationRule, ...] = ()
    withdrawals: tuple[WithdrawalRule, ...] = ()
    unsealings: tuple[UnsealingRule, ...] = Field(
        default=(), description="The grounds; without one nothing is ever unsealed."
    )
    activity_forms: tuple[ActivityForm, ...]
    periods: tuple[PeriodRule, ...]
    disclosure: tuple[DisclosureRule, ...] = Field(
        default=(), description="None: there is no public edition."
    )
    forms: tuple[FormRule, ...] = Field(
        default=(), description="A period is reported in those in force on its last day."
    )
    persons_to_open_identity: int = Field(
        default=1, ge=1, le=2, description="Read no more: it always takes two, see `unsealings`."
    )
    silence_days: int = Field(
        default=10, ge=1, description="Working days after which a mute channel is announced."
    )


class RulebookPublished(EventData):
    """A new version of the rulebook holds; every service keeps its own copy."""

    TYPE: ClassVar[str] = "rulebook.published.v1"

    version: int = Field(ge=1)
    rulebook: Rulebook


class Holiday(Value):
    day: date
    name: Label


class Calendar(Value):
    """Which days are worked, for the years from `first_year` to `last_year`.

    `swapped` are days of the weekly rest that are worked in exchange for a day off.
    """

    title: Label
    citation: str
    first_year: int
    last_year: int
    weekly_rest: tuple[int, ...] = Field(default=(6, 7), description="ISO weekdays; 7: Sunday.")
    holidays: tuple[Holiday, ...]
    swapped: tuple[date, ...] = ()


class CalendarPublished(EventData):
    """A new version of the working-day calendar holds."""

    TYPE: ClassVar[str] = "calendar.published.v1"

    version: int = Field(ge=1)
    calendar: Calendar
