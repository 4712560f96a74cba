"""What anybody knows of the forms: which figures are no secret, and which are said twice."""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import combinations

from services.reporting.domain.forms.counting import Cases, Counts, OfCases, OfUnit
from services.reporting.domain.forms.facts import Fact, Measure
from services.reporting.domain.forms.form import Form

NO_SECRETS = frozenset(
    {
        Measure.DIRECT_ACTIVITIES,
        Measure.INDIRECT_ACTIVITIES,
        Measure.DIALOGUES,
        Measure.SUPERVISED_OFFICES,
        Measure.AGENCIES,
        Measure.AGENCIES_WITH_MAILBOX,
        Measure.AGENCIES_WITH_HOTLINE,
        Measure.AGENCIES_WITH_BOTH,
    }
)
"""Measures that count neither people nor what people said."""

SIGNED = (Fact.SEVERAL_SIGNED, Fact.ONE_SIGNED, Fact.OTHER_SIGNED)
ARRIVED = (Fact.RECEIVED, Fact.CARRIED_OVER)


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Columns are named `form.column` throughout.

    `exempt`: columns that count neither people nor cases; they are never withheld. `amounts`:
    columns that add something up over cases, each with the column that counts these cases, empty
    where no column does.
    `links`: identities that no form prints; who reads the forms side by side knows them.
    `stocks`: what is carried over, each with what was open at the end of the period before.
    """

    exempt: AbstractSet[str] = frozenset()
    amounts: Mapping[str, str] = field(default_factory=dict)
    links: tuple[str, ...] = ()
    stocks: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, forms: Iterable[Form]) -> "Knowledge":
        """What follows from how the forms count."""
        forms = tuple(forms)
        named = {f"{form.code}.{c.code}": c.counts for form in forms for c in form.columns}
        exempt = {name for name, counts in named.items() if _is_no_secret(counts)}
        places = {facts: name for name, c in reversed(named.items()) if (facts := _facts(c))}
        return cls(
            exempt=frozenset(exempt),
            amounts=dict(_amounts(named, places)),
            links=tuple(dict.fromkeys(_links(named, places))),
            stocks=tuple(_stocks(places)),
        )


Places = Mapping[frozenset[Fact], str]
"""The first column that counts the cases with all of these facts."""


def _is_no_secret(counts: Counts) -> bool:
    return isinstance(counts, OfUnit) and counts.measure in NO_SECRETS


def _facts(counts: Counts) -> frozenset[Fact] | None:
    """The facts that a case must have, all of them; None of what is counted in another way."""
    if not isinstance(counts, Cases) or len(counts.alternatives) != 1:
        return None
    [conditions] = counts.alternatives
    if not all(each.holds for each in conditions):
        return None
    return frozenset(each.fact for each in conditions)


def _amounts(named: Mapping[str, Counts], places: Places) -> Iterator[tuple[str, str]]:
    for name, counts in named.items():
        if isinstance(counts, OfCases):
            facts = _facts(counts.cases) or frozenset()
            # Only what is concluded has an amount.
            judge = places.get(facts | {Fact.CONCLUDED}) or places.get(facts)
            yield name, judge or ""


def _links(named: Mapping[str, Counts], places: Places) -> Iterator[str]:
    """Columns that count the same cases, and columns of which others count all kinds."""
    for (one, counts), (other, same) in combinations(named.items(), 2):
        if counts == same and isinstance(counts, Cases):
            yield f"{one} = {other}"
    for facts, whole in places.items():
        for kinds in (SIGNED, ARRIVED):
            parts = [places.get(facts | {kind}) for kind in kinds]
            if all(parts) and not facts & set(kinds):
                yield f"{whole} = {' + '.join(part for part in parts if part)}"


def _stocks(places: Places) -> Iterator[tuple[str, str]]:
    for facts, carried in places.items():
        if Fact.CARRIED_OVER in facts:
            open_ = places.get(facts - {Fact.CARRIED_OVER} | {Fact.OPEN})
            if open_ is not None:
                yield carried, open_
