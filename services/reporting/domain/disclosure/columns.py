"""Columns as a forest: which columns are the parts of which, and what is shown together.

A *partition* says that a column is the sum of its parts. `x <= y` is one as well: y is x and a
rest that nobody prints. Columns that count the same are one column. As long as each column is a
part of one other at most, what can be worked out of a row is what the partitions say, and no more.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from services.reporting.domain.disclosure.knowledge import Knowledge
from services.reporting.domain.forms.identity import Identity

Parts = frozenset[str]
Partition = tuple[int, tuple[int, ...]]
"""A column and its parts, by their places."""


class NotAForest(ValueError):
    """The forms tie a column to others in two ways at once, so that nobody can say what is safe."""


@dataclass(frozen=True, slots=True)
class Step:
    """Columns that a row shows all or none of. A row that shows them shows `parent` as well.

    `above` is the place of the step that has `parent`; both are None at a root.
    """

    columns: tuple[int, ...]
    parent: int | None = None
    above: int | None = None


@dataclass(frozen=True)
class Forest:
    """Columns are places in `names`; each row of `sums` says how it is made of printed ones.

    `place` has where a printed column stands, which others may share; exempt ones are not in it.
    `together` are partitions that a row shows whenever it shows the whole; `amounts` are columns
    by those that count their cases.
    """

    printed: tuple[str, ...]
    names: tuple[str, ...]
    place: dict[str, int]
    sums: npt.NDArray[np.int64]
    partitions: tuple[Partition, ...]
    together: frozenset[Partition]
    amounts: dict[int, tuple[int, ...]]
    stocks: tuple[tuple[int, int], ...]

    @classmethod
    def of(
        cls, printed: Sequence[str], identities: Iterable[Identity], knowledge: Knowledge
    ) -> "Forest":
        """Identities name columns in full; those with a column that is not printed say nothing.

        Raises `NotAForest`.
        """
        growing = _Growing(printed, knowledge)
        links = [Identity.parse(text) for text in knowledge.links]
        growing.take([each for each in (*identities, *links) if set(each.columns) <= {*printed}])
        return growing.grown()

    def chained(self, weights: Sequence[float]) -> "Forest":
        """The same with partitions of two parts only: the part of most weight, and all others.

        The others are a column that nobody prints, and the whole of the next two. So a row can
        show its great parts although the small ones are hidden.
        """
        partitions: list[Partition] = []
        names, sums = list(self.names), list(self.sums)
        for whole, parts in self.partitions:
            over, left = whole, sorted(parts, key=lambda part: (-weights[part], part))
            while len(left) > 2:  # noqa: PLR2004 - the last two are each other's rest
                first, *left = left
                partitions.append((over, (first, len(names))))
                over = len(names)
                names.append(" + ".join(self.names[part] for part in left))
                sums.append(np.sum([self.sums[part] for part in left], axis=0))
            partitions.append((over, tuple(sorted(left))))
        made = np.array(sums, dtype=np.int64).reshape(-1, len(self.printed))
        return replace(self, names=tuple(names), sums=made, partitions=tuple(partitions))

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Every step after the one above it."""
        parts = {part for _, each in self.partitions for part in each}
        parts |= {amount for each in self.amounts.values() for amount in each}
        roots = [number for number in range(len(self.names)) if number not in parts]
        todo: list[tuple[tuple[int, ...], int | None, int | None]]
        todo = [((root,), None, None) for root in roots]
        steps: list[Step] = []
        while todo:
            first, parent, above = todo.pop(0)
            columns = list(first)
            for column in columns:  # grows while it is walked
                for partition in self.partitions:
                    if partition[0] == column and partition in self.together:
                        columns += partition[1]
                    elif partition[0] == column:
                        todo.append((partition[1], column, len(steps)))
                todo += [((amount,), column, len(steps)) for amount in self.amounts.get(column, ())]
            steps.append(Step(tuple(columns), parent, above))
        return tuple(steps)


