"""Orders that move the last day of a term: only as its rule allows, and never without a word."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import tzinfo

from services.routing.domain import clocks as terms
from services.routing.domain import objections
from services.routing.domain.clocks import Clock, Versions, rule_of
from services.routing.domain.command import Refusal
from services.routing.domain.decision import Act, Decision
from services.routing.domain.due import clock_ticked
from services.routing.domain.lifecycle import CaseState
from services.routing.domain.rules import RulesInForce
from shared.contracts.case import ClockPaused, ClockRestated, Restating
from shared.contracts.order import CaseExtend, CasePause, CaseResume
from shared.contracts.rulebook import ClockRule

TermOrder = CaseExtend | CasePause | CaseResume


def on_term(
    state: CaseState, order: TermOrder, act: Act, rules: RulesInForce, zone: tzinfo
) -> Decision | Refusal:
    """What the order does to a term of the case; a refusal cites the term's rule.

    New rules for the term and a last day of it that is over come first, as a sweep would find
    them; a term that is over takes no order.
    """
    if isinstance(order, CasePause) and state.goes_on is not None:
        return objections.goes_on(state.goes_on.citation)
    place = _place_of(order.clock, state)
    if place is None:
        return objections.unknown_clock()
    now, said = clock_ticked(state, state.clocks[place], rules, zone, act.recorded)
    found = _OnTerm(now, place, act, rules, zone).take(order)
    return found if isinstance(found, Refusal) else replace(found, said=(*said, *found.said))


def _place_of(code: str, state: CaseState) -> int | None:
    """A case that was reopened has several clocks of one code: the last one counts."""
    places = [i for i, clock in enumerate(state.clocks) if clock.code == code]
    return places[-1] if places else None


@dataclass(frozen=True, slots=True)
class _OnTerm:
    state: CaseState
    place: int
    """Of the clock that is meant."""
    act: Act
    rules: RulesInForce
    zone: tzinfo

    def take(self, order: TermOrder) -> Decision | Refusal:
        match order:
            case CaseExtend():
                return self._extend(order)
            case CasePause():
                return self._pause(order)
            case CaseResume():
                return self._resume()

    def _extend(self, order: CaseExtend) -> Decision | Refusal:
        return self._on_clock(
            lambda clock, rule: terms.extended(
                clock, order.days, rule, self.rules.working_days, self.zone
            ),
            Restating.EXTENSION,
        )

    def _pause(self, order: CasePause) -> Decision | Refusal:
        first = self.act.at.astimezone(self.zone).date()
        found = self._changed(lambda clock, rule: terms.paused(clock, first, rule))
        if isinstance(found, Refusal):
            return found
        after, before, _ = found
        paused = ClockPaused(
            version=after.version,
            clock=before.code,
            citation=order.citation,
            body=after.lead,
            first=first,
        )
        return Decision(after, ((paused, self.act.at),))

    def _resume(self) -> Decision | Refusal:
        return self._on_clock(self._resumed, Restating.PAUSE)

    def _resumed(self, clock: Clock, rule: ClockRule) -> Clock | Refusal:
        """By today's rules: while it stood still, no new version was counted."""
        on = self.act.at.astimezone(self.zone).date()
        rules, days = self.rules, self.rules.working_days
        clock_or_refusal = terms.resumed(clock, on, rule, days, self.zone)
        if isinstance(clock_or_refusal, Refusal):
            return clock_or_refusal
        versions = Versions(rules.rulebook_version, rules.calendar_version)
        return terms.restated(clock_or_refusal, rules.rulebook, days, versions, self.zone)

    def _on_clock(
        self,
        change: Callable[[Clock, ClockRule], Clock | Refusal],
        why: Restating,
    ) -> Decision | Refusal:
        found = self._changed(change)
        if isinstance(found, Refusal):
            return found
        after, before, clock = found
        restated = ClockRestated(
            version=after.version,
            clock=clock.code,
            citation=clock.citation,
            due_before=before.due,
            due=clock.due,
            why=why,
            rulebook_before=before.counted.rulebook,
            rulebook=clock.counted.rulebook,
            calendar_before=before.counted.calendar,
            calendar=clock.counted.calendar,
        )
        return Decision(after, ((restated, self.act.at),))

    def _changed(
        self, change: Callable[[Clock, ClockRule], Clock | Refusal]
    ) -> tuple[CaseState, Clock, Clock] | Refusal:
        """The case with the clock changed, the clock before and after."""
        place = self.place
        before = self.state.clocks[place]
        rule = rule_of(before, self.rules.rulebook, self.zone)
        if rule is None:
            return objections.rule_gone(before)
        clock = change(before, rule)
        if isinstance(clock, Refusal):
            return clock
        others = self.state.clocks
        after = replace(
            self.state,
            clocks=(*others[:place], clock, *others[place + 1 :]),
            version=self.state.version + 1,
        )
        return after, before, clock
