"""What time and new rules do to the clocks of a case, and when it has to be looked at again.

A case is moved by its own act first, then by new rules, then by the day: an answer is weighed
by the last day that it was given under, and a rule that came in time saves a term.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo
from typing import cast

from services.routing.domain import SOURCE
from services.routing.domain.clocks import Clock, Standing, Versions, restated, same_term
from services.routing.domain.competence import NO_LOAD
from services.routing.domain.ladder import climbed, recounted
from services.routing.domain.lapsing import lapsed, lapses
from services.routing.domain.lifecycle import CONCLUSION, CaseState
from services.routing.domain.reassessing import Handing, count_move, reassessed
from services.routing.domain.rules import RulesInForce
from shared.contracts.case import (
    CaseEvent,
    ClockMet,
    ClockMissed,
    ClockRestated,
    ClockWarned,
    Restating,
)
from shared.contracts.envelope import AnyEvent, Event, derived_id

AT_ONCE = date.min
ONE_DAY = timedelta(days=1)


def act_that_stops(clock: Clock, state: CaseState) -> datetime | None:
    """When the lead body did what stops the clock; None while it has not."""
    return state.concluded if clock.stops == CONCLUSION else state.accepted


def next_look(state: CaseState) -> date | None:
    """The local day on which its clocks have something to say, or its bodies are weighed again.

    None if that never comes.
    """
    days = [day for clock in state.clocks if (day := _look(clock, state)) is not None]
    if state.open and state.weighed.until is not None:
        days.append(state.weighed.until)
    days += lapses(state)
    return min(days, default=None)


def oldest_count(state: CaseState) -> Versions | None:
    """The oldest rules that a clock which runs or climbs was counted with; None if none does."""
    ticking = (clock for clock in state.clocks if _runs(clock) or clock.climbs)
    counted = [clock.counted for clock in ticking if act_that_stops(clock, state) is None]
    if not counted:
        return None
    return Versions(min(v.rulebook for v in counted), min(v.calendar for v in counted))


Said = tuple[tuple[CaseEvent, datetime], ...]
"""Each with the moment at which it happened."""


@dataclass(frozen=True, slots=True)
class Step:
    """What happened to one clock: how it stands now, and what is said of it, if anything is."""

    clock: Clock
    said: Said = ()


@dataclass(frozen=True, slots=True)
class Fired:
    """A case whose clocks were looked at: as it was and is, and what has to be announced."""

    before: CaseState
    after: CaseState
    events: tuple[AnyEvent, ...]


def ticked(
    states: Iterable[CaseState],
    rules: RulesInForce,
    zone: tzinfo,
    at: datetime,
    load: Counter[str],
) -> list[Fired]:
    """Each of them as `tick` finds it, in the order of their ids, so that no store's order decides.

    `load` hears of every move before the next case is asked: equal bodies share what moves.
    """
    fired = []
    for state in sorted(states, key=lambda state: state.case):
        one = tick(state, rules, zone, at, load)
        count_move(one.before, one.after, load)
        fired.append(one)
    return fired


def tick(
    state: CaseState,
    rules: RulesInForce,
    zone: tzinfo,
    at: datetime,
    load: Mapping[str, int] = NO_LOAD,
) -> Fired:
    """The case at the instant `at` under these rules, and what has to be announced of it.

    Asked again of the state that it led to, it says nothing more. `load` is the number of open
    cases by lead.
    """
    today = at.astimezone(zone).date()
    after, said = _stepped(state, lambda clock: _step(clock, state, rules, zone, at))
    told = {data.clock for data, _ in said if isinstance(data, ClockMissed)}
    # What was done late, and told before anybody looked, is no reason to send for another body.
    missed = {c.code for c in after.clocks if c.standing is Standing.MISSED and c.code in told}
    if after.open and _must_be_weighed(after, rules, today):
        found = reassessed(after, rules, today, load=load)
        if isinstance(found, Handing):
            after, said = found.state, (*said, (found.said, at))
        else:
            after = found
    after, climbs = climbed(after, state.lead, missed, rules, today, load=load)
    said = (*said, *((data, at) for data in climbs))
    after, over = lapsed(after, today, zone)
    said = (*said, *over)
    return Fired(state, after, tuple(said_of(state, data, when, at) for data, when in said))


def clock_ticked(
    state: CaseState, clock: Clock, rules: RulesInForce, zone: tzinfo, at: datetime
) -> tuple[CaseState, Said]:
    """The case with this clock of it as it stands at the instant `at`; the others wait for `tick`.

    A term that is found missed sends for another body, and only `tick` does that.
    """
    return _stepped(
        state, lambda each: _step(each, state, rules, zone, at) if each is clock else Step(each)
    )


def acts_settled(state: CaseState, zone: tzinfo) -> tuple[CaseState, Said]:
    """The case with each clock that its body's acts stopped told of, before they are undone."""

    def step(clock: Clock) -> Step:
        act = act_that_stops(clock, state)
        if act is None or clock.standing in {Standing.MET, Standing.LATE}:
            return Step(clock)
        return _stopped(clock, state, act, zone)

    return _stepped(state, step)


