"""`python -m tests.faults [--long] [--only F-02 …] [--seed N] [--json]`."""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from tests.faults.injections import FAULTS, Fault
from tests.faults.run import Row, Run
from tests.faults.world import World

COLUMNS = (
    *("fault", "injections", "attempts", "accepted", "unknown", "lost", "invented", "double"),
    *("totals_equal", "recovery_seconds"),
)
LONG_ACK_WAIT, SHORT_ACK_WAIT = 15.0, 3.0


async def run_all(
    faults: Sequence[Fault], seed: int, *, long: bool, weakened: str = ""
) -> list[Row]:
    rows: list[Row] = []
    ack_wait = LONG_ACK_WAIT if long else SHORT_ACK_WAIT
    for asked, shared in groupby(faults, key=lambda fault: fault.world):
        with tempfile.TemporaryDirectory(prefix="langnghe-faults-") as folder:
            async with World(Path(folder), ack_wait=ack_wait, weakened=weakened, **asked) as world:
                client = await world.connect()
                run = Run(world, client, seed, long)
                await run.begin()
                for fault in shared:
                    rows.append(await run.through(fault.code, fault.inject))
                    tell(rows[-1], fault.title)
                await run.load.http.aclose()
                await client.close()
    return rows


def tell(row: Row, title: str = "") -> None:
    cells = row.as_dict()
    print(" | ".join(str(cells[name]) for name in COLUMNS), "|", title, row.note, flush=True)
    for invariant, names in row.broken.items():
        print(f"    {invariant}: {len(names)}", *names[:5], sep="\n        ", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--long", action="store_true", help="at least 20 of each, 100 kills")
    parser.add_argument("--only", action="append", default=[], help="a fault, as often as needed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--weakened", default="", help="a promise to take away from the services")
    asked = parser.parse_args()
    faults = [f for f in FAULTS if not asked.only or f.code in asked.only]
    if unknown := set(asked.only) - {f.code for f in FAULTS}:
        parser.error(f"no such fault: {', '.join(sorted(unknown))}")
    began = time.monotonic()
    print(" | ".join(COLUMNS))
    rows = asyncio.run(run_all(faults, asked.seed, long=asked.long, weakened=asked.weakened))
    broken = sum(bool(row.broken) for row in rows)
    print(f"{len(rows)} faults, {sum(r.injections for r in rows)} injections, {broken} broken, "
          f"{time.monotonic() - began:.0f} s")  # fmt: skip
    if asked.json:
        print(json.dumps([row.as_dict() for row in rows], ensure_ascii=False))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
