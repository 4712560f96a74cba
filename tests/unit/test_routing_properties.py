"""Promises of routing over generated provinces: nobody concerned, nobody left out, no chance.

The oracle below reads the rows of the directory by itself, without the index.
"""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.routing.domain.competence import Assignment, assign
from services.routing.domain.directory import DirectoryIndex
from services.routing.domain.matter import Matter
from shared.contracts.case import Basis
from shared.contracts.directory import (
    Body,
    Directory,
    Holding,
    Jurisdiction,
    Office,
    OfficeRank,
    Recusal,
    Relation,
    Unit,
)
from shared.contracts.rulebook import ConflictMethod, CooperationMethod
from shared.contracts.vocabulary import Concern, Kind
from tests.examples_routing import COMPETENCE, CONFLICT, TODAY, body, label, office, rulebook, unit

CATEGORIES = ("ethics", "finance", "discipline")
DEEPEST = 6
RANKS = (*OfficeRank, OfficeRank.DEPUTY, OfficeRank.MEMBER)
MERGER = TODAY - timedelta(days=100)
ACTED = (TODAY, TODAY - timedelta(days=200), TODAY - timedelta(days=200))
RULES = rulebook(
    competence=(
        COMPETENCE.model_copy(
            update={
                "code": "timeline",
                "kinds": (Kind.DENUNCIATION,),
                "cooperation": CooperationMethod.OFFICE_TIMELINE,
            }
        ),
        COMPETENCE,
    ),
    conflicts=tuple(
        CONFLICT.model_copy(update={"code": method.value, "method": method})
        for method in ConflictMethod
    ),
)


def province(chance: random.Random) -> Directory:
    """A tree at most six deep, some units renamed or merged half a year into the act's past."""
    units = [unit("u0", level=1)]
    for number in range(1, chance.randint(1, 14)):
        parent = chance.choice([place for place in units if place.level < DEEPEST])
        units.append(unit(f"u{number}", parent.code, parent.level + 1))
    offices = [
        office(f"o{n}", chance.choice(units).code, chance.choice(RANKS))
        for n in range(chance.randint(1, 20))
    ]
    persons = [f"p{n}" for n in range(chance.randint(1, 8))]
    holdings = [
        Holding(
            person=chance.choice(persons),
            office=chance.choice(offices).code,
            valid_from=chance.choice([date(2020, 1, 1), MERGER, TODAY, TODAY + timedelta(days=1)]),
            valid_to=chance.choice([None, None, MERGER, TODAY]),
        )
        for _ in range(chance.randint(0, 20))
    ]
    for person in persons[: chance.randint(0, 4)]:
        before, after = chance.choice(offices).code, chance.choice(offices).code
        holdings.append(Holding(person=person, office=before, valid_to=MERGER))
        holdings.append(Holding(person=person, office=after, valid_from=MERGER))
    bodies = [_body(chance, n, units, offices) for n in range(chance.randint(1, 14))]
    codes = [entry.code for entry in bodies]
    renamed, moved_offices, moved_holdings = _renamed(chance, units, offices, holdings)
    return Directory(
        title=label("Ngẫu nhiên"),
        units=tuple(renamed),
        bodies=tuple(bodies),
        offices=tuple(_owned(chance, entry, codes) for entry in moved_offices),
        holdings=tuple(moved_holdings),
        relations=tuple(
            Relation(persons=(chance.choice(persons), chance.choice(persons)), declared="Kê khai")
            for _ in range(chance.randint(0, 3))
        ),
        recusals=tuple(
            Recusal(
                body=chance.choice(codes),
                reason="Quyết định",
                **{
                    chance.choice(["unit", "office", "person"]): chance.choice(
                        [chance.choice(units).code, chance.choice(offices).code, persons[0]]
                    )
                },
            )
            for _ in range(chance.randint(0, 2))
        ),
        fallback_body=chance.choice([*codes, "unlisted"]),
    )


