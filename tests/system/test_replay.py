"""T-10: what agencies sent is sent again, by every way in and in any order; nothing follows."""

import asyncio
import random
from collections import Counter, defaultdict
from datetime import UTC, datetime

import bson
import orjson

from deploy.connection import connected
from deploy.demo import PERIOD, SAMPLE, quiet, run_demo
from deploy.feed import feed
from deploy.items import Reader
from deploy.show import reports
from deploy.up import system
from deploy.verify import count_orphan_keys, verify
from services.routing.schedule import SECONDS
from shared.runtime.mongo import open_client
from shared.runtime.streams import EVENTS, REPORTS
from tests.system.happening import Happening, let_in

GROWS = {
    "langnghe_intake": {"arrivals"},
    "langnghe_intake_keys": {"data_keys"},
}
"""Each sending has a fate; one that is refused is kept, sealed, each time that it comes."""


async def everything_kept(mongo) -> dict[str, bytes]:
    """Every document of the three services, by place, but for what grows with each sending."""
    kept = {}
    for service in ("intake", "intake_keys", "routing", "reporting"):
        database = mongo[f"langnghe_{service}"]
        for name in await database.list_collection_names():
            if name not in GROWS.get(database.name, ()):
                found = [d async for d in database[name].find().sort("_id", 1)]
                kept[f"{service}.{name}"] = b"".join(map(bson.encode, found))
    return kept


async def everything_settled(mongo) -> dict[str, bytes]:
    """The same, once no sweep of the clocks has anything left to note."""
    kept = None
    while kept != (kept := await everything_kept(mongo)):
        await asyncio.sleep(2 * SECONDS)
    return kept


async def everything_said(client) -> tuple[int, int]:
    """How many events and reports there are: the last message of each stream."""
    jetstream = client.jetstream()
    events, published = [await jetstream.stream_info(name) for name in (EVENTS, REPORTS)]
    return events.state.last_seq, published.state.last_seq


class Replay:
    """The sample's items, shuffled by `seed`; the answers are the fates by kind."""

    def __init__(self, happening, items):
        self.happening, self.items = happening, items

    def shuffled(self, seed):
        items = list(self.items)
        random.Random(seed).shuffle(items)
        assert items != self.items
        return items

    async def by_bus(self, seed, *, seal):
        told = await feed(self.happening.client, self.shuffled(seed), wait_seconds=120, seal=seal)
        return Counter(str(one.fate) for one in told)

    async def by_http(self, seed):
        """In a batch for each agency; what is no JSON goes alone, since it would break one."""
        fates = Counter()
        batches = defaultdict(list)
        for item in self.shuffled(seed):
            batches[item.agency, item.body if is_cut(item.body) else b""].append(item.body)
        for (agency, _), bodies in batches.items():
            batch = b"[" + b",".join(bodies) + b"]"
            fates.update(map(str, await self.happening.events(None, agency, raw=batch)))
        return fates


def is_cut(body: bytes) -> bool:
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return True
    return False


async def test_a_days_traffic_replayed_three_times_changes_nothing(tmp_path):
    agencies = [folder.name for folder in sorted((SAMPLE / "feed").iterdir())]
    let_in(tmp_path, agencies)
    items = list(Reader(agencies, None, datetime.now(UTC)).items(SAMPLE / "feed"))
    async with system(tmp_path) as running, connected(running.endpoints.nats) as client:
        totals = await running.guard(run_demo(running.endpoints))
        mongo = open_client(running.endpoints.mongo)
        arrivals = mongo["langnghe_intake"]["arrivals"]
        happening = Happening(running, client)
        replay = Replay(happening, items)
        kept, said = await everything_settled(mongo), await everything_said(client)
        digests = [(r.form, r.unit, r.digest) async for r in reports(client, PERIOD)]
        noted = await arrivals.count_documents({})

        sealed = await replay.by_bus(1, seal=True)
        clear = await replay.by_bus(2, seal=False)
        http = await replay.by_http(3)
        await quiet(client)

        assert await everything_said(client) == said
        changed = await everything_kept(mongo)
        assert {place for place in kept if kept[place] != changed[place]} == set()
        assert changed.keys() == kept.keys()
        assert [(r.form, r.unit, r.digest) async for r in reports(client, PERIOD)] == digests
        refused = totals.refused
        expected = {"duplicate": totals.received - refused, "refused": refused}
        assert [sealed, clear, http] == [expected] * 3
        assert await arrivals.count_documents({}) - noted == 3 * totals.received
        assert await verify(client, running.endpoints) == []
        assert await count_orphan_keys(running.endpoints) == 0
        await happening.http.aclose()
        mongo.close()
