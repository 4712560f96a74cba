"""What follows from equations between figures of which some are unknown.

First what equations with one unknown give, again and again; then, for what is tied together still,
between which figures each unknown lies, by linear programs.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np

from services.reporting.domain.disclosure.program import TOLERANCE, Program
from services.reporting.domain.disclosure.tables import Contradiction

Terms = Sequence[tuple[int, Hashable]]
"""Signs and the cells that they stand before; together they are 0."""

Name = TypeVar("Name", bound=Hashable)

LOOKS = 12
"""Solutions of the whole that are looked at, before cell by cell."""


class Equations:
    """`known` has a figure for a cell that is published; what follows is added to it."""

    def __init__(self, known: dict[Hashable, int], equations: Iterable[Terms]) -> None:
        self.known = known
        self._equations = [tuple(each) for each in equations]
        self._of: dict[Hashable, list[int]] = {}
        for number, terms in enumerate(self._equations):
            for _, cell in terms:
                if cell not in known:
                    self._of.setdefault(cell, []).append(number)

    def follow(self) -> None:
        """Raises `Contradiction` where the figures do not add up."""
        todo = list(range(len(self._equations)))
        while todo:
            for cell, figure in self._solved(self._equations[todo.pop()]):
                if figure < 0:
                    raise Contradiction("published figures do not add up")
                self.known[cell] = figure
                todo += self._of.pop(cell, ())

    def _solved(self, terms: Terms) -> list[tuple[Hashable, int]]:
        known = self.known
        unknown = [each for each in terms if each[1] not in known]
        if len(unknown) > 1 and len({sign for sign, _ in unknown}) > 1:
            return []
        rest = sum(sign * known[cell] for sign, cell in terms if cell in known)
        if not unknown:
            if rest:
                raise Contradiction("published figures do not add up")
            return []
        if len(unknown) == 1:
            [(sign, cell)] = unknown
            return [(cell, -rest * sign)]
        if rest * unknown[0][0] > 0:
            raise Contradiction("published figures do not add up")
        return [(cell, 0) for _, cell in unknown] if rest == 0 else []

    def ranges(self, wide: int) -> Iterator[tuple[Hashable, int, int]]:
        """Every unknown cell that cannot be anything of at least so wide a range, and its range.

        Raises `NoSolution` where the figures contradict one another.
        """
        for numbers in self._tied():
            yield from self._narrow([self._equations[n] for n in numbers], wide)

    def _tied(self) -> list[list[int]]:
        """Equations in groups that share no unknown."""
        groups, seen = [], set()
        for start in list(self._of):
            if start in seen:
                continue
            seen.add(start)
            group, todo = set(), [start]
            while todo:
                for number in self._of[todo.pop()]:
                    if number not in group:
                        group.add(number)
                        cells = {c for _, c in self._equations[number] if c not in self.known}
                        todo += sorted(cells - seen, key=repr)
                        seen |= cells
            groups.append(sorted(group))
        return groups

    def _narrow(self, equations: Sequence[Terms], wide: int) -> Iterator[tuple[Hashable, int, int]]:
        place: dict[Hashable, int] = {}
        lines, right = [], []
        for terms in equations:
            places, signs, rest = [], [], 0
            for sign, cell in terms:
                if cell in self.known:
                    rest += sign * self.known[cell]
                else:
                    places.append(place.setdefault(cell, len(place)))
                    signs.append(sign)
            lines.append((places, signs))
            right.append(-rest)
        yield from ranges_of(lines, right, place, wide)


Lines = Sequence[tuple[Sequence[int], Sequence[int]]]


def ranges_of(
    lines: Lines, right: Sequence[int], place: Mapping[Name, int], wide: int
) -> Iterator[tuple[Name, int, int]]:
    """The names of unknowns whose range is narrower, and the range."""
    # Nothing need be greater than all that is known together; so no range ends by this alone.
    most = sum(map(abs, right)) + 2.0 * wide
    low, high = _ranges(Program(len(place), lines, right, most), len(place), wide)
    for name, number in place.items():
        if high[number] - low[number] < wide:
            yield name, int(low[number]), int(high[number])


def _ranges(program: Program, count: int, wide: int) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest whole figures that were seen; exact where that is narrow."""
    low, high = np.full(count, np.inf), np.full(count, -np.inf)

    def look(cost: np.ndarray) -> None:
        found = program.least(cost)
        np.minimum(low, np.ceil(found - TOLERANCE), out=low)
        np.maximum(high, np.floor(found + TOLERANCE), out=high)

    places = np.arange(count, dtype=np.int64)
    for turn in range(LOOKS):
        if not (high - low < wide).any():
            break
        # Any costs do; these are the same each time, and set neighbours against one another.
        look(((places * 7919 + turn * 104729) % 1009 / 504 - 1) * (high - low < wide))
    for number in places:
        for sign in (-1.0, 1.0):
            if high[number] - low[number] < wide:
                cost = np.zeros(count)
                cost[number] = sign
                look(cost)
    return low, high
