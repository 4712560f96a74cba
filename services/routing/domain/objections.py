"""What is wrong with an order on a case, each with what to do; a rule of law is cited."""

from services.routing.domain.clocks import Clock
from services.routing.domain.command import Refusal
from shared.contracts.rulebook import Rulebook, WithdrawalRule
from shared.contracts.vocabulary import Kind


def _on_case(problem: str, title: str, advice: str) -> Refusal:
    return Refusal.of(problem, title, field="/subject", advice=advice)


def _on_time(problem: str, title: str, advice: str) -> Refusal:
    return Refusal.of(problem, title, field="/time", advice=advice)


def _cited(rule: str, rulebook: Rulebook) -> str:
    citations = (r.citation for r in rulebook.conflicts if r.code == rule)
    return next(citations, rule)


def not_lead() -> Refusal:
    advice = "Give orders only on cases whose case.assigned.v1 names you as the lead."
    return _on_case("not-lead", "Another body leads this case", advice)


def concerned(rule: str, rulebook: Rulebook) -> Refusal:
    advice = f"{_cited(rule, rulebook)}: wait; the case goes to another body by itself."
    return _on_case("concerned", "Your body may not touch this case", advice)


def version_conflict() -> Refusal:
    advice = "Read the case again, decide anew, and give the version that it has now."
    return Refusal.of(
        "version-conflict", "The case has moved since", field="/data/version", advice=advice
    )


def already_accepted() -> Refusal:
    advice = "Nothing is left to do; conclude the case when it is answered."
    return _on_case("already-accepted", "The case is accepted already", advice)


def accepted_stays() -> Refusal:
    advice = "Transfer the case to the competent body, or conclude it."
    return _on_case("already-accepted", "The case is accepted already", advice)


def not_accepted() -> Refusal:
    advice = "Send case.accept.v1 for this case first, then this command again."
    return _on_case("not-accepted", "The case is not accepted yet", advice)


def already_concluded() -> Refusal:
    advice = "Nothing is left to do; a conclusion stands until case.reopen.v1."
    return _on_case("already-concluded", "The case is concluded", advice)


def not_concluded() -> Refusal:
    advice = "Go on with the case: it is open."
    return _on_case("not-concluded", "The case is not concluded", advice)


def desk_stays() -> Refusal:
    advice = "Handle the case, or transfer it to a body that is competent and not concerned."
    return _on_case("last-desk", "Nobody stands behind the named desk", advice)


def time_in_future() -> Refusal:
    advice = "Give the moment when it happened, and set the clock of the sending system."
    return _on_time("time-in-future", "The act lies in the future", advice)


def time_before_receipt() -> Refusal:
    advice = "Give the moment when it happened, at or after the case's time of receipt."
    return _on_time("time-before-receipt", "The act lies before the receipt", advice)


def time_before_acceptance() -> Refusal:
    advice = "Give the moment of the answer, at or after that of the acceptance."
    title = "The answer lies before the acceptance of the case"
    return _on_time("time-before-acceptance", title, advice)


def time_before_conclusion() -> Refusal:
    advice = "Give the moment of the reopening, at or after that of the conclusion."
    title = "The reopening lies before the conclusion of the case"
    return _on_time("time-before-conclusion", title, advice)


def asked_after_act() -> Refusal:
    advice = "Give the moment at which the sender asked, before that of this order."
    title = "The sender asked after this order"
    return Refusal.of("asked-after-act", title, field="/data/asked", advice=advice)


def asked_before_receipt() -> Refusal:
    advice = "Give the moment at which the sender asked, after the case's time of receipt."
    title = "The sender asked before the receipt"
    return Refusal.of("asked-before-receipt", title, field="/data/asked", advice=advice)


def no_withdrawal(rulebook: Rulebook) -> Refusal:
    """Cites what there is: on which kinds or days the law lets a sender withdraw."""
    known = "; ".join(dict.fromkeys(rule.citation for rule in rulebook.withdrawals)) or "none"
    advice = f"Settle the case. Rules on withdrawals are, for other kinds or days: {known}."
    title = "No rule lets the sender withdraw this"
    return _on_case("no-withdrawal", title, advice)


def unknown_exception(rule: WithdrawalRule) -> Refusal:
    known = ", ".join(exception.code for exception in rule.exceptions) or "none"
    advice = f"{rule.citation}: give one of its exceptions ({known}), or none."
    title = "The rule on withdrawals has no such exception"
    return Refusal.of("unknown-exception", title, field="/data/goes_on", advice=advice)


