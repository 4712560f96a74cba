"""Reporting's reactions: rows follow events, a closed period becomes reports."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Protocol

from services.reporting.domain.forms import FORMS, DoesNotFoot, Form, Tally
from services.reporting.domain.forms.tally import stopped_by_acceptance
from services.reporting.domain.period import Window, resolve
from services.reporting.domain.revision import SOURCE, Closing, own_figures, reports_of
from services.reporting.domain.rollup import NoUnitInForce, Tree
from services.reporting.domain.row import ActivityRow, CaseRow, ChannelRow, RowChange, change
from shared.contracts import DirectoryPublished, IngressData, ReportClose, RulebookPublished
from shared.contracts.envelope import AnyEvent, Event
from shared.contracts.ingress import Fate, FatesAsked, FatesTold, FieldProblem, ItemFate, Refused
from shared.runtime.arrival import Arrival
from shared.runtime.bus import Answerer, ArrivalHandler, EventHandler
from shared.runtime.refusal import Unacceptable, read_arrival, refuse

CLOSE: Mapping[str, type[IngressData]] = {ReportClose.TYPE: ReportClose}


class RulesMissing(Exception):
    """No directory or no rulebook has arrived yet; the command has to wait for them."""


@dataclass(frozen=True, slots=True)
class RulesInForce:
    """The latest directory and rulebook, each with its version."""

    directory: DirectoryPublished
    rulebook: RulebookPublished


@dataclass(frozen=True, slots=True)
class Sending:
    """One sending of a command, and what became of it.

    `period` is the one that the command closed; nothing for a refused sending.
    """

    key: str
    party: str
    item: str
    sequence: int
    fate: Fate
    period: str | None = None
    refusal: Event[Refused] | None = None


class Rows(Protocol):
    async def apply(self, changes: Sequence[RowChange]) -> None:
        """Keep each facet unless a newer one is there."""

    def cases(self) -> AsyncIterator[CaseRow]:
        """Every case of which anything is known, in no order; a period takes its own."""

    def activities(self) -> AsyncIterator[ActivityRow]: ...

    def channels(self) -> AsyncIterator[ChannelRow]: ...


class Rules(Protocol):
    async def add_once(
        self, directories: Sequence[DirectoryPublished], rulebooks: Sequence[RulebookPublished]
    ) -> None:
        """Keep each version; the first one of a number stands."""

    async def latest(self) -> RulesInForce:
        """The newest versions; raises `RulesMissing` before the first of either."""

    async def directory(self, version: int) -> DirectoryPublished:
        """One version that `latest` has given before."""


class Closings(Protocol):
    async def add_once(self, closing: Closing) -> Closing:
        """Keep it unless its period is closed; return the closing that stands."""

    async def of(self, period: str) -> Closing | None: ...

    async def ordered(self, party: str, command: str) -> Closing | None:
        """The closing that this command of the party brought about."""


class Reports(Protocol):
    async def add_once(self, reports: Sequence[AnyEvent]) -> None:
        """Keep each unless its form, unit, period and revision are known."""


class Sendings(Protocol):
    async def known(self, keys: Iterable[str]) -> Mapping[str, Sending]:
        """What became of these sendings, by key."""

    async def add_once(self, sending: Sending) -> None: ...

    async def told(self, party: str, asked: FatesAsked) -> Sequence[Sending]: ...


def row_keeper(rows: Rows) -> EventHandler:
    async def keep_rows(events: Sequence[Event[Any]]) -> Sequence[AnyEvent]:
        """Every event fills its place in the row of its case, activity or channel.

        A repeat changes nothing and order does not matter: nothing counts twice.
        """
        await rows.apply([change(event) for event in events])
        return []

    return keep_rows


def rule_keeper(rules: Rules) -> EventHandler:
    async def keep_rules(events: Sequence[Event[Any]]) -> Sequence[AnyEvent]:
        """Keep reporting's own copy of every version of the directory and the rulebook."""
        data = [event.data for event in events]
        await rules.add_once(
            [d for d in data if isinstance(d, DirectoryPublished)],
            [d for d in data if isinstance(d, RulebookPublished)],
        )
        return []

    return keep_rules


def command_taker(
    closer: "Closer", reports: Reports, sendings: Sendings, now: Callable[[], datetime]
) -> ArrivalHandler:
    async def take_commands(arrivals: Sequence[Arrival]) -> Sequence[AnyEvent]:
        """Close a period and publish every unit's reports, once and for good.

        The closing is kept before anything else and holds what was counted: a crash at any
        later point repeats the same reports from it, whatever has come in since.
        A command that is sent again has its reports repeated too, word for word: the first
        sending may have been set aside before they were out.
        """
        ordered = sorted({a.key: a for a in arrivals}.values(), key=lambda a: a.sequence)
        known = await sendings.known([arrival.key for arrival in ordered])
        follow: list[AnyEvent] = []
        for arrival in ordered:
            sending = known.get(arrival.key) or await closer.decide(arrival, now())
            if sending.refusal is not None:
                follow.append(sending.refusal)
            if sending.period is not None:
                published = await closer.reports(sending.period)
                await reports.add_once(published)
                follow += published
            await sendings.add_once(sending)
        return follow

    return take_commands


