"""Servers, services and the other lanes' processes, started once for a run and ended after it."""

import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

from nats.aio.client import Client

from deploy.bench import lanes
from deploy.bench.figures import Lane
from deploy.bench.lanes import BARE, NAIVE, OURS, Track
from deploy.bench.load import Load
from deploy.connection import NotRunning, connected, latest_directory
from deploy.demo import SAMPLE, quiet
from deploy.keys import ensure_keys
from deploy.local import LocalStack
from deploy.process import Process, free_port
from deploy.rules import RULE_FILES, publish_rules
from deploy.services import NAMES, Services
from shared.runtime.streams import declare

STAGES = ("intake", "routing", "reporting")
SERVERS = ("nats", "mongo")


@dataclass(slots=True)
class Site:
    """`start_s` is from the first process of the services to the last one's readiness."""

    client: Client
    stack: LocalStack
    services: Services
    environment: dict[str, str]
    load: Load
    lmtp_port: int
    start_s: float
    tracks: dict[str, Track]


@asynccontextmanager
async def site(folder: Path, sync_interval: str, tracks: tuple[str, ...]) -> AsyncIterator[Site]:
    """Ready to be measured, with the sample's directory, rulebook and calendar in force."""
    async with AsyncExitStack() as ending:
        stack = await ending.enter_async_context(LocalStack(folder, sync_interval=sync_interval))
        keys = ensure_keys(folder)
        client = await ending.enter_async_context(connected(stack.nats_url, "langnghe-bench"))
        await declare(client.jetstream())
        await lanes.declare(client)
        lmtp_port = free_port()
        environment = {
            "LANGNGHE_NATS_URL": stack.nats_url,
            "LANGNGHE_MONGO_URL": stack.mongo_url,
            "LANGNGHE_KEYS": str(keys.resolve()),
        }
        services = Services(folder, {**environment, "LANGNGHE_LMTP_PORT": str(lmtp_port)})
        ending.push_async_callback(services.stop)
        began = monotonic()
        await services.start()
        await services.wait_ready()
        start_s = monotonic() - began
        for noun in RULE_FILES:
            await publish_rules(client, SAMPLE / f"{noun}.yaml", noun)
        await quiet(client)
        directory = await latest_directory(client.jetstream())
        if directory is None:
            raise NotRunning("The sample's directory was not taken.")
        servers = _pids(stack)
        ours = {name: services.pid(name) for name in NAMES}
        found = {"ours": _fresh(OURS, {**ours, **servers})}
        for track in (BARE, NAIVE):
            if track.name in tracks:
                own = await _start(track.name, folder, stack, ending)
                found[track.name] = _fresh(track, {**own, **servers})
        load = Load(directory.directory)
        yield Site(client, stack, services, environment, load, lmtp_port, start_s, found)


def _fresh(track: Track, pids: dict[str, int]) -> Track:
    return replace(track, pids=pids, figures=Lane(), sent=0)


async def _start(
    lane: str, folder: Path, stack: LocalStack, ending: AsyncExitStack
) -> dict[str, int]:
    """The three stages of a lane, each a process; by stage its id."""
    pids = {}
    for stage in STAGES:
        module = f"deploy.bench.{lane}"
        process = Process(
            f"{lane}-{stage}",
            (sys.executable, "-m", module, stage, stack.nats_url, stack.mongo_url),
            folder / "log" / f"{lane}-{stage}.log",
        )
        await process.start()
        ending.push_async_callback(process.stop)
        pids[stage] = process.pid
    return pids


def _pids(stack: LocalStack) -> dict[str, int]:
    """Of the servers that were started here."""
    found = {}
    for part in SERVERS:
        with suppress(KeyError):
            found[part] = stack.pid(part)
    return found
