"""Kills reporting while it publishes, three times a month and at random reports; checks each one.

`python -m tests.scale.reporting_kills [--months N] [--seed N]`, on a real NATS and MongoDB of its
own. Prints where the kills hit, and fails where a report is missing, out twice or another.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.killing_reporting import MONTHS, Kill, Ordeal, broken, undisturbed

MOST = 0.6
"""A process says some hundred reports more before it is dead."""


async def run(months: int, seed: int) -> bool:
    """Whether every report is out once."""
    odds, began = random.Random(seed), time.perf_counter()
    kills: list[Kill] = []
    span = MONTHS[:months]
    with tempfile.TemporaryDirectory(prefix="langnghe-kills-") as folder:
        async with Ordeal.on(Path(folder)) as ordeal:
            for month in span:
                kills += await ordeal.month(month, [odds.uniform(0, MOST) for _ in range(3)])
            found = await ordeal.said()
    wrong = broken(found, await undisturbed(span))
    told = {
        "kills": len(kills),
        "processes": sum(kill.replicas for kill in kills),
        "in_the_middle": sum(kill.in_the_middle for kill in kills),
        "out_at_each": [kill.out for kill in kills],
        "reports": sum(map(len, found.values())),
        "wrong": len(wrong),
        "seconds": round(time.perf_counter() - began),
    }
    print(json.dumps(told))
    print("\n".join(wrong[:20]))
    return not wrong


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--months", type=int, default=7, choices=MONTHS)
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args(sys.argv[1:])
    sys.exit(not asyncio.run(run(told.months, told.seed)))
