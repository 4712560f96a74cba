"""One run: the lanes in turns on the same servers, then latencies, mails and memory of ours."""

import asyncio
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any

from deploy.bench.figures import Latency, ratio
from deploy.bench.lanes import Track, announced, carry
from deploy.bench.latency import single, steady
from deploy.bench.machine import all_memory
from deploy.bench.mails import deliver, wait_for_addresses
from deploy.bench.site import Site, site
from deploy.services import NAMES

Say = Callable[[str], None]

WARM_UP = 300
FEWEST, MOST = 60, 20_000
FEWEST_PAUSED = 500
"""Items of a round; a lane that pulls in batches gets a whole one at least, of the bare lane."""
FEWEST_ROUNDS = 3
SHARES = (0.1, 0.5, 0.9)
"""Of the greatest rate, at which latencies are measured."""
DURABLE, DEFAULT = "always", "2m"
"""How often NATS syncs to disk: before each answer, and its own default, every two minutes."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Seconds are of one round, of one rate, of one delivery of mails."""

    rounds: int = 5
    round_seconds: float = 4.0
    rounds_within: float = 600.0
    """Seconds after which no further round begins, once there were `FEWEST_ROUNDS`."""
    rate_seconds: float = 10.0
    singles: int = 40
    mails: int = 3_000
    calm_seconds: float = 1.5
    """Between two rates."""
    syncs: tuple[str, ...] = (DURABLE, DEFAULT)


QUICK = Plan(
    round_seconds=0.7,
    rounds_within=24.0,
    rate_seconds=1.5,
    singles=5,
    mails=150,
    calm_seconds=0.4,
    syncs=(DURABLE,),
)


class Unequal(Exception):
    """The lanes did not do the same work, or something was lost or done twice."""


async def bench(plan: Plan, say: Say) -> dict[str, Any]:
    """Every figure of one run; raises `Unequal` where counts do not agree."""
    began = monotonic()
    of_syncs = {}
    for sync in plan.syncs:
        with tempfile.TemporaryDirectory(prefix="langnghe-bench-") as folder:
            async with site(Path(folder), sync, ("ours", "bare", "naive")) as running:
                of_syncs[sync] = await measured(running, plan, sync, say)
    figures = {"seconds": round(monotonic() - began, 1)}
    return {**headline(of_syncs[DURABLE]), **figures, "sync_interval": of_syncs}


def headline(durable: dict[str, Any]) -> dict[str, float]:
    """What the run is looked at for first, with NATS syncing before each answer."""
    return {
        "ratio_to_bare": durable["ratio_to_bare"]["median"],
        "ratio_to_naive": durable["ratio_to_naive"]["median"],
        "events_per_s": durable["lanes"]["ours"]["events_per_s"]["median"],
        "p99_ms": durable["latency"]["0.5"]["p99"],
        "single_ms": durable["latency"]["single"]["p50"],
        "mails_per_s": durable["mails"]["per_s"],
        "start_s": durable["start_s"],
        "rounds": durable["rounds"],
    }


async def measured(running: Site, plan: Plan, sync: str, say: Say) -> dict[str, Any]:
    """The figures of one site."""
    say(f"sync_interval {sync}: memory and start")
    await asyncio.sleep(plan.calm_seconds)
    ours = running.tracks["ours"]
    pids = {name: running.services.pid(name) for name in NAMES}
    idle = all_memory(pids)
    counts = await _warmed_up(running, plan)
    loaded: list[dict[str, float]] = []
    began = monotonic()
    for number in range(plan.rounds):
        if number >= FEWEST_ROUNDS and monotonic() - began > plan.rounds_within:
            break
        for name, track in running.tracks.items():
            await carry(running.client, track, running.load, "round", counts[name])
            if name == "ours":
                loaded.append(all_memory(pids))
            say(f"{sync}, round {number + 1}, {name}: {track.figures.events_per_s[-1]:,.0f}/s")
    latency = await _latencies(running, plan, say)
    mails, mail_cpu = await _mails(running, plan)
    say(f"mails: {mails:,.0f}/s")
    figures = {name: track.figures for name, track in running.tracks.items()}
    per_s = {name: lane.events_per_s for name, lane in figures.items()}
    return {
        "lanes": {name: lane.as_dict() for name, lane in figures.items()},
        "ratio_to_bare": asdict(ratio(per_s["ours"], per_s["bare"])),
        "ratio_to_naive": asdict(ratio(per_s["ours"], per_s["naive"])),
        "cpu_ratio_to_bare": asdict(
            ratio(figures["bare"].cpu_in_all(), figures["ours"].cpu_in_all())
        ),
        "latency": {name: asdict(one) for name, one in latency.items()},
        "mails": {"per_s": round(mails, 1), "cpu_us": _rounded(mail_cpu)},
        "memory_mb": {
            "idle": _rounded(idle),
            "first_round": _rounded(loaded[0]),
            "last_round": _rounded(loaded[-1]),
            "end": _rounded(all_memory(pids)),
        },
        "start_s": round(running.start_s, 2),
        "rounds": len(loaded),
        "load": round(os.getloadavg()[0], 1),
        "counts": await _counts(running, ours.sent + plan.mails),
    }


async def _warmed_up(running: Site, plan: Plan) -> dict[str, int]:
    """How many items a round of each lane has, so that rounds take about as long."""
    counts = {}
    for name, track in running.tracks.items():
        few = WARM_UP if track.pauses else FEWEST
        rate = await carry(running.client, track, running.load, "warm-up", few)
        fewest = FEWEST_PAUSED if track.pauses else FEWEST
        counts[name] = min(max(int(rate * plan.round_seconds), fewest), MOST)
        track.figures.events_per_s.clear()
        track.figures.cpu_us.clear()
    return counts


async def _latencies(running: Site, plan: Plan, say: Say) -> dict[str, Latency]:
    ours = running.tracks["ours"]
    most = median(ours.figures.events_per_s)
    found = {}
    for share in SHARES:
        rate = max(most * share, 1.0)
        found[str(share)] = await steady(
            running.client, ours, running.load, "rate", rate=rate, seconds=plan.rate_seconds
        )
        say(f"at {rate:,.0f}/s: p50, p95, p99 {_in_words(found[str(share)])} ms")
        await asyncio.sleep(plan.calm_seconds)
    found["single"] = await single(
        running.client, ours, running.load, "single", times=plan.singles, pause=0.1
    )
    say(f"one at a time: {_in_words(found['single'])} ms")
    return found


async def _mails(running: Site, plan: Plan) -> tuple[float, dict[str, float]]:
    await wait_for_addresses(running)
    return await deliver(running, "mail", 0, plan.mails)


async def _counts(running: Site, kept: int) -> dict[str, dict[str, int]]:
    """What each lane announced; raises `Unequal` unless each item is there once, in each form."""
    found = {}
    for name, track in running.tracks.items():
        found[name] = await announced(running.client, track)
        items = kept if name == "ours" else track.sent
        _check(track, found[name], items)
    return found


def _check(track: Track, found: dict[str, int], items: int) -> None:
    received, opened, assigned, clocks = found.values()
    if not received == opened == assigned == items or clocks != 2 * items:
        raise Unequal(f"{track.name}: {items} items, and announced {found}")


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 1) for name, value in values.items()}


def _in_words(latency: Latency) -> str:
    return f"{latency.p50:g} / {latency.p95:g} / {latency.p99:g}"
