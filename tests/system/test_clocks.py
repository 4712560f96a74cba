"""Real processes: every clock of the sample comes to its end once, whatever is killed."""

import asyncio
import os
import signal
from collections import Counter, defaultdict

import pytest

from deploy.connection import connected
from deploy.demo import run_demo
from deploy.stream import messages
from deploy.up import system
from deploy.verify import verify
from shared.contracts import CATALOGUE, ClockMet, ClockMissed, ClockStarted
from shared.contracts.envelope import Event
from shared.runtime.streams import EVENTS

ENDS = (ClockMet.TYPE, ClockMissed.TYPE)
WITHIN_SECONDS = 60


async def life_of_cases(client):
    """Every event of every case, as the log has them."""
    subjects = ["case.>", "clock.>"]
    return [
        Event[CATALOGUE[message.subject]].model_validate_json(message.data)
        async for message in messages(client, EVENTS, subjects)
    ]


def clocks(events, *types):
    return Counter((e.subject, e.data.clock) for e in events if e.type in types)


@pytest.mark.xdist_group("demo")
async def test_every_clock_of_the_past_ends_once_though_routing_is_killed(tmp_path):
    async with system(tmp_path / "state") as running, connected(running.endpoints.nats) as client:

        async def kill_routing(stage: str) -> None:
            if stage in ("feed", "bodies", "close"):
                asyncio.get_running_loop().call_later(
                    0.2, os.kill, running.services.pid("routing"), signal.SIGKILL
                )

        await running.guard(run_demo(running.endpoints, at_stage=kill_routing))
        async with asyncio.timeout(WITHIN_SECONDS):
            while True:
                events = await life_of_cases(client)
                started = clocks(events, ClockStarted.TYPE)
                if started and clocks(events, *ENDS).keys() == started.keys():
                    break
                await asyncio.sleep(0.5)
        findings = await verify(client, running.endpoints)

    versions = defaultdict(list)
    for event in events:
        versions[event.subject].append(event.data.version)
    missed, met = clocks(events, ClockMissed.TYPE), clocks(events, ClockMet.TYPE)
    assert set(missed.values()) == set(met.values()) == {1}
    assert all(
        event.data.told_late
        for event in events
        if event.type == ClockMet.TYPE and (event.subject, event.data.clock) in missed
    )
    assert all(sorted(found) == list(range(1, len(found) + 1)) for found in versions.values())
    assert len({event.id for event in events}) == len(events)
    assert [str(finding) for finding in findings] == []
