"""A closing: what a period's close decided, once and for good, and the reports that follow.

A closing holds every unit's own figures. Roll-up, digests, ids and times follow from it and the
directory alone, so whoever finds it can say the same reports again, word for word, whatever has
come in since.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence

from services.reporting.domain.forms import Form, Tally, fill
from services.reporting.domain.forms.identity import Identity
from services.reporting.domain.forms.tally import breaking_case
from services.reporting.domain.rollup import Table, Tree, place, roll_up
from shared.contracts import ReportPublished
from shared.contracts.envelope import Event, UtcDatetime, derived_id
from shared.contracts.report import Edition, Period
from shared.contracts.vocabulary import Value

SOURCE = "/services/reporting"

FIRST = 1
"""The revision that a close publishes."""


class Closing(Value):
    """A period is closed by this command. `sending` is the key of its arrival."""

    period: Period
    party: str
    command: str
    correlation: str
    sending: str
    at: UtcDatetime
    directory: int
    rulebook: int
    revision: int = FIRST
    figures: Mapping[str, Mapping[str, tuple[int, ...]]]
    """Own cells by form and unit."""


def own_figures(
    forms: Iterable[Form], tally: Tally, tree: Tree
) -> dict[str, dict[str, tuple[int, ...]]]:
    """The own cells of every unit in force, by form; raises `DoesNotFoot` unless all foot."""
    figures = {}
    named = {unit for unit, _ in tally.cases} | tally.measures.keys()

    def blame_in(form: Form) -> Callable[[str, Identity], str | None]:
        def blame(unit: str, identity: Identity) -> str | None:
            placed = {each for each in named if tree.place(each) == unit}
            return breaking_case(form, identity, tally, placed)

        return blame

    for form in forms:
        own = place(fill(form, tally), tree, form)
        roll_up(form, own, tree, blame_in(form))
        figures[form.code] = own
    return figures


def reports_of(
    closing: Closing, forms: Iterable[Form], tree: Tree
) -> Sequence[Event[ReportPublished]]:
    """The closing's reports, unit by unit from below upwards: a root's come last.

    `tree` is that of the closing's directory on the period's last day.
    """
    forms = tuple(forms)
    tables = {form.code: roll_up(form, closing.figures[form.code], tree) for form in forms}
    return [
        _event(closing, _report(closing, form, tables[form.code][place]))
        for place in range(len(tree.bottom_up))
        for form in forms
    ]


def _report(closing: Closing, form: Form, table: Table) -> ReportPublished:
    report = ReportPublished(
        form=form.code,
        unit=table.unit,
        period=closing.period,
        edition=Edition.INTERNAL,
        revision=closing.revision,
        title=form.title,
        citation=form.citation,
        columns=form.published_columns,
        rows=table.rows,
        totals=table.totals,
        identities=tuple(identity.text for identity in form.identities),
        digest="",
        directory=closing.directory,
        rulebook=closing.rulebook,
    )
    return report.model_copy(update={"digest": digest(report)})


def digest(report: ReportPublished) -> str:
    """SHA-256, hexadecimal, of form, unit, period, columns, rows and totals.

    Taken of their JSON in UTF-8 with sorted keys and no spaces, so that anybody can take it again.
    """
    said = report.model_dump(
        mode="json", include={"form", "unit", "period", "columns", "rows", "totals"}
    )
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _event(closing: Closing, report: ReportPublished) -> Event[ReportPublished]:
    names = (report.form, report.unit, report.period.code)
    return Event[ReportPublished](
        id=derived_id(closing.command, *names, str(report.revision)),
        source=SOURCE,
        type=report.TYPE,
        subject="/".join(names),
        time=closing.at,
        recordedtime=closing.at,
        correlationid=closing.correlation,
        causationid=closing.command,
        data=report,
    )
