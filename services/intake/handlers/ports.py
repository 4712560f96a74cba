"""What intake's reactions need from outside, and the shapes that pass between."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from services.intake.domain.calendar import WorkingDays
from services.intake.domain.classify import Classifier
from services.intake.domain.duplicate import Thread
from services.intake.domain.heartbeat import Gap
from services.intake.domain.mail import Mail
from services.intake.domain.silence import Track
from services.intake.vault import DataKey, Sealed
from shared.contracts import (
    CalendarPublished,
    DirectoryPublished,
    Refused,
    RulebookPublished,
    SubmissionReceived,
)
from shared.contracts.directory import Agency
from shared.contracts.envelope import AnyEvent, Event, derived_id
from shared.contracts.ingress import Fate, FatesAsked, ItemFate
from shared.contracts.vocabulary import Kind
from shared.runtime.arrival import Arrival


class RulesMissing(Exception):
    """No directory or no rulebook has been published yet: nothing can be classified."""


class StoreAway(Exception):
    """Nothing can be kept just now: the sender must try again."""


class Rules:
    """The versions in force, and the classifier made from them."""

    def __init__(
        self,
        directory: DirectoryPublished,
        rulebook: RulebookPublished,
        calendar: CalendarPublished | None = None,
    ) -> None:
        self.versions = (directory.version, rulebook.version)
        self.agencies: Mapping[str, Agency] = {a.code: a for a in directory.directory.agencies}
        self.classifier = Classifier(rulebook.rulebook, directory.directory)
        self.directory, self.rulebook = directory.directory, rulebook.rulebook
        self._days = WorkingDays(calendar.calendar if calendar else None)

    def is_working(self, day: date) -> bool:
        """By the calendar; without one, Monday to Friday are worked."""
        return self._days.is_working(day)


@dataclass(frozen=True, slots=True)
class Matter:
    """What tells that two texts are alike, without either: keyed, so nobody can ask for a text."""

    unit: str
    signature: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """A submission as it is kept: what is announced, and its sealed parts by name.

    `also` is announced with it. `data_keys` are those that seal its parts; they are kept apart.
    """

    item: str
    """The sender's id of it; it never leaves intake but to the sender."""
    event: Event[SubmissionReceived]
    keys: tuple[str, ...]
    arrival: str
    flags: tuple[str, ...]
    sealed: Mapping[str, Sealed]
    data_keys: tuple[DataKey, ...]
    thread: Thread = field(default_factory=Thread)
    matter: Matter | None = None
    also: tuple[AnyEvent, ...] = ()
    acknowledge: bool = False
    """Whoever wrote the mail is to be answered, once, with the receipt code."""


class Speaker(StrEnum):
    REPORTER = "reporter"
    BODY = "body"


