"""Vietnam's units before and after 1 July 2025, against the official table of old and new."""

import csv
import re
import unicodedata
from collections import Counter, defaultdict
from datetime import date, timedelta

import pytest

from deploy.units import MERGER, units
from services.routing.domain.directory import DirectoryIndex
from services.routing.domain.directory.places import Places
from shared.contracts.directory import Body, Directory, Jurisdiction, Label
from tests.corpus.folders import beside

pytestmark = pytest.mark.corpus

UNITS = beside("vn-admin-units")

EVE = MERGER - timedelta(days=1)
LATER = date(2026, 4, 30)
BEFORE, TABLE, AFTER = (
    (UNITS / "reference" / name).read_text(encoding="utf-8-sig")
    for name in (
        "before-2025-07-01.wards.gso.csv",
        "merger-2025-07-01.old-new-wards.csv",
        "after-2026-04-30.provinces-wards.json",
    )
)
OLD = {row["Mã"]: row for row in csv.DictReader(BEFORE.splitlines())}
STEPS = list(csv.DictReader(TABLE.splitlines()))


@pytest.fixture(scope="module")
def everywhere():
    return units(BEFORE, TABLE, AFTER, LATER)


@pytest.fixture(scope="module")
def index(everywhere):
    title = Label(vi="Cả nước")
    body = Body(
        code="front", name=title, kind="front", unit="01", jurisdictions=(Jurisdiction(unit="01"),)
    )
    there = Directory(title=title, units=tuple(everywhere), bodies=(body,), fallback_body="front")
    return DirectoryIndex(there)


@pytest.fixture(scope="module")
def table():
    """By old code: the new codes that the official table names."""
    found = defaultdict(set)
    for row in STEPS:
        if row["old_ward_code"]:
            found[row["old_ward_code"]].add(row["new_ward_code"])
    return found


def test_every_unit_of_both_days_is_read(everywhere):
    days = {
        day: Counter(unit.level for unit in everywhere if unit.in_force(day))
        for day in (EVE, MERGER, LATER)
    }

    print(days)
    assert (days[EVE][1], days[EVE][3]) == (63, 10_035)
    assert days[MERGER] == days[LATER] == {1: 34, 2: 3_321}


def test_every_old_code_resolves_as_the_table_says(index, table):
    wrong = {
        code: found
        for code, heirs in table.items()
        if (found := index.resolve(code, EVE, MERGER)) != tuple(sorted(heirs))
    }

    split = sum(len(heirs) > 1 for heirs in table.values())
    print(f"{len(table) - len(wrong)} of {len(table)} old codes, {split} of them split")
    assert len(table) == 10_033
    assert wrong == {}


def test_a_commune_that_the_table_leaves_out_leads_to_its_province(index, table):
    left_out = sorted(set(OLD) - set(table))

    assert [index.resolve(code, EVE, MERGER) for code in left_out] == [("04",), ("08",)]


def test_the_day_tells_reused_codes_apart(index, table):
    names = {row["new_ward_code"]: row["new_ward"] for row in STEPS}
    old_names = {row["old_ward_code"]: row["old_ward"] for row in STEPS}
    both = sorted(set(names) & set(table))
    other = [code for code in both if names[code] != old_names[code]]

    before = {code: index.resolve(code, EVE, MERGER) for code in both}
    misled = sum(before[code] != (code,) for code in both)
    print(
        f"{len(both)} codes of both days, {len(other)} of another name; by code alone {misled} wrong"
    )
    assert len(other) == 2_141
    assert all(before[code] == tuple(sorted(table[code])) for code in both)
    assert all(index.resolve(code, MERGER, MERGER) == (code,) for code in both)


def test_every_district_leads_to_its_province_or_to_what_it_became(index):
    provinces = {row["Mã QH"]: row["Mã TP"] for row in OLD.values()}

    for district, province in provinces.items():
        [found] = index.resolve(district, EVE, MERGER)
        assert [found] == list(index.resolve(province, EVE, MERGER))


def test_the_way_up_of_every_old_commune_ends_at_a_province_of_today(index, table):
    ends = {index.path(code, LATER, then=EVE)[-1] for code in OLD}

    assert len(ends) == 34


def test_a_corrected_code_is_found_under_both(index):
    assert index.resolve("06970", MERGER, LATER) == ("06978",)
    assert index.resolve("06973", EVE, LATER) == ("06978",)


def bare(text, *, kinds=r"(thanh pho|thi xa|thi tran|phuong|quan|huyen|tinh|xa)\b"):
    """Letters and digits after the kind, with another reading of names than the resolver's."""
    marked = unicodedata.normalize("NFKD", text.replace("Đ", "D").replace("đ", "d"))
    ascii_text = marked.encode("ascii", "ignore").decode().lower().strip()
    return re.sub(r"\W|(?<!\d)0+(?=\d)", "", re.sub("^" + kinds, "", ascii_text))


@pytest.mark.parametrize(("name", "least"), [("s", 1_346), ("t", 1_186)])
def test_an_address_is_a_unit_of_its_names_or_said_to_be_none(index, everywhere, name, least):
    places = Places(everywhere)
    with (UNITS / f"messy-addresses-{name}.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))

    fates, today, wrong = Counter(), Counter(), []
    for row in rows:
        asked = (row["ward"], row["district"], row["province"])
        found = places.find(asked, EVE)
        fates[min(len(found), 2)] += 1
        for unit in found:
            listed = OLD[unit.code]
            names = (listed["Tên"], listed["Quận Huyện"], listed["Tỉnh / Thành Phố"])
            if not all(
                bare(said).endswith(bare(real)) for said, real in zip(asked, names, strict=True)
            ):
                wrong.append((asked, names))
        if len(found) == 1:
            today[min(len(index.resolve(found[0].code, EVE, LATER)), 2)] += 1
    print(f"{name}: one {fates[1]}, several {fates[2]}, none {fates[0]}; today {dict(today)}")
    assert wrong == []
    assert today[0] == 0
    assert fates[1] >= least


def test_none_is_said_only_where_no_ward_of_the_day_bears_the_names(everywhere):
    """Counted by the other reading: whoever is not found is not in the table of the day."""
    places = Places(everywhere)
    listed = {
        (bare(r["Tên"]), bare(r["Quận Huyện"]), bare(r["Tỉnh / Thành Phố"])) for r in OLD.values()
    }

    missed = []
    for name in ("s", "t"):
        with (UNITS / f"messy-addresses-{name}.csv").open(encoding="utf-8-sig") as file:
            for row in csv.DictReader(file):
                asked = (row["ward"], row["district"], row["province"])
                if not places.find(asked, EVE) and tuple(map(bare, asked)) in listed:
                    missed.append(asked)
    assert missed == []
