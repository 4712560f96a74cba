"""Says what a table's rows become: which column feeds which field, and how its values read."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from functools import cached_property
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Self, Union, get_args, get_origin
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from deploy.items.tables import folded
from deploy.rules import Invalid
from shared.contracts import (
    DialogueHeld,
    FormSubmitted,
    HotlineCallLogged,
    IngressData,
    LetterRegistered,
    SupervisionRecorded,
)

Contract = type[IngressData]

CONTRACTS: dict[str, Contract] = {
    contract.TYPE: contract
    for contract in (
        LetterRegistered,
        HotlineCallLogged,
        FormSubmitted,
        SupervisionRecorded,
        DialogueHeld,
    )
}
TIME, HELD = "time", "held"
WHO_SPOKE = ("reporter.", "caller")
"""Fields whose columns may not name a row: its id would be a hash of a name or a number."""

DATES = (
    *("%d/%m/%Y", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S"),
    *("%d-%m-%Y", "%d-%m-%Y %H:%M", "%d.%m.%Y", "%d.%m.%Y %H:%M"),
)
"""Day first, as in Vietnam; what RFC 3339 writes is read besides."""

Scalar = str | int | bool | None
Columns = Annotated[tuple[str, ...], Field(min_length=1, max_length=10)]


class Mapping(BaseModel):
    """A mapping file. Headings and values are compared whatever their case, form and spaces."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    type: Literal[
        "letter.registered.v1",
        "hotline-call.logged.v1",
        "form.submitted.v1",
        "supervision.recorded.v1",
        "dialogue.held.v1",
    ] = Field(description="What a row becomes.")
    fields: dict[str, Columns | str] = Field(
        min_length=1,
        description="By field (`reporter.name`; `time` is when it happened): its column, or "
        "several, whose texts are joined by a space.",
    )
    constants: dict[str, Scalar] = Field(
        default={}, description="By field: what holds where no cell says it."
    )
    values: dict[str, dict[str, Scalar]] = Field(
        default={}, description="By field: what stands there, and what it means; null: nothing."
    )
    dates: tuple[str, ...] = Field(
        default=DATES, description="How dates are written (strftime), the first that fits."
    )
    zone: str = Field(default="Asia/Ho_Chi_Minh", description="Of times that name none.")
    key: tuple[str, ...] = Field(
        default=(), description="Columns that name a row for ever; the whole row if none."
    )
    sheet: str | None = Field(default=None, description="Of an XLSX; else the first.")
    encoding: str | None = Field(default=None, description="Of a CSV; else it is found out.")
    delimiter: Literal[",", ";", "\t"] | None = Field(default=None, description="Of a CSV.")

    @cached_property
    def contract(self) -> Contract:
        return CONTRACTS[self.type]

    @cached_property
    def tzinfo(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @cached_property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """By field: its columns."""
        return {f: (c,) if isinstance(c, str) else c for f, c in self.fields.items()}

    @cached_property
    def meanings(self) -> dict[str, dict[str, Scalar]]:
        """By field and folded value: what it means."""
        return {
            field: {folded(written): meant for written, meant in table.items()}
            for field, table in self.values.items()
        }

    @model_validator(mode="after")
    def _names_what_there_is(self) -> Self:
        for field in (*self.fields, *self.constants, *self.values):
            if field != TIME and shape_of(self.contract, field) is None:
                raise ValueError(f"{self.type} has no field {field!r} that a cell could feed")
        if not {TIME, HELD} & (self.fields.keys() | self.constants.keys()):
            raise ValueError("no column feeds `time`: when it happened")
        try:
            _ = self.tzinfo
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"{self.zone!r} is no time zone") from None
        named = {folded(column) for column in self.key}
        for field, columns in self.columns.items():
            if field.startswith(WHO_SPOKE) and named & {folded(c) for c in columns}:
                raise ValueError(
                    f"`key` may not hold who spoke ({field}): ids are seen. "
                    "Leave `key` out, and the whole row names it"
                )
        return self


def read_mapping(path: Path) -> Mapping:
    """A mapping file; raises `Invalid` with one line for each thing wrong."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}" if mark else "the file"
        raise Invalid([f"{path}: {place}: not YAML in UTF-8"]) from None
    try:
        return Mapping.model_validate(content)
    except ValidationError as error:
        raise Invalid(
            [
                f"{path}: {'.'.join(map(str, e['loc'])) or 'the file'}: {e['msg']}"
                for e in error.errors()
            ]
        ) from None


def shape_of(contract: type[BaseModel], field: str) -> type | None:
    """str, int, bool, date or datetime: what a dotted field holds; None if no cell can feed it."""
    name, _, rest = field.partition(".")
    found = contract.model_fields.get(name)
    plain = _plain(found.annotation) if found else None
    if not isinstance(plain, type):
        return None
    if issubclass(plain, BaseModel):
        return shape_of(plain, rest) if rest else None
    if rest:
        return None
    if plain is AwareDatetime or issubclass(plain, datetime):
        return datetime
    if issubclass(plain, Enum):
        return str
    return next((s for s in (bool, int, str, date) if issubclass(plain, s)), None)


def _plain(annotation: Any) -> Any:  # noqa: ANN401 - whatever stands in a contract
    """An annotation without its bounds, and without None."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        [inner, *others] = [a for a in get_args(annotation) if a is not type(None)]
        return None if others else _plain(inner)
    return annotation


@dataclass(frozen=True, slots=True)
class Bound:
    """A mapping together with the places of its columns in one table."""

    mapping: Mapping
    headings: tuple[str, ...]
    places: dict[str, int]
    """By folded heading, the first of its name."""

    def at(self, column: str) -> int:
        return self.places[folded(column)]


def places_of(headings: Iterable[str]) -> dict[str, int]:
    places: dict[str, int] = {}
    for place, heading in enumerate(headings):
        if heading:
            places.setdefault(folded(heading), place)
    return places


def missing(mapping: Mapping, places: dict[str, int]) -> list[str]:
    """The columns that a mapping needs and a row of headings does not have."""
    needed = dict.fromkeys((*(c for cs in mapping.columns.values() for c in cs), *mapping.key))
    return [column for column in needed if folded(column) not in places]
