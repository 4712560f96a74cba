"""A difference, in words."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference: which invariant it breaks, what it is about, and what is wrong."""

    invariant: str
    about: str
    wrong: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.about} {self.wrong}"
