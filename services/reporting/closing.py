"""Counts a period: its first closing, and the ones that follow when something came late."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo

from services.reporting.domain.facet import Facet, Laid
from services.reporting.domain.forms import DoesNotFoot, Form, NotAForm, Tally, forms_of
from services.reporting.domain.forms.tally import facts_of, stopped_by_acceptance
from services.reporting.domain.period import Window, resolve
from services.reporting.domain.revision import Closing, own_figures
from services.reporting.domain.rollup import NoUnitInForce, Tree
from services.reporting.domain.row import ActivityRow, CaseRow, ChannelRow
from services.reporting.ports import Closings, Coverage, Flight, Rows, Rules, RulesInForce
from shared.contracts.envelope import derived_id
from shared.contracts.ingress import FieldProblem
from shared.contracts.report import Cause, Period
from shared.contracts.rulebook import Rulebook
from shared.runtime.refusal import Unacceptable

MOST_CAUSES = 100
BY_ITSELF = "reporting"
"""The party in whose name periods are counted that nobody ordered."""


@dataclass(frozen=True, slots=True)
class Order:
    """Who wants a period counted. `sending` is the key of the command's arrival."""

    period: str
    party: str
    command: str
    correlation: str
    sending: str
    force: bool = False

    @classmethod
    def by_itself(cls, period: str, revision: int) -> "Order":
        """The order that nobody gave: the same for whoever finds that it is time."""
        command = derived_id(period, BY_ITSELF, str(revision))
        return cls(period, BY_ITSELF, command, command, command)

    def led_to(self, closing: Closing) -> bool:
        return (closing.party, closing.command) == (self.party, self.command)


@dataclass(slots=True)
class Late:
    """What came, or was corrected, after `known`, and changed what is counted of a case."""

    known: datetime | None
    causes: dict[str, Cause] = field(default_factory=dict)

    def weigh(self, row: CaseRow, differs: Callable[[CaseRow, CaseRow], bool]) -> None:
        came = self._came(row.laid)
        if self.known is not None and came and differs(row.as_known(self.known), row):
            self._blame(came, row.case)

    def weigh_all(self, laid: Laid) -> None:
        self._blame(self._came(laid), None)

    def _came(self, laid: Laid) -> list[tuple[str, Facet]]:
        known = self.known
        return [] if known is None else [each for each in laid.all if each[1].recorded > known]

    def _blame(self, facets: Iterable[tuple[str, Facet]], case: str | None) -> None:
        for place, facet in facets:
            self.causes[facet.event] = Cause(event=facet.event, about=place, case=case)

    @property
    def first(self) -> tuple[Cause, ...]:
        return tuple(self.causes[event] for event in sorted(self.causes)[:MOST_CAUSES])


