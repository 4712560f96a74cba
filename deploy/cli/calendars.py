"""`calendar propose`: public holidays of a year, as a difference; nothing is published."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.calendar import (
    NOTE,
    PACKAGE,
    Difference,
    NothingProposed,
    compared,
    lines,
    merged,
    proposed,
    written,
)
from deploy.calendar.comparing import Day
from deploy.cli.terminal import AsJson, State, console, emit, run
from deploy.connection import NotRunning, connected, find_endpoints, latest
from deploy.rules import RULE_FILES, Invalid, read_rules
from shared.contracts import CalendarPublished
from shared.contracts.directory import Label
from shared.contracts.rulebook import Calendar


def register(group: typer.Typer) -> None:
    """Add the command to the group `calendar`."""
    group.command("propose")(propose_calendar)


def propose_calendar(
    year: Annotated[int, typer.Argument(help="Year whose public holidays are proposed.")],
    calendar: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Calendar (YAML) to compare with; else the one in force.",
        ),
    ] = None,
    country: Annotated[str, typer.Option(help="Country, by its code of two letters.")] = "VN",
    out: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False, help="Calendar file to write, to be edited and then published."
        ),
    ] = None,
    state: State = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show public holidays of a year beside a calendar: added, missing, in disagreement.

    Publishes nothing. Swapped working days are decreed each year: no package knows them before.
    """

    async def work() -> int:
        try:
            proposal = proposed(year, country)
            standing, against = await _standing(calendar, state)
            difference = compared(proposal, standing)
            if out is not None:
                _write(out, written(merged(proposal, standing), proposal, standing))
        except NothingProposed as error:
            console.print(str(error), style="red", markup=False, soft_wrap=True)
            return 1
        if as_json:
            emit(_as_json(proposal.year, proposal.country, difference, out))
            return 0
        sys.stdout.writelines(f"{line}\n" for line in lines(proposal, difference, against))
        if out is not None:
            console.print(
                f"{out}: edit it by the decree, then `langnghe calendar publish {out}`",
                markup=False,
                soft_wrap=True,
            )
        return 0

    run(work())


async def _standing(file: Path | None, state: Path | None) -> tuple[Calendar | None, Label]:
    """The calendar to compare with, and what it is."""
    if file is not None:
        content: Any = read_rules(file, RULE_FILES["calendar"])
        return content, Label(vi=f"so với {file}", en=f"compared with {file}")
    try:
        endpoints = find_endpoints(state)
    except NotRunning as error:
        raise NotRunning(f"{error} Or name a calendar's file with --calendar.") from None
    async with connected(endpoints.nats) as client:
        event = await latest(client.jetstream(), CalendarPublished)
    if event is None:
        return None, Label(vi="chưa có lịch nào có hiệu lực", en="no calendar is in force")
    number = event.data.version
    return event.data.calendar, Label(
        vi=f"so với phiên bản {number} đang có hiệu lực",
        en=f"compared with version {number} in force",
    )


def _write(out: Path, text: str) -> None:
    """Never over a file that is there: somebody may have edited it."""
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise Invalid([f"{out} is there already: name another file, or remove it"]) from None
    except OSError as error:
        raise Invalid([f"{out}: {error.strerror}"]) from None


def _as_json(year: int, country: str, difference: Difference, out: Path | None) -> dict[str, Any]:
    told: dict[str, Any] = {"proposed": year, "country": country, "package": PACKAGE}
    told["covered"] = difference.covered
    for name in ("added", "missing", "disagree"):
        told[name] = [_day(day) for day in getattr(difference, name)]
    told["note"] = NOTE.model_dump()
    return told | ({"out": str(out)} if out else {})


def _day(day: Day) -> dict[str, Any]:
    names = {"proposed": day.proposed, "calendar": day.standing}
    said = {name: label.model_dump(exclude_none=True) for name, label in names.items() if label}
    return {"day": day.day.isoformat(), "worked": day.worked, **said}
