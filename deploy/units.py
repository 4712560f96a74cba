"""Reads the state's tables of administrative units into units of a directory.

Three tables, as they are published: the wards before the merger of 1 July 2025 (statistics
office, CSV), the official table of old and new communes (CSV), and, if there is one, a later list
of provinces and communes (JSON), which corrects codes and names from its own day on.
Codes stay as they are: two digits a province, three a district, five a commune. A code stands for
one unit before the merger and often for another after it, so that each is read with its dates.
"""

import csv
import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from io import StringIO

from shared.contracts.directory import Label, Successor, Unit

MERGER = date(2025, 7, 1)
"""No district since, and every commune's code given anew (Resolution 202/2025/QH15)."""

PROVINCE, DISTRICT, COMMUNE = 1, 2, 3
"""Levels before the merger; communes stand at the second one after it."""
COMMUNE_NOW = 2

_CODED = re.compile(r"(?P<name>.*\S)\s*\((?P<code>\d+)\)")


class NotSuchATable(Exception):
    """The text is not the table it should be; says the column, or the line."""


def units(before: str, merger: str, later: str | None = None, since: date = MERGER) -> list[Unit]:
    """Every unit of before and after the merger, the old ones with their successors.

    `later` is in force from `since` on. Raises `NotSuchATable`.
    """
    old = _rows(before, {"Mã", "Tên", "Mã QH", "Quận Huyện", "Mã TP", "Tỉnh / Thành Phố"})
    steps = _rows(merger, {"new_province", "new_ward", "new_ward_code", "old_ward_code"})
    home = {row["Mã"]: row["Mã TP"] for row in old}
    heirs: dict[str, set[str]] = defaultdict(set)
    provinces: dict[str, Label] = {}
    communes: dict[str, tuple[str, str]] = {}
    for line, row in enumerate(steps, start=2):
        province, name = _coded(row["new_province"], line)
        provinces.setdefault(province, Label(vi=name))
        communes.setdefault(row["new_ward_code"], (row["new_ward"], province))
        former, _ = _coded(row["old_province"], line)
        heirs[home.get(row["old_ward_code"], former)].add(province)
        if row["old_ward_code"]:
            heirs[row["old_ward_code"]].add(row["new_ward_code"])
        elif not row["old_ward"]:  # a district without wards became a commune as a whole
            heirs[_coded(row["old_district"], line)[0]].add(row["new_ward_code"])
    return [
        *_before(old, heirs, steps),
        *(Unit(code=c, name=n, level=PROVINCE, valid_from=MERGER) for c, n in provinces.items()),
        *_after(communes, json.loads(later) if later else [], since),
    ]


def _before(
    old: Iterable[dict[str, str]], heirs: dict[str, set[str]], steps: Iterable[dict[str, str]]
) -> Iterator[Unit]:
    def ended(code: str, name: str, level: int, parent: str | None = None) -> Unit:
        return Unit(
            code=code,
            name=Label(vi=name),
            level=level,
            parent=parent,
            valid_to=MERGER,
            successors=tuple(Successor(unit=heir) for heir in sorted(heirs.get(code, ()))),
        )

    seen: set[str] = set()
    for row in old:
        above = (
            (row["Mã TP"], row["Tỉnh / Thành Phố"], PROVINCE, None),
            (row["Mã QH"], row["Quận Huyện"], DISTRICT, row["Mã TP"]),
        )
        for code, name, level, parent in above:
            if code not in seen:
                seen.add(code)
                yield ended(code, name, level, parent)
        yield ended(row["Mã"], row["Tên"], COMMUNE, row["Mã QH"])
    for row in steps:
        if not row["old_ward"]:
            code, name = _coded(row["old_district"])
            if code not in seen:
                seen.add(code)
                yield ended(code, name, DISTRICT, _coded(row["old_province"])[0])


def _after(
    communes: dict[str, tuple[str, str]], later: list[dict[str, object]], since: date
) -> Iterator[Unit]:
    """The communes of the merger; where the later list has another name or code, both."""
    listed: dict[str, tuple[str, str]] = {}
    for province in later:
        wards = province["Wards"]
        if not isinstance(wards, list):
            raise NotSuchATable(f"province {province['Code']}: no list of wards")
        listed |= {ward["Code"]: (ward["FullName"], str(province["Code"])) for ward in wards}
    fresh = {(home, plain(n)): c for c, (n, home) in listed.items() if c not in communes}
    for code, (name, home) in communes.items():
        now = listed.get(code)
        moved = fresh.get((home, plain(name))) if listed and now is None else None
        renamed = now is not None and plain(now[0]) != plain(name)
        yield Unit(
            code=code,
            name=Label(vi=name),
            level=COMMUNE_NOW,
            parent=home,
            valid_from=MERGER,
            valid_to=since if renamed or (listed and now is None) else None,
            successors=(Successor(unit=moved),) if moved else (),
        )
        if renamed and now is not None:
            yield _listed(code, now, since)
    for code in fresh.values():
        yield _listed(code, listed[code], since)


def _listed(code: str, commune: tuple[str, str], since: date) -> Unit:
    name, province = commune
    return Unit(
        code=code, name=Label(vi=name), level=COMMUNE_NOW, parent=province, valid_from=since
    )


def plain(name: str) -> str:
    """Letters and digits, without marks and case: tables disagree on `Hoà` and on `B’Lao`."""
    bare = unicodedata.normalize("NFD", name.casefold().replace("đ", "d"))
    return "".join(letter for letter in bare if letter.isalnum())


def _rows(text: str, columns: set[str]) -> list[dict[str, str]]:
    reader = csv.DictReader(StringIO(text.removeprefix("\ufeff")))
    missing = columns - set(reader.fieldnames or ())
    if missing:
        raise NotSuchATable(f"columns are missing: {', '.join(sorted(missing))}")
    return list(reader)


def _coded(text: str, line: int | None = None) -> tuple[str, str]:
    """Code and name of `Thành phố Hà Nội (01)`."""
    match = _CODED.fullmatch(text.strip())
    if match is None:
        raise NotSuchATable(f"line {line}: a name without a code in brackets")
    return match["code"], match["name"]
