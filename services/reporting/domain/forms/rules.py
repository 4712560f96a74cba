"""Forms as the rulebook has them: read, and found wanting where they cannot be read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches

from services.reporting.domain.forms.counting import RESERVED, NotACount, Sum, parse
from services.reporting.domain.forms.form import Column, Form
from services.reporting.domain.forms.identity import Identity, NotAnIdentity
from shared.contracts.rulebook import FormColumn, FormHeading, FormRule, Rulebook

Columns = Mapping[str, frozenset[str]]
"""The codes of each form's columns, over all versions of the form."""


@dataclass(frozen=True, slots=True)
class Slip:
    """Something in a form that keeps it from being filled. `place` is the way into the rule."""

    problem: str
    place: tuple[str | int, ...]
    what: str
    advice: str


class NotAForm(ValueError):
    """A form of the rulebook cannot be filled; the text names form, column, and what to do."""


def forms_of(rulebook: Rulebook, day: date) -> tuple[Form, ...]:
    """The forms in force on the day, in the rulebook's order; of one code the latest to begin.

    An identity with a form that is not in force that day is left out. Raises `NotAForm`.
    """
    in_force: dict[str, FormRule] = {}
    for rule in rulebook.forms:
        other = in_force.get(rule.code)
        if rule.in_force(day) and (other is None or other.effective_from <= rule.effective_from):
            in_force[rule.code] = rule
    known = columns_of(in_force.values())
    return tuple(form_of(rule, known) for rule in in_force.values())


def columns_of(rules: Iterable[FormRule]) -> Columns:
    known: dict[str, frozenset[str]] = {}
    for rule in rules:
        codes = frozenset(column.code for column in rule.columns)
        known[rule.code] = known.get(rule.code, frozenset()) | codes
    return known


def form_of(rule: FormRule, known: Columns) -> Form:
    """The form, with those of its identities that `known` has all columns for."""
    for slip in slips(rule):
        raise NotAForm(f"form {rule.code}, {_named(rule, slip)}: {slip.what} {slip.advice}")
    headings = {heading.code: heading for heading in rule.headings}
    identities = [Identity.parse(text) for text in rule.identities]
    across = [in_full(each, rule.code) for each in identities if _is_across(each, rule.code)]
    return Form(
        code=rule.code,
        title=rule.title,
        citation=rule.citation,
        columns=tuple(
            Column(
                column.code,
                column.label,
                parse(column.counts),
                tuple(heading.label for heading in _above(column, headings)),
            )
            for column in rule.columns
        ),
        identities=tuple(
            _without(each, rule.code) for each in identities if not _is_across(each, rule.code)
        ),
        across=tuple(each for each in across if not unknown_columns(each, rule, known)),
    )


def slips_in(rulebook: Rulebook) -> Iterator[Slip]:
    """Everything that keeps a form of the rulebook from being filled; places are whole."""
    known = columns_of(rulebook.forms)
    for number, rule in enumerate(rulebook.forms):
        for slip in (*slips(rule), *_slips_elsewhere(rule, known)):
            yield replace(slip, place=("forms", number, *slip.place))


def _slips_elsewhere(rule: FormRule, known: Columns) -> Iterator[Slip]:
    names = [f"{form}.{column}" for form, columns in known.items() for column in columns]
    for number, text in enumerate(rule.identities):
        try:
            identity = Identity.parse(text)
        except NotAnIdentity:
            continue  # told by `slips`
        for name in unknown_columns(identity, rule, known):
            yield Slip(
                "unknown-column-elsewhere",
                ("identities", number),
                f"The identity names {name}, which no form of this rulebook has.",
                _instead(name, names),
            )


def slips(rule: FormRule) -> Iterator[Slip]:
    """Everything that keeps the form from being filled, but for its place among other forms."""
    codes = [column.code for column in rule.columns]
    yield from _headings(rule)
    for number, column in enumerate(rule.columns):
        place = ("columns", number, "code")
        if column.code in codes[:number]:
            yield Slip(
                "column-twice",
                place,
                f"Two columns have the code {column.code}.",
                "Give each column a code of its own.",
            )
        if column.code in RESERVED:
            yield Slip(
                "column-reserved",
                place,
                f"{column.code!r} is a word of the language of counts.",
                "Give the column another code.",
            )
        yield from _counts(rule, number, column)
    for number, text in enumerate(rule.identities):
        yield from _identity(rule, number, text)


