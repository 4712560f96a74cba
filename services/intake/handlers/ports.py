"""What intake's reactions need from outside, and the shapes that pass between."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.intake.domain.classify import Classifier
from services.intake.vault import Sealed
from shared.contracts import DirectoryPublished, Refused, RulebookPublished, SubmissionReceived
from shared.contracts.directory import Agency
from shared.contracts.envelope import AnyEvent, Event
from shared.contracts.ingress import Fate, FatesAsked, ItemFate
from shared.runtime.arrival import Arrival


class RulesMissing(Exception):
    """No directory or no rulebook has been published yet: nothing can be classified."""


class Rules:
    """The versions in force, and the classifier made from them."""

    def __init__(self, directory: DirectoryPublished, rulebook: RulebookPublished) -> None:
        self.versions = (directory.version, rulebook.version)
        self.agencies: Mapping[str, Agency] = {a.code: a for a in directory.directory.agencies}
        self.classifier = Classifier(rulebook.rulebook, directory.directory)


@dataclass(frozen=True, slots=True)
class Kept:
    """A submission as it is kept: what is announced, and its sealed parts by name."""

    event: Event[SubmissionReceived]
    keys: tuple[str, ...]
    arrival: str
    flags: tuple[str, ...]
    sealed: Mapping[str, Sealed]


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands under an item's keys, and the sending that it came with."""

    event: AnyEvent
    arrival: str


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """An activity or a channel, known for ever under `key`."""

    key: str
    arrival: str
    event: AnyEvent


@dataclass(frozen=True, slots=True)
class ArrivalFate:
    """What became of one sending; a refused one is kept, sealed."""

    arrival: Arrival
    item: str
    fate: Fate
    subject: str | None = None
    refusal: Refused | None = None
    sealed: Sealed | None = None


class Submissions(Protocol):
    async def add_once(self, kept: Sequence[Kept]) -> Sequence[Standing]:
        """Keep each unless one of its keys is known; answer, in order, with what stands."""


class Records(Protocol):
    async def add_once(self, records: Sequence[KeptRecord]) -> Sequence[Standing]:
        """Keep each unless its key is known; answer, in order, with what stands."""


class Arrivals(Protocol):
    async def note(self, fates: Sequence[ArrivalFate]) -> None:
        """Write each down once."""

    async def fates(self, party: str, asked: FatesAsked) -> Sequence[ItemFate]: ...


class RuleVersions(Protocol):
    async def keep(
        self, directories: Sequence[DirectoryPublished], rulebooks: Sequence[RulebookPublished]
    ) -> None: ...

    async def latest(self) -> Rules:
        """The newest versions; raises `RulesMissing` before the first."""


class Accept(Protocol):
    """Keeps what a source of intake's own took in, and says what became of it.

    When it returns, each item or its refusal is kept with majority and journal: only then may a
    source answer "received", mark a mail as seen or say 250. What is to be announced is kept in
    the same write and announced by the relay, so NATS may be away.
    Raises `StoreAway` while nothing can be kept: say "later", never "received".
    """

    async def __call__(self, arrivals: Sequence[Arrival]) -> Sequence[ArrivalFate]: ...


class StoreAway(Exception):
    """Nothing can be kept just now: the sender must try again."""
