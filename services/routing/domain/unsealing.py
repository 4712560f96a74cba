"""Who may see what is sealed: one person, once, on a ground of law, if a second one agrees.

Whoever asks and whoever agrees is weighed by the rules of the day on which the second one agrees,
and who asked again when it is shown. Nobody whom the case concerns has any part in it, neither as
a body nor, as far as the directory knows them, as a person; nobody is both persons.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta, tzinfo

from services.routing.domain import objections
from services.routing.domain import objections_to_unsealing as against
from services.routing.domain.command import Refusal, UnsealingOrder
from services.routing.domain.competence import is_competent
from services.routing.domain.conflict import concerned_person
from services.routing.domain.decision import Act, Decision
from services.routing.domain.lifecycle import CaseState, Unsealed, Unsealing
from services.routing.domain.orders import untimely
from services.routing.domain.reassessing import barred
from services.routing.domain.rules import RulesInForce
from shared.contracts.case import (
    CaseEvent,
    CaseUnsealed,
    CaseUnsealingAsked,
    CaseUnsealingConfirmed,
    CaseUnsealingRefused,
)
from shared.contracts.order import CaseAskUnsealing, CaseConfirmUnsealing, CaseRefuseUnsealing
from shared.contracts.rulebook import UnsealingRule
from shared.contracts.vocabulary import Unseals


def decide_unsealing(
    state: CaseState, order: UnsealingOrder, act: Act, rules: RulesInForce, zone: tzinfo
) -> Decision | Refusal:
    """What the order does to the case, by the rules of the day on which it came."""
    scene = Scene(state, rules, act.recorded.astimezone(zone).date())
    refusal = scene.concerned(act.party) or untimely(state, act, order.version)
    if refusal is not None:
        return refusal
    match order:
        case CaseAskUnsealing():
            return _ask(scene, order, act)
        case CaseConfirmUnsealing() | CaseRefuseUnsealing():
            return _second(scene, order, act)


@dataclass(frozen=True, slots=True)
class Scene:
    """A case, the rules in force, and the local day: all that is asked about a body or a person."""

    state: CaseState
    rules: RulesInForce
    on: date

    def concerned(self, body: str) -> Refusal | None:
        """Why the body has no part in it, as one that is concerned or is not there."""
        for exclusion in barred(self.state, self.rules, self.on):
            if exclusion.body == body:
                return objections.concerned(exclusion.rule, self.rules.rulebook)
        return against.not_a_body() if self.rules.directory.body(body, self.on) is None else None

    def person_concerned(self, person: str) -> Refusal | None:
        directory, book = self.rules.directory, self.rules.rulebook
        if not concerned_person(person, self.state.matter, directory, book, self.on):
            return None
        citations = (rule.citation for rule in book.conflicts if rule.in_force(self.on))
        return against.person_concerned(next(citations, "conflict"))

    def rule(self, code: str) -> UnsealingRule | None:
        """The ground of this code in force for the kind of case; the first one decides."""
        kind = self.state.matter.kind
        fitting = (
            rule
            for rule in self.rules.rulebook.unsealings
            if rule.code == code
            and rule.in_force(self.on)
            and (kind in rule.kinds or not rule.kinds)
        )
        return next(fitting, None)

    def may_ask(self, body: str, person: str, rule: UnsealingRule) -> Refusal | None:
        """Why this person of this body may not see what the ground unseals; None: they may."""
        refusal = self.concerned(body) or self.person_concerned(person)
        if refusal is not None:
            return refusal
        if rule.unseals is Unseals.IDENTITY:
            return None if body in self.state.bodies else against.not_a_holder(rule)
        return None if self._stands_above(body) else against.not_a_superior(rule)

    def may_see(self, number: int, body: str, person: str | None) -> Unsealing | None:
        """What was agreed on and is not over: it is shown to who asked, and to nobody else."""
        unsealing = self.find(number)
        if unsealing is None or unsealing.standing is not Unsealed.CONFIRMED:
            return None
        if (unsealing.body, unsealing.person) != (body, person) or self.on > unsealing.until:
            return None
        rule = self.rule(unsealing.ground)
        if rule is None or unsealing.about != self.state.matter:
            return None
        return unsealing if self.may_ask(body, unsealing.person, rule) is None else None

    def find(self, number: int) -> Unsealing | None:
        there = 0 < number <= len(self.state.unsealings)
        return self.state.unsealings[number - 1] if there else None

    def _stands_above(self, body: str) -> bool:
        """Competent for the matter, on its way up, and of a higher level than the lead."""
        directory, on = self.rules.directory, self.on
        seat, leads = directory.body(body, on), directory.body(self.state.lead, on)
        if seat is None or leads is None or body in self.state.bodies:
            return False
        if directory.level(seat.unit) >= directory.level(leads.unit):
            return False
        return is_competent(body, self.state.matter, directory, self.rules.rulebook, on)


def shown(state: CaseState, unsealing: Unsealing) -> tuple[CaseState, CaseUnsealed]:
    """The case once it was shown, and what is said of it."""
    said = CaseUnsealed(
        version=state.version + 1,
        number=unsealing.number,
        body=unsealing.body,
        person=unsealing.person,
        ground=unsealing.ground,
    )
    return _with(state, replace(unsealing, standing=Unsealed.SHOWN), said), said


def _ask(scene: Scene, order: CaseAskUnsealing, act: Act) -> Decision | Refusal:
    state, rule = scene.state, scene.rule(order.ground)
    if rule is None:
        return against.no_ground(scene.rules.rulebook)
    refusal = scene.may_ask(act.party, order.person, rule)
    if refusal is not None:
        return refusal
    unsealing = Unsealing(
        number=len(state.unsealings) + 1,
        unseals=rule.unseals,
        ground=rule.code,
        citation=order.citation,
        body=act.party,
        person=order.person,
        about=state.matter,
        until=scene.on + timedelta(days=rule.confirm_days),
    )
    said = CaseUnsealingAsked(
        version=state.version + 1,
        number=unsealing.number,
        unseals=unsealing.unseals,
        body=unsealing.body,
        person=unsealing.person,
        ground=rule.code,
        law=rule.citation,
        citation=order.citation,
        until=unsealing.until,
        rulebook=scene.rules.rulebook_version,
    )
    return Decision(_with(state, unsealing, said), ((said, act.at),))


def _second(
    scene: Scene, order: CaseConfirmUnsealing | CaseRefuseUnsealing, act: Act
) -> Decision | Refusal:
    unsealing = scene.find(order.number)
    if unsealing is None:
        return against.unknown_unsealing()
    if unsealing.standing is Unsealed.LAPSED or (
        unsealing.standing is Unsealed.ASKED and scene.on > unsealing.until
    ):
        return against.lapsed()
    if unsealing.standing is not Unsealed.ASKED:
        return against.over(unsealing.standing.value)
    rule = scene.rule(unsealing.ground)
    if rule is None:
        return against.ground_gone(unsealing.ground)
    refusal = _may_be_second(scene, unsealing, rule, act.party, order.person)
    if refusal is not None:
        return refusal
    match order:
        case CaseConfirmUnsealing():
            return _confirm(scene, unsealing, rule, order, act)
        case CaseRefuseUnsealing():
            said = CaseUnsealingRefused(
                version=scene.state.version + 1,
                number=unsealing.number,
                second_body=act.party,
                second_person=order.person,
            )
            refused = replace(unsealing, standing=Unsealed.REFUSED)
            return Decision(_with(scene.state, refused, said), ((said, act.at),))


def _may_be_second(
    scene: Scene, unsealing: Unsealing, rule: UnsealingRule, body: str, person: str
) -> Refusal | None:
    """One code in two bodies may be two people, or one: nobody can tell, so it is one."""
    if person == unsealing.person:
        return against.same_person(rule)
    if body == unsealing.body and not rule.same_body:
        return against.same_body(rule)
    return scene.person_concerned(person)


def _confirm(
    scene: Scene,
    unsealing: Unsealing,
    rule: UnsealingRule,
    order: CaseConfirmUnsealing,
    act: Act,
) -> Decision | Refusal:
    if unsealing.about != scene.state.matter:
        return against.case_moved()
    refusal = scene.may_ask(unsealing.body, unsealing.person, rule)
    if refusal is not None:
        return against.asker_may_not(refusal)
    until = scene.on + timedelta(days=rule.read_days)
    said = CaseUnsealingConfirmed(
        version=scene.state.version + 1,
        number=unsealing.number,
        unseals=unsealing.unseals,
        body=unsealing.body,
        person=unsealing.person,
        ground=unsealing.ground,
        second_body=act.party,
        second_person=order.person,
        until=until,
    )
    agreed = replace(unsealing, standing=Unsealed.CONFIRMED, until=until)
    return Decision(_with(scene.state, agreed, said), ((said, act.at),))


def _with(state: CaseState, unsealing: Unsealing, said: CaseEvent) -> CaseState:
    place = unsealing.number - 1
    others = (*state.unsealings[:place], unsealing, *state.unsealings[place + 1 :])
    return replace(state, unsealings=others, version=said.version)
