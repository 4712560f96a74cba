"""Ten years of real casework: every total that was counted of it by other means is published.

The totals beside the rows were counted twice, by two programs that know nothing of this one.
"""

import csv
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from statistics import median

import pytest

from services.reporting.closing import Closer, Order
from services.reporting.handlers import row_keeper
from services.reporting.issuing import Desk
from services.reporting.store import MongoClosings, MongoReports, MongoRows, MongoRules
from shared.contracts.directory import BEGINNING, Unit
from tests.corpus.folders import beside
from tests.examples_reporting import (
    ZONE,
    case_assigned,
    case_concluded,
    case_opened,
    directory_published,
    form_rule,
    period_rule,
    rulebook_published,
    submission_received,
    unit,
)
from tests.fakes_reporting import (
    MemoryClosings,
    MemoryFlight,
    MemoryReports,
    MemoryRows,
    MemoryRules,
)

pytestmark = pytest.mark.corpus

REQUESTS = beside("service-requests")

with (REQUESTS / "nyc-council-constituent-casework.csv").open(encoding="utf-8") as file:
    ROWS = list(csv.DictReader(file))
EXPECTED = json.loads((REQUESTS / "EXPECTED_AGGREGATES.json").read_text(encoding="utf-8"))
TOTALS = EXPECTED["casework"]

YEARS = range(2015, 2025)
MONTHS = [f"{year}-m{month:02}" for year in YEARS for month in range(1, 13)]
LATER = datetime(2026, 1, 1, tzinfo=UTC)
FORM = form_rule(
    "casework",
    {
        "received": "cases where received",
        "carried": "cases where carried-over",
        "concluded": "cases where concluded",
        "open": "cases where open",
        "no-place": "cases where received and not eligible",
    },
    "received + carried = concluded + open",
    effective_from=BEGINNING,
)
"""A row without a post code names no place: it is kept and counted, and not taken up."""
COLUMNS = tuple(column.code for column in FORM.columns)
PERIODS = (
    *(
        period_rule(f"m{month:02}", f"{month:02}-01", f"{month:02}-31", effective_from=BEGINNING)
        for month in range(1, 13)
    ),
    period_rule("all", "01-01", "12-31", effective_from=BEGINNING),
)
TYPES = sorted({row["complaint_type"] for row in ROWS})
BOROUGHS = sorted({row["borough"] for row in ROWS} - {""})


def of_borough(borough):
    return f"borough-{BOROUGHS.index(borough)}" if borough else "city"


def by_place(row):
    """An office's letters from one borough; those that name no borough hang on the city."""
    return f"{row['account'].lower()}-{of_borough(row['borough'])}"


def by_subject(row):
    """An office's desk for one type of complaint: forms have no word for a category."""
    return f"{row['account'].lower()}-type-{TYPES.index(row['complaint_type'])}"


def boroughs() -> tuple[Unit, ...]:
    leaves = {by_place(row): of_borough(row["borough"]) for row in ROWS}
    return (
        unit("city", level=1),
        *(unit(of_borough(borough), "city") for borough in BOROUGHS),
        *(unit(code, above, 3) for code, above in sorted(leaves.items())),
    )


def desks() -> tuple[Unit, ...]:
    leaves = {by_subject(row): row["account"].lower() for row in ROWS}
    return (
        unit("city", level=1),
        *(unit(account, "city") for account in sorted(set(leaves.values()))),
        *(unit(code, above, 3) for code, above in sorted(leaves.items())),
    )


def noon(day):
    return datetime.combine(date.fromisoformat(day), time(12), ZONE).astimezone(UTC)


def events_of(rows, unit_of):
    """What the services would have said of each row."""
    for row in rows:
        key, received = row["unique_key"], noon(row["opendate"])
        said = {"unit": unit_of(row)}
        if not row["zip"]:
            said["eligibility"] = "stored-unreadable"
        yield submission_received(key, received, **said)
        yield case_opened(key, received, **said)
        yield case_assigned(key, received)
        if row["closedate"]:
            yield case_concluded(key, noon(row["closedate"]) + timedelta(hours=1))


@dataclass
class Reporting:
    """Reporting's own parts on stores that a test chooses; `said` is what it published."""

    rows: object = field(default_factory=MemoryRows)
    rules: object = field(default_factory=MemoryRules)
    closings: object = field(default_factory=MemoryClosings)
    reports: object = field(default_factory=MemoryReports)
    said: list = field(default_factory=list)

    async def take(self, units, unit_of):
        """Every event once, some twice, in an order that nobody chose."""
        directory = directory_published(units=units)
        rulebook = rulebook_published(forms=(FORM,), periods=PERIODS, clocks=())
        await self.rules.add_once([directory], [rulebook])
        events = list(events_of(ROWS, unit_of))
        chance = random.Random(124)
        told = events + chance.sample(events, 500)
        chance.shuffle(told)
        keep = row_keeper(self.rows, self.closings, ZONE)
        for start in range(0, len(told), 500):
            await keep(told[start : start + 500])

    async def close(self, periods):
        """The closings, in order."""
        closer = Closer(self.rows, self.rules, self.closings, MemoryFlight(), zone=ZONE)
        orders = [Order.by_itself(period, 1) for period in periods]
        return [await closer.close(order, LATER) for order in orders]

    async def publish(self):
        """Everything that was closed: by (unit, period), the totals by column."""

        async def say(events):
            self.said.extend(events)

        await Desk(self.rules, self.closings, self.reports, say).issue()
        return {
            (event.data.unit, event.data.period.code): dict(
                zip(COLUMNS, event.data.totals, strict=True)
            )
            for event in self.said
        }