def goes_on(citation: str) -> Refusal:
    advice = f"{citation}: settle the case; it was withdrawn before, and nothing holds it up."
    return _on_case("goes-on", "The case goes on although it was withdrawn", advice)


def withdrawn_by_order() -> Refusal:
    advice = "Send case.withdraw.v1, with the moment at which the sender asked."
    title = "A withdrawal has an order of its own"
    return Refusal.of("withdrawn-by-order", title, field="/data/outcome", advice=advice)


def leads_already() -> Refusal:
    title, advice = "This body leads the case already", "Name another body."
    return Refusal.of("leads-already", title, field="/data/to", advice=advice)


def receiver_concerned(rule: str, rulebook: Rulebook) -> Refusal:
    advice = f"{_cited(rule, rulebook)}: name a body that the matter does not concern."
    title = "That body may not touch this case"
    return Refusal.of("receiver-concerned", title, field="/data/to", advice=advice)


def receiver_not_competent() -> Refusal:
    advice = "Name a body of the directory in force whose jurisdiction covers the case."
    title = "That body is not competent for this case"
    return Refusal.of("receiver-not-competent", title, field="/data/to", advice=advice)


def named_already() -> Refusal:
    title, advice = "The case concerns these already", "Nothing is left to do."
    return Refusal.of("named-already", title, field="/data/concerns", advice=advice)


def not_in_directory(field: str) -> Refusal:
    advice = "Name an office or a unit by its code in the directory."
    title = "The directory does not know this"
    return Refusal.of("not-in-directory", title, field=field, advice=advice)


def unknown_unit() -> Refusal:
    title, advice = "The directory does not know this unit", "Give its code in the directory."
    return Refusal.of("not-in-directory", title, field="/data/unit", advice=advice)


def unknown_recommendation() -> Refusal:
    title = "No such recommendation was given on this case"
    advice = "Give the number that case.recommended.v1 says."
    return Refusal.of("unknown-recommendation", title, field="/data/number", advice=advice)


def unknown_clock() -> Refusal:
    title, advice = "No such term runs on this case", "Name a clock of its clock.started.v1."
    return Refusal.of("unknown-clock", title, field="/data/clock", advice=advice)


def rule_gone(clock: Clock) -> Refusal:
    advice = f"{clock.citation}: the rulebook in force has this term no more; it runs as it began."
    return Refusal.of("rule-gone", "The term has no rule any more", field="/data", advice=advice)


def part_of_a_letter() -> Refusal:
    advice = "The body that leads the case named as parent in case.opened.v1 splits the letter."
    return _on_case("part-of-a-letter", "The case is itself a part of a mixed letter", advice)


def kind_there(place: int, kind: Kind, rulebook: Rulebook) -> Refusal:
    citation = next((rule.citation for rule in rulebook.kinds if rule.kind is kind), "")
    advice = "A letter has one case for each kind: leave this part out, or name another kind."
    return Refusal.of(
        "kind-there",
        "The letter has a case of this kind",
        field=f"/data/parts/{place}/kind",
        advice=f"{citation}: {advice}" if citation else advice,
    )


def unknown_category(place: int) -> Refusal:
    title, advice = "The rulebook has no such category", "Give the code of a category in force."
    field = f"/data/parts/{place}/category"
    return Refusal.of("unknown-category", title, field=field, advice=advice)


def _on_standing(problem: str, title: str, advice: str) -> Refusal:
    return Refusal.of(problem, title, field="/data/into", advice=advice)


def joins_itself() -> Refusal:
    advice = "Name the case that goes on."
    return _on_standing("joins-itself", "A case is no duplicate of itself", advice)


def standing_not_led() -> Refusal:
    """In the same words of a case that does not exist as of one that others lead."""
    advice = "Name a case that your body leads; to one of another body transfer this one first."
    return _on_standing("standing-not-led", "Your body leads no such case", advice)


def standing_concerned(rule: str, rulebook: Rulebook) -> Refusal:
    advice = f"{_cited(rule, rulebook)}: wait; that case goes to another body by itself."
    return _on_standing("standing-concerned", "Your body may not touch that case", advice)


def standing_concluded() -> Refusal:
    advice = "Name the case that goes on, or send case.reopen.v1 for that one first."
    return _on_standing("standing-concluded", "That case is concluded", advice)


def standing_not_eligible() -> Refusal:
    advice = "Join that one to this: nothing is done in a case whose letter was not eligible."
    return _on_standing("standing-not-eligible", "That letter was not eligible", advice)


def same_letter() -> Refusal:
    advice = "What a letter was split into is no duplicate: conclude each case by itself."
    return _on_standing("same-letter", "Both cases are of one letter", advice)
