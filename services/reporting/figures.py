"""Counts rows: the own figures of every unit, as of a day and as they were known at an instant."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from services.reporting.domain.facet import Facet, Laid
from services.reporting.domain.forms import DoesNotFoot, Form, NotAForm, Tally, forms_of
from services.reporting.domain.forms.tally import facts_of, stopped_by_acceptance
from services.reporting.domain.period import Window, resolve
from services.reporting.domain.revision import own_figures
from services.reporting.domain.rollup import NoUnitInForce, Tree
from services.reporting.domain.row import ActivityRow, CaseRow, ChannelRow
from services.reporting.ports import Rows, RulesInForce
from shared.contracts.ingress import FieldProblem
from shared.contracts.report import Cause, Period
from shared.contracts.rulebook import Rulebook
from shared.runtime.refusal import Unacceptable

MOST_CAUSES = 100
Own = dict[str, dict[str, tuple[int, ...]]]
"""Own cells by form and unit."""


@dataclass(slots=True)
class Late:
    """What came, or was corrected, after `known`, and changed what is counted of a case by `at`."""

    known: datetime | None
    at: datetime
    causes: dict[str, Cause] = field(default_factory=dict)

    def weigh(self, row: CaseRow, differs: Callable[[CaseRow, CaseRow], bool]) -> None:
        came = self._came(row.laid)
        if (
            self.known is not None
            and came
            and differs(row.as_known(self.known), row.as_known(self.at))
        ):
            self._blame(came, row.case)

    def weigh_all(self, laid: Laid) -> None:
        self._blame(self._came(laid), None)

    def _came(self, laid: Laid) -> list[tuple[str, Facet]]:
        known = self.known
        if known is None:
            return []
        return [each for each in laid.all if known < each[1].recorded <= self.at]

    def _blame(self, facets: Iterable[tuple[str, Facet]], case: str | None) -> None:
        for place, facet in facets:
            self.causes[facet.event] = Cause(event=facet.event, about=place, case=case)

    @property
    def first(self) -> tuple[Cause, ...]:
        return tuple(self.causes[event] for event in sorted(self.causes)[:MOST_CAUSES])


async def own_cells(
    rows: Rows,
    rules: RulesInForce,
    window: Window,
    *,
    known: datetime,
    long_ago: bool = False,
) -> Own:
    """Every unit's own cells of every form in force on the window's last day.

    `known` leaves out whatever was recorded after that instant; `long_ago` says that much was, so
    that each row is read. Raises `Unacceptable`.
    """
    directory, rulebook = rules.directory.directory, rules.rulebook.rulebook
    tally = _tally(window, rulebook)
    async for kind, count in _kinds(rows, window, known, long_ago=long_ago):
        tally.add_case(kind, count)
    async for laid in rows.activities():
        facet = laid.as_known(known).get("recorded")
        if facet is not None:
            tally.add_activity(ActivityRow.of(facet))
    channels = [
        ChannelRow.of(facet)
        async for laid in rows.channels()
        if (facet := laid.as_known(known).get("announced"))
    ]
    tally.add_register(directory, channels)
    last_day = window.period.last_day
    try:
        return own_figures(forms_in_force(rulebook, last_day), tally, Tree.on(last_day, directory))
    except NoUnitInForce:
        raise wrong(
            "no-unit-in-force",
            "The directory has no unit on the period's last day.",
            "Publish a directory that covers the period.",
        ) from None
    except DoesNotFoot as error:
        raise wrong("does-not-foot", str(error), "Look at the case that the title names.") from None


async def find_causes(
    rows: Rows, rules: RulesInForce, window: Window, known: datetime | None, at: datetime
) -> tuple[Cause, ...]:
    """What came after `known`, by `at`; it is looked for only once the figures differ."""
    late, tally = Late(known, at), _tally(window, rules.rulebook.rulebook)

    def differs(before: CaseRow, now: CaseRow) -> bool:
        counted = (facts_of(row, window, tally.stopped) for row in (before, now))
        return len(set(counted)) > 1

    async for row in rows.cases():
        late.weigh(row, differs)
    async for laid in rows.activities():
        facet = laid.as_known(at).get("recorded")
        if facet is not None and tally.add_activity(ActivityRow.of(facet)):
            late.weigh_all(laid)
    return late.first


async def _kinds(
    rows: Rows, window: Window, known: datetime, *, long_ago: bool
) -> AsyncIterator[tuple[CaseRow, int]]:
    if long_ago:
        async for row in rows.cases():
            yield row.as_known(known), 1
    else:
        async for each in rows.alike(window, known):
            yield each


def _tally(window: Window, rulebook: Rulebook) -> Tally:
    return Tally(window, stopped_by_acceptance(rulebook.clocks))


def forms_in_force(rulebook: Rulebook, last_day: date) -> Sequence[Form]:
    """Those in force; without one there is nothing to count a period with."""
    try:
        forms = forms_of(rulebook, last_day)
    except NotAForm as error:
        raise wrong(
            "no-such-form",
            f"A form of the rulebook cannot be filled: {error}",
            "Publish a rulebook without the slip; `langnghe rulebook lint` finds all of them.",
        ) from None
    if not forms:
        raise wrong(
            "no-form-in-force",
            "The rulebook has no form of report that is in force on the period's last day.",
            "Publish a rulebook with forms; docs/reports.md says how to write one.",
        )
    return forms


def period_of(code: str, rulebook: Rulebook, *, field: str = "/data/period") -> Period:
    """The period of this code; raises `Unacceptable` if the rulebook has none."""
    period = resolve(code, rulebook.periods)
    if period is None:
        known = ", ".join(sorted({rule.code for rule in rulebook.periods}))
        raise wrong(
            "unknown-period",
            "The rulebook has no such period.",
            f"Write <year>-<period>, with a period of the rulebook: {known}.",
            field=field,
        )
    return period


def rows_behind(field: str) -> Unacceptable:
    """Less has been counted than there was before: any figure would be short of something."""
    return wrong(
        "rows-behind",
        "The rows are being built again, and do not have everything yet.",
        "Ask once more when that is done.",
        field=field,
    )


def wrong(rule: str, title: str, advice: str, *, field: str = "/data/period") -> Unacceptable:
    return Unacceptable(rule, title, (FieldProblem(field=field, rule=rule, advice=advice),))
