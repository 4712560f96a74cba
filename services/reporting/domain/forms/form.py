"""What a form is: columns, each with the way it is counted, and identities that must hold."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.reporting.domain.forms.counting import Counts
from services.reporting.domain.forms.identity import Identity
from shared.contracts.directory import Label
from shared.contracts.report import Column as PublishedColumn


@dataclass(frozen=True, slots=True)
class Column:
    """`headings` are those above the column's own, the widest first."""

    code: str
    label: Label
    counts: Counts
    headings: tuple[Label, ...] = ()

    @property
    def published(self) -> PublishedColumn:
        """With a label that says all headings in one text, as `heading: column`."""
        if not self.headings:
            return PublishedColumn(code=self.code, label=self.label)
        path = (*self.headings, self.label)
        english = [label.en for label in path if label.en is not None]
        joined = Label(
            vi=": ".join(label.vi for label in path),
            en=": ".join(english) if len(english) == len(path) else None,
        )
        return PublishedColumn(code=self.code, label=joined, path=path)


@dataclass(frozen=True, slots=True)
class Form:
    """One form.

    `across` are the identities with other forms. They name all columns in full, as `01-xld.20`,
    whatever their text leaves out.
    """

    code: str
    title: Label
    citation: str
    columns: tuple[Column, ...]
    identities: tuple[Identity, ...]
    across: tuple[Identity, ...] = ()

    @property
    def published_columns(self) -> tuple[PublishedColumn, ...]:
        return tuple(column.published for column in self.columns)

    @property
    def checked(self) -> tuple[str, ...]:
        """Every identity, as people read it."""
        return tuple(identity.text for identity in (*self.identities, *self.across))

    def named(self, cells: Sequence[int]) -> Mapping[str, int]:
        """The figures by their columns' codes."""
        return dict(zip((column.code for column in self.columns), cells, strict=True))

    def broken(self, cells: Sequence[int]) -> Identity | None:
        """The first identity within the form that these figures break."""
        figures = self.named(cells)
        return next((i for i in self.identities if not i.holds(figures)), None)


def qualified(forms: Iterable[Form], cells: Mapping[str, Sequence[int]]) -> Mapping[str, int]:
    """Figures of one unit in all forms, as `01-xld.20`; `cells` are those of each form."""
    return {
        f"{form.code}.{code}": figure
        for form in forms
        for code, figure in form.named(cells[form.code]).items()
    }


class DoesNotFoot(Exception):
    """A form's figures break an identity; nothing of the period may be published.

    Names places and figures only. `case` is the id of a case that breaks it alone, if one does.
    """

    def __init__(
        self,
        form: Form,
        unit: str,
        identity: Identity,
        cells: Sequence[int] | Mapping[str, int],
        case: str | None,
    ) -> None:
        named = cells if isinstance(cells, Mapping) else form.named(cells)
        self.form = form.code
        self.unit = unit
        self.identity = identity.text
        self.figures = {column: named[column] for column in identity.columns}
        self.case = case
        figures = ", ".join(f"{column}: {figure}" for column, figure in self.figures.items())
        blamed = f"; case {case}" if case else ""
        super().__init__(f"{self.form} of {unit} breaks {self.identity} ({figures}){blamed}")