def _body(chance: random.Random, number: int, units: list[Unit], offices: list[Office]) -> Body:
    jurisdictions = tuple(
        Jurisdiction(
            unit=chance.choice(units).code,
            categories=tuple(chance.sample(CATEGORIES, chance.choice([0, 0, 1]))),
            kinds=tuple(chance.sample(list(Kind), chance.choice([0, 0, 2]))),
            ranks=tuple(chance.sample(list(OfficeRank), chance.choice([0, 0, 2]))),
        )
        for _ in range(chance.randint(0, 2))
    )
    seat = chance.choice(units[:6]).code
    if chance.random() < 0.6:
        jurisdictions = (*jurisdictions, Jurisdiction(unit=seat))
    members = tuple({chance.choice(offices).code for _ in range(chance.choice([0, 0, 1, 3]))})
    ends = chance.choice([None, None, None, TODAY])
    return body(f"b{number}", seat, jurisdictions=jurisdictions, members=members, valid_to=ends)


def _renamed(
    chance: random.Random, units: list[Unit], offices: list[Office], holdings: list[Holding]
) -> tuple[list[Unit], list[Office], list[Holding]]:
    """Some units end in a new one beside them, with new offices for the same people."""
    gone = {place.code for place in units[1:] if chance.random() < 0.2}
    news = [
        place.model_copy(update={"code": f"n{place.code}", "valid_from": MERGER})
        for place in units
        if place.code in gone
    ]
    ended = [
        place.model_copy(update={"valid_to": MERGER}) if place.code in gone else place
        for place in units
    ]
    following = {o.code: f"n{o.code}" for o in offices if o.unit in gone}
    new_offices = [
        o.model_copy(update={"code": following[o.code], "unit": f"n{o.unit}"})
        for o in offices
        if o.code in following
    ]
    new_holdings = [
        h.model_copy(update={"office": following[h.office], "valid_from": MERGER})
        for h in holdings
        if h.office in following
    ]
    old_holdings = [
        h.model_copy(update={"valid_to": min(h.valid_to or MERGER, MERGER)})
        if h.office in following
        else h
        for h in holdings
    ]
    return [*ended, *news], [*offices, *new_offices], [*old_holdings, *new_holdings]


def _owned(chance: random.Random, entry: Office, codes: list[str]) -> Office:
    owner = chance.choice(codes) if chance.random() < 0.15 else None
    return entry.model_copy(update={"of_body": owner})


def a_matter(chance: random.Random, there: Directory) -> Matter:
    """About one office, two, a unit, or nothing; of today or of the time before the merger."""
    left = [h.office for h in there.holdings if h.valid_to == MERGER]
    offices = [o.code for o in there.offices] + 3 * left
    units = [place.code for place in there.units]
    named = [Concern(office=chance.choice(offices)) for _ in range(chance.choice([0, 1, 1, 2]))]
    if chance.random() < 0.2:
        named.append(Concern(unit=chance.choice(units)))
    return Matter(
        kind=chance.choice([*Kind, Kind.DENUNCIATION, Kind.DENUNCIATION]),
        category=chance.choice(CATEGORIES),
        unit=chance.choice([*units, "unknown"]),
        concerns=tuple(named),
        acted=chance.choice(ACTED),
        author=chance.choice([None, None, chance.choice(there.bodies).code]),
    )


def concerned_bodies(there: Directory, about: Matter) -> set[str]:
    """Every body that must not touch the matter, told straight from the rows."""
    named = {c.office for c in about.concerns if c.office}
    days = (about.acted, TODAY)
    holders = {h.person for h in there.holdings if h.office in named and any(map(h.in_force, days))}
    ever = named | {
        h.office for h in there.holdings if h.person in holders and h.valid_from <= TODAY
    }
    relatives = {
        r.persons[1 - side]
        for r in there.relations
        for side in (0, 1)
        if r.persons[side] in holders and any(map(r.in_force, days))
    }
    listed = {place.code for place in there.units}
    meant = {o.unit for o in there.offices if o.code in named}
    meant |= {c.unit for c in about.concerns if c.unit} or (set() if meant else {about.unit})
    places = {above for place in meant & listed for above in _upwards(there, place)}
    commands, dependents = set(), set()
    for day in days:
        leading = [o for o in _held_by(there, holders, named, day) if o.rank is OfficeRank.HEAD]
        commands |= {o.unit for o in leading if not o.of_body}
        groups = {(o.of_body, o.of_body or o.unit) for o in leading}
        below = {
            o.code
            for o in there.offices
            if (o.of_body, o.of_body or o.unit) in groups and o.rank is not OfficeRank.HEAD
        }
        people = {h.person for h in there.holdings if h.office in below and h.in_force(day)}
        dependents |= below | _offices_today(there, people)
    seats = ever | dependents | _offices_today(there, relatives)
    return {
        entry.code
        for entry in there.bodies
        if entry.in_force(TODAY)
        and (
            seats & set(entry.members)
            or commands & set(_upwards(there, entry.unit))
            or entry.code == about.author
            or any(
                r.body == entry.code
                and (r.person in holders or (r.office or "") in ever or (r.unit or "") in places)
                for r in there.recusals
            )
        )
    }


