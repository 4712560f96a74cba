"""What is wrong with rules on the public edition: what it may not publish, or could not protect."""

from collections.abc import Iterator
from datetime import date

from deploy.rulebook.document import Document, Finding, Severity
from services.reporting.domain.disclosure import Knowledge, NotAForest
from services.reporting.domain.disclosure.columns import Forest
from services.reporting.domain.edition import overlapping
from services.reporting.domain.forms import NotAForm, forms_of
from services.reporting.domain.forms.rules import in_full
from shared.contracts.rulebook import Rulebook


def disclosure_findings(document: Document[Rulebook], on: date) -> Iterator[Finding]:
    rulebook = document.content
    known = {period.code for period in rulebook.periods}
    for number, rule in enumerate(rulebook.disclosure):
        place = ("disclosure", number)
        for code in rule.periods:
            if code not in known:
                yield document.finding(
                    Severity.ERROR,
                    "unknown-period",
                    place,
                    what=f"No period has the code {code}.",
                    advice=f"Name periods of the rulebook: {', '.join(sorted(known))}.",
                )
        for one, other in dict.fromkeys(overlapping(rule, rulebook.periods)):
            yield document.finding(
                Severity.ERROR,
                "periods-overlap",
                place,
                what=f"The periods {one} and {other} have days in common: their reports, "
                "taken from one another, would tell of a few.",
                advice="Keep one of them; the others have no public edition.",
            )
    if rulebook.disclosure:
        yield from _no_forest(document, on)


def _no_forest(document: Document[Rulebook], on: date) -> Iterator[Finding]:
    try:
        forms = forms_of(document.content, on)
    except NotAForm:
        return  # told by the forms' own findings
    printed = [f"{form.code}.{column.code}" for form in forms for column in form.columns]
    identities = [
        in_full(identity, form.code)
        for form in forms
        for identity in (*form.identities, *form.across)
    ]
    try:
        Forest.of(printed, identities, Knowledge.of(forms))
    except NotAForest as error:
        yield document.finding(
            Severity.ERROR,
            "cannot-be-protected",
            ("forms",),
            what=f"No public edition can be made of these forms: {error}.",
            advice="Let each column be a part of one other at most; take out the identity that "
            "ties it twice, or the rule on the public edition.",
        )
