"""Our image on real images of NATS and MongoDB: no root, nothing to write on, no capability."""

import asyncio
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import nats
import pytest
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from deploy.keys import ensure_keys
from shared.runtime.mongo import PyMongoError, open_client
from shared.runtime.streams import declare
from tests.containers.conftest import MONGO, NATS, run

pytestmark = [pytest.mark.containers, pytest.mark.timeout(400)]

GUARDED = {
    "read_only": True,
    "cap_drop": ["ALL"],
    "user": "65532:65532",
    "security_opt": ["no-new-privileges:true"],
}
SECONDS = 60
MEMBER = {"_id": "langnghe", "members": [{"_id": 0, "host": "mongo:27017"}]}


def until(holds, what: str):
    """Ask again until something else than None comes; an engine tells no events of this."""
    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends:
        if (found := holds()) is not None:
            return found
        time.sleep(0.3)
    raise AssertionError(f"{what} within {SECONDS} s")


async def initiated(port: str) -> None:
    client = open_client(f"mongodb://127.0.0.1:{port}/?directConnection=true")
    async with asyncio.timeout(SECONDS):
        while not (await hello(client)).get("isWritablePrimary"):
            await asyncio.sleep(0.3)
    client.close()


async def hello(client) -> dict:
    try:
        said = await client.admin.command("hello")
        if not said.get("setName"):
            await client.admin.command("replSetInitiate", MEMBER)
    except PyMongoError:
        return {}
    return said


async def declared(port: str) -> None:
    client = await nats.connect(f"nats://127.0.0.1:{port}")
    await declare(client.jetstream())
    await client.close()


@pytest.fixture(scope="module")
def servers(engine) -> Iterator[Network]:
    with Network() as network:
        bus = DockerContainer(NATS).with_command("--jetstream --port 4222")
        store = DockerContainer(MONGO).with_command("mongod --replSet langnghe --bind_ip_all")
        bus.with_network(network).with_network_aliases("nats").with_exposed_ports(4222)
        store.with_network(network).with_network_aliases("mongo").with_exposed_ports(27017)
        with bus, store:
            asyncio.run(initiated(store.get_exposed_port(27017)))
            until(
                lambda: attempt(lambda: asyncio.run(declared(bus.get_exposed_port(4222)))), "NATS"
            )
            yield network


def attempt(work):
    try:
        work()
    except (OSError, nats.errors.Error):
        return None
    return True


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = ensure_keys(tmp_path_factory.mktemp("keys"))
    for path in (folder.parent, folder, *folder.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


@pytest.mark.parametrize("service", ["intake", "routing", "reporting"])
def test_a_service_works_with_nothing_but_its_port_and_its_keys(image, servers, keys, service):
    container = DockerContainer(image).with_command(f"serve {service}")
    container.with_network(servers).with_exposed_ports(8080).with_kwargs(**GUARDED)
    container.with_tmpfs_mount("/tmp").with_volume_mapping(str(keys), "/etc/langnghe", "ro")
    container.with_env("LANGNGHE_NATS_URL", "nats://nats:4222")
    container.with_env("LANGNGHE_MONGO_URL", "mongodb://mongo:27017/?replicaSet=langnghe")

    with container:
        port = container.get_exposed_port(8080)
        assert until(lambda: readiness(port), f"{service} ready") == "ready"
        code, _ = container.exec(["python", "-m", "shared.runtime.alive"])
        assert code == 0
        assert container.exec(["touch", "/app/x"])[0] != 0
        assert container.exec(["id", "-u"])[1].strip() == b"65532"


def readiness(port: str) -> str | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=3):
            return "ready"
    except (urllib.error.URLError, OSError):
        return None


def test_a_wrong_setting_ends_it_with_a_sentence(image):
    said = run(
        *("docker", "run", "--rm", "--network", "none", "--read-only", "--cap-drop", "ALL"),
        *("--env", "LANGNGHE_HTTP_PORT=99999", image, "serve", "intake"),
        ok=False,
    )

    assert "LANGNGHE_HTTP_PORT must be a whole number from 0 to 65,535" in said
    assert "Traceback" not in said


def test_it_has_no_user_but_ours_and_no_key(image):
    user = run("docker", "image", "inspect", "--format", "{{.Config.User}}", image)
    found = run(
        *("docker", "run", "--rm", "--network", "none", "--entrypoint", "find", image),
        *("/app", "/opt/langnghe", "-name", "*.kek", "-o", "-name", "*.nk", "-o", "-name", "*.key"),
    )

    assert user.strip() == "65532:65532"
    assert found == ""
