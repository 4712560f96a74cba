"""Real servers on one machine: they start, go on where they were, and never outlive their parent."""

import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path

import nats
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from deploy.connection import ENDPOINTS_FILE
from deploy.keys import KeysLost, ensure_keys
from deploy.local import FolderRefused, LocalStack, PartFailed
from deploy.services import NAMES, GaveUp, Services
from deploy.up import Stopped, system
from shared.runtime.mongo import open_client, open_database

STAND_IN = """
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

class Ready(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

HTTPServer(("127.0.0.1", int(os.environ["LANGNGHE_HTTP_PORT"])), Ready).serve_forever()
"""

ONLY_A_STACK = """
import asyncio, json, pathlib, sys
from deploy.local import LocalStack

async def main():
    async with LocalStack(pathlib.Path(sys.argv[1])) as stack:
        print(json.dumps([stack.pid("nats"), stack.pid("mongo")]), flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""

WHOLE_SYSTEM = f"""
import asyncio, json, pathlib, sys
from deploy.services import NAMES
from deploy.up import system

STAND_IN = {STAND_IN!r}

async def main():
    state = pathlib.Path(sys.argv[1])
    async with system(state, command=lambda name: [sys.executable, "-c", STAND_IN]) as running:
        pids = [running.stack.pid("nats"), running.stack.pid("mongo")]
        print(json.dumps(pids + [running.services.pid(name) for name in NAMES]), flush=True)
        await running.until_stopped()

asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def own_mongo(monkeypatch):
    monkeypatch.delenv("LANGNGHE_MONGO_URL", raising=False)


def stand_in(_name: str) -> list[str]:
    return [sys.executable, "-c", STAND_IN]


