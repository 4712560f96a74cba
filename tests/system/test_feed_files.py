"""Feeding through a real server: what leaves is sealed, and what cannot be sent is told."""

import asyncio
import json
import os
import sys
from base64 import b64encode
from pathlib import Path

import nats
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from deploy.feed import NoKey, feed
from deploy.items import Item
from shared.runtime.sealing import Opener
from shared.runtime.streams import FEED
from tests.examples_items import HEADINGS, LETTERS, write_csv

AGENCY, TYPE = "a-tinh", "hotline-call.logged.v1"
CANARY = "0900 000 000"
PRIVATE = X25519PrivateKey.generate()
KEY = json.dumps({"key": b64encode(PRIVATE.public_key().public_bytes_raw()).decode()}).encode()
ROOT = Path(__file__).parents[2]


def item(name: str = "1", note: str = CANARY, **changed) -> Item:
    event = {"type": TYPE, "id": name, "data": {"call": name, "note": note}}
    return Item(f"calls.jsonl:{name}", AGENCY, TYPE, json.dumps(event).encode(), **changed)


class World:
    """A declared server without intake, and a stand-in that tells a key."""

    def __init__(self, client, jetstream) -> None:
        self.client, self._jetstream = client, jetstream
        self.asked: list[str] = []

    async def tells(self, *answers: bytes) -> None:
        left = list(answers)

        async def told(message) -> None:
            self.asked.append(message.subject)
            await message.respond(left.pop(0) if len(left) > 1 else left[0])

        await self.client.subscribe("ask.*.intake.key", cb=told)

    async def feed(self, *items: Item, seal: bool = True):
        told = await feed(self.client, items, wait_seconds=0.4, seal=seal)
        return [t.fate for t in told]

    async def lying(self) -> list[bytes]:
        count = (await self._jetstream.stream_info(FEED)).state.messages
        return [(await self._jetstream.get_msg(FEED, n + 1)).data for n in range(count)]


@pytest.fixture
async def world(nats_server, jetstream):
    client = await nats.connect(nats_server.url)
    yield World(client, jetstream)
    await client.close()


async def test_nothing_that_an_item_says_lies_in_clear(world):
    await world.tells(KEY)

    await world.feed(item("1"), item("2"))

    lying = await world.lying()
    assert CANARY.encode() not in b"".join(lying)
    sealed = json.loads(lying[0])["data"]["sealed"]
    opened = Opener(PRIVATE.private_bytes_raw()).open(sealed, f"langnghe feed/{AGENCY}/{TYPE}/1")
    assert json.loads(opened)["note"] == CANARY


async def test_the_key_is_asked_for_once(world):
    await world.tells(KEY)

    await world.feed(*(item(str(n)) for n in range(300)))

    assert world.asked == [f"ask.{AGENCY}.intake.key"]


async def test_without_a_key_nothing_is_sent(world):
    with pytest.raises(NoKey, match="--clear"):
        await world.feed(item())

    assert await world.lying() == []


async def test_an_answer_that_is_no_key_is_asked_again(world):
    await world.tells(b"busy", b'{"key": "AAAA"}', KEY)

    assert await world.feed(item()) == ["pending"]
    assert len(world.asked) == 3


async def test_in_clear_is_a_choice(world):
    await world.feed(item(), seal=False)

    assert CANARY.encode() in (await world.lying())[0]


async def test_what_the_server_does_not_take_is_told_and_the_others_go_on(world):
    await world.tells(KEY)
    too_large = item("2", note="x" * world.client.max_payload)

    assert await world.feed(item("1"), too_large, item("3")) == ["pending", "too-large", "pending"]
    assert len(await world.lying()) == 2


async def test_what_is_largest_is_still_taken(world):
    most = world.client.max_payload - 512
    body = item("1", note="").body.ljust(most)

    assert await world.feed(Item("a", AGENCY, TYPE, body), seal=False) == ["pending"]


async def test_what_is_decided_already_is_told_and_not_sent(world):
    missed, refused = item("1", fate="missed"), item("2", fate="refused")

    assert await world.feed(missed, refused) == ["missed", "refused"]
    assert await world.lying() == []


async def command(*arguments: str) -> tuple[int, bytes, bytes]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy", "feed", "--dry-run", *arguments),
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    return process.returncode or 0, output, errors


async def test_a_dry_run_needs_no_running_system(tmp_path):
    good = write_csv(tmp_path / "so.csv", [HEADINGS, *LETTERS])

    status, output, _ = await command("--json", str(good))

    assert status == 0
    assert [json.loads(line)["fate"] for line in output.splitlines()] == ["would-keep"] * 2


async def test_a_dry_run_with_a_refusal_exits_1(tmp_path):
    bad = write_csv(tmp_path / "so.csv", [HEADINGS, ["1", "", "x", "", ""]])

    status, output, errors = await command(str(bad))

    assert status == 1
    assert "column “Ngày nhận”" in output.decode()
    assert "Traceback" not in errors.decode()
