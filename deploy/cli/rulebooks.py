"""`rulebook lint`, `rulebook try`, `rulebook simulate`: a rulebook judged before it holds."""

import sys
from collections import Counter
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from deploy.cli.terminal import AsJson, State, console, emit, run
from deploy.connection import connected, find_endpoints
from deploy.items import Reader
from deploy.rulebook import trial
from deploy.rulebook.document import Severity
from deploy.rulebook.lint import lint
from deploy.rulebook.replay import Outcome, simulate
from deploy.rulebook.submissions import submissions
from deploy.rulebook.trial import Trial
from deploy.rules import RULE_FILES, read_rules

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
COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "dim"}
DEFAULT_ZONE = "Asia/Ho_Chi_Minh"


def register(group: typer.Typer) -> None:
    """Add the commands to the group `rulebook`."""
    group.command("lint")(lint_rulebook)
    group.command("try")(try_rulebook)
    group.command("simulate")(simulate_rulebook)


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
            colour = COLOURS[finding.severity]
            console.print(str(finding), style=colour, markup=False, soft_wrap=True)
    errors, warnings = counts[Severity.ERROR], counts[Severity.WARNING]
    if not as_json:
        notes = f", {counts[Severity.NOTE]} notes" if counts[Severity.NOTE] else ""
        console.print(f"{errors} errors, {warnings} warnings{notes}")
    raise typer.Exit(1 if errors else 0)


def try_rulebook(
    paths: Annotated[list[Path], typer.Argument(exists=True)],
    rulebook: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="Rulebook (YAML).")],
    directory: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="Directory (YAML).")],
    calendar: Calendar = None,
    *,
    agency: Annotated[str | None, typer.Option(help="Whose items these are.")] = None,
    timezone: Zone = DEFAULT_ZONE,
    as_json: AsJson = False,
) -> None:
    """Decide submissions off-line as the services would; send and keep nothing.

    Reads events or plain objects (.jsonl), and what `feed` reads. Exits 1 if an item would be
    refused.
    """

    async def work() -> int:
        rules: Any = read_rules(rulebook, RULE_FILES["rulebook"])
        places: Any = read_rules(directory, RULE_FILES["directory"])
        days: Any = read_rules(calendar, RULE_FILES["calendar"]) if calendar else None
        now = datetime.now(UTC)
        reader = Reader((a.code for a in places.agencies), agency, now)
        items = (item for path in paths for item in submissions(path, reader))
        counts: Counter[str] = Counter()
        for row in Trial(rules, places, days, ZoneInfo(timezone)).rows(items, now):
            counts[row["fate"]] += 1
            if as_json:
                emit(row)
            else:
                sys.stdout.write(trial.in_words(row) + "\n")
        return 1 if counts[trial.REFUSED] else 0

    run(work())


def simulate_rulebook(
    file: RuleFile,
    since: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="First day of receipt.")],
    timezone: Zone = DEFAULT_ZONE,
    state: State = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Say which cases in the log another rulebook would lead otherwise, and why.

    Publishes nothing. Kind, category and eligibility stay as told: the log has no texts.
    """

    async def work() -> None:
        rulebook: Any = read_rules(file, RULE_FILES["rulebook"])
        async with connected(find_endpoints(state).nats) as client:
            outcome = await simulate(client, rulebook, since.date(), ZoneInfo(timezone))
        _tell(outcome, as_json=as_json)

    run(work())


def _tell(outcome: Outcome, *, as_json: bool) -> None:
    for difference in outcome.differences:
        if as_json:
            emit(asdict(difference))
        else:
            sys.stdout.write(f"{difference.case} of {difference.received}:\n")
            sys.stdout.writelines(f"  {reason}\n" for reason in difference.why)
    counts = asdict(replace(outcome, differences=[]))
    del counts["differences"]
    if as_json:
        emit(counts)
    else:
        console.print(
            f"{outcome.cases} cases: {outcome.other_lead} with another lead, {outcome.other_due} "
            f"with other due dates; {outcome.waiting} not led yet"
        )
