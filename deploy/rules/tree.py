"""Circles in the tree of units: who stands above itself on some day."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date

from deploy.rules.problems import Problem
from shared.contracts.directory import Unit


def circles(units: Sequence[Unit]) -> Iterator[Problem]:
    """One problem for the first circle of each day on which one begins.

    Codes that stand in no circle on all days taken together stand in none on a single one: they
    are set aside first, and in a sound directory nobody remains to be looked at day by day.
    """
    suspects = _in_circles_of_any_day(units)
    versions: dict[str, list[int]] = defaultdict(list)
    for number, unit in enumerate(units):
        if unit.code in suspects:
            versions[unit.code].append(number)
    told: set[int] = set()
    for day in sorted({units[n].valid_from for numbers in versions.values() for n in numbers}):
        found = _circle(units, versions, day)
        if found and told.isdisjoint(found):
            told.update(found)
            way = " → ".join(f'"{units[number].code}"' for number in (*found, found[0]))
            text = f"a circle of parents on {day}: {way}"
            yield Problem(("units", found[0], "parent"), "circle", text)


def _in_circles_of_any_day(units: Sequence[Unit]) -> set[str]:
    """Codes left when, again and again, those without a parent left are set aside."""
    parents: dict[str, set[str]] = defaultdict(set)
    children: dict[str, set[str]] = defaultdict(set)
    for unit in units:
        if unit.parent is not None:
            parents[unit.code].add(unit.parent)
            children[unit.parent].add(unit.code)
    waiting = [code for code in children if not parents.get(code)]
    while waiting:
        code = waiting.pop()
        for child in children.get(code, ()):
            parents[child].discard(code)
            if not parents[child]:
                waiting.append(child)
    return {code for code, above in parents.items() if above}


def _circle(
    units: Sequence[Unit], versions: dict[str, list[int]], day: date
) -> tuple[int, ...] | None:
    there = {
        code: number
        for code, numbers in versions.items()
        for number in numbers
        if units[number].in_force(day)
    }
    done: set[str] = set()
    for start in there:
        line: dict[str, int] = {}
        code: str | None = start
        while code in there and code not in done and code not in line:
            line[code] = there[code]
            code = units[there[code]].parent
        if code in line:
            codes = list(line)
            return tuple(line[member] for member in codes[codes.index(code) :])
        done.update(line)
    return None
