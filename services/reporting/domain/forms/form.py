"""What a form is: columns, each with the way it is counted, and identities that must hold.

Forms are data. What can be counted of a case are its `Fact`s at the end of the period; a column
names the facts that a case must have, all of them, to be counted there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.reporting.domain.forms.identity import Identity
from shared.contracts.directory import Label
from shared.contracts.report import Column as PublishedColumn


class Fact(StrEnum):
    """What holds of a case that counts in a period, as of the period's end."""

    RECEIVED = "received"
    """Received within the period."""
    CARRIED_OVER = "carried-over"
    """Received before the period, not concluded before it."""

    SEVERAL_SIGNED = "several-signed"
    ONE_SIGNED = "one-signed"
    OTHER_SIGNED = "other-signed"

    HANDLED = "handled"
    """Screened: a body has been assigned."""
    ELIGIBLE = "eligible"

    COMPLAINT = "complaint"
    DENUNCIATION = "denunciation"
    PETITION_OR_REFLECTION = "petition-or-reflection"
    """Statutory forms count the two kinds as one."""

    SETTLED_ONCE = "settled-once"
    SETTLED_AGAIN = "settled-again"
    BEING_SETTLED = "being-settled"
    """Accepted, not concluded."""
    NOT_SETTLED = "not-settled"
    """Not accepted and not concluded, or passed on to somebody outside."""

    WITHIN_COMPETENCE = "within-competence"
    """Also while nobody has been assigned: nothing has been forwarded yet."""
    NOT_WITHIN_COMPETENCE = "not-within-competence"
    GUIDED = "guided"
    """The sender was told whom to turn to."""
    FORWARDED = "forwarded"
    URGED = "urged"
    """The competent body was urged to settle it."""

    JOINED = "joined"
    """Closed as a duplicate: another case goes on with it."""
    ANSWERED = "answered"
    IN_TIME = "in-time"
    LATE = "late"
    OPEN = "open"
    """Not concluded."""
    OVERDUE = "overdue"
    """Open, and a clock that still runs has passed its last day."""


class Measure(StrEnum):
    """What is counted of a unit apart from cases."""

    DIRECT_ACTIVITIES = "direct-activities"
    INDIRECT_ACTIVITIES = "indirect-activities"
    DIALOGUES = "dialogues"
    PARTICIPANTS = "participants"
    OPINIONS_RECEIVED = "opinions-received"
    OPINIONS_ACCEPTED = "opinions-accepted"
    SUPERVISED_OFFICES = "supervised-offices"
    AGENCIES = "agencies"
    AGENCIES_WITH_MAILBOX = "agencies-with-mailbox"
    AGENCIES_WITH_HOTLINE = "agencies-with-hotline"
    AGENCIES_WITH_BOTH = "agencies-with-both"


@dataclass(frozen=True, slots=True)
class Cases:
    """The number of cases with all of these facts."""

    facts: frozenset[Fact]


def cases(*facts: Fact) -> Cases:
    return Cases(frozenset(facts))


@dataclass(frozen=True, slots=True)
class Sum:
    """The sum of other columns, themselves no sums."""

    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Column:
    code: str
    label: Label
    counts: Cases | Measure | Sum


@dataclass(frozen=True, slots=True)
class Form:
    """One form, as data. A slip in it (an unknown column, a code used twice) fails at import."""

    code: str
    title: Label
    citation: str
    columns: tuple[Column, ...]
    identities: tuple[Identity, ...]

    def __post_init__(self) -> None:
        counted = {column.code: column.counts for column in self.columns}
        if len(counted) != len(self.columns):
            raise ValueError(f"form {self.code} has two columns of one code")
        addable = {code for code, counts in counted.items() if not isinstance(counts, Sum)}
        for code, counts in counted.items():
            if isinstance(counts, Sum) and (wrong := set(counts.columns) - addable):
                raise ValueError(f"form {self.code}: {code} cannot add up {sorted(wrong)}")
        for identity in self.identities:
            if unknown := set(identity.columns) - counted.keys():
                raise ValueError(f"form {self.code}: {identity.text} names {sorted(unknown)}")

    @property
    def published_columns(self) -> tuple[PublishedColumn, ...]:
        return tuple(PublishedColumn(code=c.code, label=c.label) for c in self.columns)

    def named(self, cells: Sequence[int]) -> Mapping[str, int]:
        """The figures by their columns' codes."""
        return dict(zip((column.code for column in self.columns), cells, strict=True))

    def broken(self, cells: Sequence[int]) -> Identity | None:
        """The first identity that these figures break."""
        figures = self.named(cells)
        return next((i for i in self.identities if not i.holds(figures)), None)


class DoesNotFoot(Exception):
    """A form's figures break an identity; nothing of the period may be published.

    Names places and figures only. `case` is the id of a case that breaks it alone, if one does.
    """

    def __init__(
        self, form: Form, unit: str, identity: Identity, cells: Sequence[int], case: str | None
    ) -> None:
        named = form.named(cells)
        self.form = form.code
        self.unit = unit
        self.identity = identity.text
        self.figures = {column: named[column] for column in identity.columns}
        self.case = case
        figures = ", ".join(f"{column}: {figure}" for column, figure in self.figures.items())
        blamed = f"; case {case}" if case else ""
        super().__init__(f"{self.form} of {unit} breaks {self.identity} ({figures}){blamed}")
