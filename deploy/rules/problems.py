"""What is wrong with a rule file, and where it was written."""

from collections.abc import Iterable
from dataclasses import dataclass

MOST_SHOWN = 100
"""Lines; a table with its columns exchanged would show one for each row."""

Place = tuple[str | int, ...]
"""Steps into the content: `("units", 3, "parent")`."""


class Invalid(Exception):
    """The file cannot be published; `lines` say what is wrong, each with its place."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


@dataclass(frozen=True, slots=True)
class Problem:
    """A broken rule. `rule` is its name, `text` what to mend; neither quotes a person's name."""

    place: Place
    rule: str
    text: str


def shown(lines: Iterable[str]) -> list[str]:
    """The first lines, and how many more there are."""
    every = list(lines)
    more = len(every) - MOST_SHOWN
    return [*every[:MOST_SHOWN], f"… and {more} more"] if more > 0 else every
