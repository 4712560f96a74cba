"""The settings of all services: as a table, and as sentences about those that are wrong."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

import orjson
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import SettingsError

from deploy.connection import Environment
from services.intake.app import Settings as IntakeSettings
from services.reporting.app import Settings as ReportingSettings
from services.routing.app import Settings as RoutingSettings
from shared.runtime.settings import ServiceSettings

PREFIX = "LANGNGHE_"
SETTINGS: Mapping[str, type[ServiceSettings]] = {
    "intake": IntakeSettings,
    "routing": RoutingSettings,
    "reporting": ReportingSettings,
}
ALIKE = 0.85
"""From here on a name is taken for a misspelt one (1 is the same); LANGNGHE_CORPUS is not."""


def stop_if_wrong(service: str) -> None:
    """Raises `ValidationError`, `SettingsError` or `Misspelt` before anything is connected."""
    known = sorted(_names())
    for name in sorted(os.environ):
        near = get_close_matches(name, known, 1, ALIKE) if name.startswith(PREFIX) else []
        if near and near[0] != name:
            raise Misspelt(f"{name} is no setting: {near[0]} is one.")
    SETTINGS[service]()


class Misspelt(Exception):
    """A variable of the environment is almost the name of a setting."""


def sentences(service: str, error: Exception) -> Sequence[str]:
    """What is wrong, setting by setting, and what it may be; no value is repeated."""
    fields = SETTINGS[service].model_fields
    if isinstance(error, ValidationError):
        return [_sentence(fields, found) for found in error.errors(include_input=False)]
    if isinstance(error, SettingsError):
        [name] = re.findall(r'for field "(\w+)"', str(error))
        return [_must_be(name, fields[name])]
    if isinstance(error, OSError):
        return [f"{PREFIX}KEYS: {error.filename} cannot be read ({error.strerror})."]
    return [str(error)]


def _sentence(fields: Mapping[str, FieldInfo], found: Any) -> str:  # noqa: ANN401 - of pydantic
    said = str(found["ctx"]["error"]) if found["type"] == "value_error" else ""
    if not found["loc"]:  # about several settings at once, which it names
        return f"{said}."
    name = str(found["loc"][0])
    if said:
        return f"{PREFIX}{name.upper()} must be {said}. {_purpose(fields[name])}"
    return _must_be(name, fields[name])


def _must_be(name: str, field: FieldInfo) -> str:
    return f"{PREFIX}{name.upper()} must be {allowed(field)}. {_purpose(field)}"


def _purpose(field: FieldInfo) -> str:
    return field.description or ""


def allowed(field: FieldInfo) -> str:
    """The values that a setting may have, in words."""
    kinds = set(get_args(field.annotation)) - {type(None)} or {field.annotation}
    bounds = {
        key: getattr(m, key) for m in field.metadata for key in ("ge", "le") if hasattr(m, key)
    }
    if int in kinds:
        return f"a whole number from {bounds['ge']:,} to {bounds['le']:,}"
    if date in kinds:
        return "a day such as 2026-12-14"
    if Path in kinds:
        return "a path"
    if str in kinds and field.annotation is not str and str(field.annotation).startswith("frozen"):
        return 'a list as JSON, such as ["operator"]'
    return "a text"


def rows() -> Iterator[str]:
    """A line of a table for each setting: whose, default, values, what it is."""
    yield "| setting | of | default | values | what it is |"
    yield "|---|---|---|---|---|"
    shared = ServiceSettings.model_fields
    for name, field in shared.items():
        yield _row(name, field, "all")
    for service, settings in SETTINGS.items():
        for name, field in settings.model_fields.items():
            if name not in shared:
                yield _row(name, field, service)
    for name, field in Environment.model_fields.items():
        if name not in shared:
            yield _row(name, field, "command")


def _row(name: str, field: FieldInfo, whose: str) -> str:
    cells = (f"`{PREFIX}{name.upper()}`", whose, _default(field), allowed(field), _purpose(field))
    return f"| {' | '.join(cells)} |"


def _default(field: FieldInfo) -> str:
    found = field.default
    if isinstance(found, SecretStr):
        found = found.get_secret_value()
    if isinstance(found, frozenset):
        found = orjson.dumps(sorted(found)).decode()
    return "none" if found is None or found == "" else f"`{found}`"


def _names() -> set[str]:
    models: Sequence[type[BaseModel]] = (*SETTINGS.values(), Environment)
    return {PREFIX + name.upper() for model in models for name in model.model_fields}
