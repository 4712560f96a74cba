"""What follows from equations between figures of which some are unknown.

First what equations with one unknown give, again and again; then, for what is tied together still,
between which figures each unknown lies, by linear programs.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from services.reporting.domain.disclosure.program import TOLERANCE, Program, Reals
from services.reporting.domain.disclosure.tables import Contradiction

Name = TypeVar("Name", bound=Hashable)

LOOKS = 12
"""Solutions of the whole that are looked at, before cell by cell."""


class Equations(Generic[Name]):
    """`known` has a figure for a cell that is published; what follows is added to it.

    An equation has signs, and the cells that they stand before; together they are 0.
    """

    def __init__(
        self, known: dict[Name, int], equations: Iterable[Sequence[tuple[int, Name]]]
    ) -> None:
        self.known = known
        self._equations = [tuple(each) for each in equations]
        self._of: dict[Name, list[int]] = {}
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

    def _solved(self, terms: Sequence[tuple[int, Name]]) -> list[tuple[Name, int]]:
        known = self.known
        unknown = [each for each in terms if each[1] not in known]
        if len(unknown) > 1 and len({sign for sign, _ in unknown}) > 1:
            return []
        rest = sum(sign * known[cell] for sign, cell in terms if cell in known)
        if len(unknown) == 1:
            [(sign, cell)] = unknown
            return [(cell, -rest * sign)]
        if (rest and not unknown) or (unknown and rest * unknown[0][0] > 0):
            raise Contradiction("published figures do not add up")
        return [(cell, 0) for _, cell in unknown] if rest == 0 else []

    def ranges(self, wide: int) -> Iterator[tuple[Name, int, int]]:
        """Every unknown cell that cannot be anything of at least so wide a range, and its range.

        Raises `NoSolution` where the figures contradict one another.
        """
        for numbers in self._tied():
            system: System[Name] = System()
            for number in numbers:
                terms = self._equations[number]
                unknown = [each for each in terms if each[1] not in self.known]
                known = [s * self.known[cell] for s, cell in terms if cell in self.known]
                system.add(unknown, sum(known))
            yield from system.narrow(wide)

    def _tied(self) -> Iterator[list[int]]:
        """Equations in groups that share no unknown."""
        seen: set[Name] = set()
        for start in self._of:
            group: set[int] = set()
            todo = [] if start in seen else [start]
            while todo:
                cell = todo.pop()
                seen.add(cell)
                for number in {*self._of[cell]} - group:
                    group.add(number)
                    cells = [each for _, each in self._equations[number]]
                    todo += [each for each in cells if each in self._of and each not in seen]
            if group:
                yield sorted(group)


@dataclass(slots=True)
class System(Generic[Name]):
    """Equations of which all cells are unknown."""

    place: dict[Name, int] = field(default_factory=dict)
    lines: list[tuple[list[int], list[int]]] = field(default_factory=list)
    right: list[int] = field(default_factory=list)

    def add(self, terms: Sequence[tuple[int, Name]], known: int) -> None:
        """The terms and what is known add up to 0."""
        if terms:
            places = [self.place.setdefault(cell, len(self.place)) for _, cell in terms]
            self.lines.append((places, [sign for sign, _ in terms]))
            self.right.append(-known)

    def narrow(
        self, wide: int, wanted: Callable[[Name], bool] = lambda _: True
    ) -> Iterator[tuple[Name, int, int]]:
        """The wanted cells whose range is narrower, and the range."""
        # Nothing need be greater than all that is known together; so no range ends by this alone.
        most = sum(map(abs, self.right)) + 2.0 * wide
        program = Program(len(self.place), self.lines, self.right, most)
        want = np.array([wanted(cell) for cell in self.place], dtype=bool)
        low, high = _ranges(program, want, wide)
        for cell, number in self.place.items():
            if want[number] and high[number] - low[number] < wide:
                yield cell, int(low[number]), int(high[number])


def _ranges(program: Program, want: npt.NDArray[np.bool_], wide: int) -> tuple[Reals, Reals]:
    """Least and greatest whole figures that were seen; exact where that is narrow."""
    count = len(want)
    low, high = np.full(count, np.inf), np.full(count, -np.inf)

    def look(cost: Reals) -> None:
        found = program.least(cost)
        np.minimum(low, np.ceil(found - TOLERANCE), out=low)
        np.maximum(high, np.floor(found + TOLERANCE), out=high)

    places = np.arange(count, dtype=np.int64)
    for turn in range(LOOKS):
        if not (want & (high - low < wide)).any():
            break
        # Any costs do; these are the same each time, and set neighbours against one another.
        look(((places * 7919 + turn * 104729) % 1009 / 504 - 1) * (want & (high - low < wide)))
    for number in np.flatnonzero(want):
        for sign in (-1.0, 1.0):
            if high[number] - low[number] < wide:
                cost = np.zeros(count)
                cost[number] = sign
                look(cost)
    return low, high
