"""`asyncapi`: the contract of every topic, written down for other people's tools."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
import yaml

from deploy.asyncapi import broken, document
from deploy.cli.terminal import console

app = typer.Typer()


class Format(StrEnum):
    YAML = "yaml"
    JSON = "json"


class _Plain(yaml.SafeDumper):
    """Writes everything out where it is: a reader of YAML need not know anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002 - as its base has it
        return True


@app.command()
def asyncapi(
    out: Annotated[Path | None, typer.Option("--out", help="File to write.")] = None,
    against: Annotated[
        Path | None,
        typer.Option("--against", help="An older document, which must not be broken."),
    ] = None,
    form: Annotated[Format, typer.Option("--format")] = Format.YAML,
) -> None:
    """Write the contract of every topic as an AsyncAPI 3 document. Needs no running system.

    With --against, says what would break who reads or sends by the older document, writes
    nothing then, and ends with 1.
    """
    made = document()
    if against is not None:
        promises = broken(yaml.safe_load(against.read_text(encoding="utf-8")), made)
        if promises:
            for promise in promises:
                console.print(promise, style="red", markup=False, soft_wrap=True)
            console.print("Publish a new version beside the old one; nothing was written.")
            raise typer.Exit(1)
    text = written(made, form)
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, encoding="utf-8")


def written(made: dict[str, Any], form: Format) -> str:
    if form is Format.JSON:
        return orjson.dumps(made, option=orjson.OPT_INDENT_2).decode() + "\n"
    return yaml.dump(made, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=100)
