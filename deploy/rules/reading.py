"""A rule file read into its contract, every error with file, line and rule."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from deploy.rules.checks import problems
from deploy.rules.problems import Invalid, shown
from deploy.rules.source import Content, read_content
from services.reporting.domain.forms.rules import slips_in
from shared.contracts import CalendarPublished, DirectoryPublished, RulebookPublished
from shared.contracts.directory import Directory
from shared.contracts.envelope import EventData
from shared.contracts.rulebook import Calendar, Rulebook
from shared.contracts.vocabulary import Value

LEGAL_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")

MOST_UNITS = 200_000


@dataclass(frozen=True, slots=True)
class RuleFile:
    """One kind of rule file: its shape, and the event that publishes it."""

    noun: str
    shape: type[Value]
    contract: type[EventData]


RULE_FILES = {
    f.noun: f
    for f in (
        RuleFile("directory", Directory, DirectoryPublished),
        RuleFile("rulebook", Rulebook, RulebookPublished),
        RuleFile("calendar", Calendar, CalendarPublished),
    )
}


def read_rules(path: Path | Iterable[Path], kind: RuleFile, on: date | None = None) -> Value:
    """The content of a rule file; raises `Invalid` with one line for each thing wrong.

    Forms of a rulebook that could not be filled are wrong here already.

    A directory may be a folder or several files: YAML, with tables of units, offices, persons and
    holdings (CSV). Its bodies and its fallback are asked as of `on`, by default today.
    """
    content = read_content([path] if isinstance(path, Path) else path)
    units = content.value.get("units") if isinstance(content.value, dict) else None
    if kind.shape is Directory and isinstance(units, list) and len(units) > MOST_UNITS:
        raise Invalid([f"{content.where(('units',))}: more than {MOST_UNITS} units"])
    try:
        value = kind.shape.model_validate(content.value)
    except ValidationError as error:
        raise Invalid(
            shown(
                _line(content, e["loc"], e["msg"], e["type"])
                for e in error.errors(include_url=False, include_input=False)
            )
        ) from None
    if isinstance(value, Directory):
        found = problems(value, on or datetime.now(LEGAL_ZONE).date())
        if found:
            raise Invalid(shown(_line(content, p.place, p.text, p.rule) for p in found))
    if isinstance(value, Rulebook) and (slips := list(slips_in(value))):
        lines = (_line(content, s.place, f"{s.what} {s.advice}", s.problem) for s in slips)
        raise Invalid(shown(lines))
    return value


def _line(content: Content, place: tuple[str | int, ...], text: str, rule: str) -> str:
    name = ".".join(map(str, place)) or "the file"
    return f"{content.where(place)}: {name}: {text} [{rule}]"