class Closer:
    """Decides what an order to count a period does; what it decides is kept when it returns."""

    def __init__(
        self,
        rows: Rows,
        rules: Rules,
        closings: Closings,
        flight: Flight,
        *,
        zone: tzinfo,
    ) -> None:
        self._rows, self._rules, self._closings = rows, rules, closings
        self._flight, self._zone = flight, zone

    async def close(self, order: Order, at: datetime) -> Closing:
        """The closing that the order led to; raises `Unacceptable` if it leads to none."""
        ordered = await self._led_to(order)
        if ordered is not None:
            return ordered
        standing = await self._closings.of(order.period)
        if standing is None:
            rules = await self._rules.latest()
            window = self._over(order.period, rules, at)
            covered = await self._covered(window, order)
            closing = await self._count(order, at, rules, window, covered)
            standing = await self._closings.add_once(closing)
        if not order.led_to(standing):
            raise _wrong(
                "already-closed",
                f"{order.period} was closed on {standing.at.astimezone(self._zone):%d/%m/%Y}.",
                "A closed period stays as it was published; order a revision if something came "
                "late.",
            )
        return standing

    async def revise(self, order: Order, at: datetime) -> Closing | None:
        """The next closing of a closed period, or None if nothing that it says has changed."""
        ordered = await self._led_to(order)
        if ordered is not None:
            return ordered
        standing = await self._closings.of(order.period)
        if standing is None:
            raise _wrong(
                "not-closed", f"{order.period} is not closed.", "Close it first: `report close`."
            )
        marks = (await self._closings.late()).get(order.period, 0)
        rules = await self._rules.latest()
        window = Window.of(standing.period, self._zone)
        covered = await self._flight.before(window.end)
        closing = await self._count(order, at, rules, window, covered)
        if closing.figures == standing.figures:
            # Not before it is counted, and only if nothing came in meanwhile.
            await self._closings.no_longer_late(order.period, marks)
            return None
        causes = await self._causes(standing.known, window, rules)
        closing = closing.model_copy(update={"revision": standing.revision + 1, "causes": causes})
        kept = await self._closings.add_once(closing)
        return kept if order.led_to(kept) else None

    async def figures_as_known(self, closing: Closing) -> Closing:
        """The closing counted again from what was known then, by its own rules."""
        rules = await self._rules.versions(closing.directory, closing.rulebook)
        window = Window.of(closing.period, self._zone)
        order = Order(closing.period.code, closing.party, closing.command, "", "")
        return await self._count(order, closing.at, rules, window, Coverage(0), known=closing.known)

    async def _led_to(self, order: Order) -> Closing | None:
        """The closing that this very order brought about before."""
        ordered = await self._closings.ordered(order.party, order.command)
        if ordered is not None and ordered.period.code != order.period:
            advice = "Give each command an id of its own; repeat one only to send it again."
            raise _wrong("id-reused", "This id has counted another period.", advice, field="/id")
        return ordered

    def _over(self, code: str, rules: RulesInForce, at: datetime) -> Window:
        rulebook = rules.rulebook.rulebook
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
        return window

    async def _covered(self, window: Window, order: Order) -> Coverage:
        covered = await self._flight.before(window.end)
        if covered.waiting and not order.force:
            where = ", ".join(f"{name} {count}" for name, count in sorted(covered.waiting.items()))
            raise _wrong(
                "events-in-flight",
                f"Events from before the end of {order.period} are not counted yet: {where}.",
                "Wait, or drive the dead letters again; with `force` it is closed all the same, "
                "and every report says so.",
            )
        return covered

    async def _count(
        self,
        order: Order,
        at: datetime,
        rules: RulesInForce,
        window: Window,
        covered: Coverage,
        *,
        known: datetime | None = None,
    ) -> Closing:
        directory = rules.directory.directory
        tally = _tally(window, rules)
        await self._add_rows(tally, known)
        channels = [
            ChannelRow.of(facet)
            async for laid in self._rows.channels()
            if (facet := _standing(laid, known).get("announced"))
        ]
        tally.add_register(directory, channels)
        return Closing(
            period=window.period,
            party=order.party,
            command=order.command,
            correlation=order.correlation,
            sending=order.sending,
            at=at,
            directory=rules.directory.version,
            rulebook=rules.rulebook.version,
            known=min(at, covered.oldest or at),
            covers=covered.position,
            in_flight=sum(covered.waiting.values()),
            figures=self._footed(tally, window.period, rules),
        )

    async def _add_rows(self, tally: Tally, known: datetime | None) -> None:
        if known is None:
            async for kind, count in self._rows.alike(tally.window):
                tally.add_case(kind, count)
        else:
            async for row in self._rows.cases():
                tally.add_case(row.as_known(known))
        async for laid in self._rows.activities():
            facet = _standing(laid, known).get("recorded")
            if facet is not None:
                tally.add_activity(ActivityRow.of(facet))

    async def _causes(
        self, known: datetime | None, window: Window, rules: RulesInForce
    ) -> tuple[Cause, ...]:
        """What came after `known`; it is looked for only once the figures differ."""
        late, tally = Late(known), _tally(window, rules)

        def differs(before: CaseRow, now: CaseRow) -> bool:
            counted = (facts_of(row, window, tally.stopped) for row in (before, now))
            return len(set(counted)) > 1

        async for row in self._rows.cases():
            late.weigh(row, differs)
        async for laid in self._rows.activities():
            facet = laid.facets.get("recorded")
            if facet is not None and tally.add_activity(ActivityRow.of(facet)):
                late.weigh_all(laid)
        return late.first

    def _footed(
        self, tally: Tally, period: Period, rules: RulesInForce
    ) -> dict[str, dict[str, tuple[int, ...]]]:
        try:
            tree = Tree.on(period.last_day, rules.directory.directory)
            return own_figures(_forms(rules.rulebook.rulebook, period.last_day), tally, tree)
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


def _tally(window: Window, rules: RulesInForce) -> Tally:
    return Tally(window, stopped_by_acceptance(rules.rulebook.rulebook.clocks))


def _forms(rulebook: Rulebook, last_day: date) -> Sequence[Form]:
    """Those in force; without one there is nothing to close a period with."""
    try:
        forms = forms_of(rulebook, last_day)
    except NotAForm as error:
        raise _wrong(
            "no-such-form",
            f"A form of the rulebook cannot be filled: {error}",
            "Publish a rulebook without the slip; `langnghe rulebook lint` finds all of them.",
        ) from None
    if not forms:
        raise _wrong(
            "no-form-in-force",
            "The rulebook has no form of report that is in force on the period's last day.",
            "Publish a rulebook with forms; docs/reports.md says how to write one.",
        )
    return forms


def _standing(laid: Laid, known: datetime | None) -> dict[str, Facet]:
    return dict(laid.facets if known is None else laid.as_known(known))


def _wrong(rule: str, title: str, advice: str, *, field: str = "/data/period") -> Unacceptable:
    return Unacceptable(rule, title, (FieldProblem(field=field, rule=rule, advice=advice),))
