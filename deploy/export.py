"""Writes reports into a folder, in the formats that were asked for."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from services.reporting.rendering import Format, Language, render
from shared.contracts import ReportPublished

CSV = [Format.CSV]

DRAWN = frozenset({Format.HTML, Format.PDF})
"""They have charts, which compare a report with those of the periods before."""


def export(
    reports: Iterable[ReportPublished],
    folder: Path,
    formats: Sequence[Format],
    language: Language,
    others: Iterable[ReportPublished] = (),
) -> int:
    """How many reports were written, each in every format.

    Raises `CannotPrint` if a PDF is asked for that this machine cannot make.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kin: dict[tuple[str, str], list[ReportPublished]] = defaultdict(list)
    for other in others:
        kin[other.form, other.unit].append(other)
    count = 0
    for report in reports:
        for format_ in formats:
            content, _, name = render(report, format_, language, kin[report.form, report.unit])
            (folder / name).write_bytes(content)
        count += 1
    return count
