"""Three NATS servers, three MongoDB members, two of each service; one of each killed in a feed."""

import os
import re
import subprocess
from collections.abc import Iterator

import pytest

from deploy.cli.checking import UNANSWERED
from tests.containers.conftest import MONGO, NATS, ROOT, run

pytestmark = [pytest.mark.containers, pytest.mark.timeout(500)]

PROJECT = "langnghe-test"
FEED = "deploy/sample/feed"
RULES = ("directory", "rulebook", "calendar")
FATES = {"360 kept", "16 duplicate", "8 refused"}
"""Of the sample, as without any fault."""
KILLED = ("nats-2", "mongo-2", "intake", "routing", "reporting")


class Cluster:
    def __init__(self, no_ports: str, image: str) -> None:
        files = ("deploy/compose.yaml", "deploy/compose.cluster.yaml", no_ports)
        self._compose = ("docker", "compose", "--project-name", PROJECT, "--env-file")
        self._compose += ("deploy/cluster.env", *(part for f in files for part in ("--file", f)))
        self._images = {"LANGNGHE_IMAGE": image, "MONGO_IMAGE": MONGO, "NATS_IMAGE": NATS}

    def do(self, *command: str, seconds: float = 120, ok: bool = True) -> str:
        return run(*self._compose, *command, seconds=seconds, ok=ok, **self._images)

    def up(self) -> None:
        self.do("up", "--detach", "--wait", "--pull", "never", seconds=280)

    def cli(self, *command: str, seconds: float = 120, ok: bool = True) -> str:
        return self.do("run", "--rm", "-T", "--no-deps", "cli", *command, seconds=seconds, ok=ok)

    def begin(self, *command: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*self._compose, "run", "--rm", "-T", "--no-deps", "cli", *command],
            cwd=ROOT,
            env={**os.environ, **self._images},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def containers(self, service: str) -> list[str]:
        return self.do("ps", "--quiet", service).split()


@pytest.fixture(scope="module")
def cluster(image, tmp_path_factory) -> Iterator[Cluster]:
    no_ports = tmp_path_factory.mktemp("compose") / "no-ports.yaml"
    services = ("intake", "routing", "reporting")
    no_ports.write_text(
        "services:\n" + "".join(f"  {s}: {{ports: !override []}}\n" for s in services)
    )
    started = Cluster(str(no_ports), image)
    try:
        started.up()
        yield started
    finally:
        started.do("down", "--volumes", "--timeout", "5", ok=False)


def test_nothing_is_lost_when_one_of_each_is_killed_while_items_are_fed(cluster):
    for rules in RULES:
        cluster.cli(rules, "publish", f"deploy/sample/{rules}.yaml")
    victims = [cluster.containers(service)[0] for service in KILLED]

    feeding = cluster.begin("feed", FEED)
    heard = [_first_kept(feeding)]
    run("docker", "kill", *victims)
    assert feeding.poll() is None, "the feed was over before all were killed"
    heard += feeding.communicate(timeout=300)[0].splitlines()
    cluster.up()

    items, _, fates = heard[-1].partition(": ")
    assert (items, set(fates.split(", "))) == ("384 items", FATES)
    assert _verified(cluster) == "ok"
    again = cluster.cli("feed", f"{FEED}/a-so-y-te").splitlines()[-1]
    assert re.fullmatch(r"11 items: 11 duplicate", again), again


def _verified(cluster: Cluster) -> str:
    """Asked again only while it says that it knows nothing: servers that fell are catching up."""
    for _ in range(6):
        said = cluster.cli("verify", ok=False)
        if UNANSWERED not in said:
            break
    return said.splitlines()[-1]


def _first_kept(feeding: subprocess.Popen[str]) -> str:
    """The first line that says so: from here on something is there to be lost."""
    for line in feeding.stdout:
        if line.startswith("kept"):
            return line
    raise AssertionError("nothing was kept")
