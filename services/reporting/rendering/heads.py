"""Headings as the printed form nests them: each with its place and how far it reaches."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from services.reporting.rendering.words import Language, said
from shared.contracts.report import Column

SEPARATOR = ": "
"""Between heading and column in the label of a column that has no path of its own."""


@dataclass(frozen=True, slots=True)
class Head:
    """A heading's cell. `row` and `column` are its first, counted from 0."""

    text: str
    row: int
    column: int
    rows: int = 1
    columns: int = 1

    @property
    def is_leaf(self) -> bool:
        return self.columns == 1

    def stands_over(self, column: int) -> bool:
        return self.column <= column < self.column + self.columns


Path = tuple[str, ...]


def paths(columns: Sequence[Column], language: Language) -> tuple[Path, ...]:
    """Headings of each column, outermost first; the column's own words last.

    A column may carry its path. Of others the label is split, if a neighbour shares the heading.
    """
    labels = [said(column.label, language) for column in columns]
    found = []
    for place, (column, label) in enumerate(zip(columns, labels, strict=True)):
        own_path = column.path
        if own_path:
            found.append(tuple(said(each, language) for each in own_path))
            continue
        heading, separator, own = label.partition(SEPARATOR)
        neighbours = labels[max(place - 1, 0) : place] + labels[place + 1 : place + 2]
        shared = any(other.startswith(heading + SEPARATOR) for other in neighbours)
        found.append((heading, own) if separator and own and shared else (label,))
    return tuple(found)


def nest(found: Sequence[Path], first_column: int = 0) -> tuple[Head, ...]:
    """Neighbours under the same headings share one cell; a short path reaches down to the end."""
    depth = max(map(len, found), default=1)
    return tuple(_nest(found, 0, first_column, depth))


def _nest(found: Sequence[Path], row: int, column: int, depth: int) -> list[Head]:
    heads: list[Head] = []
    for (text, goes_on), group in groupby(found, key=lambda path: (path[0], len(path) > 1)):
        members = list(group)
        if goes_on:
            heads.append(Head(text, row, column, columns=len(members)))
            heads += _nest([path[1:] for path in members], row + 1, column, depth)
        else:
            heads += [
                Head(text, row, column + place, rows=depth - row) for place in range(len(members))
            ]
        column += len(members)
    return heads
