"""One pass over the rows, for all units and all forms at once.

Cases of one unit with the same facts are one group. A province has some hundred groups, however
many cases; forms are filled from the groups.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from services.reporting.domain.forms.counting import Cases, OfCases, OfUnit, Sum
from services.reporting.domain.forms.facts import Amount, Measure
from services.reporting.domain.forms.form import Form, qualified
from services.reporting.domain.forms.identity import Identity
from services.reporting.domain.forms.standing import Ending, Facts, Standing
from services.reporting.domain.period import Window
from services.reporting.domain.row import ActivityRow, CaseRow, ChannelRow
from shared.contracts.activity import ActivityKind
from shared.contracts.directory import Directory
from shared.contracts.rulebook import ClockRule
from shared.contracts.vocabulary import Channel

Amounts = tuple[tuple[Amount, int], ...]

SATISFIED_FROM = 4
"""Of the scores from 1 to 5."""


def stopped_by_acceptance(rules: Iterable[ClockRule]) -> frozenset[str]:
    """Codes of the clocks that acceptance stops; any other runs until the answer."""
    return frozenset(rule.code for rule in rules if rule.stops == "accepted")


def facts_of(row: CaseRow, window: Window, stopped: Collection[str]) -> Facts | None:
    """What holds of a case at the period's end, or nothing if it does not count in the period.

    `row` may have more than that: what happened later is left out.

    It counts when it was received in the period, or before and not concluded before the period.
    `stopped` are the clocks that acceptance stops.
    """
    return _facts_at_end(row.as_of(window.end), window, stopped)


def _facts_at_end(row: CaseRow, window: Window, stopped: Collection[str]) -> Facts | None:
    received = row.received
    if received is None or not window.has_seen(received):
        return None
    carried = window.was_over(received)
    if carried and window.was_over(row.concluded):
        return None
    accepted, last_day = window.has_seen(row.accepted), window.period.last_day
    return Standing(
        carried=carried,
        signatures=row.signatures,
        kind=row.kind,
        eligible=row.eligible,
        assigned=window.has_seen(row.assigned),
        within=row.within_competence,
        accepted=accepted,
        ending=_ending(row) if window.has_seen(row.concluded) else None,
        overdue=any(
            due <= last_day and not (accepted and clock in stopped)
            for clock, due in row.due.items()
        ),
        joined=window.has_seen(row.joined),
    ).facts()


def _ending(row: CaseRow) -> Ending:
    return Ending(
        in_time=bool(row.in_time),
        referral=row.referral,
        outcome=row.outcome,
        again=row.times_settled > 1,
    )


def amounts_of(row: CaseRow, window: Window) -> Amounts:
    """What the case has been concluded with by the period's end; noughts are left out."""
    if not window.has_seen(row.concluded):
        return ()
    amounts = ((Amount.RECOVERED, row.recovered), (Amount.SANCTIONS, row.sanctions))
    return tuple((amount, number) for amount, number in amounts if number)


@dataclass(slots=True)
class Group:
    """How many cases, and the least id among them: an example that any order gives."""

    count: int
    example: str


@dataclass(slots=True)
class Tally:
    """What a period counts, by unit as the rows name it.

    `stopped` are the clocks that acceptance stops, see `stopped_by_acceptance`.
    """

    window: Window
    stopped: Collection[str] = frozenset()
    cases: dict[tuple[str, tuple[Facts, Amounts]], Group] = field(default_factory=dict)
    measures: dict[str, Counter[Measure]] = field(default_factory=dict)

    def add_case(self, row: CaseRow, count: int = 1) -> None:
        """Count so many cases that are all as this row says; its id is the least of theirs."""
        row = row.as_of(self.window.end)
        self._add_rating(row, count)
        facts = _facts_at_end(row, self.window, self.stopped)
        if facts is None:
            return
        alike = facts, amounts_of(row, self.window)
        group = self.cases.get((row.unit, alike))
        if group is None:
            self.cases[row.unit, alike] = Group(count, row.case)
            return
        group.count += count
        group.example = min(group.example, row.case)

    def _add_rating(self, row: CaseRow, count: int) -> None:
        """A rating counts in the period in which it was given, whenever the case was."""
        rated, score = row.rated, row.score
        if rated is None or score is None or not self.window.has_seen(row.received):
            return
        if self.window.has_seen(rated) and not self.window.was_over(rated):
            of_unit = self._measures(row.unit)
            of_unit[Measure.RATINGS] += count
            of_unit[Measure.SATISFIED] += count * (score >= SATISFIED_FROM)

    def add_activity(self, row: ActivityRow) -> bool:
        """An activity counts in the period that has the day on which it was held."""
        period = self.window.period
        if not period.first_day <= row.held <= period.last_day:
            return False
        of_unit = self._measures(row.unit)
        if row.kind == ActivityKind.DIRECT:
            of_unit[Measure.DIRECT_ACTIVITIES] += 1
        elif row.kind == ActivityKind.INDIRECT:
            of_unit[Measure.INDIRECT_ACTIVITIES] += 1
        else:
            of_unit[Measure.DIALOGUES] += 1
            of_unit[Measure.PARTICIPANTS] += row.participants
            of_unit[Measure.OPINIONS_RECEIVED] += row.opinions_received
            of_unit[Measure.OPINIONS_ACCEPTED] += row.opinions_accepted
        return True

    def add_register(self, directory: Directory, channels: Iterable[ChannelRow]) -> None:
        """Offices under supervision and agencies, as the directory has them on the last day.

        An office under several decisions is one office. An agency has a channel that it
        announced on or before the last day.
        """
        last_day = self.window.period.last_day
        supervised = {s.office for s in directory.supervisions if s.in_force(last_day)}
        for office in directory.offices:
            if office.code in supervised and office.in_force(last_day):
                self._measures(office.unit)[Measure.SUPERVISED_OFFICES] += 1
        announced = _announced(channels, last_day)
        for agency in directory.agencies:
            if not agency.in_force(last_day):
                continue
            of_unit = self._measures(agency.unit)
            mailbox = (agency.code, Channel.MAILBOX.value) in announced
            hotline = (agency.code, Channel.HOTLINE.value) in announced
            of_unit[Measure.AGENCIES] += 1
            of_unit[Measure.AGENCIES_WITH_MAILBOX] += mailbox
            of_unit[Measure.AGENCIES_WITH_HOTLINE] += hotline
            of_unit[Measure.AGENCIES_WITH_BOTH] += mailbox and hotline

    def _measures(self, unit: str) -> Counter[Measure]:
        return self.measures.setdefault(unit, Counter())


