"""`langnghe nats`: keys of parties, the server's access file, and who tried what it forbids."""

import asyncio
import re
import sys
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy.access.local import LocalAccess
from deploy.access.nkeys import (
    PUBLIC_KEYS,
    KeyRefused,
    draw_another,
    draw_once,
    public_keys,
    register,
)
from deploy.access.nkeys import forget as forget_keys
from deploy.access.permissions import DOORKEEPER, OPERATOR, readers, users
from deploy.access.readers import declare_readers
from deploy.access.server_file import server_file
from deploy.access.violations import violations
from deploy.connection import (
    DEFAULT_STATE,
    Environment,
    NotRunning,
    connected,
    find_endpoints,
    latest_directory,
)
from deploy.local.stack import today
from deploy.rules import RULE_FILES, Invalid, read_rules
from deploy.webhooks import codes_in
from deploy.whole_file import write_whole
from shared.contracts.directory import Directory

nats_app = typer.Typer(help="Who may say and hear what on the bus.", no_args_is_help=True)
console = Console(stderr=True)

USER = re.compile(
    r"operator|public|doorkeeper|svc-(?:intake|routing|reporting)|(?:agency|body|reader)-[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
)
KEEPERS = (OPERATOR, DOORKEEPER)
State = Annotated[Path | None, typer.Option("--state", help="State folder; its keys are used.")]


@nats_app.command("key")
def key(
    user: Annotated[
        str, typer.Argument(help="agency-CODE, body-CODE, reader-CODE, public, operator, svc-NAME")
    ],
    state: State = None,
    public: Annotated[
        str | None, typer.Option(help="Public NKey of a party that keeps its seed itself.")
    ] = None,
    *,
    new: Annotated[
        bool,
        typer.Option("--new", help="Another key; the one before holds until `nats forget --old`."),
    ] = False,
    show: Annotated[bool, typer.Option("--show", help="Print the seed as well.")] = False,
) -> None:
    """Make a user's key once, say where its seed is; a running system lets it in by itself."""
    folder = _folder_for(user, state, keepers=not new)
    try:
        if public is not None:
            register(folder, user, public, beside=new)
            console.print(f"{user} is known by its public key", markup=False)
            return
        file = draw_another(folder, user) if new else draw_once(folder, user)
    except KeyRefused as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from None
    sys.stdout.write(f"{file}\n")
    if show:
        sys.stdout.write(f"{file.read_text().strip()}\n")


@nats_app.command("forget")
def forget(
    user: Annotated[str, typer.Argument(help="A user, as for `nats key`.")],
    state: State = None,
    *,
    old: Annotated[
        bool, typer.Option("--old", help="All its keys but the newest; it is let in by that.")
    ] = False,
) -> None:
    """Take a user's access away; a running system shows it out by itself, also in mid-sentence."""
    folder = _folder_for(user, state, keepers=False)
    count = forget_keys(folder, user, old=old)
    if not count:
        has = "no older key" if old else "no key"
        console.print(f"{user} has {has}: nothing is changed.", style="red", markup=False)
        raise typer.Exit(1)
    console.print(f"{user}: {count} {'key' if count == 1 else 'keys'} forgotten", markup=False)


@nats_app.command("config")
def config(
    state: State = None,
    directory: Annotated[
        Path | None, typer.Option(help="Directory (YAML); the one in force if none is given.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="File that the server includes; standard output if none.")
    ] = None,
    day: Annotated[
        str | None, typer.Option("--on", help="Day for which it shall hold; today if none.")
    ] = None,
) -> None:
    """Write the accounts of a NATS server's configuration; users without a key are left out."""
    access = _access(state)
    access.draw_ours()
    try:
        on = date.fromisoformat(day) if day else today()
        parties = users(_directory(state, directory, access), on, codes_in(access.keys.parent))
    except (Invalid, NotRunning, ValueError) as error:
        console.print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
    keys = public_keys(access.keys)
    every = (*parties, *readers(keys))
    content = server_file(every, keys)
    if out is None:
        sys.stdout.write(content.decode())
    else:
        write_whole(out, content)
    missing = [user.name for user in every if user.name not in keys]
    console.print(f"{len(every) - len(missing)} users; without a key: {', '.join(missing) or '-'}")


@nats_app.command("readers")
def make_readers(state: State = None) -> None:
    """Make the durable consumer of every reader-CODE that has a key; `up` does so by itself."""

    async def work() -> list[str]:
        async with connected(find_endpoints(state).nats) as client:
            return await declare_readers(client.jetstream(), public_keys(_access(state).keys))

    try:
        made = asyncio.run(work())
    except NotRunning as error:
        console.print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
    console.print(f"readers: {', '.join(made) or '-'}")


@nats_app.command("violations")
def show_violations(state: State = None) -> None:
    """Count what the one-machine server refused, by account and subject."""
    log = (state or DEFAULT_STATE) / "log" / "nats.log"
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    for violation, count in sorted(Counter(violations(lines)).items(), key=str):
        sys.stdout.write(f"{count}\t{violation.account}\t{violation.verb}\t{violation.subject}\n")


def _folder_for(user: str, state: Path | None, *, keepers: bool) -> Path:
    """Where this user's keys are; ends the command where the name can be no user's.

    Those who open the door to others are changed only while it is shut, else nobody may open it.
    """
    if not USER.fullmatch(user):
        console.print(
            "A user is agency-CODE, body-CODE, reader-CODE, public, operator or svc-NAME.",
            style="red",
        )
        raise typer.Exit(2)
    folder = _access(state).keys
    if user in KEEPERS and not keepers:
        console.print(
            f"{user} lets others in and out: stop NATS, remove {folder / user}.nk and the line "
            f"of {user} in {folder / PUBLIC_KEYS}, and start everything again.",
            style="red",
            markup=False,
            soft_wrap=True,
        )
        raise typer.Exit(2)
    return folder


def _access(state: Path | None) -> LocalAccess:
    """Of the state folder, else of the one whose keys the environment names."""
    keys = Environment().keys
    beside = keys.parent if keys is not None and keys.name == "keys" else None
    return LocalAccess(state or beside or DEFAULT_STATE)


def _directory(state: Path | None, file: Path | None, access: LocalAccess) -> Directory | None:
    """From the file, else as it was last published, as far as that is known here."""
    if file is not None:
        content = read_rules(file, RULE_FILES["directory"])
        return content if isinstance(content, Directory) else None
    try:
        endpoints = find_endpoints(state)
    except NotRunning:
        return access.last_directory()
    return asyncio.run(_in_force(endpoints.nats))


async def _in_force(address: str) -> Directory | None:
    async with connected(address) as client:
        published = await latest_directory(client.jetstream())
    return published.directory if published else None