def fate_teller(sendings: Sendings) -> Answerer:
    async def tell_fates(party: str, question: bytes) -> bytes:
        """What became of a party's own commands; it cannot ask for another's."""
        asked = FatesAsked.model_validate_json(question)
        fates = tuple(
            ItemFate(
                item=sending.item,
                sequence=sending.sequence,
                fate=sending.fate,
                refusal=sending.refusal.data if sending.refusal else None,
            )
            for sending in await sendings.told(party, asked)
        )
        return FatesTold(fates=fates).model_dump_json(exclude_none=True).encode()

    return tell_fates


class Closer:
    """Decides what a `report.close` does, and says again what a closing published."""

    def __init__(
        self,
        rows: Rows,
        rules: Rules,
        closings: Closings,
        zone: tzinfo,
        forms: Sequence[Form] = FORMS,
    ) -> None:
        self._rows, self._rules, self._closings = rows, rules, closings
        self._zone, self._forms = zone, forms

    async def decide(self, arrival: Arrival, at: datetime) -> Sending:
        """What becomes of this sending; a closing that follows is kept when this returns."""
        item = ""
        try:
            event = read_arrival(arrival, CLOSE)
            item = event.id
            fate = await self._close(arrival, event, at)
        except Unacceptable as why:
            why.item = why.item or item
            refusal = refuse(arrival, why, source=SOURCE)
            return Sending(
                arrival.key,
                arrival.party,
                why.item,
                arrival.sequence,
                Fate.REFUSED,
                refusal=refusal,
            )
        return Sending(arrival.key, arrival.party, item, arrival.sequence, fate, _period_of(event))

    async def _close(self, arrival: Arrival, event: Event[IngressData], at: datetime) -> Fate:
        code = _period_of(event)
        standing = await self._closings.of(code)
        if standing is None:
            if await self._closings.ordered(arrival.party, event.id) is not None:
                advice = "Give each command an id of its own; repeat one only to send it again."
                raise _wrong("id-reused", "This id has closed another period.", advice, field="/id")
            closing = await self._count(arrival, event, at)
            standing = await self._closings.add_once(closing)
        if standing.sending == arrival.key:
            return Fate.KEPT
        if (standing.party, standing.command) == (arrival.party, event.id):
            return Fate.DUPLICATE
        raise _wrong(
            "already-closed",
            f"{code} was closed on {standing.at.astimezone(self._zone):%d/%m/%Y}.",
            "A closed period stays as it was published.",
        )

    async def _count(self, arrival: Arrival, event: Event[IngressData], at: datetime) -> Closing:
        rules = await self._rules.latest()
        rulebook = rules.rulebook.rulebook
        code = _period_of(event)
        period = resolve(code, rulebook.periods)
        if period is None:
            known = ", ".join(sorted({rule.code for rule in rulebook.periods}))
            raise _wrong(
                "unknown-period",
                "The rulebook has no such period.",
                f"Write <year>-<period>, with a period of the rulebook: {known}.",
            )
        window = Window.of(period, self._zone)
        if at < window.end:
            raise _wrong(
                "period-not-over",
                f"{code} lasts until {period.last_day:%d/%m/%Y}.",
                "Close it after its last day.",
            )
        directory = rules.directory.directory
        tally = Tally(window, stopped_by_acceptance(rulebook.clocks))
        async for row in self._rows.cases():
            tally.add_case(row)
        async for activity in self._rows.activities():
            tally.add_activity(activity)
        tally.add_register(directory, [row async for row in self._rows.channels()])
        try:
            figures = own_figures(self._forms, tally, Tree.on(period.last_day, directory))
        except NoUnitInForce:
            raise _wrong(
                "no-unit-in-force",
                "The directory has no unit on the period's last day.",
                "Publish a directory that covers the period.",
            ) from None
        except DoesNotFoot as error:
            raise _wrong(
                "does-not-foot", str(error), "Look at the case that the title names."
            ) from None
        return Closing(
            period=period,
            party=arrival.party,
            command=event.id,
            correlation=event.correlationid or event.id,
            sending=arrival.key,
            at=at,
            directory=rules.directory.version,
            rulebook=rules.rulebook.version,
            figures=figures,
        )

    async def reports(self, period: str) -> Sequence[AnyEvent]:
        """The reports of a closed period, word for word as they were first said."""
        closing = await self._closings.of(period)
        if closing is None:
            raise LookupError(f"the closing of {period} is gone")
        published = await self._rules.directory(closing.directory)
        tree = Tree.on(closing.period.last_day, published.directory)
        return list(reports_of(closing, self._forms, tree))


def _period_of(event: Event[IngressData]) -> str:
    if not isinstance(event.data, ReportClose):
        raise TypeError(type(event.data).__name__)
    return event.data.period


def _wrong(rule: str, title: str, advice: str, *, field: str = "/data/period") -> Unacceptable:
    return Unacceptable(rule, title, (FieldProblem(field=field, rule=rule, advice=advice),))
