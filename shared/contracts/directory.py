"""The directory: units, bodies, offices and who holds them, each with its dates.

Every interval is half-open: `valid_from` is the first day, `valid_to` the first day after it.
"""

from datetime import date
from enum import StrEnum
from typing import ClassVar, Self

from pydantic import Field, model_validator

from shared.contracts.envelope import Code, EventData
from shared.contracts.vocabulary import Channel, Kind, Value

BEGINNING = date(1945, 9, 2)
"""What has no first day of its own counts from here."""


class Dated(Value):
    """In force from `valid_from` up to, not including, `valid_to`; open-ended without one."""

    valid_from: date = BEGINNING
    valid_to: date | None = None

    def in_force(self, on: date) -> bool:
        return self.valid_from <= on and (self.valid_to is None or on < self.valid_to)


class Label(Value):
    """A name as people read it."""

    vi: str
    en: str | None = None


class Successor(Value):
    """Who goes on with what a unit did when it ended.

    One successor: merged, or renamed. Several: split; then each names its `categories`, and one
    without any takes the rest.
    """

    unit: Code
    categories: tuple[Code, ...] = ()


class Unit(Dated):
    """A node of the organisation tree."""

    code: Code
    name: Label
    level: int = Field(ge=1, le=6, description="1: province; greater is further down.")
    parent: Code | None = None
    territory: str | None = Field(default=None, description="Code of the administrative unit.")
    aliases: tuple[str, ...] = Field(default=(), description="Other names that people write.")
    successors: tuple[Successor, ...] = Field(
        default=(), description="From `valid_to` on; none: the parent goes on with everything."
    )


class AgencyChannel(Dated):
    channel: Channel
    address: str


class Agency(Dated):
    """A party that feeds events; its channels are those it shows to the public."""

    code: Code
    unit: Code
    channels: tuple[AgencyChannel, ...] = ()


class OfficeRank(StrEnum):
    HEAD = "head"
    DEPUTY = "deputy"
    MEMBER = "member"


class Office(Dated):
    """A post of a unit, whoever holds it."""

    code: Code
    title: Label
    unit: Code
    rank: OfficeRank
    aliases: tuple[str, ...] = ()
    of_body: Code | None = Field(
        default=None,
        description="The body whose own office this is: it commands that body, never its unit.",
    )


class Person(Value):
    """An office-holder, known here only for the offices held."""

    code: Code
    name: str


class Holding(Dated):
    """A person in an office."""

    person: Code
    office: Code


class Jurisdiction(Value):
    """What a body may look into: matters within `unit`; an empty list means any."""

    unit: Code
    categories: tuple[Code, ...] = ()
    kinds: tuple[Kind, ...] = ()
    ranks: tuple[OfficeRank, ...] = Field(
        default=(), description="Only matters about offices of these ranks; empty: any matter."
    )


class Relation(Dated):
    """Two office-holders are close, as both or one of them declared: family, shared business.

    What concerns one of them, no body may touch in which the other sits.
    """

    persons: tuple[Code, Code]
    declared: str = Field(min_length=1, description="Where it was declared.")


class Recusal(Dated):
    """A body stays away from matters about a unit, an office or a person, at its own wish."""

    body: Code
    unit: Code | None = None
    office: Code | None = None
    person: Code | None = None
    reason: str = Field(min_length=1, description="Citation of the decision.")


class Body(Dated):
    """A supervisory unit: it leads cases. It sits at the level of `unit`."""

    code: Code
    name: Label
    kind: Code = Field(description="`front`, `youth-union`, `committee` …")
    unit: Code
    jurisdictions: tuple[Jurisdiction, ...]
    members: tuple[Code, ...] = Field(default=(), description="Offices that head it or sit in it.")


class SupervisionDecision(Dated):
    """An office is under supervision by decision of a body."""

    office: Code
    body: Code
    decision: str


class Directory(Value):
    """The directory as its operator writes it."""

    title: Label
    units: tuple[Unit, ...]
    agencies: tuple[Agency, ...] = ()
    bodies: tuple[Body, ...]
    offices: tuple[Office, ...] = ()
    persons: tuple[Person, ...] = ()
    holdings: tuple[Holding, ...] = ()
    supervisions: tuple[SupervisionDecision, ...] = ()
    relations: tuple[Relation, ...] = ()
    recusals: tuple[Recusal, ...] = ()
    fallback_body: Code = Field(description="Takes what no other body is competent and clean for.")
    outside_desk: Code = Field(
        default="outside-desk",
        description="Above and outside this directory: takes what concerns every body in it.",
    )

    @model_validator(mode="after")
    def _outside_is_outside(self) -> Self:
        """Nobody in the directory sits in the outside desk, so nothing can ever concern it."""
        if any(body.code == self.outside_desk for body in self.bodies):
            message = "outside_desk is listed among the bodies"
            raise ValueError(message)
        return self


class DirectoryPublished(EventData):
    """A new version of the directory holds; every service keeps its own copy."""

    TYPE: ClassVar[str] = "directory.published.v1"

    version: int = Field(ge=1)
    directory: Directory
