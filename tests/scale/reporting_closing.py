"""Closing a period over 1,000,000 case rows and 3,355 units: seconds, and memory at its most.

`python -m tests.scale.reporting_closing [--cases N]` starts a MongoDB of its own (or takes the one
that `LANGNGHE_MONGO_URL` names), fills it, and prints its figures. Publishing encodes each report
and goes nowhere: what NATS takes is measured elsewhere. Memory is this process's at its most.
"""

import argparse
import asyncio
import json
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from deploy.local import LocalStack
from services.reporting.closing import Closer, Order
from services.reporting.domain.change import change
from services.reporting.domain.facet import Facet, laid
from services.reporting.issuing import Desk
from services.reporting.store import MongoClosings, MongoReports, MongoRows, MongoRules
from shared.contracts.directory import Unit
from shared.contracts.envelope import AnyEvent
from shared.contracts.vocabulary import Kind, Signatures
from shared.runtime.mongo import Database, Document, open_client, open_database
from tests.examples_reporting import (
    BEFORE,
    END,
    LAST_DAY,
    WITHIN,
    ZONE,
    case_accepted,
    case_assigned,
    case_concluded,
    case_opened,
    clock_started,
    directory_published,
    rulebook_published,
    submission_received,
    unit,
)
from tests.fakes_reporting import MemoryFlight

WARDS, PROVINCES = 3_320, 34
BATCH = 10_000
RESTATED = 0.1
"""Of the cases have a clock with a past."""


def units() -> tuple[Unit, ...]:
    """One root, 34 provinces, 3,320 wards."""
    provinces = [unit(f"p-{n}", "country", 2) for n in range(PROVINCES)]
    wards = [unit(f"w-{n}", f"p-{n % PROVINCES}", 3) for n in range(WARDS)]
    return (unit("country", level=1), *provinces, *wards)


def life(case: int, odds: random.Random) -> Iterator[AnyEvent]:
    """One of a thousand lives of a case."""
    name = f"s{case}"
    received = odds.choice((BEFORE, WITHIN)) + timedelta(minutes=odds.randrange(10_000))
    kind, signatures = odds.choice(list(Kind)), odds.choice(list(Signatures))
    yield submission_received(name, received, kind=kind, signatures=signatures)
    yield case_opened(name, received, kind=kind, signatures=signatures)
    yield case_assigned(name, received + timedelta(hours=1), within=odds.random() < 0.9)
    yield clock_started(name, LAST_DAY - timedelta(days=odds.randrange(-20, 20)))
    yield clock_started(name, clock="take-up", version=4)
    if odds.random() < RESTATED:
        yield clock_started(name, LAST_DAY + timedelta(days=30), version=9)
    if odds.random() < 0.8:
        yield case_accepted(name, received + timedelta(days=2), version=5)
        if odds.random() < 0.7:
            yield case_concluded(name, received + timedelta(days=9), version=6)


async def fill(database: Database, cases: int) -> None:
    """Rows in the shape in which the store keeps them, with units drawn apart."""
    odds = random.Random(1)  # the same province each time
    [templates] = [[_document(n, odds) for n in range(1_000)]]
    table = database.get_collection("case_rows")
    for start in range(0, cases, BATCH):
        documents = []
        for number in range(start, min(start + BATCH, cases)):
            ward = f"w-{int(odds.paretovariate(0.6)) % WARDS}"
            row = dict(odds.choice(templates))
            row["_id"] = f"case-{number:09}"
            for facet in ("submission", "opened"):
                row[facet] = {**row[facet], "data": {**row[facet]["data"], "unit": ward}}
            documents.append(row)
        await table.insert_many(documents, ordered=False)


def _document(case: int, odds: random.Random) -> Document:
    [row] = laid(change(event) for event in life(case, odds)).values()
    past = [{**_content(facet), "place": place} for (place, _), facet in row.past.items()]
    document: Document = {"past": past, "clocks": {}}
    for place, facet in row.facets.items():
        content = _content(facet)
        if place.startswith("clocks."):
            document["clocks"][place.removeprefix("clocks.")] = content
        else:
            document[place] = content
    return document


def _content(facet: Facet) -> Document:
    return {
        "version": facet.version,
        "recorded": facet.recorded,
        "event": facet.event,
        "time": facet.time,
        "data": dict(facet.data),
    }


class Watch:
    """Seconds since the last look: by the clock, of this process, and of the server."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.figures: dict[str, float] = {}
        self._before = (0.0, 0.0, 0.0)

    async def look(self, what: str | None = None) -> None:
        status = await self._database.command("serverStatus")
        server = status["extra_info"]
        spent = (server["user_time_us"] + server["system_time_us"]) / 1e6
        now = (time.perf_counter(), time.process_time(), spent)
        if what is not None:
            took = [round(n - b, 1) for n, b in zip(now, self._before, strict=True)]
            names = (f"{what}_s", f"{what}_cpu_s", f"{what}_mongod_cpu_s")
            self.figures |= dict(zip(names, took, strict=True))
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            self.figures[f"{what}_memory_mb"] = round(memory)
            self.figures[f"{what}_mongod_memory_mb"] = status["mem"]["resident"]
        self._before = now


async def measure(database: Database, cases: int) -> dict[str, float]:
    rows, rules = MongoRows(database), MongoRules(database)
    closings, reports = MongoClosings(database), MongoReports(database)
    await reports.prepare()
    directory, rulebook = directory_published(units=units()), rulebook_published()
    await rules.add_once([directory], [rulebook])
    watch = Watch(database)
    await fill(database, cases)
    await watch.look()
    closer = Closer(rows, rules, closings, MemoryFlight(), zone=ZONE)
    order = Order("2026-h1", "operator", "order-1", "order-1", "command:1")
    closing = await closer.close(order, END)
    await watch.look("count")
    out: list[int] = []

    async def publish(events: Sequence[AnyEvent]) -> None:
        out.append(sum(len(event.encode()) for event in events))

    desk = Desk(rules, closings, reports, publish)
    issued = await desk.issue()
    await watch.look("issue")
    return {
        "cases": cases,
        "units": len(directory.data.directory.units),
        "reports": issued,
        "reports_mb": round(sum(out) / 1e6),
        "cells": sum(sum(cells) for cells in closing.figures["01-xld"].values()),
        "close_s": round(watch.figures["count_s"] + watch.figures["issue_s"], 1),
        **watch.figures,
        "load": round(os.getloadavg()[0], 1),
    }


async def run(cases: int) -> None:
    with tempfile.TemporaryDirectory(prefix="langnghe-scale-") as folder:
        async with LocalStack(Path(folder), parts=("mongo",)) as stack:
            client = open_client(stack.mongo_url)
            database = open_database(client, "scale_reporting")
            try:
                print(json.dumps(await measure(database, cases)))
            finally:
                await client.drop_database("scale_reporting")
                client.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    asyncio.run(run(parser.parse_args(sys.argv[1:]).cases))