def summed(totals, column, units):
    return sum(figures[column] for (unit, _), figures in totals.items() if unit in units)


def by_account(totals):
    accounts = {row["account"] for row in ROWS}
    return {
        account: summed(
            totals,
            "received",
            {by_place(row) for row in ROWS if row["account"] == account},
        )
        for account in accounts
    }


def by_borough(totals):
    found = {name: summed(totals, "received", {of_borough(name)}) for name in BOROUGHS}
    nowhere = {by_place(row) for row in ROWS if not row["borough"]}
    return {**found, "": summed(totals, "received", nowhere)}


def check_the_whole(totals, last):
    """What each form of count must say, whatever the periods: the last of them is `last`."""
    assert summed(totals, "received", {"city"}) == TOTALS["rows"]
    assert summed(totals, "concluded", {"city"}) == TOTALS["closed"]
    assert totals["city", last]["open"] == TOTALS["open"]
    assert summed(totals, "no-place", {"city"}) == TOTALS["no_zip"]
    assert by_account(totals) == TOTALS["by_account"]
    assert by_borough(totals) == TOTALS["by_borough"]


async def test_every_month_of_ten_years_is_published_as_it_was_counted_elsewhere():
    reporting = Reporting()
    await reporting.take(boroughs(), by_place)
    await reporting.close(MONTHS)
    totals = await reporting.publish()

    check_the_whole(totals, MONTHS[-1])
    of_city = {period: figures for (unit, period), figures in totals.items() if unit == "city"}
    received = {p.replace("-m", "-"): f["received"] for p, f in of_city.items() if f["received"]}
    assert received == TOTALS["by_open_month"]
    for before, after in pairwise(MONTHS):
        assert of_city[after]["carried"] == of_city[before]["open"]
    print(f"{len(reporting.said)} reports of {len(MONTHS)} months")


async def test_every_type_and_every_cell_of_office_type_and_month_is_counted_alike():
    reporting = Reporting()
    await reporting.take(desks(), by_subject)
    cells, types, whole = Counter(), Counter(), Counter()
    for closing in await reporting.close(MONTHS):
        for code, figures in closing.figures[FORM.code].items():
            if figures[0]:
                cells[code, closing.period.code] += figures[0]
                whole[code] += figures[0]
                types[TYPES[int(code.rpartition("-")[2])]] += figures[0]

    assert types == TOTALS["by_complaint_type"]
    assert len(cells) == TOTALS["cells_district_type_month"]
    assert sum(count < 5 for count in cells.values()) == TOTALS["cells_lt5"]
    assert sum(count < 10 for count in cells.values()) == TOTALS["cells_lt10"]
    assert len(whole) == TOTALS["cells_district_type"]
    assert sum(count < 5 for count in whole.values()) == TOTALS["cells2_lt5"]
    assert sum(count < 10 for count in whole.values()) == TOTALS["cells2_lt10"]


async def test_the_rows_that_are_kept_say_how_long_each_case_took():
    reporting = Reporting()
    await reporting.take(boroughs(), by_place)
    rows = [row async for row in reporting.rows.cases()]

    days = [(row.concluded - row.received).days for row in rows if row.concluded]
    assert len(ROWS) - len(rows) == TOTALS["duplicate_keys"]
    assert sum(each < 0 for each in days) == TOTALS["negative_duration"]
    assert median(days) == TOTALS["median_days"]


async def test_the_years_on_a_real_database_are_those_that_were_counted(mongo_database):
    closings, reports = MongoClosings(mongo_database), MongoReports(mongo_database)
    await closings.prepare()
    await reports.prepare()
    rows, rules = MongoRows(mongo_database), MongoRules(mongo_database)
    reporting = Reporting(rows, rules, closings, reports)
    await reporting.take(boroughs(), by_place)
    years = [f"{year}-all" for year in YEARS]
    await reporting.close(years)
    totals = await reporting.publish()

    check_the_whole(totals, years[-1])


def test_every_total_beside_the_rows_is_looked_at():
    looked_at = {
        *("rows", "open", "closed", "no_zip", "duplicate_keys", "negative_duration"),
        *("median_days", "by_account", "by_borough", "by_open_month", "by_complaint_type"),
        *("cells_district_type_month", "cells_lt5", "cells_lt10"),
        *("cells_district_type", "cells2_lt5", "cells2_lt10"),
    }

    assert looked_at == set(TOTALS)
