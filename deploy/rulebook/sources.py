"""What a rule file says itself that nobody has compared with its source yet.

A comment that bears the mark `[?]` speaks of what stands below it, or on its line; a citation may
say that it is not complete. Both may be published: a person has to have seen them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from deploy.rulebook.document import Document, Finding, Severity, line_of
from shared.contracts.vocabulary import Value

MARK = "[?]"
INCOMPLETE = ("cần bổ sung", MARK)
LEGEND = re.compile(r"#\s{2,}\[\?\]\s{2,}\S")
"""A line that says what the mark means marks nothing."""
TRAILING = re.compile(r"""\s#[^"']*$""")

Place = tuple[str | int, ...]


def source_findings(document: Document[Any]) -> Iterator[Finding]:
    """One for each comment with the mark, and for each citation that wants something."""
    yield from _marked(document)
    for place, citation in _citations(document.content, ()):
        if any(word in citation.casefold() for word in INCOMPLETE):
            yield document.finding(
                Severity.WARNING,
                "citation-incomplete",
                (*place, "citation"),
                what="The citation says itself that something is missing.",
                advice="Name the law or the decision, with its number and its date.",
            )


def _marked(document: Document[Any]) -> Iterator[Finding]:
    lines = document.path.read_text(encoding="utf-8").splitlines()
    parts = list(_parts(document))
    for number, line in enumerate(lines, 1):
        if MARK not in _comment(line) or LEGEND.match(line.strip()):
            continue
        finding = document.finding(
            Severity.WARNING,
            "unverified",
            _about(lines, number, parts),
            what=f"The comment on line {number} marks what stands here as not compared with "
            "its source.",
            advice=f"Compare it, correct it, and take the mark {MARK} out.",
        )
        yield finding


def _comment(line: str) -> str:
    """What is comment in the line, as far as that shows without reading the YAML around it."""
    if line.lstrip().startswith("#"):
        return line
    found = TRAILING.search(line)
    return found.group() if found else ""


@dataclass(frozen=True, slots=True)
class _Part:
    line: int
    place: Place


def _parts(document: Document[Any]) -> Iterator[_Part]:
    """Each section and each entry of one, by the line on which it begins."""
    for section in type(document.content).model_fields:
        if section not in document.content.model_fields_set:
            continue
        yield _Part(line_of(document.node, (section,)), (section,))
        entries = getattr(document.content, section)
        if isinstance(entries, tuple):
            for number in range(len(entries)):
                yield _Part(line_of(document.node, (section, number)), (section, number))


def _about(lines: list[str], number: int, parts: list[_Part]) -> Place:
    """The part that a comment stands above; of one on a line, the part that the line is of."""
    rest = lines[number - 1 :]
    over = sum(1 for _ in takewhile(lambda line: line.lstrip().startswith("#"), rest))
    below = number + over
    before = [part for part in parts if part.line <= below]
    return max(before, key=lambda part: (part.line, len(part.place))).place if before else ()


def _citations(part: object, place: Place) -> Iterator[tuple[Place, str]]:
    """Every citation within, and where it stands."""
    if isinstance(part, Value):
        for name in type(part).model_fields:
            value = getattr(part, name)
            if name == "citation" and isinstance(value, str):
                yield place, value
            else:
                yield from _citations(value, (*place, name))
    elif isinstance(part, tuple):
        for number, entry in enumerate(part):
            yield from _citations(entry, (*place, number))
