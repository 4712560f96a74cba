"""`rulebook lint`, `rulebook try`, `rulebook simulate`: a rulebook judged before it holds."""

from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from deploy.cli.terminal import AsJson, console, emit
from deploy.rulebook.document import Severity
from deploy.rulebook.lint import lint

RuleFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False)]
Calendar = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="Calendar (YAML).")
]
Zone = Annotated[
    str,
    typer.Option(
        "--timezone",
        envvar="LANGNGHE_TIMEZONE",
        help="Zone in which legal days begin and end.",
    ),
]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]
DEFAULT_ZONE = "Asia/Ho_Chi_Minh"


def register(group: typer.Typer) -> None:
    """Add the commands to the group `rulebook`."""
    group.command("lint")(lint_rulebook)


def lint_rulebook(
    file: RuleFile,
    directory: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Directory (YAML).")
    ] = None,
    calendar: Calendar = None,
    on: Day = None,
    timezone: Zone = DEFAULT_ZONE,
    *,
    as_json: AsJson = False,
) -> None:
    """Find gaps, overlaps, rules that never fire and terms that cannot be counted.

    Gaps are looked for from the day --on, today if none is given. Exits 1 on errors, 0 on
    warnings.
    """
    day = on.date() if on else datetime.now(UTC).astimezone(ZoneInfo(timezone)).date()
    found = lint(file, day, directory=directory, calendar=calendar)
    counts = Counter(finding.severity for finding in found)
    for finding in found:
        if as_json:
            emit(asdict(finding))
        else:
            colour = "red" if finding.severity is Severity.ERROR else "yellow"
            console.print(str(finding), style=colour, markup=False, soft_wrap=True)
    errors, warnings = counts[Severity.ERROR], counts[Severity.WARNING]
    if not as_json:
        console.print(f"{errors} errors, {warnings} warnings")
    raise typer.Exit(1 if errors else 0)
