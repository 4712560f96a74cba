"""A closing: what a count of a period decided, once and for good, and the reports that follow.

A closing holds every unit's own figures. Roll-up, digests, ids and times follow from it and the
directory alone, so whoever finds it can say the same reports again, word for word, whatever has
come in since. A later count of the same period is a closing with the next number; of its reports
only those go out that differ from what stands.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence

from services.reporting.domain.forms import DoesNotFoot, Form, Tally, fill
from services.reporting.domain.forms.form import qualified
from services.reporting.domain.forms.identity import Identity
from services.reporting.domain.forms.tally import breaking_across, breaking_case
from services.reporting.domain.rollup import Table, Tree, place, roll_up
from shared.contracts import ReportPublished
from shared.contracts.envelope import Event, UtcDatetime, derived_id
from shared.contracts.report import Cause, Cells, Change, Edition, Period
from shared.contracts.vocabulary import Value

SOURCE = "/services/reporting"

FIRST = 1
"""The revision that a close publishes."""

BLANK = "blank"
"""Stands for the unit in a form that nobody has filled yet."""

Standing = Mapping[tuple[str, str], ReportPublished]
"""The newest report of one edition, by form and unit."""


class Closing(Value):
    """A period is counted by this command. `sending` is the key of its arrival.

    Everything recorded up to `known` was counted, and events up to `covers` in the stream; of
    `in_flight` events it was known that they were not: at the first count those from before the
    period's end, at a later one all that came before it.
    """

    period: Period
    party: str
    command: str
    correlation: str
    sending: str
    at: UtcDatetime
    directory: int
    rulebook: int
    revision: int = FIRST
    known: UtcDatetime | None = None
    covers: int = 0
    in_flight: int = 0
    causes: tuple[Cause, ...] = ()
    figures: Mapping[str, Mapping[str, tuple[int, ...]]]
    """Own cells by form and unit."""


def own_figures(
    forms: Iterable[Form], tally: Tally, tree: Tree
) -> dict[str, dict[str, tuple[int, ...]]]:
    """The own cells of every unit in force, by form; raises `DoesNotFoot` unless all foot."""
    forms = tuple(forms)
    figures = {}
    named = {unit for unit, _ in tally.cases} | tally.measures.keys()

    def placed(unit: str) -> set[str]:
        return {each for each in named if tree.place(each) == unit}

    def blame_in(form: Form) -> Callable[[str, Identity], str | None]:
        def blame(unit: str, identity: Identity) -> str | None:
            return breaking_case(form, identity, tally, placed(unit))

        return blame

    for form in forms:
        own = place(fill(form, tally), tree, form)
        roll_up(form, own, tree, blame_in(form))
        figures[form.code] = own
    across = [(form, identity) for form in forms for identity in form.across]
    for unit in tree.bottom_up:
        of_unit = qualified(forms, {code: own[unit] for code, own in figures.items()})
        for of_form, identity in across:
            if not identity.holds(of_unit):
                case = breaking_across(forms, identity, tally, placed(unit))
                raise DoesNotFoot(of_form, unit, identity, of_unit, case)
    return figures


def reports_of(closing: Closing, forms: Iterable[Form], tree: Tree) -> Sequence[ReportPublished]:
    """Every report of the closing, as if it were the first; unit by unit, a root's come last.

    `tree` is that of the closing's directory on the period's last day.
    """
    forms = tuple(forms)
    tables = [roll_up(form, closing.figures[form.code], tree) for form in forms]
    blanks = [_blank(closing, form) for form in forms]
    return [
        _filled(blank, table)
        for of_unit in zip(*tables, strict=True)
        for blank, table in zip(blanks, of_unit, strict=True)
    ]


def revised(reports: Iterable[ReportPublished], standing: Standing) -> Sequence[ReportPublished]:
    """Those that say something new, each with the number after the one that stands."""
    new = []
    for report in reports:
        before = standing.get((report.form, report.unit))
        if before is None:
            new.append(report)
        elif changes := changes_between(before, report):
            new.append(
                report.model_copy(update={"revision": before.revision + 1, "changes": changes})
            )
    return new


def changes_between(before: ReportPublished, now: ReportPublished) -> tuple[Change, ...]:
    """Every figure that differs, row by row, the total's last; nothing if the two say the same."""
    old, new = _figures(before), _figures(now)
    return tuple(
        Change(unit=unit or None, column=column, before=old.get(place), now=new.get(place))
        for place in (*new, *(place for place in old if place not in new))
        if old.get(place, 0) != new.get(place, 0)
        for unit, column in [place[1:]]
    )


def _figures(report: ReportPublished) -> dict[tuple[bool, str, str], int | None]:
    """By (own row or not, unit, column); the total's unit is empty."""
    rows: list[tuple[bool, str, Cells]] = [(row.own, row.unit, row.cells) for row in report.rows]
    rows.append((False, "", report.totals))
    return {
        (own, unit, column.code): cell
        for own, unit, cells in rows
        for column, cell in zip(report.columns, cells, strict=True)
    }


def _blank(closing: Closing, form: Form) -> ReportPublished:
    """The form before any unit has filled it: ten thousand reports share what it says."""
    return ReportPublished(
        form=form.code,
        unit=BLANK,
        period=closing.period,
        edition=Edition.INTERNAL,
        revision=FIRST,
        title=form.title,
        citation=form.citation,
        columns=form.published_columns,
        rows=(),
        totals=(),
        identities=form.checked,
        digest="",
        directory=closing.directory,
        rulebook=closing.rulebook,
        covers=closing.covers,
        in_flight=closing.in_flight,
        causes=closing.causes,
    )


def _filled(blank: ReportPublished, table: Table) -> ReportPublished:
    figures = {"unit": table.unit, "rows": table.rows, "totals": table.totals}
    report = blank.model_copy(update=figures)
    return report.model_copy(update={"digest": digest(report)})


def digest(report: ReportPublished) -> str:
    """SHA-256, hexadecimal, of form, unit, period, columns, rows and totals.

    Taken of their JSON in UTF-8 with sorted keys and no spaces, so that anybody can take it again.
    Of a column its code and label; how a table stacks its headings is left out.
    """
    said = report.model_dump(
        mode="json",
        include={"form", "unit", "period", "columns", "rows", "totals"},
        exclude={"columns": {"__all__": {"path"}}},
    )
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def said(closing: Closing, report: ReportPublished) -> Event[ReportPublished]:
    """The report as it goes out. Its id is that of its place: said again, it is the same."""
    names = (report.form, report.unit, report.period.code)
    return Event[ReportPublished](
        id=derived_id(closing.command, *names, str(report.revision), report.edition.value),
        source=SOURCE,
        type=report.TYPE,
        subject="/".join(names),
        time=closing.at,
        recordedtime=closing.at,
        correlationid=closing.correlation,
        causationid=closing.command,
        data=report,
    )
