"""`explain`, `cases …`: cases as the bodies that hold them read them."""

import sys
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from deploy.casework import Explainer, Names, ask, lead_of, readers, whole_case, worklist
from deploy.casework.words import letter_in_words
from deploy.cli.rulebooks import DEFAULT_ZONE, Zone
from deploy.cli.terminal import AsJson, State, console, emit, run
from deploy.connection import connected, find_endpoints
from deploy.demo import OPERATOR
from shared.contracts.worklist import MOST_ROWS, LoadAsked, LoadTold, Row, WorklistAsked

cases_app = typer.Typer(help="Cases as their bodies read them.", no_args_is_help=True)
app = typer.Typer()
app.add_typer(cases_app, name="cases")

As = Annotated[str | None, typer.Option("--as", help="Code of the body that asks.")]


class Language(StrEnum):
    VI = "vi"
    EN = "en"


@app.command()
def explain(
    case: Annotated[str, typer.Argument(help="Id of the case.")],
    body: As = None,
    lang: Annotated[Language, typer.Option(help="Language of the answer.")] = Language.VI,
    timezone: Zone = DEFAULT_ZONE,
    state: State = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Say a case as a clerk reads it: who leads it and why, its terms, the steps of its life.

    Asked in the name of --as, else of the body that leads it by the log. Exits 1 where that body
    may not read it.
    """

    async def work() -> int:
        async with connected(find_endpoints(state).nats) as client:
            party = body or await lead_of(client, case)
            told = await whole_case(client, party, case, OPERATOR) if party else None
            if told is None or told.status != "told":
                advice = told.advice if told else "No such case was ever assigned."
                console.print(advice, style="red", markup=False)
                return 1
            if as_json:
                emit(told.model_dump(mode="json", exclude_none=True))
                return 0
            explainer = Explainer(await Names.of(client), lang.value, ZoneInfo(timezone))
        sys.stdout.writelines(f"{line}\n" for line in explainer.lines(told))
        return 0

    run(work())


@cases_app.command("list")
def cases_list(
    body: Annotated[str, typer.Option("--as", help="Code of the body that asks.")],
    due_by: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Only what ends on this day or before."),
    ] = None,
    lang: Annotated[Language, typer.Option(help="Language of the remarks.")] = Language.VI,
    state: State = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="What is concluded as well.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the cases that a body holds, those first whose term ends first."""
    asked = WorklistAsked(
        which="all" if every else "open",
        due_by=due_by.date() if due_by else None,
        limit=MOST_ROWS,
    )

    async def work() -> None:
        async with connected(find_endpoints(state).nats) as client:
            rows = await worklist(client, body, asked)
        for row in rows:
            if as_json:
                emit(row.model_dump(mode="json", exclude_none=True))
            else:
                sys.stdout.write(f"{listed(row, lang.value)}\n")
        if not as_json:
            console.print(f"{len(rows)} cases")

    run(work())


def listed(row: Row, language: str = Language.VI.value) -> str:
    """The row in one line: what ends first stands first."""
    day = row.due.isoformat() if row.due else "-"
    term = f"{day:<10} {row.clock or '-'}"
    letter = letter_in_words(row, language)
    remark = f"  ({letter})" if letter else ""
    return f"{term}  {row.case}  {row.stage} {row.role} {row.kind} {row.category}{remark}"


@cases_app.command("readers")
def cases_readers(
    case: Annotated[str, typer.Argument(help="Id of the case.")],
    state: State = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Say who opened a case, and who tried to, oldest first."""

    async def work() -> None:
        async with connected(find_endpoints(state).nats) as client:
            looks = await readers(client, OPERATOR, case)
        for look in looks:
            if as_json:
                emit(look.model_dump(mode="json", exclude_none=True))
            else:
                who = f"{look.body} {look.person or '-'}"
                sys.stdout.write(f"{look.at.isoformat()}  {who}  {look.rule}\n")

    run(work())


@cases_app.command("load")
def cases_load(body: As = None, state: State = None, *, as_json: AsJson = False) -> None:
    """Say how many open cases each body holds; with --as, what that body is told."""

    async def work() -> None:
        async with connected(find_endpoints(state).nats) as client:
            answer = await ask(client, body or OPERATOR, "load", LoadAsked())
        for entry in LoadTold.model_validate_json(answer).bodies:
            if as_json:
                emit(entry.model_dump())
            else:
                sys.stdout.write(f"{entry.open:>6}  {entry.body}\n")

    run(work())
