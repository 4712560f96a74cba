"""The server file that containers are given, on real servers: TLS, NKeys, one and three."""

import asyncio
import ssl
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path

import nats
import nats.errors
import pytest

from deploy.access.permissions import DOORKEEPER, OPERATOR
from deploy.access.reloading import NotReloaded, reload_servers
from deploy.connection import Address, NotRunning, connected, credentials
from deploy.containers.authority import Authority
from deploy.containers.preparing import SEEN_FROM_INSIDE, Hosts, access_of, prepare
from deploy.local.nats_server import _binary
from deploy.process import Process, free_port
from shared.runtime.streams import declare

TODAY = date(2026, 3, 2)
NAMES = ("nats", "nats-2", "nats-3")


class Cluster:
    """Servers of one prepared folder; paths, names and ports are those of this machine instead."""

    def __init__(self, folder: Path, names: tuple[str, ...]) -> None:
        self.folder, self.names = folder, names
        prepare(folder, Hosts(nats=names), "langnghe", datetime.now(UTC), TODAY)
        self.ports = {name: free_port() for name in names}
        self._routes = {name: free_port() for name in names}
        self._processes = {name: self._process(name) for name in names}

    @property
    def addresses(self) -> str:
        return ",".join(f"tls://localhost:{port}" for port in self.ports.values())

    @property
    def authority(self) -> Path:
        return self.folder / "nats" / "ca.pem"

    def address(self, user: str = OPERATOR) -> Address:
        return Address(self.addresses, access_of(self.folder).seed(user), self.authority)

    def configuration(self, name: str) -> Path:
        text = (self.folder / "nats" / "nats.conf").read_text()
        for other, port in self._routes.items():
            text = text.replace(f'"tls://{other}:6222"', f'"tls://localhost:{port}"')
        for inside, here in (
            (SEEN_FROM_INSIDE, str(self.folder / "nats")),
            ("store_dir: /data", f"store_dir: {self.folder / name}"),
            ("port: 4222", f"port: {self.ports[name]}"),
            ("http: 0.0.0.0:8222", ""),
            ("listen: 0.0.0.0:6222", f"listen: 127.0.0.1:{self._routes[name]}"),
        ):
            text = text.replace(inside, here)
        file = self.folder / "nats" / f"here-{name}.conf"
        file.write_text(text)
        return file

    def _process(self, name: str) -> Process:
        command = [_binary(), "--config", str(self.configuration(name))]
        return Process(name, command, self.folder / "log" / name, {"NAME": name})

    async def start(self) -> None:
        for process in self._processes.values():
            await process.start()
        async with asyncio.timeout(30):
            while not await self._keeps_streams():
                await asyncio.sleep(0.1)

    async def _keeps_streams(self) -> bool:
        try:
            async with connected(self.address()) as client:
                await declare(client.jetstream(), len(self.names))
        except (NotRunning, nats.errors.Error):
            return False
        return True

    async def kill(self, name: str) -> None:
        await self._processes[name].kill()

    async def stop(self) -> None:
        for process in self._processes.values():
            await process.kill()


@asynccontextmanager
async def running(folder: Path, *names: str):
    cluster = Cluster(folder, names)
    try:
        await cluster.start()
        yield cluster
    finally:
        await cluster.stop()


async def refused(url: str, authority: Path | None, seed: Path | None = None) -> None:
    """Tries once."""

    async def quiet(_error: Exception) -> None:
        pass

    trusted = {"tls": ssl.create_default_context(cafile=authority)} if authority else {}
    client = await nats.connect(
        url, allow_reconnect=False, error_cb=quiet, **trusted, **credentials(seed)
    )
    await client.close()


@pytest.mark.parametrize("names", [NAMES[:1], NAMES])
async def test_the_server_accepts_the_file(tmp_path, names):
    file = Cluster(tmp_path, names).configuration("nats")
    checked = Process("check", [_binary(), "-t", "-c", str(file)], tmp_path / "log", {"NAME": "n"})

    await checked.start()

    assert await checked.ended() == 0, checked.log_end()


class TestOne:
    async def test_the_operator_comes_in_by_tls_and_is_let_declare(self, tmp_path):
        async with running(tmp_path, "nats") as cluster, connected(cluster.address()) as client:
            assert client.connected_url.scheme == "tls"
            assert (await client.jetstream().account_info()).streams > 0

    async def test_without_a_key_nobody_comes_in(self, tmp_path):
        async with running(tmp_path, "nats") as cluster:
            with pytest.raises(nats.errors.Error):
                await refused(cluster.addresses, cluster.authority)

    async def test_in_clear_nobody_is_let_in(self, tmp_path):
        async with running(tmp_path, "nats") as cluster:
            with pytest.raises((nats.errors.Error, ssl.SSLError, OSError)):
                await refused(f"nats://127.0.0.1:{cluster.ports['nats']}", None)

    async def test_a_server_of_another_authority_is_not_believed(self, tmp_path):
        (tmp_path / "other").mkdir()
        other = Authority(tmp_path / "other", datetime.now(UTC)).certificate
        async with running(tmp_path / "ours", "nats") as cluster:
            with pytest.raises((ssl.SSLError, nats.errors.Error)):
                await refused(cluster.addresses, other, access_of(cluster.folder).seed(OPERATOR))


async def copies_of_events(client) -> int:
    """Asked until those that are left have a leader."""
    async with asyncio.timeout(60):
        while True:
            with suppress(nats.errors.Error):
                info = await client.jetstream().stream_info("EVENTS")
                return info.config.num_replicas


class TestThree:
    async def test_know_one_another_reload_all_and_do_without_one(self, tmp_path):
        async with running(tmp_path, *NAMES) as cluster:
            doorkeeper = access_of(tmp_path).seed(DOORKEEPER)
            await reload_servers(cluster.addresses, doorkeeper, cluster.authority)
            access = tmp_path / "nats" / "nats-access.conf"
            good = access.read_bytes()

            access.write_bytes(b"accounts: {")
            with pytest.raises(NotReloaded) as refused:
                await reload_servers(cluster.addresses, doorkeeper, cluster.authority)
            assert all(name in str(refused.value) for name in NAMES)

            access.write_bytes(good)
            async with connected(cluster.address()) as client:
                await declare(client.jetstream())
                assert await copies_of_events(client) == 3
            await cluster.kill("nats-3")
            async with connected(cluster.address()) as client:
                assert await copies_of_events(client) == 3
