"""`report attack`: what a reader could work out of public reports."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy.attack import PACK, NotAReport, attacked, reports_in, table_of
from deploy.cli.terminal import AsJson, console, emit
from deploy.rulebook.document import read_document
from services.reporting.domain.disclosure import Contradiction, NoThreshold
from shared.contracts.rulebook import Rulebook


def report_attack(
    files: Annotated[list[Path], typer.Argument(help="Exported as JSON; or folders of such.")],
    rulebook: Annotated[Path, typer.Option(help="Whose forms the reports have.")] = PACK,
    threshold: Annotated[
        int | None, typer.Option(min=2, help="Else the one that the reports name.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Work out of reports what they withhold; ends with 1 if anything can be."""
    rules = read_document(rulebook, Rulebook)
    if isinstance(rules, list):
        console.print(f"{rulebook} is no rulebook; `langnghe rulebook lint` says why.", style="red")
        raise typer.Exit(2)
    try:
        found = attacked(reports_in(files), rules.content, threshold)
    except NotAReport as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(2) from None
    except NoThreshold:
        console.print("The reports name no threshold; say one: --threshold 10.", style="red")
        raise typer.Exit(2) from None
    except Contradiction as error:
        console.print(f"These are not the reports of one issue: {error}.", style="red")
        raise typer.Exit(2) from None
    if as_json:
        for each in found:
            emit({slot: getattr(each, slot) for slot in each.__slots__})
    elif found:
        Console().print(table_of(found))
    else:
        console.print("Nothing that is withheld can be worked out.")
    raise typer.Exit(1 if found else 0)
