"""Rule files as they were written: YAML, and CSV tables of units, offices, persons and holdings.

Every part of the content knows its file and line. Files are bounded before they are read; a YAML
file may neither repeat itself by aliases nor nest beyond any rule file's shape, since either costs
far more to read than to write.
"""

import csv
from collections.abc import Iterable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import yaml

from deploy.rules.problems import Invalid, Place, shown

MEGABYTE = 1024 * 1024
MOST_BYTES = 10 * MEGABYTE
"""Of all files of one directory together."""
MOST_DEPTH = 20
ENDING = {".yaml", ".yml"}

COLUMNS = {
    "units": "code name name_en level parent territory aliases valid_from valid_to successors",
    "offices": "code title title_en unit rank aliases valid_from valid_to",
    "persons": "code name",
    "holdings": "person office valid_from valid_to",
}
"""Tables by name, and the columns that they may have, in any order."""
LABELS = {"units": "name", "offices": "title"}
SEPARATOR = "|"
"""Between several aliases, or successors; a successor is `code` or `code:category+category`."""


class Content:
    """What the files say together, and where they say it."""

    def __init__(self) -> None:
        self.value: Any = None
        self._file: Path | None = None
        self._node: yaml.Node | None = None
        self._written: dict[str, int] = {}
        self._lines: dict[str, list[tuple[Path, int]]] = {}

    def add_yaml(self, path: Path, text: str) -> None:
        if self._node is not None:
            raise Invalid([f"{path}: {self._file} is there already: one YAML file, and tables"])
        self._file, self._node = path, _node(path, text)
        try:
            self.value = _Loader("").construct_document(self._node) if self._node else None
        except (yaml.YAMLError, ValueError) as error:
            raise Invalid([_yaml_error(path, error)]) from None

    def add_table(self, path: Path, text: str) -> None:
        """After the YAML file: the rows follow what it says of their kind itself."""
        name = path.stem
        if not isinstance(self.value, dict):
            raise Invalid([f"{path}: a table needs a YAML file that says the rest"])
        listed = self.value.get(name) or []
        if not isinstance(listed, list) or name in self._lines:
            raise Invalid([f"{path}: there is a list of {name} already that rows cannot follow"])
        rows = list(_rows(path, text))
        self._written[name] = len(listed)
        self._lines[name] = [(path, line) for line, _ in rows]
        self.value[name] = [*listed, *(row for _, row in rows)]

    def where(self, place: Place) -> str:
        """File and line of a part, or of the nearest part around it."""
        head, *rest = place or ("",)
        number = rest[0] if rest else None
        if isinstance(head, str) and isinstance(number, int) and head in self._lines:
            row = number - self._written[head]
            if row >= 0:
                path, line = self._lines[head][row]
                return f"{path}: line {line}"
        return f"{self._file}: line {_line(self._node, place)}"


def read_content(paths: Iterable[Path]) -> Content:
    """Raises `Invalid`: no such file, too large, not UTF-8, not YAML, not a table."""
    files = [file for path in paths for file in _files(path)]
    content, total = Content(), 0
    for path in sorted(files, key=lambda file: file.suffix not in ENDING):
        try:
            total += path.stat().st_size
            if total > MOST_BYTES:
                raise Invalid([f"{path}: more than {MOST_BYTES // MEGABYTE} MB together"])
            text = path.read_text(encoding="utf-8-sig")
        except OSError as error:
            raise Invalid([f"{path}: {error.strerror}"]) from None
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            raise Invalid([f"{path}: line {line}: not UTF-8; save it as UTF-8"]) from None
        if path.suffix == ".csv":
            content.add_table(path, text)
        else:
            content.add_yaml(path, text)
    return content


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    tables = [path / f"{name}.csv" for name in COLUMNS]
    found = [file for file in sorted(path.iterdir()) if file.suffix in ENDING or file in tables]
    if not found:
        raise Invalid([f"{path}: neither a YAML file nor a table in this folder"])
    return found


class _Loader(yaml.CSafeLoader):
    """libyaml's: it reads a directory of ten megabytes in seconds, not minutes."""


def _node(path: Path, text: str) -> yaml.Node | None:
    depth = 0
    try:
        for event in yaml.parse(text, Loader=_Loader):
            mark = event.start_mark
            place = f"{path}: line {mark.line + 1 if mark else 1}"
            if isinstance(event, yaml.AliasEvent):
                raise Invalid([f"{place}: an alias; write the value out"])
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > MOST_DEPTH:
                raise Invalid([f"{place}: nested more than {MOST_DEPTH} deep"])
        return yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise Invalid([_yaml_error(path, error)]) from None


def _yaml_error(path: Path, error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    place = f"line {mark.line + 1}" if mark else "the file"
    return f"{path}: {place}: {getattr(error, 'problem', None) or 'not YAML'}"


def _line(node: yaml.Node | None, place: Place) -> int:
    """Counted from 1; of the key where the part is a value of a mapping."""
    line = 1
    for step in place:
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == str(step)), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            if step >= len(node.value):
                break
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _rows(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line and content of each row; empty cells are left out."""
    name = path.stem
    if name not in COLUMNS:
        raise Invalid([f"{path}: a table is called {', '.join(f'{n}.csv' for n in COLUMNS)}"])
    allowed = COLUMNS[name].split()
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    wrong: list[str] = []
    before = 1
    header: list[str] | None = None
    try:
        for cells in reader:
            line, before = before, reader.line_num + 1
            if header is None:
                header = [cell.strip() for cell in cells]
                unknown = [column for column in header if column not in allowed]
                if unknown or len(set(header)) < len(header):
                    raise Invalid(
                        [f"{path}: line 1: columns are, each at most once: {' '.join(allowed)}"]
                    )
            elif len(cells) not in (0, len(header)):
                wrong.append(f"{path}: line {line}: {len(cells)} cells under {len(header)} columns")
            elif any(cell.strip() for cell in cells):
                row = {k: v.strip() for k, v in zip(header, cells, strict=True) if v.strip()}
                yield line, _entry(name, row)
    except csv.Error as error:
        raise Invalid([f"{path}: line {reader.line_num}: {error}"]) from None
    if wrong:
        raise Invalid(shown(wrong))


def _entry(name: str, row: dict[str, str]) -> dict[str, Any]:
    entry: dict[str, Any] = dict(row)
    label = LABELS.get(name)
    if label is not None:
        texts = {"vi": entry.pop(label, None), "en": entry.pop(f"{label}_en", None)}
        entry[label] = {language: text for language, text in texts.items() if text is not None}
    if "aliases" in entry:
        entry["aliases"] = _several(row["aliases"])
    if "successors" in entry:
        entry["successors"] = [_successor(written) for written in _several(row["successors"])]
    return entry


def _several(text: str) -> list[str]:
    return [part.strip() for part in text.split(SEPARATOR) if part.strip()]


def _successor(written: str) -> dict[str, Any]:
    unit, _, categories = written.partition(":")
    return {
        "unit": unit.strip(),
        "categories": [c.strip() for c in categories.split("+") if c.strip()],
    }
