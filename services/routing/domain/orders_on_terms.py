"""Orders that move the last day of a term: only as its rule allows, and never without a word."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import tzinfo

from services.routing.domain import clocks as terms
from services.routing.domain import objections
from services.routing.domain.clocks import Clock, Versions, rule_of
from services.routing.domain.command import Refusal
from services.routing.domain.decision import Act, Decision
from services.routing.domain.due import clocks_ticked
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

    New rules and a last day that is over come first, as a sweep would find them.
    """
    now, said = clocks_ticked(state, rules, zone, act.recorded)
    found = _OnTerm(now, act, rules, zone).take(order)
    return found if isinstance(found, Refusal) else replace(found, said=(*said, *found.said))


@dataclass(frozen=True, slots=True)
class _OnTerm:
    state: CaseState
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
                return self._resume(order)

    def _extend(self, order: CaseExtend) -> Decision | Refusal:
        return self._on_clock(
            order.clock,
            lambda clock, rule: terms.extended(
                clock, order.days, rule, self.rules.working_days, self.zone
            ),
            Restating.EXTENSION,
        )

    def _pause(self, order: CasePause) -> Decision | Refusal:
        first = self.act.at.astimezone(self.zone).date()
        found = self._changed(order.clock, lambda clock, rule: terms.paused(clock, first, rule))
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

    def _resume(self, order: CaseResume) -> Decision | Refusal:
        return self._on_clock(order.clock, self._resumed, Restating.PAUSE)

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
        code: str,
        change: Callable[[Clock, ClockRule], Clock | Refusal],
        why: Restating,
    ) -> Decision | Refusal:
        found = self._changed(code, change)
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
        self, code: str, change: Callable[[Clock, ClockRule], Clock | Refusal]
    ) -> tuple[CaseState, Clock, Clock] | Refusal:
        """The case with its running clock of this code changed, the clock before and after."""
        place = self._place_of(code)
        if place is None:
            return objections.unknown_clock()
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

    def _place_of(self, code: str) -> int | None:
        """A case that was reopened has several clocks of one code: the last one counts."""
        places = [i for i, clock in enumerate(self.state.clocks) if clock.code == code]
        return places[-1] if places else None