def _announced(channels: Iterable[ChannelRow], by: date) -> set[tuple[str, str]]:
    return {(row.agency, row.channel) for row in channels if row.published <= by}


def fill(form: Form, tally: Tally) -> Mapping[str, list[int]]:
    """The form's figures of each unit that has any, in the order of its columns."""
    filled: dict[str, list[int]] = {}
    alike: dict[tuple[Facts, Amounts], list[tuple[int, int]]] = {}
    for (unit, key), group in tally.cases.items():
        if key not in alike:
            alike[key] = _figures_of_one(form, *key)
        cells = filled.setdefault(unit, [0] * len(form.columns))
        for place, figure in alike[key]:
            cells[place] += figure * group.count
    for unit, figures in tally.measures.items():
        cells = filled.setdefault(unit, [0] * len(form.columns))
        for place, column in enumerate(form.columns):
            if isinstance(column.counts, OfUnit):
                cells[place] += figures[column.counts.measure]
    for cells in filled.values():
        _add_up(form, cells)
    return filled


def cells_of_one(form: Form, facts: Facts, amounts: Amounts = ()) -> list[int]:
    """The form as if there were one case and nothing else."""
    cells = [0] * len(form.columns)
    for place, figure in _figures_of_one(form, facts, amounts):
        cells[place] = figure
    _add_up(form, cells)
    return cells


def breaking_case(
    form: Form, identity: Identity, tally: Tally, units: Collection[str]
) -> str | None:
    """The least case of these units that breaks the identity all by itself, if one does."""

    def figures(facts: Facts, amounts: Amounts) -> Mapping[str, int]:
        return form.named(cells_of_one(form, facts, amounts))

    return _breaking(identity, tally, units, figures)


def breaking_across(
    forms: Sequence[Form], identity: Identity, tally: Tally, units: Collection[str]
) -> str | None:
    """The same of an identity between forms."""

    def figures(facts: Facts, amounts: Amounts) -> Mapping[str, int]:
        return qualified(forms, {f.code: cells_of_one(f, facts, amounts) for f in forms})

    return _breaking(identity, tally, units, figures)


def _breaking(
    identity: Identity,
    tally: Tally,
    units: Collection[str],
    figures: Callable[[Facts, Amounts], Mapping[str, int]],
) -> str | None:
    breaking = [
        group.example
        for (unit, (facts, amounts)), group in tally.cases.items()
        if unit in units and not identity.holds(figures(facts, amounts))
    ]
    return min(breaking, default=None)


def _figures_of_one(form: Form, facts: Facts, amounts: Amounts) -> list[tuple[int, int]]:
    """What one case adds to the form, by the places of its columns."""
    figures = []
    for place, column in enumerate(form.columns):
        match column.counts:
            case Cases() as counted if counted.has(facts):
                figures.append((place, 1))
            case OfCases(amount, counted) if amounts and counted.has(facts):
                figures.append((place, dict(amounts).get(amount, 0)))
    return figures


def _add_up(form: Form, cells: list[int]) -> None:
    figures = form.named(cells)
    for place, column in enumerate(form.columns):
        if isinstance(column.counts, Sum):
            cells[place] = sum(figures[part] for part in column.counts.columns)
