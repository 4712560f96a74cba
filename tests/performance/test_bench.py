"""What `langnghe bench` measures is the same work, and nothing in it walks through a collection.

No test here looks at a time: how fast it was is for whoever reads the figures.
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import pytest

from deploy.bench import run
from deploy.bench.lanes import ANNOUNCED
from deploy.bench.run import DURABLE, Plan, headline, measured
from deploy.bench.site import site
from shared.runtime.mongo import open_client

TINY = Plan(rounds=2, round_seconds=0.1, rate_seconds=0.3, singles=2, mails=120, calm_seconds=1.5)
DATABASES = ("langnghe_intake", "langnghe_intake_keys", "langnghe_routing", "langnghe_reporting")
FEW = 50
"""Documents that are read through without harm: rules, closings, channels."""


@dataclass
class Seen:
    figures: dict[str, Any]
    plans: list[tuple[str, str, Any]]
    """Collection, plan and query of what the services asked."""
    sizes: dict[str, int]


@pytest.fixture(scope="module")
def seen(tmp_path_factory) -> Seen:
    return asyncio.run(looked_at(tmp_path_factory.mktemp("bench")))


async def looked_at(folder) -> Seen:
    async with site(folder, DURABLE, ("ours", "bare", "naive")) as running:
        client = open_client(running.stack.mongo_url)
        for name in DATABASES:
            await client[name].command("profile", 2)
        figures = await measured(running, TINY, DURABLE, lambda _text: None)
        asked = {"planSummary": {"$exists": True}}
        plans, sizes = [], {}
        for name in DATABASES:
            plans += [
                (entry["ns"], entry["planSummary"], entry.get("command"))
                async for entry in client[name]["system.profile"].find(asked)
            ]
            for collection in await client[name].list_collection_names():
                sizes[f"{name}.{collection}"] = await client[name][collection].count_documents({})
        client.close()
        return Seen(figures, plans, sizes)


def test_the_figures_have_what_they_are_looked_at_for(seen):
    told = json.loads(json.dumps(headline(seen.figures)))

    assert {"ratio_to_bare", "ratio_to_naive", "events_per_s", "p99_ms"} <= told.keys()
    assert all(isinstance(value, float | int) and value > 0 for value in told.values())


def test_there_is_a_figure_for_each_process_and_rate(seen):
    lanes = seen.figures["lanes"]

    assert {"intake", "routing", "reporting", "nats"} <= lanes["bare"]["cpu_us_per_event"].keys()
    assert lanes["ours"]["cpu_us_per_event"].keys() == lanes["bare"]["cpu_us_per_event"].keys()
    assert seen.figures["latency"].keys() == {"0.1", "0.5", "0.9", "single"}
    assert seen.figures["memory_mb"].keys() == {"idle", "first_round", "last_round", "end"}


def test_all_lanes_say_the_same_of_each_item(seen):
    counts = seen.figures["counts"]

    for lane in ("ours", "bare", "naive"):
        received, opened, assigned, clocks = (counts[lane][kind] for kind in ANNOUNCED)
        assert received == opened == assigned == clocks / 2 > 0


def test_a_lane_that_lost_something_is_not_measured(monkeypatch):
    with pytest.raises(run.Unequal):
        run._check(run_track(), dict(zip(ANNOUNCED, (9, 10, 10, 20), strict=True)), 10)


def run_track():
    return run.Track("bare", "F", "E", "", [], {})


def test_nothing_that_comes_in_walks_through_a_collection(seen):
    large = {
        name
        for name, size in seen.sizes.items()
        if size > FEW and not name.endswith(".system.profile")
    }
    walked = [
        (name, plan, command)
        for name, plan, command in seen.plans
        if "COLLSCAN" in plan and name in large
    ]

    assert {"langnghe_intake.submissions", "langnghe_routing.cases"} <= large
    assert any("IXSCAN" in plan for _, plan, _ in seen.plans)
    assert walked == []
