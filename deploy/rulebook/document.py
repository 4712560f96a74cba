"""A rule file that still knows on which line each of its parts stands."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from shared.contracts.vocabulary import Value

Shape = TypeVar("Shape", bound=Value)

MERGE = "<<"
"""YAML's own key: takes over what stands elsewhere in the file, where it is looked at."""


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to mend in a file. `rule` is the code of the rule it is about, if of one."""

    file: str
    line: int
    """As an editor counts: the first is 1."""
    severity: Severity
    problem: str
    """What is wrong, as a code, e.g. `never-fires`."""
    rule: str
    what: str
    advice: str

    def __str__(self) -> str:
        about = f" {self.rule}:" if self.rule else ""
        return (
            f"{self.file}:{self.line}: {self.severity}: {self.problem}:{about} "
            f"{self.what} {self.advice}"
        )


@dataclass(frozen=True, slots=True)
class Document(Generic[Shape]):
    """A file that fits its shape."""

    path: Path
    node: yaml.Node | None
    content: Shape

    def finding(
        self,
        severity: Severity,
        problem: str,
        place: tuple[str | int, ...],
        *,
        what: str,
        advice: str,
    ) -> Finding:
        """About the part at `place`, e.g. `("clocks", 2)`; a rule's code is looked up there."""
        part: Any = self.content
        for step in place[:2]:
            part = part[step] if isinstance(step, int) else getattr(part, step, None)
        code = getattr(part, "code", "")
        return Finding(
            str(self.path), line_of(self.node, place), severity, problem, code, what, advice
        )


def read_document(path: Path, shape: type[Shape]) -> Document[Shape] | list[Finding]:
    """The file, or what keeps it from being read; never quotes what stands there."""
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, yaml.SafeLoader)
        content = yaml.safe_load(text)
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "it cannot be read as text"
        line = mark.line + 1 if mark else 1
        return [_broken(path, line, "not-yaml", f"This is no YAML: {problem}.")]
    try:
        return Document(path, node, shape.model_validate(content))
    except ValidationError as error:
        return [
            _broken(
                path,
                line_of(node, detail["loc"]),
                "broken-contract",
                f"{'.'.join(map(str, detail['loc'])) or 'The file'}: {detail['msg']}.",
            )
            for detail in error.errors(include_url=False, include_input=False)
        ]


def line_of(node: yaml.Node | None, place: tuple[str | int, ...]) -> int:
    """The line of the part at `place`, or of what is nearest around it."""
    line = 1
    for step in place:
        found: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            pairs = ((key, value) for key, value in node.value if key.value == step)
            key, found = next(pairs, (None, None))
            line = key.start_mark.line + 1 if key is not None else line
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            found = node.value[step] if step < len(node.value) else None
            line = found.start_mark.line + 1 if found is not None else line
        if found is None:
            return line
        node = found
    return line


def unknown_fields(document: Document[Any]) -> list[Finding]:
    """Fields that the shape passes over: a slip in a name would lose a rule's end unseen."""
    found: list[Finding] = []
    _compare(document, document.node, document.content, (), found)
    return found


def _compare(
    document: Document[Any],
    node: yaml.Node | None,
    part: object,
    place: tuple[str | int, ...],
    found: list[Finding],
) -> None:
    if isinstance(node, yaml.MappingNode) and isinstance(part, BaseModel):
        for key, value in node.value:
            here = (*place, key.value)
            if key.value == MERGE:
                continue
            if key.value in type(part).model_fields:
                _compare(document, value, getattr(part, key.value), here, found)
            else:
                found.append(
                    document.finding(
                        Severity.ERROR,
                        "unknown-field",
                        here,
                        what=f"Nothing reads the field {key.value!r}.",
                        advice="Correct its name, or leave it out.",
                    )
                )
    elif isinstance(node, yaml.SequenceNode) and isinstance(part, tuple):
        for number, (child, item) in enumerate(zip(node.value, part, strict=True)):
            _compare(document, child, item, (*place, number), found)


def _broken(path: Path, line: int, problem: str, what: str) -> Finding:
    advice = "Correct the file; nothing else was looked at."
    return Finding(str(path), line, Severity.ERROR, problem, "", what, advice)
