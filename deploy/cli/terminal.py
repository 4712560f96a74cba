"""What every command needs: the console, options, and what an error looks like to a person."""

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console

from deploy import up
from deploy.command import NotDecided
from deploy.connection import NotRunning
from deploy.demo import NotQuiet
from deploy.items import UnknownAgency
from deploy.rules import Invalid

console = Console(stderr=True)

State = Annotated[Path | None, typer.Option("--state", help="State folder of the running system.")]
Copies = Annotated[
    int | None, typer.Option("--replicas", help="Copies of each stream: 1, 3 or 5; else as it is.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line on standard output.")]


def emit(content: Any) -> None:  # noqa: ANN401 - whatever orjson can write
    sys.stdout.write(orjson.dumps(content).decode() + "\n")
    sys.stdout.flush()


def say(text: str) -> None:
    console.print(text, style="yellow", markup=False)


def run(work: Coroutine[Any, Any, int | None]) -> None:
    """Run to the end; say in a sentence what a person can mend, and exit 1."""
    try:
        status = asyncio.run(work)
    except (NotRunning, UnknownAgency, NotDecided, NotQuiet, up.Stopped) as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from None
    except Invalid as error:
        for line in error.lines:
            console.print(line, style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
    raise typer.Exit(status or 0)
