"""Cross-footing identities, written as the statutory forms write them: `9 = 11 + 12 + 13`.

    identity = sum (relation sum)+     relation = "=" | "<="     sum = column ("+" column)*

Words stand apart by spaces. A column is named by its code, also where the code is a number.
A chain holds when each pair of neighbours does: `a <= b = c` is `a <= b` and `b = c`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from operator import eq, le

RELATIONS = {"=": eq, "<=": le}


class NotAnIdentity(ValueError):
    """The text does not follow the grammar."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A chain of sums; `text` is how people read it."""

    text: str
    sums: tuple[tuple[str, ...], ...]
    relations: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Identity":
        words = text.split()
        # Columns and signs take turns; a missing word would shift the turn and be noticed here.
        columns, signs = words[::2], words[1::2]
        if len(columns) != len(signs) + 1:
            raise NotAnIdentity(f"ends early: {text!r}")
        sums: list[list[str]] = [[]]
        relations = []
        for column, sign in zip(columns, [*signs, ""], strict=True):
            if column == "+" or column in RELATIONS:
                raise NotAnIdentity(f"a column is missing before {column!r}: {text!r}")
            sums[-1].append(column)
            if sign in RELATIONS:
                relations.append(sign)
                sums.append([])
            elif sign not in {"+", ""}:
                raise NotAnIdentity(f"no sign of an identity: {sign!r}: {text!r}")
        if not relations:
            raise NotAnIdentity(f"relates nothing: {text!r}")
        return cls(text, tuple(map(tuple, sums)), tuple(relations))

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that it names, in order, each once."""
        return tuple(dict.fromkeys(column for each in self.sums for column in each))

    def holds(self, figures: Mapping[str, int]) -> bool:
        values = [sum(figures[column] for column in each) for each in self.sums]
        return all(
            RELATIONS[relation](left, right)
            for relation, (left, right) in zip(self.relations, pairwise(values), strict=True)
        )
