"""The chain on the whole system: chained while it works, checked by the command line."""

import asyncio
import json
import sys

import pytest

from deploy.connection import connected
from deploy.demo import SAMPLE, quiet
from deploy.keys import KeysLost, ensure_keys
from deploy.up import system
from deploy.verify.proofs import Verifier
from services.reporting.domain.chain import Signer
from shared.runtime.mongo import open_client

FED = SAMPLE / "feed" / "a-so-xay-dung"


async def run(*command: object) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy", *map(str, command)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


async def test_a_witness_and_a_citizen_can_check_the_log(tmp_path):
    state = tmp_path / "state"
    here = ("--state", state)
    note, key = tmp_path / "checkpoint.txt", tmp_path / "chain.pub"
    receipt = tmp_path / "receipt.json"
    async with system(state) as running:
        for noun in ("directory", "rulebook", "calendar"):
            assert (await run(noun, "publish", SAMPLE / f"{noun}.yaml", *here))[0] == 0
        assert (await run("feed", FED, *here))[0] == 0
        async with connected(running.endpoints.nats) as client:
            await quiet(client)
        mongo = open_client(running.endpoints.mongo)
        [submission] = [
            document["_id"]
            async for document in mongo["langnghe_intake"]["submissions"]
            .find({}, {"_id": 1})
            .limit(1)
        ]
        await run("audit", "checkpoint", "--out", note, *here)
        key.write_text((await run("audit", "key", *here))[1])
        status, said = await run("receipt", "proof", submission, "--out", receipt, *here)
        assert (status, said) == (0, "")
        assert "No such submission" in (await run("receipt", "proof", "nobody", *here))[1]

        status, said = await run("verify", "--chain", "--checkpoint", note, "--json", *here)
        told = json.loads(said)
        assert (status, told["verify"]) == (0, "ok")
        assert told["checkpoints"] >= 3  # the day's, ours, and ours as reporting kept it
        assert told["size"] >= Verifier(key.read_text()).read(note.read_text()).size

        await mongo["langnghe_reporting"]["chain"].update_one(
            {"_id": 0}, {"$set": {"leaves": bytes(32)}}
        )
        status, said = await run("verify", "--json", *here)
        assert status == 1
        assert (
            "chain: message 1 of EVENTS is not the one that was chained"
            in json.loads(said)["findings"]
        )
        mongo.close()

    checked = await run("receipt", "verify", receipt, "--key", key, "--json")
    assert json.loads(checked[1])["submission"] == submission
    assert checked[0] == 0
    told = json.loads(receipt.read_text())
    assert told["entry"].keys() == {"about", "digest", "sequence", "subject"}
    told["entry"]["about"] = "another"
    receipt.write_text(json.dumps(told))
    assert (await run("receipt", "verify", receipt, "--key", key))[0] == 1


async def test_what_reporting_may_do_on_a_guarded_server_is_enough(tmp_path):
    """It reads every message in order, and announces a day's checkpoint by itself."""
    async with system(tmp_path) as running:
        await run("directory", "publish", SAMPLE / "directory.yaml", "--state", tmp_path)
        async with connected(running.endpoints.nats) as client:
            subscription = await client.jetstream().subscribe(
                "audit.checkpoint.v1", ordered_consumer=True
            )
            message = await subscription.next_msg(timeout=20)

    assert json.loads(message.data)["data"]["size"] == 1


class TestKeys:
    def test_the_public_one_is_made_of_the_private_one(self, tmp_path):
        folder = ensure_keys(tmp_path)
        (folder / "chain.pub").unlink()
        ensure_keys(tmp_path)

        signer = Signer.from_text((folder / "chain.key").read_text())
        assert (folder / "chain.pub").read_text() == signer.public

    def test_a_lost_one_is_not_made_anew(self, tmp_path):
        (ensure_keys(tmp_path) / "chain.key").unlink()

        with pytest.raises(KeysLost, match="witnesses"):
            ensure_keys(tmp_path)
