"""What reporting asks of its stores and of the bus."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from services.reporting.domain.edition import Issued
from services.reporting.domain.facet import Laid, RowChange
from services.reporting.domain.period import Window
from services.reporting.domain.revision import Closing, Standing
from services.reporting.domain.row import CaseRow
from shared.contracts import DirectoryPublished, ReportPublished, RulebookPublished
from shared.contracts.envelope import Event
from shared.contracts.ingress import Fate, FatesAsked, Refused
from shared.contracts.report import Edition, Period


class RulesMissing(Exception):
    """No directory or no rulebook has arrived yet; the command has to wait for them."""


@dataclass(frozen=True, slots=True)
class RulesInForce:
    """A directory and a rulebook, each with its version."""

    directory: DirectoryPublished
    rulebook: RulebookPublished


@dataclass(frozen=True, slots=True)
class Sending:
    """One sending of a command, and what became of it.

    `period` is the one that the command counted; nothing for a refused sending.
    """

    key: str
    party: str
    item: str
    sequence: int
    fate: Fate
    period: str | None = None
    refusal: Event[Refused] | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """How far the stream has been counted, seen from a period's end.

    `waiting` is how many events from before it are under way, by whom they wait for; `oldest` is
    the instant since which the oldest of them waits.
    """

    position: int
    waiting: Mapping[str, int] = field(default_factory=dict)
    oldest: datetime | None = None


class Rows(Protocol):
    async def apply(self, changes: Sequence[RowChange]) -> None:
        """Lay each facet into its row; the newest of a place stands."""

    def cases(self) -> AsyncIterator[CaseRow]:
        """Every case of which anything is known, in no order; a period takes its own."""

    def alike(self, window: Window, known: datetime) -> AsyncIterator[tuple[CaseRow, int]]:
        """The same cases as the period sees them: kinds of row, and how many are of each.

        Without what was recorded after `known`. A row bears the least id of those that it stands
        for. A kind may come again.
        """

    def activities(self) -> AsyncIterator[Laid]: ...

    def channels(self) -> AsyncIterator[Laid]: ...


class Rules(Protocol):
    async def add_once(
        self,
        directories: Sequence[Event[DirectoryPublished]],
        rulebooks: Sequence[Event[RulebookPublished]],
    ) -> None:
        """Keep each version with when it was recorded; the first one of a number stands."""

    async def latest(self) -> RulesInForce:
        """The newest versions; raises `RulesMissing` before the first of either."""

    async def as_known(self, at: datetime) -> RulesInForce:
        """The newest versions recorded by then; raises `RulesMissing` if one had no version."""

    async def versions(self, directory: int, rulebook: int) -> RulesInForce:
        """Versions that `latest` has given before."""


class Closings(Protocol):
    async def add_once(self, closing: Closing) -> Closing:
        """Keep it unless its period has this revision; return the closing that stands.

        A closing that is kept waits to be issued, and its period is late: what came in while it
        was being counted is looked for once more.
        """

    async def of(self, period: str) -> Closing | None:
        """The newest closing of the period."""

    async def ordered(self, party: str, command: str) -> Closing | None:
        """The closing that this command of the party brought about."""

    async def history(self, period: str) -> Sequence[Closing]:
        """Every closing of the period, the first one first."""

    async def all(self) -> Sequence[Closing]:
        """The newest closing of each period, without figures; by period."""

    async def waiting(self, edition: Edition) -> Sequence[Closing]:
        """Those whose edition is not known to be out, in the order in which they were counted."""

    async def issued(self, closing: Closing, edition: Edition) -> None:
        """Its reports of this edition are out."""

    async def mark_late(self, periods: Collection[str]) -> None:
        """Something came that may change what was counted of these."""

    async def late(self) -> Mapping[str, int]:
        """Periods to be counted again, in order, and how often each was marked."""

    async def no_longer_late(self, period: str, marks: int) -> None:
        """Take the mark back, unless it was set again since it had been set so often."""


class Reports(Protocol):
    async def add_once(
        self,
        closing: Closing,
        reports: Sequence[Event[ReportPublished]],
        edition: Edition = Edition.INTERNAL,
    ) -> None:
        """Keep one edition of a closing, all of it or nothing; the first one stands."""

    async def has(self, closing: Closing, edition: Edition = Edition.INTERNAL) -> bool:
        """Whether this edition of it is kept, all of it."""

    def of(
        self, closing: Closing, edition: Edition = Edition.INTERNAL
    ) -> AsyncIterator[Event[ReportPublished]]:
        """The reports that were kept of it, in their order."""

    async def standing(self, period: str, edition: Edition) -> Standing:
        """The newest report of each form and unit that was kept of the period."""

    async def public_near(self, period: Period) -> Sequence[Issued]:
        """Every public report of a period that overlaps this one, or adjoins it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which public reports; `after` is the name of the last one of the page before."""

    form: str | None = None
    unit: str | None = None
    period: str | None = None
    after: str = ""


class Publications(Protocol):
    """The public edition, and no other."""

    async def newest(self, wanted: Wanted, limit: int) -> Sequence[Event[ReportPublished]] | None:
        """Newest first; None if `after` names no public report."""

    async def one(
        self, form: str, unit: str, period: str, revision: int | None
    ) -> Event[ReportPublished] | None:
        """That revision, or the newest."""

    async def others(self, form: str, unit: str) -> Sequence[ReportPublished]:
        """Those of all periods, for charts."""


class Sendings(Protocol):
    async def known(self, keys: Iterable[str]) -> Mapping[str, Sending]:
        """What became of these sendings, by key."""

    async def add_once(self, sending: Sending) -> None: ...

    async def told(self, party: str, asked: FatesAsked) -> Sequence[Sending]: ...


class Flight(Protocol):
    async def before(self, end: datetime) -> Coverage:
        """What is under way to the rows, of what happened before that instant."""
