"""Vietnam's reports of before 1 July 2025 told in the units of after it: no figure is lost."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta

import pytest

from deploy.units import MERGER, units
from services.reporting.closing import Closer, Order
from services.reporting.domain.geography import compared, restated
from services.reporting.domain.lineage import Lineage
from services.reporting.handlers import row_keeper
from services.reporting.issuing import Desk
from tests.corpus.folders import beside
from tests.examples_reporting import (
    ZONE,
    directory,
    directory_published,
    form_rule,
    period_rule,
    rulebook_published,
    submission_received,
)
from tests.fakes_reporting import (
    MemoryClosings,
    MemoryFlight,
    MemoryReports,
    MemoryRows,
    MemoryRules,
)

pytestmark = pytest.mark.corpus

UNITS = beside("vn-admin-units")

EVE = MERGER - timedelta(days=1)
LATER = date(2026, 4, 30)
FORM = form_rule("letters", {"received": "cases where received"}, effective_from=date(2018, 2, 2))
PERIODS = (period_rule("q2", "04-01", "06-30"), period_rule("q3", "07-01", "09-30"))


@pytest.fixture(scope="module")
def everywhere():
    before, table, after = (
        (UNITS / "reference" / name).read_text(encoding="utf-8-sig")
        for name in (
            "before-2025-07-01.wards.gso.csv",
            "merger-2025-07-01.old-new-wards.csv",
            "after-2026-04-30.provinces-wards.json",
        )
    )
    return tuple(units(before, table, after, LATER))


def in_force(everywhere, day):
    return sorted({unit.code for unit in everywhere if unit.in_force(day)})


async def reports_of_both(everywhere):
    """One letter from every unit in force on 1 June, and from every one on 1 August."""
    rows, rules, closings, said = MemoryRows(), MemoryRules(), MemoryClosings(), []
    await rules.add_once(
        [directory_published(units=everywhere)],
        [rulebook_published(forms=(FORM,), periods=PERIODS, clocks=())],
    )
    keep = row_keeper(rows, closings, ZONE)
    for day in (date(2025, 6, 1), date(2025, 8, 1)):
        at = datetime.combine(day, time(12), ZONE).astimezone(UTC)
        codes = in_force(everywhere, day)
        await keep([submission_received(f"{day}/{code}", at, unit=code) for code in codes])
    closer = Closer(rows, rules, closings, MemoryFlight(), zone=ZONE)
    for period in ("2025-q2", "2025-q3"):
        await closer.close(Order.by_itself(period, 1), datetime(2026, 1, 1, tzinfo=UTC))

    async def say(events):
        said.extend(event.data for event in events)

    await Desk(rules, closings, MemoryReports(), say).issue()
    return [
        {report.unit: report for report in said if report.period.code == period}
        for period in ("2025-q2", "2025-q3")
    ]


async def test_every_figure_of_before_the_merger_arrives_in_the_units_of_after_it(everywhere):
    before, after = await reports_of_both(everywhere)
    lineage = Lineage(directory(units=everywhere), MERGER)
    old, new = in_force(everywhere, EVE), in_force(everywhere, MERGER)

    told = {report.unit: report for report in restated(before.values(), lineage)}

    assert set(told) == set(new) == set(after)
    tree = lineage.tree
    provinces = [code for code in tree.units if tree.parents[code] is None]
    assert sum(told[code].totals[0] for code in provinces) == len(old)
    arrived = Counter({code: report.rows[0].cells[0] for code, report in told.items()})
    assert arrived.total() == len(old)
    for code, report in told.items():
        below = [told[child].totals[0] for child in tree.units if tree.parents[child] == code]
        assert report.totals[0] == arrived[code] + sum(below)


def test_how_many_old_units_lead_to_several(everywhere):
    lineage = Lineage(directory(units=everywhere), MERGER)
    heirs = {code: lineage.heirs(code, EVE) for code in in_force(everywhere, EVE)}
    communes = [code for code in heirs if len(code) == len("00001")]
    split = [code for code in communes if len(heirs[code]) > 1]

    places = Counter(len(lineage.place(code, EVE)) for code in communes)
    print(
        f"{len(communes)} communes, {len(split)} of them lead to several; "
        f"{places[5]} count at a commune, {places[2]} at a province"
    )
    assert all(heirs.values())
    assert len(split) == sum(len(each) > 1 for each in heirs.values())
    assert places.total() == len(communes) == 10_035
    for code in split:
        above = {lineage.tree.parents[heir] for heir in heirs[code]}
        assert above == {lineage.place(code, EVE)}


async def test_a_later_quarter_stands_beside_the_earlier_one_in_its_own_units(everywhere):
    before, after = await reports_of_both(everywhere)
    lineage = Lineage(directory(units=everywhere), date(2025, 9, 30))
    hcm = "79"

    [difference] = compared(after[hcm], before.values(), lineage)

    merged = [u.code for u in everywhere if u.in_force(EVE) and u.level == 1]
    into = [code for code in merged if lineage.place(code, EVE) == hcm]
    assert sorted(into) == ["74", "77", "79"]
    assert difference.before == sum(before[code].totals[0] for code in into)
    assert difference.now == after[hcm].totals[0]
