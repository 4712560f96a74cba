"""A case as it stands: assigned → accepted → concluded, and again where it is reopened.

What bodies order is decided in `orders`, what time and new rules do in `due`.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from services.routing.domain.clocks import Clock
from services.routing.domain.command import Sending
from services.routing.domain.matter import Matter
from shared.contracts.case import Basis, CaseDeclined, Ground
from shared.contracts.envelope import AnyEvent
from shared.contracts.vocabulary import Kind, Unseals

CONCLUSION = "concluded"
"""What a clock rule names as its stop where the answer stops it."""


class Stage(StrEnum):
    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    CONCLUDED = "concluded"


@dataclass(frozen=True, slots=True)
class Grounds:
    """Why these bodies hold it, as their assignment said."""

    basis: Basis = Basis.SAME_LEVEL
    rule: str = ""
    citation: str = ""
    within_competence: bool = True


@dataclass(frozen=True, slots=True)
class GoesOn:
    """The exception of law for which a withdrawn case has to be settled all the same."""

    exception: str
    citation: str


@dataclass(frozen=True, slots=True)
class Weighed:
    """The rules by which its bodies were last found competent and clean."""

    directory: int = 0
    rulebook: int = 0
    until: date | None = None
    """The local day on which these very versions may say otherwise; None if they never do."""


class Unsealed(StrEnum):
    """How far an asking to see what is sealed has come."""

    ASKED = "asked"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    LAPSED = "lapsed"
    SHOWN = "shown"
    """To the one who asked, once. Of an identity intake knows it, not the case."""


@dataclass(frozen=True, slots=True)
class Unsealing:
    """One person's asking, and what a second person said to it."""

    number: int
    unseals: Unseals
    ground: str
    citation: str
    """The decision by which it was asked, as the body gave it."""
    body: str
    person: str
    about: Matter
    """What the case was about when it was asked: of what it is about later nobody agreed."""
    until: date
    """Last local day on which the second person may agree; once one did, on which it is read."""
    standing: Unsealed = Unsealed.ASKED


@dataclass(frozen=True, slots=True)
class CaseState:
    """A case as the next command finds it. `version` is that of its last event."""

    case: str
    affair: str
    """The correlation id of every event of the case."""
    lead: str
    stage: Stage
    version: int
    received: datetime
    matter: Matter
    accepted: datetime | None = None
    clocks: tuple[Clock, ...] = ()
    concluded: datetime | None = None
    settled: int = 0
    """How often it was concluded."""
    recommended: int = 0
    """How many recommendations were given."""
    cooperating: tuple[str, ...] = ()
    past: tuple[str, ...] = ()
    """Bodies that declined it or let it lie: it does not come back to them by itself."""
    assigned: Grounds = Grounds()
    weighed: Weighed = Weighed()
    parent: str | None = None
    """The case of the mixed letter that it was split from."""
    divided: tuple[Kind, ...] = ()
    """The kinds that were split from it."""
    joined: str | None = None
    """The case that it was closed into as a duplicate, while it is."""
    goes_on: GoesOn | None = None
    """Once its sender withdrew in vain; it stays so, in whoever's hands."""
    unsealings: tuple[Unsealing, ...] = ()
    """By number, from 1 on; none is ever taken out."""

    @property
    def bodies(self) -> tuple[str, ...]:
        """Those that hold the case: the lead first."""
        return (self.lead, *self.cooperating)

    @property
    def open(self) -> bool:
        return self.stage is not Stage.CONCLUDED


@dataclass(frozen=True, slots=True)
class OpenedCase:
    """A case as it begins: its state, and the events that announce it, in version order."""

    state: CaseState
    events: tuple[AnyEvent, ...]


@dataclass(frozen=True, slots=True)
class KeptCase:
    """A case as it stands, with the sendings that moved it: the proof that they did."""

    state: CaseState
    acted: tuple[Sending, ...] = field(default=())
    parts: tuple[OpenedCase, ...] = ()
    """What was split from it, as each begins: kept here first, and only then as a case."""

    @property
    def recused(self) -> tuple[str, ...]:
        """Bodies that declined it because they know of a conflict, which no directory tells."""
        said = (event.data for sending in self.acted for event in sending.events)
        found = (d for d in said if isinstance(d, CaseDeclined) and d.ground is Ground.CONCERNED)
        return tuple(dict.fromkeys(data.body for data in found))

    def moved_by(self, key: str) -> Sending | None:
        """The sending of this key, if it has moved the case already."""
        return next((sending for sending in self.acted if sending.key == key), None)

    def moved_as(self, party: str, item: str) -> Sending | None:
        """The sending under which the party's command moved the case."""
        known = (s for s in self.acted if (s.party, s.item) == (party, item))
        return next(known, None)