def _stepped(state: CaseState, step: Callable[[Clock], Step]) -> tuple[CaseState, Said]:
    """The case after one step of each clock, and what is said of them, numbered."""
    steps = [step(clock) for clock in state.clocks]
    unnumbered = (each for one in steps for each in one.said)
    said = tuple(
        (data.model_copy(update={"version": version}), when)
        for version, (data, when) in enumerate(unnumbered, start=state.version + 1)
    )
    clocks = tuple(one.clock for one in steps)
    return replace(state, clocks=clocks, version=state.version + len(said)), said


def _must_be_weighed(state: CaseState, rules: RulesInForce, today: date) -> bool:
    weighed = state.weighed
    return (
        weighed.directory < rules.directory_version
        or weighed.rulebook < rules.rulebook_version
        or (weighed.until is not None and weighed.until <= today)
    )


def _step(clock: Clock, state: CaseState, rules: RulesInForce, zone: tzinfo, at: datetime) -> Step:
    if clock.standing in {Standing.MET, Standing.LATE}:
        return Step(clock)
    act = act_that_stops(clock, state)
    if act is not None:
        return _stopped(clock, state, act, zone)
    if clock.climbs:
        return Step(recounted(clock, rules, at.astimezone(zone).date()))
    if not _runs(clock):
        return Step(clock)
    now = _restated(clock, rules, zone, at)
    fallen = _fallen(now.clock, state, zone, at)
    return Step(fallen.clock, (*now.said, *fallen.said))


def _stopped(clock: Clock, state: CaseState, act: datetime, zone: tzinfo) -> Step:
    missed = clock.standing is Standing.MISSED
    if act.astimezone(zone).date() <= clock.due:
        met = ClockMet(**_about(clock, state), told_late=missed)
        return Step(replace(clock, standing=Standing.MET), ((met, act),))
    late = replace(clock, standing=Standing.LATE)
    return Step(late) if missed else Step(late, (_missed(clock, state, zone),))


def _restated(clock: Clock, rules: RulesInForce, zone: tzinfo, at: datetime) -> Step:
    versions = Versions(rules.rulebook_version, rules.calendar_version)
    if clock.counted == versions:
        return Step(clock)
    try:
        now = restated(clock, rules.rulebook, rules.working_days, versions, zone)
    except OverflowError:  # a term beyond the year 9999: it stays as it was counted
        now = replace(clock, counted=versions)
    if now.due == clock.due:
        return Step(now)
    data = ClockRestated(
        version=1,
        clock=now.code,
        citation=now.citation,
        due_before=clock.due,
        due=now.due,
        why=Restating.CALENDAR if same_term(clock, now) else Restating.RULEBOOK,
        rulebook_before=clock.counted.rulebook,
        rulebook=versions.rulebook,
        calendar_before=clock.counted.calendar,
        calendar=versions.calendar,
    )
    return Step(now, ((data, at),))


def _fallen(clock: Clock, state: CaseState, zone: tzinfo, at: datetime) -> Step:
    today = at.astimezone(zone).date()
    if today > clock.due:
        return Step(replace(clock, standing=Standing.MISSED), (_missed(clock, state, zone),))
    if clock.warns is None or clock.warned or today < clock.warns:
        return Step(clock)
    warned = ClockWarned(**_about(clock, state))
    when = max(_midnight(clock.warns, zone), clock.started)
    return Step(replace(clock, warned=True), ((warned, when),))


def _missed(clock: Clock, state: CaseState, zone: tzinfo) -> tuple[CaseEvent, datetime]:
    return ClockMissed(**_about(clock, state)), _midnight(clock.due + ONE_DAY, zone)


def _about(clock: Clock, state: CaseState) -> dict[str, object]:
    return {
        "version": 1,  # its place among the case's events is given by `tick`
        "clock": clock.code,
        "citation": clock.citation,
        "body": state.lead,
        "due": clock.due,
    }


def _midnight(day: date, zone: tzinfo) -> datetime:
    """The first instant of a local day."""
    return datetime.combine(day, time(), zone)


def _runs(clock: Clock) -> bool:
    return clock.standing is Standing.RUNNING and not clock.paused


def _look(clock: Clock, state: CaseState) -> date | None:
    if clock.standing in {Standing.MET, Standing.LATE}:
        return None
    if act_that_stops(clock, state) is not None:
        return AT_ONCE
    if clock.climbs and clock.rung is not None:
        return clock.rung.due + ONE_DAY
    if not _runs(clock):
        return None
    if clock.warns is not None and not clock.warned:
        return min(clock.warns, clock.due + ONE_DAY)
    return clock.due + ONE_DAY


def said_of(state: CaseState, data: CaseEvent, when: datetime, at: datetime) -> AnyEvent:
    """Its id is that of its place in the case: whoever finds it due there says the same."""
    shape = cast("type[AnyEvent]", Event[type(data)])  # type: ignore[misc]
    return shape(
        id=derived_id(state.case, data.TYPE, str(data.version)),
        source=SOURCE,
        type=data.TYPE,
        subject=state.case,
        time=when,
        recordedtime=at,
        correlationid=state.affair,
        data=data,
    )