def runs(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(") ")[2][0] != "Z"


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def keep_something(stack: LocalStack) -> None:
    client = await nats.connect(stack.nats_url)
    await client.jetstream().add_stream(name="KEPT", subjects=["kept"])
    await client.jetstream().publish("kept", b"message")
    await client.close()
    mongo = open_client(stack.mongo_url)
    await open_database(mongo, "kept")["kept"].insert_one({"_id": "document"})
    mongo.close()


async def what_is_kept(stack: LocalStack) -> tuple[bytes | None, list[str]]:
    client = await nats.connect(stack.nats_url)
    message = await client.jetstream().get_msg("KEPT", 1)
    await client.close()
    mongo = open_client(stack.mongo_url)
    documents = [d["_id"] async for d in open_database(mongo, "kept")["kept"].find()]
    mongo.close()
    return message.data, documents


def replica_set(stack: LocalStack) -> str:
    """A client that names one is refused by a server of any other."""
    return stack.mongo_url.partition("replicaSet=")[2]


class TestAStack:
    async def test_it_says_where_it_is_as_long_as_it_runs(self, tmp_path):
        file = tmp_path / ENDPOINTS_FILE
        async with LocalStack(tmp_path) as stack:
            said = json.loads(file.read_bytes())
            pids = [stack.pid("nats"), stack.pid("mongo")]

        assert said == {"nats": stack.nats_url, "mongo": stack.mongo_url}
        assert not file.exists()
        assert not any(map(runs, pids))

    async def test_a_folder_used_again_goes_on_where_it_was(self, tmp_path):
        async with LocalStack(tmp_path) as first:
            await keep_something(first)

        async with LocalStack(tmp_path) as second:
            assert await what_is_kept(second) == (b"message", ["document"])
            assert (second.nats_url, second.mongo_url) == (first.nats_url, first.mongo_url)

    async def test_a_folder_goes_on_when_its_ports_are_taken_meanwhile(self, tmp_path):
        async with LocalStack(tmp_path) as first:
            await keep_something(first)
        ports = json.loads((tmp_path / "local.json").read_bytes())["ports"]

        with socket.socket() as other:
            # Connections that ended a moment ago may linger on the port.
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(("127.0.0.1", ports["mongo"]))
            other.listen()
            async with LocalStack(tmp_path) as second:
                assert second.mongo_url != first.mongo_url
                assert await what_is_kept(second) == (b"message", ["document"])

    async def test_two_side_by_side_do_not_meet(self, tmp_path):
        async with LocalStack(tmp_path / "one") as one, LocalStack(tmp_path / "two") as two:
            await keep_something(one)
            await keep_something(two)

            assert replica_set(one) != replica_set(two)
            assert await what_is_kept(one) == await what_is_kept(two)

    async def test_a_second_stack_in_the_same_folder_is_refused(self, tmp_path):
        async with LocalStack(tmp_path, parts=("nats",)) as first:
            with pytest.raises(FolderRefused, match="another stack is running in"):
                await LocalStack(tmp_path, parts=("nats",)).__aenter__()

            assert runs(first.pid("nats"))

    async def test_a_folder_that_cannot_be_made_is_said(self, tmp_path):
        (tmp_path / "file").touch()

        with pytest.raises(FolderRefused, match="cannot be used: Not a directory"):
            await LocalStack(tmp_path / "file" / "state").__aenter__()


class TestAPartThatFails:
    @pytest.mark.parametrize(("part", "title"), [("nats", "NATS"), ("mongo", "MongoDB")])
    async def test_one_that_ends_is_said(self, tmp_path, part, title):
        async with LocalStack(tmp_path, parts=(part,)) as stack:
            os.kill(stack.pid(part), signal.SIGKILL)

            with pytest.raises(PartFailed, match=rf"{title} ended \(signal 9\)") as failure:
                await asyncio.wait_for(stack.failed(), 5)

        assert failure.value.code == -9
        assert failure.value.log_end

    async def test_one_killed_on_purpose_starts_again_on_its_port_and_store(self, tmp_path):
        async with LocalStack(tmp_path) as stack:
            await keep_something(stack)
            for part in ("nats", "mongo"):
                await stack.kill(part)
            watching = asyncio.create_task(stack.failed())
            for part in ("nats", "mongo"):
                await stack.start_part(part)

            assert await what_is_kept(stack) == (b"message", ["document"])
            assert not watching.done()
            watching.cancel()

    async def test_one_that_does_not_start_says_why(self, tmp_path, monkeypatch):
        broken = tmp_path / "bin" / "mongod"
        broken.parent.mkdir()
        broken.write_text("#!/bin/sh\necho the disk is made of cheese\nexit 3\n")
        broken.chmod(0o755)
        monkeypatch.setenv("PATH", str(broken.parent), prepend=os.pathsep)

        with pytest.raises(PartFailed) as failure:
            await LocalStack(tmp_path / "state").__aenter__()

        assert str(failure.value).startswith("MongoDB did not start: exit code 3")
        assert "the disk is made of cheese" in failure.value.log_end
        assert not (tmp_path / "state" / ENDPOINTS_FILE).exists()

    async def test_a_given_mongodb_out_of_reach_is_said_without_its_address(
        self, tmp_path, monkeypatch
    ):
        url = "mongodb://me:secret@127.0.0.1:99999/"
        monkeypatch.setenv("LANGNGHE_MONGO_URL", url)

        with pytest.raises(PartFailed, match="MongoDB does not answer") as failure:
            await LocalStack(tmp_path).__aenter__()

        assert "secret" not in str(failure.value)


async def started(program: str, state: Path) -> tuple[subprocess.Popen, list[int]]:
    """A process of its own that runs a stack, and the processes under it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(state), stdout=subprocess.PIPE
    )
    pids = json.loads(await asyncio.wait_for(process.stdout.readline(), 30))
    assert all(map(runs, pids))
    return process, pids


class TestTheParent:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
    async def test_no_server_outlives_it(self, tmp_path, number):
        process, pids = await started(ONLY_A_STACK, tmp_path)

        process.send_signal(number)
        await process.wait()
        await until(lambda: not any(map(runs, pids)))

    async def test_nothing_of_a_whole_system_outlives_it(self, tmp_path):
        process, pids = await started(WHOLE_SYSTEM, tmp_path)

        process.kill()
        await process.wait()
        await until(lambda: not any(map(runs, pids)))

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    async def test_a_signal_stops_a_whole_system_in_good_order(self, tmp_path, number):
        process, pids = await started(WHOLE_SYSTEM, tmp_path)

        process.send_signal(number)

        assert await asyncio.wait_for(process.wait(), 20) == 0
        assert not any(map(runs, pids))
        assert not (tmp_path / ENDPOINTS_FILE).exists()

    async def test_after_one_that_was_killed_the_folder_goes_on(self, tmp_path):
        process, _ = await started(ONLY_A_STACK, tmp_path)
        process.kill()
        await process.wait()

        async with LocalStack(tmp_path) as stack:
            assert runs(stack.pid("mongo"))


class TestServices:
    async def test_one_that_ends_is_said_and_started_again(self, tmp_path):
        said = []
        services = Services(tmp_path, {}, on_event=said.append, command=stand_in)
        await services.start()
        await services.wait_ready()
        first = services.pid("routing")

        os.kill(first, signal.SIGKILL)
        await until(lambda: services.pid("routing") != first)
        await services.wait_ready()
        await services.stop()

        assert said == ["routing ended (signal 9); it is started again in 0.2 s"]

    async def test_one_that_ends_again_and_again_is_given_up(self, tmp_path, monkeypatch):
        monkeypatch.setattr("deploy.services.FIRST_PAUSE", 0.01)
        said = []
        services = Services(
            tmp_path, {}, on_event=said.append, command=lambda _: ["sh", "-c", "echo lost; exit 3"]
        )
        await services.start()

        with pytest.raises(GaveUp, match=r"ended 5 times \(exit code 3\)(.|\n)*lost"):
            await asyncio.wait_for(services.failed(), 10)
        await services.stop()

        assert len([text for text in said if text.startswith("intake ended")]) == 4

    async def test_a_port_that_somebody_has_is_said(self, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as other:
            services = Services(tmp_path, {}, http_port=other.getsockname()[1], command=stand_in)

            with pytest.raises(GaveUp, match=r"intake did not start: port \d+ is in use"):
                await services.start()

    async def test_none_of_them_outlives_the_end(self, tmp_path):
        services = Services(tmp_path, {}, command=stand_in)
        await services.start()
        pids = [services.pid(name) for name in NAMES]
        await services.stop()

        assert not any(map(runs, pids))


class TestTheWholeSystem:
    async def test_work_is_stopped_when_a_part_ends(self, tmp_path):
        async with system(tmp_path, command=stand_in) as running:
            os.kill(running.stack.pid("nats"), signal.SIGKILL)

            with pytest.raises(Stopped, match=r"NATS ended \(signal 9\)"):
                await running.guard(asyncio.sleep(30))

    async def test_work_that_fails_with_a_part_is_told_the_cause(self, tmp_path):
        async def work() -> None:
            os.kill(running.stack.pid("nats"), signal.SIGKILL)
            raise ConnectionError

        async with system(tmp_path, command=stand_in) as running:
            with pytest.raises(Stopped, match=r"NATS ended \(signal 9\)"):
                await running.guard(work())

    async def test_work_that_ends_gives_its_result(self, tmp_path):
        async with system(tmp_path, command=stand_in) as running:
            assert await running.guard(asyncio.sleep(0, "result")) == "result"
            assert set(running.addresses()) == {"nats", "mongo", *NAMES}


class TestKeys:
    def test_they_stay_as_they_are_once_made(self, tmp_path):
        folder = ensure_keys(tmp_path)
        first = {file.name: file.read_bytes() for file in folder.iterdir()}
        ensure_keys(tmp_path)

        assert {file.name: file.read_bytes() for file in folder.iterdir()} == first
        assert first.keys() == {
            "chain.key",
            "chain.pub",
            "intake.kek",
            "intake.key",
            "operator.key",
            "operator.pub",
        }

    def test_lost_ones_are_not_made_anew(self, tmp_path):
        (ensure_keys(tmp_path) / "intake.kek").unlink()

        with pytest.raises(KeysLost, match="backup"):
            ensure_keys(tmp_path)

    def test_nobody_else_can_read_them(self, tmp_path):
        folder = ensure_keys(tmp_path)

        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}

    def test_a_lost_public_key_is_made_from_the_private_one(self, tmp_path):
        folder = ensure_keys(tmp_path)
        (folder / "operator.pub").unlink()
        ensure_keys(tmp_path)

        private = b64decode((folder / "operator.key").read_bytes())
        public = X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
        assert b64decode((folder / "operator.pub").read_bytes()) == public