def unknown_columns(identity: Identity, rule: FormRule, known: Columns) -> Sequence[str]:
    """The columns of other forms that `known` does not have."""
    names = [name.partition(".") for name in in_full(identity, rule.code).columns]
    return [
        f"{form}.{column}"
        for form, _, column in names
        if form != rule.code and column not in known.get(form, frozenset())
    ]


def in_full(identity: Identity, form: str) -> Identity:
    """The same with every column named as `form.column`."""
    sums = tuple(
        tuple(name if "." in name else f"{form}.{name}" for name in each) for each in identity.sums
    )
    return replace(identity, sums=sums)


def _without(identity: Identity, form: str) -> Identity:
    """The same with the form's own columns by their codes alone."""
    sums = tuple(tuple(name.removeprefix(f"{form}.") for name in each) for each in identity.sums)
    return replace(identity, sums=sums)


def _is_across(identity: Identity, form: str) -> bool:
    return any("." in name for name in _without(identity, form).columns)


def _above(
    entry: FormColumn | FormHeading, headings: Mapping[str, FormHeading]
) -> list[FormHeading]:
    """The headings above it, the widest first; ends where they run in a circle."""
    found: list[FormHeading] = []
    code = entry.under
    while code is not None and code in headings and headings[code] not in found:
        found.insert(0, headings[code])
        code = headings[code].under
    return found


def _headings(rule: FormRule) -> Iterator[Slip]:
    headings = {heading.code: heading for heading in rule.headings}
    parts: tuple[tuple[str, Sequence[FormHeading | FormColumn]], ...] = (
        ("headings", rule.headings),
        ("columns", rule.columns),
    )
    for section, entries in parts:
        for number, entry in enumerate(entries):
            if entry.under is not None and entry.under not in headings:
                yield Slip(
                    "unknown-heading",
                    (section, number, "under"),
                    f"No heading has the code {entry.under}.",
                    _instead(entry.under, headings),
                )
    for number, heading in enumerate(rule.headings):
        earlier = {each.code for each in rule.headings[:number]}
        if heading.code in earlier or heading in _above(heading, headings):
            yield Slip(
                "heading-in-circle",
                ("headings", number),
                f"{heading.code} stands above itself, or twice.",
                "Let each heading stand once, under a wider one.",
            )


def _counts(rule: FormRule, number: int, column: FormColumn) -> Iterator[Slip]:
    place = ("columns", number, "counts")
    try:
        counts = parse(column.counts)
    except NotACount as error:
        yield Slip(
            "unreadable-count",
            place,
            f"In {column.counts!r} {error}.",
            "Write it with the words that docs/reports.md lists.",
        )
        return
    if isinstance(counts, Sum):
        addable = {c.code for c in rule.columns if not _is_sum(c)}
        for part in counts.columns:
            if part not in addable:
                yield Slip(
                    "unknown-column",
                    place,
                    f"There is no column {part} that could be added, or it is a sum itself.",
                    _instead(part, addable),
                )


def _is_sum(column: FormColumn) -> bool:
    try:
        return isinstance(parse(column.counts), Sum)
    except NotACount:
        return False


def _identity(rule: FormRule, number: int, text: str) -> Iterator[Slip]:
    place = ("identities", number)
    try:
        identity = _without(Identity.parse(text), rule.code)
    except NotAnIdentity as error:
        yield Slip(
            "unreadable-identity",
            place,
            f"This is no identity: {error}.",
            "Write sums of columns with `=` or `<=` between them, spaces around each word.",
        )
        return
    own = {column.code for column in rule.columns}
    for name in identity.columns:
        if "." not in name and name not in own:
            yield Slip(
                "unknown-column",
                place,
                f"The identity names a column {name}, which the form does not have.",
                _instead(name, own),
            )


def _instead(read: str, known: Iterable[str]) -> str:
    nearest = get_close_matches(read, list(known), n=1)
    return f"Did you mean {nearest[0]}?" if nearest else "Correct the code, or take it out."


def _named(rule: FormRule, slip: Slip) -> str:
    match slip.place:
        case ("columns", int(number), *_):
            return f"column {rule.columns[number].code}"
        case (str(section), int(number), *_):
            return f"{section} {number + 1}"
        case _:
            return "the form"
