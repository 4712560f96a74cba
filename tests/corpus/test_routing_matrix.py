"""A real assignment matrix, told as a directory and a rulebook, routes every row as it says.

What a complaint is about and where becomes a tree of units, the protected class a category. At
each leaf the section that takes most of its rows has a jurisdiction over every category; each other
section names its own.
"""

import csv
import random
import re
from collections import Counter, defaultdict

import pytest

from services.routing.domain.competence import assign
from services.routing.domain.directory import DirectoryIndex
from services.routing.domain.matter import Matter
from shared.contracts.case import Basis
from shared.contracts.directory import Body, Directory, Jurisdiction, Unit
from shared.contracts.vocabulary import Concern, Kind
from tests.corpus.folders import beside
from tests.examples_routing import TODAY, body, label, rulebook, unit

pytestmark = pytest.mark.corpus

MATRIX = beside("routing/doj-crt-section-assignment.csv")

PLACES = ("Primary complaint", "Place", "Facility", "School")
ROOT = "matrix"


def code(text: str) -> str:
    """A code of the text: words and hyphens, from its beginning and its end."""
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return plain if len(plain) <= 60 else f"{plain[:28].strip('-')}-{plain[-28:].strip('-')}"


def leaf(row: dict[str, str]) -> tuple[str, ...]:
    """Codes of the units from the kind of complaint down to where the row belongs."""
    said = [row[column] for column in PLACES if row[column] != "n/a"]
    return tuple(code("-".join(said[: depth + 1])) for depth in range(len(said)))


def rows() -> list[tuple[str, tuple[str, ...], str]]:
    """Section, units, category of each row."""
    with MATRIX.open(encoding="utf-8-sig", newline="") as file:
        return [
            (code(row["Section assignment"]), leaf(row), code(row["Protected class"]))
            for row in csv.DictReader(file)
        ]


def directory() -> Directory:
    units: dict[str, Unit] = {ROOT: unit(ROOT, level=1)}
    at: dict[str, dict[str, str]] = defaultdict(dict)
    for section, path, category in rows():
        for above, here in zip((ROOT, *path), path, strict=False):
            units[here] = unit(here, above, units[above].level + 1)
        at[path[-1]][category] = section
    jurisdictions: dict[str, list[Jurisdiction]] = defaultdict(list)
    for place, sections in at.items():
        [(usual, _)] = Counter(sections.values()).most_common(1)
        jurisdictions[usual].append(Jurisdiction(unit=place))
        for section in set(sections.values()) - {usual}:
            named = tuple(sorted(c for c, s in sections.items() if s == section))
            jurisdictions[section].append(Jurisdiction(unit=place, categories=named))
    return Directory(
        title=label("Ma trận"),
        units=tuple(units.values()),
        bodies=tuple(
            body(section, ROOT, jurisdictions=tuple(table))
            for section, table in jurisdictions.items()
        ),
        fallback_body="nobody",
    )


@pytest.fixture(scope="module")
def there() -> Directory:
    return directory()


def misrouted(index: DirectoryIndex, load: dict[str, int]) -> list[tuple[str, str]]:
    wrong = []
    for section, path, category in rows():
        about = Matter(Kind.COMPLAINT, category, path[-1], (Concern(unit=path[-1]),), TODAY)
        found = assign(about, index, rulebook(), TODAY, load)
        if (found.lead, found.basis) != (section, Basis.HIGHER_LEVEL):
            wrong.append((section, found.lead))
    return wrong


def test_every_row_routes_as_the_matrix_says(there):
    found = misrouted(DirectoryIndex(there), {})

    total = len(rows())
    table = sum(len(entry.jurisdictions) for entry in there.bodies)
    print(f"{total - len(found)} of {total} rows, by {table} jurisdictions")
    assert found == []
    assert total == 131


def test_no_order_of_the_table_and_no_load_moves_a_row(there):
    chance = random.Random(124)
    bodies: list[Body] = chance.sample(there.bodies, k=len(there.bodies))
    load = {entry.code: chance.randint(0, 100) for entry in bodies}
    shuffled = there.model_copy(update={"bodies": tuple(bodies)})

    assert misrouted(DirectoryIndex(shuffled), load) == []


def test_no_row_routes_by_a_category_that_is_another_s():
    """The codes made of the matrix's words keep them apart."""
    seen = {(path[-1], category) for _, path, category in rows()}

    assert len(seen) == len(rows())


def test_without_its_exceptions_the_matrix_is_not_followed(there):
    """The promise above can be broken: the exceptions carry some of the rows."""
    plain = tuple(
        entry.model_copy(
            update={"jurisdictions": tuple(j for j in entry.jurisdictions if not j.categories)}
        )
        for entry in there.bodies
    )

    assert misrouted(DirectoryIndex(there.model_copy(update={"bodies": plain})), {})
