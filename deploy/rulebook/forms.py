"""What is wrong with forms of report: what cannot be read, is never filled, or may not foot."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from deploy.rulebook.document import Document, Finding, Severity
from deploy.rulebook.firing import gap
from services.reporting.domain.forms.counting import Cases, OfCases
from services.reporting.domain.forms.form import Form, qualified
from services.reporting.domain.forms.identity import Identity
from services.reporting.domain.forms.rules import columns_of, form_of, slips_in
from services.reporting.domain.forms.standing import Facts, every_way_to_stand
from services.reporting.domain.forms.tally import cells_of_one
from shared.contracts.rulebook import Rulebook


def form_findings(document: Document[Rulebook], on: date) -> Iterator[Finding]:
    rules = document.content.forms
    day = gap(rules, lambda _: True, on)
    if day is not None:
        yield document.finding(
            Severity.WARNING,
            "no-form",
            ("forms",),
            what=f"From {day} no form of report is in force: no period can be closed.",
            advice="Add one; docs/reports.md says how.",
        )
    known, broken = columns_of(rules), set()
    for slip in slips_in(document.content):
        broken.add(slip.place[1])
        yield document.finding(
            Severity.ERROR, slip.problem, slip.place, what=slip.what, advice=slip.advice
        )
    sound = {n: form_of(rule, known) for n, rule in enumerate(rules) if n not in broken}
    for number, form in sound.items():
        yield from _never_filled(document, number, form)
        yield from _may_not_foot(document, number, form, sound)
        yield from _untouched(document, number, form, tuple(sound.values()))


def _never_filled(document: Document[Rulebook], number: int, form: Form) -> Iterator[Finding]:
    for place, column in enumerate(form.columns):
        match column.counts:
            case Cases() as cases:
                counted = cases
            case OfCases(cases=cases):
                counted = cases
            case _:
                continue
        if not any(counted.has(facts) for facts in every_way_to_stand()):
            yield document.finding(
                Severity.ERROR,
                "never-filled",
                ("forms", number, "columns", place, "counts"),
                what=f"No case is ever counted in column {column.code}: its facts exclude "
                "one another.",
                advice="Join facts that can hold together, or write `or`.",
            )


def _may_not_foot(
    document: Document[Rulebook], number: int, form: Form, sound: Mapping[int, Form]
) -> Iterator[Finding]:
    """Identities are sums, so a form foots always if it foots for each case alone."""
    forms = {**{each.code: each for each in sound.values()}, form.code: form}
    texts = document.content.forms[number].identities
    for identity in (*form.identities, *form.across):
        named = {name.partition(".")[0] for name in _names_in_full(identity, form)}
        if not named <= forms.keys():
            continue
        breaking = _breaking(identity, form, [forms[code] for code in sorted(named)])
        if breaking is not None:
            yield document.finding(
                Severity.ERROR,
                "may-not-foot",
                ("forms", number, "identities", texts.index(identity.text)),
                what=f"{identity.text} is broken by one case that is {', '.join(breaking)}: "
                "a period with it could not be closed.",
                advice="Correct what the columns count, or the identity.",
            )


def _names_in_full(identity: Identity, form: Form) -> tuple[str, ...]:
    return tuple(name if "." in name else f"{form.code}.{name}" for name in identity.columns)


def _breaking(identity: Identity, form: Form, named: Sequence[Form]) -> Facts | None:
    """The fewest facts of a case that breaks the identity alone."""
    for facts in every_way_to_stand():
        cells = {each.code: cells_of_one(each, facts) for each in named}
        figures = {**qualified(named, cells), **form.named(cells[form.code])}
        if not identity.holds(figures):
            return facts
    return None


def _untouched(
    document: Document[Rulebook], number: int, form: Form, forms: tuple[Form, ...]
) -> Iterator[Finding]:
    touched = {
        name
        for each in forms
        for identity in (*each.identities, *each.across)
        for name in _names_in_full(identity, each)
    }
    alone = [c.code for c in form.columns if f"{form.code}.{c.code}" not in touched]
    if alone:
        yield document.finding(
            Severity.NOTE,
            "no-identity",
            ("forms", number),
            what=f"No identity touches: {', '.join(alone)}.",
            advice="Nothing checks these figures against others; let it be so where none could.",
        )