class _Growing:
    def __init__(self, printed: Sequence[str], knowledge: Knowledge) -> None:
        self.printed, self.knowledge = tuple(printed), knowledge
        secret = [name for name in printed if name not in knowledge.exempt]
        self.same = {name: name for name in secret}
        self.made: dict[str, Counter[str]] = {name: Counter({name: 1}) for name in secret}
        self.partitions: list[tuple[str, Parts]] = []
        self.together: set[tuple[str, Parts]] = set()

    def one(self, name: str) -> str:
        while self.same[name] != name:
            name = self.same[name]
        return name

    def take(self, identities: Iterable[Identity]) -> None:
        bounds = []
        for identity in identities:
            exempt = self.knowledge.exempt & set(identity.columns)
            if exempt == set(identity.columns):
                continue
            if exempt:
                raise NotAForest(f"{identity.text!r} ties {min(exempt)}, which is never withheld")
            if any(len(set(each)) < len(each) for each in identity.sums):
                raise NotAForest(f"{identity.text!r} adds a column twice")
            for relation, (left, right) in zip(
                identity.relations, pairwise(identity.sums), strict=True
            ):
                if relation == "=":
                    self._equal(left, right)
                else:
                    bounds.append((left, right))
        self._settle()
        for left, right in bounds:
            self._at_most(left, right)
        self._settle()
        for pair in self.knowledge.stocks:
            for stock in pair:
                self._keep_together(stock)

    def _equal(self, left: tuple[str, ...], right: tuple[str, ...]) -> None:
        if len(left) == len(right) == 1:
            self._unite(left[0], right[0])
        else:
            whole = left[0] if len(left) == 1 else right[0] if len(right) == 1 else ""
            whole = whole or self._make(" + ".join(left), left)
            for parts in (left, right):
                if parts != (whole,):
                    self.partitions.append((whole, frozenset(parts)))

    def _at_most(self, left: tuple[str, ...], right: tuple[str, ...]) -> None:
        less, more = (self.one(self._whole(each)) for each in (left, right))
        if less != more and more not in self._line(less):
            rest = self._make(f"{more} - {less}", (more,), (less,))
            self.partitions.append((more, frozenset({less, rest})))

    def _whole(self, parts: tuple[str, ...]) -> str:
        """The column that is the sum of these."""
        if len(parts) == 1:
            return parts[0]
        ones = frozenset(map(self.one, parts))
        for whole, known in self.partitions:
            if known == ones:
                return whole
        whole = self._make(" + ".join(parts), parts)
        self.partitions.append((whole, ones))
        return whole

    def _make(self, name: str, plus: Iterable[str], minus: Iterable[str] = ()) -> str:
        made: Counter[str] = Counter()
        for each in plus:
            made.update(self.made[each])
        for each in minus:
            made.subtract(self.made[each])
        self.same.setdefault(name, name)
        self.made[name] = made
        return name

    def _unite(self, one: str, other: str) -> None:
        # A printed name, the first of them, stands for all.
        first, last = sorted((self.one(one), self.one(other)), key=self._order)
        self.same[last] = first

    def _order(self, name: str) -> tuple[bool, int, str]:
        known = name in self.printed
        return (not known, self.printed.index(name) if known else 0, name)

    def _settle(self) -> None:
        """Put a whole for its parts wherever all of them stand, until each says it once."""
        while True:
            before = self.partitions
            ones = {(self.one(w), frozenset(map(self.one, p))) for w, p in before}
            self.partitions = sorted(ones, key=lambda each: (each[0], sorted(each[1])))
            for whole, parts in self.partitions:
                if len(parts) == 1:
                    self._unite(whole, *parts)
                for other, fewer in self.partitions:
                    if parts == fewer:
                        self._unite(whole, other)
                    elif fewer < parts and other not in parts:
                        self.partitions.remove((whole, parts))
                        self.partitions.append((whole, parts - fewer | {other}))
                        break
                else:
                    continue
                break
            ones = {(w, p) for w, p in self.partitions if len(p) > 1 or self.one(w) not in p}
            if {(self.one(w), frozenset(map(self.one, p))) for w, p in ones} == {*before}:
                return

    def _line(self, name: str) -> list[str]:
        """The column and all that it is a part of."""
        line = [name]
        while above := [w for w, parts in self.partitions if line[-1] in parts]:
            if len(above) > 1 or above[0] in line:
                raise NotAForest(f"{line[-1]} is a part of {' and of '.join(sorted(above))}")
            line += above
        return line

    def _keep_together(self, stock: str) -> None:
        """Part a stock from all else of its sum: who knows the stock knows the other as well."""
        if stock not in self.same:
            return
        stock = self.one(stock)
        for whole, parts in list(self.partitions):
            if stock in parts:
                others = parts - {stock}
                rest = self._whole(tuple(sorted(others, key=self._order)))
                self.partitions.remove((whole, parts))
                self.partitions.append((whole, frozenset({stock, rest})))
                self.together.add((whole, frozenset({stock, rest})))

    def grown(self) -> Forest:
        names = sorted({self.one(name) for name in self.same}, key=self._order)
        for name in names:
            self._line(name)
        place = {name: number for number, name in enumerate(names)}
        index = {name: number for number, name in enumerate(self.printed)}
        sums = np.zeros((len(names), len(self.printed)), dtype=np.int64)
        for name in names:
            for part, factor in self.made[name].items():
                sums[place[name], index[part]] = factor

        def partition(each: tuple[str, Parts]) -> Partition:
            return place[each[0]], tuple(sorted(place[part] for part in each[1]))

        return Forest(
            printed=self.printed,
            names=tuple(names),
            place={name: place[self.one(name)] for name in self.printed if name in self.same},
            sums=sums,
            partitions=tuple(partition(each) for each in self.partitions),
            together=frozenset(partition(each) for each in self.together),
            amounts=self._amounts(place),
            stocks=tuple(
                (place[self.one(carried)], place[self.one(left)])
                for carried, left in self.knowledge.stocks
                if carried in self.same and left in self.same
            ),
        )

    def _amounts(self, place: dict[str, int]) -> dict[int, tuple[int, ...]]:
        found: dict[int, tuple[int, ...]] = {}
        for amount, judge in self.knowledge.amounts.items():
            if amount in self.same:
                if judge not in self.same:
                    raise NotAForest(f"no column counts the cases of {amount}")
                at = place[self.one(judge)]
                found[at] = (*found.get(at, ()), place[self.one(amount)])
        return found
