"""Makes a MongoDB replica set and the services' users; again and again without harm."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from deploy.connection import NotRunning
from deploy.containers.preparing import OPERATOR
from deploy.handing import SERVICES
from shared.runtime.mongo import Client, PyMongoError, open_client

ALREADY_INITIALIZED = 23
SECONDS = 60.0
ROLE = "readWrite"


async def found(folder: Path, prefix: str) -> None:
    """Return when the set has a primary and each service its user; raises `NotRunning`."""
    url = (folder / OPERATOR / "mongo.url").read_text().strip()
    try:
        async with asyncio.timeout(SECONDS):
            await _initiate(url)
            client = open_client(url)
            try:
                await _until_primary(client)
                for service in SERVICES:
                    await _let_in(client, folder / service, prefix, service)
            finally:
                client.close()
    except (TimeoutError, PyMongoError) as error:
        raise NotRunning(f"The replica set could not be made ({type(error).__name__}).") from None


async def _initiate(url: str) -> None:
    """Asked of the first server alone: there is no set to ask yet."""
    split = urlsplit(url)
    login, _, servers = split.netloc.rpartition("@")
    hosts = servers.split(",")
    query = split.query.replace("replicaSet=langnghe&", "")
    client = open_client(f"mongodb://{login}@{hosts[0]}/?directConnection=true&{query}")
    try:
        while True:
            try:
                await client.admin.command("replSetInitiate", _set(hosts))
            except PyMongoError as error:
                if getattr(error, "code", None) == ALREADY_INITIALIZED:
                    return
                await asyncio.sleep(0.5)  # it is starting
            else:
                return
    finally:
        client.close()


def _set(hosts: Sequence[str]) -> dict[str, object]:
    members = [{"_id": place, "host": host} for place, host in enumerate(hosts)]
    return {"_id": "langnghe", "members": members}


async def _until_primary(client: Client) -> None:
    while True:
        try:
            if (await client.admin.command("hello")).get("isWritablePrimary"):
                return
        except PyMongoError:
            pass
        await asyncio.sleep(0.2)


async def _let_in(client: Client, folder: Path, prefix: str, service: str) -> None:
    """Reads and writes its own databases, and no other."""
    split = urlsplit((folder / "mongo.url").read_text().strip())
    databases = [f"{prefix}_{service}", *([f"{prefix}_intake_keys"] * (service == "intake"))]
    roles = [{"role": ROLE, "db": database} for database in databases]
    name, password = split.username, unquote(split.password or "")
    known = await client.admin.command("usersInfo", name)
    verb = "updateUser" if known["users"] else "createUser"
    await client.admin.command(verb, name, pwd=password, roles=roles)
