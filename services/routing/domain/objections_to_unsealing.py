"""What is wrong with an asking to see what is sealed, or with a second person's word on one."""

from services.routing.domain.command import Refusal
from shared.contracts.rulebook import Rulebook, UnsealingRule


def _on_ground(problem: str, title: str, advice: str) -> Refusal:
    return Refusal.of(problem, title, field="/data/ground", advice=advice)


def _on_person(problem: str, title: str, advice: str) -> Refusal:
    return Refusal.of(problem, title, field="/data/person", advice=advice)


def _on_number(problem: str, title: str, advice: str) -> Refusal:
    return Refusal.of(problem, title, field="/data/number", advice=advice)


def no_ground(rulebook: Rulebook) -> Refusal:
    codes = ", ".join(sorted({rule.code for rule in rulebook.unsealings})) or "none"
    advice = f"Name a ground that is in force for cases of this kind; the rulebook has: {codes}."
    return _on_ground("no-ground", "No rule allows it on this ground", advice)


def ground_gone(code: str) -> Refusal:
    advice = f"The rule {code} is not in force any more: ask anew, on one that is."
    return _on_number("ground-gone", "The ground does not hold any more", advice)


def not_a_body() -> Refusal:
    advice = "Ask the operator to publish the body's entry anew."
    return Refusal.of(
        "not-a-body",
        "The directory in force has no such body today",
        field="/subject",
        advice=advice,
    )


def not_a_holder(rule: UnsealingRule) -> Refusal:
    advice = f"{rule.citation}: only a body that leads the case or co-operates is told who spoke."
    return Refusal.of("not-a-holder", "Others hold this case", field="/subject", advice=advice)


def not_a_superior(rule: UnsealingRule) -> Refusal:
    advice = f"{rule.citation}: only a competent body above the lead may look at a case of others."
    title = "Your body is not above the lead of this case"
    return Refusal.of("not-a-superior", title, field="/subject", advice=advice)


def person_concerned(citation: str) -> Refusal:
    advice = f"{citation}: let somebody whom the case does not concern do this."
    return _on_person("person-concerned", "This person is concerned by the case", advice)


def same_person(rule: UnsealingRule) -> Refusal:
    advice = f"{rule.citation}: another person has to agree, under a code of their own."
    return _on_person("same-person", "One person cannot be both", advice)


def same_body(rule: UnsealingRule) -> Refusal:
    advice = f"{rule.citation}: a person of another body has to agree."
    return _on_person("same-body", "Both persons are of one body", advice)


def unknown_unsealing() -> Refusal:
    advice = "Give the number that ask.<body>.routing.unsealings tells for this case."
    return _on_number("unknown-unsealing", "Nothing was asked under this number", advice)


def over(standing: str) -> Refusal:
    advice = "Nothing is left to do; whoever wants to see it asks anew."
    return _on_number("unsealing-over", f"This asking is {standing} already", advice)


def lapsed() -> Refusal:
    advice = "The last day to agree is over; whoever wants to see it asks anew."
    return _on_number("unsealing-lapsed", "Nobody agreed in time", advice)


def case_moved() -> Refusal:
    advice = "The case concerns more than when it was asked: ask anew."
    return _on_number("case-amended", "The case is about more by now", advice)


def asker_may_not(why: Refusal) -> Refusal:
    """What stands against the asking today, of whoever asked."""
    advice = f"Who asked may not any more ({why.problem}): {why.problems[0].advice}"
    return _on_number("asker-may-not", "Who asked may not see it today", advice)
