"""The whole system as real processes: the sample goes in, the statutory report comes out."""

import asyncio
import json
import os
import signal
import sys

import pytest

from deploy.connection import connected
from deploy.demo import PERIOD, run_demo
from deploy.sample.compose import HERE
from deploy.show import reports
from deploy.up import system
from deploy.verify import count_orphan_keys, verify
from shared.runtime.mongo import open_client
from tests.system.happening import AGENCY, SECOND, everything_happens, let_in
from tests.system.mutations import MUTATIONS, Mutated

EXPECTED = json.loads((HERE / "expected.json").read_bytes())


async def digests(url: str) -> dict[tuple[str, str], str]:
    async with connected(url) as client:
        return {(r.form, r.unit): r.digest async for r in reports(client, PERIOD)}


@pytest.mark.xdist_group("demo")
class TestTheDemonstration:
    async def test_killing_a_service_at_any_stage_changes_no_number(self, tmp_path):
        said: list[str] = []
        async with system(tmp_path / "calm") as running:
            calm = await running.guard(run_demo(running.endpoints))
            undisturbed = await digests(running.endpoints.nats)
        async with system(tmp_path / "killed", on_event=said.append) as running:
            mongo = open_client(running.endpoints.mongo)
            data_keys = mongo["langnghe_intake_keys"]["data_keys"]
            await data_keys.insert_one({"_id": "orphan", "owner": "nobody"})

            async def kill_all(stage: str) -> None:
                if stage in ("feed", "bodies", "close"):
                    for name in ("intake", "routing", "reporting"):
                        asyncio.get_running_loop().call_later(
                            0.15, os.kill, running.services.pid(name), signal.SIGKILL
                        )

            killed = await running.guard(run_demo(running.endpoints, at_stage=kill_all))
            disturbed = await digests(running.endpoints.nats)
            orphan = await data_keys.find_one({"_id": "orphan"})
            mongo.close()

        assert calm.verify == "ok", calm.findings
        assert killed.verify == "ok", killed.findings
        assert disturbed == undisturbed
        assert calm.as_dict() == killed.as_dict()
        assert sum("signal 9" in text for text in said) >= 6
        assert "doubted" in orphan  # by intake, as it started again

    async def test_every_item_has_the_fate_that_the_sample_expects(self, tmp_path):
        let_in(tmp_path / "state", (AGENCY, SECOND))
        async with system(tmp_path / "state") as running:
            totals = await running.guard(run_demo(running.endpoints))

            assert totals.received == EXPECTED["items"]
            assert totals.duplicates == EXPECTED["duplicates"]
            assert totals.refused == EXPECTED["refused"]
            assert totals.dead_letters == 0
            assert totals.cases == totals.assigned
            assert totals.conflicts_excluded >= 8

            await self.reports_reach_their_readers(tmp_path / "state", tmp_path / "csv")
            await self.each_lost_or_changed_document_is_named(running)
            await self.the_command_names_it_too(running.endpoints, tmp_path / "state")

    async def reports_reach_their_readers(self, state, folder) -> None:
        async def run(*command: str) -> bytes:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "deploy", "report", *command, "--state", str(state)),
                stdout=asyncio.subprocess.PIPE,
            )
            output, _ = await process.communicate()
            assert process.returncode == 0
            return output

        watched = await run("watch", "report.internal.*.01-xld.*", "--count", "40")
        await run("export", PERIOD, str(folder))
        chosen = ("--format", "html", "--format", "json", "--unit", "tinh", "--form", "01-xld")
        await run("export", PERIOD, str(folder / "pages"), *chosen)
        shown = json.loads(await run("show", PERIOD, "--form", "01-xld", "--json"))

        reports = [json.loads(line)["data"] for line in watched.splitlines()]
        assert len({report["unit"] for report in reports}) == 40
        assert len(list(folder.glob("*.csv"))) == 120
        assert {path.name for path in (folder / "pages").iterdir()} == {
            f"01-xld.tinh.{PERIOD}.r1.{ending}" for ending in ("html", "json")
        }
        total = (folder / f"01-xld.tinh.{PERIOD}.r1.csv").read_text("utf-8-sig").splitlines()[-1]
        assert total.split(",")[2:] == list(map(str, shown["data"]["totals"]))

    async def each_lost_or_changed_document_is_named(self, running) -> None:
        """All at once; the services stand still, so that none makes good what was changed."""
        await everything_happens(running)
        mongo = open_client(running.endpoints.mongo)
        mutated = Mutated(mongo)
        async with connected(running.endpoints.nats) as client:
            assert await verify(client, running.endpoints) == []
            assert await count_orphan_keys(running.endpoints) == 0
            await running.services.stop()

            said = [await mutated.apply(mutation) for mutation in MUTATIONS]
            found = await verify(client, running.endpoints, relay_seconds=0)
            await mutated.take_back()

            unnamed = [text for text in said if not any(text in str(f) for f in found)]
            assert unnamed == []
            assert await verify(client, running.endpoints) == []
        mongo.close()

    async def the_command_names_it_too(self, endpoints, state) -> None:
        mongo = open_client(endpoints.mongo)
        lost = await mongo["langnghe_routing"]["cases"].find_one_and_delete({})
        mongo.close()

        command = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "deploy", "verify", "--json", "--state", str(state)),
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await command.communicate()

        assert command.returncode == 1
        said = json.loads(output)
        assert said["verify"] == "failed"
        assert any(lost["_id"] in finding for finding in said["findings"])