@dataclass(frozen=True, slots=True)
class Said:
    """One more thing said on a submission, by who spoke or by the body that answers."""

    id: str
    item: str
    submission: str
    by: Speaker
    keys: tuple[str, ...]
    arrival: str
    event: AnyEvent
    sealed: Mapping[str, Sealed]
    data_keys: tuple[DataKey, ...]
    thread: Thread = field(default_factory=Thread)


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands under an item's keys, and the sending that it came with."""

    event: AnyEvent
    arrival: str
    also: tuple[AnyEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """An activity or a channel, known for ever under `key`."""

    key: str
    arrival: str
    event: AnyEvent
    item: str = ""


@dataclass(frozen=True, slots=True)
class ArrivalFate:
    """What became of one sending; one that became no submission is kept, sealed."""

    arrival: Arrival
    item: str
    fate: Fate
    subject: str | None = None
    refusal: Refused | None = None
    sealed: Sealed | None = None
    data_keys: tuple[DataKey, ...] = ()


class Submissions(Protocol):
    async def add_once(
        self, kept: Sequence[Kept], *, unannounced: bool = False
    ) -> Sequence[Standing]:
        """Keep each unless one of its keys is known; answer, in order, with what stands.

        `unannounced` ones are found by the outbox until they have been announced.
        """

    async def known(self, keys: Sequence[str]) -> Mapping[str, str]:
        """By key: the submission that is known under it; keys that nobody has are left out."""

    async def erased(self, submissions: Sequence[str]) -> frozenset[str]:
        """Those of them whose keys were destroyed."""

    async def threads(self, answers: Sequence[str]) -> Mapping[str, tuple[str, str | None]]:
        """By a mail's fingerprint: the submission it belongs to, and its sender's fingerprint."""


class Conversations(Protocol):
    async def add_once(
        self, said: Sequence[Said], *, unannounced: bool = False
    ) -> Sequence[Standing]:
        """Keep each unless one of its keys is known; answer, in order, with what stands."""


class Records(Protocol):
    async def add_once(
        self, records: Sequence[KeptRecord], *, unannounced: bool = False
    ) -> Sequence[Standing]:
        """Keep each unless its key is known; answer, in order, with what stands."""


class Receipts(Protocol):
    """Which submission a receipt code is for; only a slow hash of the code is kept."""

    async def give(self, submission: str) -> str:
        """The submission's code, in digits; the same each time."""

    async def find(self, code: str) -> str | None:
        """Always one slow hash and one look: unknown and malformed codes cost the same."""


class DataKeys(Protocol):
    """Data keys, wrapped, apart from what they seal."""

    async def keep(self, keys: Sequence[DataKey]) -> None:
        """Before anything that they seal is kept: what lies there can always be opened."""

    async def find(self, names: Sequence[str]) -> Mapping[str, DataKey]:
        """By name; one that was destroyed is left out."""

    async def forget(self, names: Sequence[str]) -> None:
        """Keys that seal nothing that is kept."""

    async def destroy(self, owner: str) -> int:
        """Erasure: every key of an owner, for good; answers how many there were."""


class Arrivals(Protocol):
    async def note(self, fates: Sequence[ArrivalFate]) -> None:
        """Write each down once."""

    async def fates(self, party: str, asked: FatesAsked) -> Sequence[ItemFate]: ...

    async def fate(self, party: str, submission: str) -> ItemFate | None:
        """What became of a party's own item, by its submission."""


class RuleVersions(Protocol):
    async def keep(
        self,
        directories: Sequence[DirectoryPublished],
        rulebooks: Sequence[RulebookPublished],
        calendars: Sequence[CalendarPublished] = (),
    ) -> None: ...

    async def latest(self) -> Rules:
        """The newest versions; raises `RulesMissing` before the first."""


@dataclass(frozen=True, slots=True)
class CaseView:
    """What intake knows of a case, from routing's events: who may ask, and how far it is."""

    case: str
    submission: str
    lead: str | None = None
    cooperating: tuple[str, ...] = ()
    state: str = "opened"
    """`opened`, `assigned`, `accepted`, `concluded` or `referred`; of a duplicate, that of the
    case that goes on, as are its bodies."""
    kind: Kind | None = None
    """None of a case that was noted before kinds were."""

    def is_held_by(self, body: str) -> bool:
        return body == self.lead or body in self.cooperating


@dataclass(frozen=True, slots=True)
class Agreed:
    """Who may be told who spoke, once; by routing's `case.unsealing-confirmed.v1`."""

    body: str
    person: str
    second_person: str
    until: date
    """Last local day."""


class Cases(Protocol):
    async def note(self, events: Sequence[AnyEvent]) -> None:
        """Take over what routing announced, in whatever order it comes."""

    async def find(self, case: str) -> CaseView | None: ...

    async def of(self, submission: str) -> CaseView | None:
        """The case that the submission opened, whatever was split from it."""

    async def all_of(self, submission: str) -> Sequence[CaseView]:
        """Every case of the submission: the one that it opened, then what was split from it."""

    async def agreed(self, case: str, number: int) -> Agreed | None:
        """What a second person agreed to under this number, if it may still be told.

        None once it was told, and once the case is about more than it was then.
        """

    async def use(self, case: str, number: int, at: datetime) -> bool:
        """Keep that it is told now: True once in all, and only while `agreed` has it."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Somebody asks to be told who spoke. `reason` is sealed with the submission's keys."""

    id: str
    case: str
    body: str
    person: str
    at: datetime
    reason: Sealed


class Openings(Protocol):
    async def keep(self, opening: Opening) -> None: ...


@dataclass(frozen=True, slots=True)
class Reading:
    """That somebody of a body was told what was said on a case."""

    case: str
    body: str
    person: str
    at: datetime

    @property
    def id(self) -> str:
        return derived_id(self.case, "reading", self.body, self.person, self.at.isoformat())


class Readings(Protocol):
    """Readings are added and never changed."""

    async def keep(self, reading: Reading) -> None:
        """Return once it is kept; any error rises, and nothing may be told then."""

    async def of(self, case: str) -> Sequence[Reading]:
        """The oldest first."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One thing that was said on a submission, still sealed."""

    by: Speaker
    at: datetime
    parts: Mapping[str, Sealed]


class Contents(Protocol):
    """What is kept sealed, to be opened again."""

    async def parts(self, submission: str, names: Sequence[str]) -> Mapping[str, Sealed] | None:
        """These parts, as far as there are any; none once erased; None if it is unknown."""

    async def conversation(self, submission: str) -> Sequence[Utterance]:
        """What was said on it since, oldest first."""


@dataclass(frozen=True, slots=True)
class Protected:
    """Whether a submission is held or erased; `event` announced the last change."""

    held: str | None = None
    """Citation of the hold."""
    erased: AnyEvent | None = None


class Protections(Protocol):
    async def of(self, submission: str) -> Protected | None:
        """None for a submission that nobody knows."""

    async def hold(self, submission: str, citation: str | None) -> None:
        """Hold it, or release it with None."""

    async def erase(self, submission: str, event: AnyEvent) -> bool:
        """Mark it erased and take away everything but its counts and keyed hashes, once.

        The event stands with it. False, and nothing is done, if it is held.
        """


class Outbox(Protocol):
    """Events that are kept and were not announced yet."""

    async def waiting(self, limit: int) -> Sequence[AnyEvent]:
        """The oldest first."""

    async def announced(self, events: Sequence[AnyEvent]) -> None: ...


MailReader = Callable[[Sequence[bytes]], Awaitable[Sequence[Mail]]]
"""One `Mail` for each raw message, in order, whatever it holds."""


class Accept(Protocol):
    """Keeps what a source of intake's own took in, and says what became of it.

    When it returns, each item or its refusal is kept with majority and journal: only then may a
    source answer "received", mark a mail as seen or say 250. What is to be announced is kept in
    the same write and announced by the relay, so NATS may be away.
    Raises `StoreAway` while nothing can be kept: say "later", never "received".
    """

    async def __call__(self, arrivals: Sequence[Arrival]) -> Sequence[ArrivalFate]: ...


@dataclass(frozen=True, slots=True)
class Sign:
    """What an agency's own system let us know at once: its numbers, and when the last one came."""

    numbers: tuple[int, ...]
    heard: datetime
    beats: bool = False
    """A heartbeat was among it: from now on silence counts in minutes."""


@dataclass(frozen=True, slots=True)
class Feed:
    """An agency's own numbering, as far as it has come; `gaps` are those of the last look."""

    agency: str
    track: Track
    heard: datetime
    gaps: tuple[Gap, ...] = ()


class Feeds(Protocol):
    async def saw(self, signs: Mapping[str, Sign]) -> None:
        """By agency: signs of its system. The order of signs leaves no trace."""

    async def broken(self) -> Sequence[Feed]:
        """Those with a number missing."""

    async def notice(self, agency: str, gaps: Sequence[Gap]) -> None:
        """The gaps of this look, to be compared with at the next."""

    async def pass_over(self, agency: str, gaps: Sequence[Gap]) -> None:
        """Wait no more for numbers whose gap was announced: a track has room for so many only."""

    async def quiet(self, before: datetime) -> Sequence[Feed]:
        """Those that have sent a heartbeat once, and were last heard at or before then."""

    async def listening(self, at: datetime) -> datetime:
        """Note a look; answers since when there has been no lapse between looks."""


@dataclass(frozen=True, slots=True)
class Stores:
    """Everything that a sending may be kept in."""

    submissions: Submissions
    conversations: Conversations
    records: Records
    arrivals: Arrivals
    rules: RuleVersions
    data_keys: DataKeys
    receipts: Receipts
    feeds: Feeds
