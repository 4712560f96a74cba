"""Attacks reports that were exported as JSON: what can a reader work out that was withheld?"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import ValidationError
from rich.table import Table

from services.reporting.domain.disclosure import Knowledge, Recovered, attack
from services.reporting.domain.forms import forms_of
from shared.contracts import ReportPublished
from shared.contracts.rulebook import Rulebook

PACK = Path(__file__).parent / "packs" / "viet-nam" / "rulebook.yaml"


class NotAReport(ValueError):
    """A file that is no report as `report export --format json` writes it; names the file."""


def reports_in(paths: Iterable[Path]) -> list[ReportPublished]:
    """Those in the files, and in all `.json` files of folders. Raises `NotAReport`."""
    files = [
        file
        for path in paths
        for file in (sorted(path.rglob("*.json")) if path.is_dir() else [path])
    ]
    found = []
    for file in files:
        try:
            found.append(ReportPublished.model_validate_json(file.read_bytes()))
        except (OSError, ValidationError):
            raise NotAReport(f"{file} is no report that was exported as JSON.") from None
    return found


def attacked(
    reports: Sequence[ReportPublished], rulebook: Rulebook, threshold: int | None
) -> Sequence[Recovered]:
    """What they give away to who knows the rulebook's forms; no threshold: the one they name.

    Raises `Contradiction`, `NoThreshold`.
    """
    last = max((report.period.last_day for report in reports), default=None)
    known = Knowledge() if last is None else Knowledge.of(forms_of(rulebook, last))
    return attack(whole(reports), known, threshold=threshold)


def whole(reports: Iterable[ReportPublished]) -> list[ReportPublished]:
    """Every issue as a reader has it: with the reports that stood on from the one before.

    Reports of one closing cover the stream up to the same position.
    """
    of_period: dict[str, list[ReportPublished]] = defaultdict(list)
    for report in reports:
        of_period[report.period.code].append(report)
    found = []
    for of_one in of_period.values():
        standing: dict[tuple[str, str], ReportPublished] = {}
        for number, covers in enumerate(sorted({r.covers for r in of_one}), start=1):
            standing |= {(r.form, r.unit): r for r in of_one if r.covers == covers}
            found += [r.model_copy(update={"revision": number}) for r in standing.values()]
    return found


def table_of(found: Iterable[Recovered]) -> Table:
    table = Table(title="What can be worked out")
    for head in ("how", "form", "unit", "column", "reports", "at least", "at most"):
        table.add_column(head)
    for each in found:
        unit = f"{each.unit} (own)" if each.own else each.unit
        issues = ", ".join(each.issues)
        figures = str(each.least), str(each.greatest)
        table.add_row(each.how, each.form, unit, each.column, issues, *figures)
    return table
