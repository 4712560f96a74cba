"""`langnghe containers`: what runs once before the others, and the doorkeeper beside NATS."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from deploy.access.doorkeeper import Doorkeeper
from deploy.access.permissions import DOORKEEPER
from deploy.access.reloading import reload_servers
from deploy.cli.terminal import Copies, console, run
from deploy.connection import Environment, connected, find_endpoints
from deploy.containers.founding import found
from deploy.containers.preparing import NATS, Hosts, access_of, hand_over, prepare
from deploy.handing import READ_BY, keep_key
from deploy.keys import KeysLost
from deploy.local.stack import today
from shared.runtime.streams import declare

containers_app = typer.Typer(
    help="Keys, replica set and doorkeeper of containers.", no_args_is_help=True
)

PUT = ("mailboxes.json", "vault.token")
"""Files that an operator writes by hand; all others have a command of their own."""

Folder = Annotated[Path, typer.Argument(help="Folder with a folder for each container.")]


@containers_app.command("prepare")
def prepare_folders(
    folder: Folder,
    nats: Annotated[str, typer.Option(help="Names of the NATS servers, comma-apart.")] = "nats",
    mongo: Annotated[str, typer.Option(help="Names of the MongoDB servers, comma-apart.")] = (
        "mongo"
    ),
    *,
    chown: Annotated[
        bool, typer.Option("--chown", help="Give each folder to its container's user; needs root.")
    ] = False,
) -> None:
    """Draw keys, certificates and passwords once, and write the servers' files."""
    hosts = Hosts(tuple(nats.split(",")), tuple(mongo.split(",")))
    try:
        prepare(folder, hosts, Environment().mongo_prefix, datetime.now(UTC), today())
    except KeysLost as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from None
    if chown:
        hand_over(folder)
    console.print(f"prepared: {', '.join((*hosts.nats, *hosts.mongo))}", markup=False)


@containers_app.command("access")
def write_access(folder: Folder) -> None:
    """Write the access file that a NATS server starts with, from keys that are there already."""
    (folder / NATS).mkdir(mode=0o700, parents=True, exist_ok=True)
    access = access_of(folder)
    access.write(access.last_directory(), today())


@containers_app.command("put")
def put_key_file(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(PUT)}.")],
) -> None:
    """Take a key file from standard input, and hand it on to the service that reads it."""
    keys = Environment().keys
    if name not in PUT or keys is None:
        console.print(f"LANGNGHE_KEYS names the folder; a file is one of {', '.join(PUT)}.")
        raise typer.Exit(2)
    keep_key(keys / name, sys.stdin.buffer.read())
    console.print(f"{name} is handed to {', '.join(READ_BY[name])}", markup=False)


@containers_app.command("init")
def init_servers(
    folder: Folder,
    replicas: Copies = None,
    *,
    streams: Annotated[
        bool, typer.Option(help="Without, `restore` makes the streams, from a backup.")
    ] = True,
) -> None:
    """Make the replica set, the services' users, streams and consumers; repeat without harm."""

    async def work() -> None:
        await found(folder, Environment().mongo_prefix)
        if streams:
            async with connected(find_endpoints(None).nats) as client:
                await declare(client.jetstream(), replicas)

    run(work())


@containers_app.command("keep-door")
def keep_door(folder: Folder) -> None:
    """Let parties in and out as the directory, the keys and the day want, until SIGTERM."""

    async def work() -> None:
        access, address = access_of(folder), find_endpoints(None).nats
        authority = Environment().nats_ca

        async def reload() -> None:
            await reload_servers(str(address), access.seed(DOORKEEPER), authority)

        await Doorkeeper(access, reload, today).keep(address)

    try:
        run(work())
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.print("the doorkeeper goes")
