"""Two of each service share the work; one of each killed in the middle loses and doubles nothing."""

import asyncio
import os
import re
import signal
import urllib.request
from contextlib import asynccontextmanager

from deploy.bench.lanes import ANNOUNCED, announced, carry
from deploy.bench.site import site
from deploy.services import NAMES, Services
from shared.runtime.mongo import open_client

ITEMS = 1_500


@asynccontextmanager
async def two_of_each(folder):
    async with site(folder, "always", ()) as running:
        more = Services(folder / "more", running.environment)
        try:
            await more.start()
            await more.wait_ready()
            yield running, more
        finally:
            await more.stop()


def handled(services: Services, name: str, durable: str) -> float:
    """Messages of the consumer that this replica acknowledged."""
    with urllib.request.urlopen(f"{services.address(name)}/metrics") as answer:
        text = answer.read().decode()
    found = re.search(rf'handled_total{{durable="{durable}"}} (\S+)', text)
    return float(found[1]) if found else 0.0


async def kept(mongo_url: str) -> list[int]:
    client = open_client(mongo_url)
    counted = [
        await client[database][collection].count_documents({})
        for database, collection in (
            ("langnghe_intake", "submissions"),
            ("langnghe_routing", "cases"),
            ("langnghe_reporting", "case_rows"),
            ("langnghe_intake", "cases"),
        )
    ]
    client.close()
    return counted


async def test_they_share_the_work(tmp_path):
    async with two_of_each(tmp_path) as (running, more):
        ours = running.tracks["ours"]
        await carry(running.client, ours, running.load, "two", ITEMS)
        shares = [
            [handled(services, name, durable) for services in (running.services, more)]
            for name, durable in (
                ("intake", "intake-feed"),
                ("routing", "routing-submission-received"),
                ("reporting", "reporting-rows"),
            )
        ]
        counts = await announced(running.client, ours)
        in_stores = await kept(running.stack.mongo_url)

    assert all(one > 0 and other > 0 for one, other in shares)
    assert [sum(share) for share in shares] == [ITEMS, ITEMS, 5 * ITEMS]
    assert counts == dict(zip(ANNOUNCED, (ITEMS, ITEMS, ITEMS, 2 * ITEMS), strict=True))
    assert in_stores == [ITEMS] * 4


async def test_one_of_each_killed_in_the_middle_takes_nothing_along(tmp_path):
    async with two_of_each(tmp_path) as (running, more):
        ours = running.tracks["ours"]
        carrying = asyncio.create_task(carry(running.client, ours, running.load, "two", ITEMS))
        for name in NAMES:
            while handled(more, name, FIRST[name]) == 0 and not carrying.done():
                await asyncio.sleep(0.01)
            os.kill(more.pid(name), signal.SIGKILL)
        in_time = not carrying.done()
        await carrying
        counts = await announced(running.client, ours)
        in_stores = await kept(running.stack.mongo_url)

    assert in_time  # else nothing was killed in the middle
    assert counts == dict(zip(ANNOUNCED, (ITEMS, ITEMS, ITEMS, 2 * ITEMS), strict=True))
    assert in_stores == [ITEMS] * 4


FIRST = {
    "intake": "intake-feed",
    "routing": "routing-submission-received",
    "reporting": "reporting-rows",
}
