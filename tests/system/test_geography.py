"""The command shows reports of before a merger in the units of after it, on a real stream."""

import asyncio
import json
import os
import sys
from datetime import date

from services.reporting.domain.revision import Closing, reports_of, said
from services.reporting.domain.rollup import Tree, place
from tests.examples_reporting import END, LETTERS, directory, directory_published, unit, window
from tests.unit.test_reporting_geography import heir, letters

ENDS = date(2026, 6, 15)
UNITS = (
    unit("province", level=1),
    unit("ward", "province", successors=(heir("city"),), valid_to=ENDS),
    unit("commune", "province", successors=(heir("city"),), valid_to=ENDS),
    unit("city", "province", valid_from=ENDS),
)


def reports(period, received):
    """Form 01/XLD of the province before the merger."""
    of = window(period).period
    tree = Tree.on(of.last_day, directory(units=UNITS))
    closing = Closing(
        period=of,
        party="operator",
        command=period,
        correlation=period,
        sending=period,
        at=END,
        directory=1,
        rulebook=1,
        figures={LETTERS.code: place({c: letters(n) for c, n in received.items()}, tree, LETTERS)},
    )
    return [said(closing, report) for report in reports_of(closing, [LETTERS], tree)]


async def show(url, *command):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy", "report", "show", "2026-h1", "--json", *command),
        env={**os.environ, "LANGNGHE_NATS_URL": url, "LANGNGHE_MONGO_URL": "mongodb://nowhere"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    return process.returncode, json.loads(output) if output else errors.decode()


async def test_the_command_shows_figures_where_they_went_and_beside_last_year(
    jetstream, nats_server
):
    before, now = reports("2025-h1", {"ward": 2}), reports("2026-h1", {"ward": 3, "commune": 4})
    for event in (directory_published(units=UNITS), *before, *now):
        await jetstream.publish(event.data.nats_subject(), event.encode())

    status, shown = await show(
        nats_server.url, "--geography", "now", "--year-before", "--unit", "city"
    )
    gone, why = await show(nats_server.url, "--geography", "now", "--unit", "ward")
    then, ward = await show(nats_server.url, "--unit", "ward")

    assert (status, gone, then) == (0, 1, 0)
    assert shown["data"]["totals"][0] == 7
    assert shown["beside"][0] == {"column": "1", "now": 7, "before": 2, "difference": 5}
    assert "ward is no unit of" in why
    assert ward["data"]["totals"][0] == 3
