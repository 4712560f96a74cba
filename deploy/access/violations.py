"""Reads from the server's log who tried what was not allowed: each line is a security event."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_LINE = re.compile(
    r'.* - "(?P<account>[^"/ ]+)/[^" ]*"'
    r' - (?P<verb>Publish|Subscription) Violation - (?:Subject|Reply) "(?P<subject>\S*)"'
    r'(?:, Queue: "\S*")?(?:, SID \S+)?'
)
"""The last words of a line: a client gives itself the name that stands further in front."""


@dataclass(frozen=True, slots=True)
class Violation:
    """`account` is the one that the server itself knew the connection by."""

    account: str
    verb: str
    subject: str


def violations(lines: Iterable[str]) -> Iterator[Violation]:
    """Every refused publish and subscription, in the order of the log."""
    for line in lines:
        if found := _LINE.fullmatch(line.rstrip()):
            yield Violation(found["account"], found["verb"].lower(), found["subject"])
