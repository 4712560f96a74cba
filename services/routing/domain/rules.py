"""The versions that a decision is made with."""

from dataclasses import dataclass

from services.routing.domain.calendar import WorkingDays
from services.routing.domain.directory import DirectoryIndex
from shared.contracts.directory import DirectoryPublished
from shared.contracts.envelope import Event
from shared.contracts.rulebook import CalendarPublished, Rulebook, RulebookPublished

RulePublished = Event[DirectoryPublished] | Event[RulebookPublished] | Event[CalendarPublished]


@dataclass(frozen=True, slots=True)
class RulesInForce:
    """The latest directory, rulebook and calendar, each with the version it was published as."""

    directory: DirectoryIndex
    directory_version: int
    rulebook: Rulebook
    rulebook_version: int
    working_days: WorkingDays
    calendar_version: int
