"""The whole system as real processes: the sample goes in, the statutory report comes out."""

import asyncio
import json
import os
import signal

import pytest

from deploy.connection import connected
from deploy.demo import PERIOD, run_demo
from deploy.sample.compose import HERE
from deploy.show import reports
from deploy.up import system
from deploy.verify import verify
from shared.runtime.mongo import open_client

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

            async def kill_all(stage: str) -> None:
                if stage in ("feed", "bodies", "close"):
                    for name in ("intake", "routing", "reporting"):
                        asyncio.get_running_loop().call_later(
                            0.15, os.kill, running.services.pid(name), signal.SIGKILL
                        )

            killed = await running.guard(run_demo(running.endpoints, at_stage=kill_all))
            disturbed = await digests(running.endpoints.nats)

        assert calm.verify == "ok", calm.findings
        assert killed.verify == "ok", killed.findings
        assert disturbed == undisturbed
        assert calm.as_dict() == killed.as_dict()
        assert sum("signal 9" in text for text in said) >= 6

    async def test_every_item_has_the_fate_that_the_sample_expects(self, tmp_path):
        async with system(tmp_path / "state") as running:
            totals = await running.guard(run_demo(running.endpoints))

            assert totals.received == EXPECTED["items"]
            assert totals.duplicates == EXPECTED["duplicates"]
            assert totals.refused == EXPECTED["refused"]
            assert totals.dead_letters == 0
            assert totals.cases == totals.assigned
            assert totals.conflicts_excluded >= 8

            await self.each_lost_document_is_named(running.endpoints)

    async def each_lost_document_is_named(self, endpoints) -> None:
        mongo = open_client(endpoints.mongo)
        try:
            for database, collection in (
                ("langnghe_intake", "submissions"),
                ("langnghe_intake", "arrivals"),
                ("langnghe_intake", "records"),
                ("langnghe_routing", "cases"),
                ("langnghe_reporting", "case_rows"),
                ("langnghe_reporting", "activity_rows"),
                ("langnghe_reporting", "reports"),
            ):
                documents = mongo[database][collection]
                lost = await documents.find_one({})
                await documents.delete_one({"_id": lost["_id"]})
                async with connected(endpoints.nats) as client:
                    findings = await verify(client, endpoints)
                await documents.insert_one(lost)

                about = str(lost.get("sequence") or lost["_id"].removesuffix("/1"))
                assert any(about in str(finding) for finding in findings), collection
            async with connected(endpoints.nats) as client:
                assert await verify(client, endpoints) == []
        finally:
            mongo.close()
