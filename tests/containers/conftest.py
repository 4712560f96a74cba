"""A container engine and our image; without an engine these tests say so and are skipped."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IMAGE = "langnghe:test"
NATS, MONGO = (
    os.environ.get("NATS_IMAGE", "nats:2.15.1-alpine"),
    os.environ.get("MONGO_IMAGE", "mongo:7.0"),
)
os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")  # an image that has to be fetched


def run(*command: str, seconds: float = 120, ok: bool = True, **environment: str) -> str:
    """What a program prints, both ways; fails with it unless the program ends well."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "DOCKER_BUILDKIT": "1", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert not ok or done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-3000:]}"
    return done.stdout


def _missing() -> str:
    if shutil.which("docker") is None:
        return "there is no docker"
    try:
        subprocess.run(["docker", "info"], check=True, capture_output=True, timeout=20)
    except (subprocess.SubprocessError, OSError):
        return "no container engine answers"
    return ""


@pytest.fixture(scope="session")
def engine() -> None:
    missing = _missing()
    if missing and "containers" in os.environ.get("LANGNGHE_REQUIRE", ""):
        pytest.fail(missing)
    if missing:
        pytest.skip(f"CONTAINERS ARE NOT TESTED: {missing}")


@pytest.fixture(scope="session")
def image(engine: None) -> str:
    base = os.environ.get("PYTHON_IMAGE")
    given = ("--build-arg", f"PYTHON_IMAGE={base}") if base else ()
    run("docker", "build", "--quiet", *given, "--tag", IMAGE, ".", seconds=400)
    return IMAGE
