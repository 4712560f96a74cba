"""One pass over the rows, for all units and all forms at once.

Cases of one unit with the same facts are one group. A province has some hundred groups, however
many cases; forms are filled from the groups.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from services.reporting.domain.forms.form import Cases, Fact, Form, Measure, Sum
from services.reporting.domain.forms.identity import Identity
from services.reporting.domain.period import Window
from services.reporting.domain.row import ActivityRow, CaseRow, ChannelRow
from shared.contracts.activity import ActivityKind
from shared.contracts.directory import Directory
from shared.contracts.rulebook import ClockRule
from shared.contracts.vocabulary import Channel, Kind, Signatures

Facts = tuple[Fact, ...]

_SIGNED = {
    Signatures.SEVERAL.value: Fact.SEVERAL_SIGNED,
    Signatures.ONE.value: Fact.ONE_SIGNED,
    Signatures.OTHER.value: Fact.OTHER_SIGNED,
}
_KIND = {
    Kind.COMPLAINT.value: Fact.COMPLAINT,
    Kind.DENUNCIATION.value: Fact.DENUNCIATION,
    Kind.PETITION.value: Fact.PETITION_OR_REFLECTION,
    Kind.REFLECTION.value: Fact.PETITION_OR_REFLECTION,
}


def stopped_by_acceptance(rules: Iterable[ClockRule]) -> frozenset[str]:
    """Codes of the clocks that acceptance stops; any other runs until the answer."""
    return frozenset(rule.code for rule in rules if rule.stops == "accepted")


def facts_of(row: CaseRow, window: Window, stopped: Collection[str]) -> Facts | None:
    """What holds of a case at the period's end, or nothing if it does not count in the period.

    It counts when it was received in the period, or before and not concluded before the period.
    `stopped` are the clocks that acceptance stops.
    """
    received = row.received
    if received is None or not window.has_seen(received):
        return None
    carried = window.was_over(received)
    if carried and window.was_over(row.concluded):
        return None
    facts = [
        Fact.CARRIED_OVER if carried else Fact.RECEIVED,
        _SIGNED[row.signatures],
        _KIND[row.kind],
    ]
    assigned = window.has_seen(row.assigned)
    if assigned:
        facts.append(Fact.HANDLED)
    if window.has_seen(row.joined):  # a letter that came in, and no matter of its own
        return (*facts, Fact.JOINED)
    return (*facts, *_dealt_with(row, window, stopped, assigned=assigned))


def _dealt_with(
    row: CaseRow, window: Window, stopped: Collection[str], *, assigned: bool
) -> list[Fact]:
    """What holds of a matter of its own."""
    facts = [Fact.ELIGIBLE] if row.eligible else []
    over = window.has_seen(row.concluded)
    if over and row.referral is not None:
        facts += (Fact.NOT_WITHIN_COMPETENCE, Fact(row.referral))
    elif assigned and not row.within_competence:
        facts += (Fact.NOT_WITHIN_COMPETENCE, Fact.FORWARDED)
    else:
        facts.append(Fact.WITHIN_COMPETENCE)
    accepted = window.has_seen(row.accepted)
    if over and row.referral is not None:
        facts += (Fact.NOT_SETTLED, Fact.IN_TIME if row.in_time else Fact.LATE)
    elif over:
        facts += (
            Fact.SETTLED_ONCE if row.times_settled == 1 else Fact.SETTLED_AGAIN,
            Fact.ANSWERED,
            Fact.IN_TIME if row.in_time else Fact.LATE,
        )
    else:
        facts += (Fact.BEING_SETTLED if accepted else Fact.NOT_SETTLED, Fact.OPEN)
        last_day = window.period.last_day
        if any(
            due <= last_day and not (accepted and clock in stopped)
            for clock, due in row.due.items()
        ):
            facts.append(Fact.OVERDUE)
    return facts


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
    cases: dict[tuple[str, Facts], Group] = field(default_factory=dict)
    measures: dict[str, Counter[Measure]] = field(default_factory=dict)

    def add_case(self, row: CaseRow) -> None:
        facts = facts_of(row, self.window, self.stopped)
        if facts is None:
            return
        group = self.cases.get((row.unit, facts))
        if group is None:
            self.cases[row.unit, facts] = Group(1, row.case)
            return
        group.count += 1
        group.example = min(group.example, row.case)

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
    for (unit, facts), group in tally.cases.items():
        cells = filled.setdefault(unit, [0] * len(form.columns))
        _add_cases(form, facts, group.count, cells)
    for unit, figures in tally.measures.items():
        cells = filled.setdefault(unit, [0] * len(form.columns))
        for place, column in enumerate(form.columns):
            if isinstance(column.counts, Measure):
                cells[place] += figures[column.counts]
    for cells in filled.values():
        _add_up(form, cells)
    return filled


def breaking_case(
    form: Form, identity: Identity, tally: Tally, units: Collection[str]
) -> str | None:
    """The least case of these units that breaks the identity all by itself, if one does."""
    breaking = []
    for (unit, facts), group in tally.cases.items():
        if unit not in units:
            continue
        cells = [0] * len(form.columns)
        _add_cases(form, facts, 1, cells)
        _add_up(form, cells)
        if not identity.holds(form.named(cells)):
            breaking.append(group.example)
    return min(breaking, default=None)


def _add_cases(form: Form, facts: Facts, count: int, cells: list[int]) -> None:
    for place, column in enumerate(form.columns):
        if isinstance(column.counts, Cases) and column.counts.facts.issubset(facts):
            cells[place] += count


def _add_up(form: Form, cells: list[int]) -> None:
    figures = form.named(cells)
    for place, column in enumerate(form.columns):
        if isinstance(column.counts, Sum):
            cells[place] = sum(figures[part] for part in column.counts.columns)