def _held_by(there: Directory, people: set[str], named: set[str], day: date) -> Iterator[Office]:
    held = {h.office for h in there.holdings if h.person in people and h.in_force(day)}
    return (o for o in there.offices if o.code in held | named)


def _offices_today(there: Directory, people: set[str]) -> set[str]:
    return {h.office for h in there.holdings if h.person in people and h.in_force(TODAY)}


def _upwards(there: Directory, code: str) -> Iterator[str]:
    parents = {place.code: place.parent for place in there.units}
    step: str | None = code
    while step is not None:
        yield step
        step = parents.get(step)


def routed(there: Directory, about: Matter, load: dict[str, int] | None = None) -> Assignment:
    return assign(about, DirectoryIndex(there), RULES, TODAY, load or {})


def taken(found: Assignment) -> set[str]:
    return {found.lead, *found.cooperating}


CASES = range(3000)


@pytest.fixture(scope="module")
def cases() -> list[tuple[Directory, Matter, Assignment]]:
    found = []
    for seed in CASES:
        chance = random.Random(seed)
        there = province(chance)
        about = a_matter(chance, there)
        found.append((there, about, routed(there, about)))
    return found


def test_no_concerned_body_ever_takes_a_matter(cases):
    offences = [
        number
        for number, (there, about, found) in enumerate(cases)
        if taken(found) & concerned_bodies(there, about)
    ]

    assert offences == []


def test_no_excluded_body_ever_takes_a_matter(cases):
    assert [f for *_, f in cases if taken(f) & {e.body for e in f.excluded}] == []


def test_no_matter_is_left_unassigned(cases):
    lost = [
        found.lead
        for there, _, found in cases
        if found.lead not in {b.code for b in there.bodies if b.in_force(TODAY)}
        and found.lead != there.outside_desk
    ]

    assert lost == []


def test_the_outside_desk_takes_only_what_concerns_every_body(cases):
    for there, _, found in cases:
        clean = {b.code for b in there.bodies if b.in_force(TODAY)} - {
            e.body for e in found.excluded
        }
        assert (found.lead == there.outside_desk) == (not clean)


def test_every_decision_says_its_reasons(cases):
    for *_, found in cases:
        assert len(found.reasons) >= 1 + len(found.cooperating)
        assert all(reason.vi.endswith(".") for reason in found.reasons)


def test_the_lead_never_cooperates_with_itself(cases):
    assert [f for *_, f in cases if f.lead in f.cooperating] == []


def test_the_generated_cases_reach_everything_that_is_promised(cases):
    """A promise kept because nothing was tried is none."""
    told = Counter(e.rule for *_, found in cases for e in found.excluded)
    bases = Counter(found.basis for *_, found in cases)

    assert min(told[method.value] for method in ConflictMethod) > 20
    later = {Basis.TRANSFER, Basis.ESCALATION}
    assert min(bases[basis] for basis in set(Basis) - later) > 20
    assert sum(bool(found.cooperating) for *_, found in cases) > 15
    assert sum(found.lead == "outside-desk" for *_, found in cases) > 20
    assert sum(len(about.offices) == 2 for _, about, _ in cases) > 200
    assert max(place.level for there, *_ in cases for place in there.units) == DEEPEST


PARTS = ("units", "bodies", "offices", "holdings", "relations", "recusals")


@settings(max_examples=200)
@given(st.integers(0, 10**9), st.randoms(use_true_random=False))
def test_the_order_of_the_tables_never_decides(seed, shuffler):
    chance = random.Random(seed)
    there = province(chance)
    about = a_matter(chance, there)
    load = {entry.code: chance.randint(0, 2) for entry in there.bodies}
    shuffled = {
        name: tuple(shuffler.sample(getattr(there, name), k=len(getattr(there, name))))
        for name in PARTS
    }

    assert routed(there, about, load) == routed(there.model_copy(update=shuffled), about, load)
