"""What is wrong with the rules on withdrawals: whether the sender may, and when it is in vain."""

from collections.abc import Iterator

from deploy.rulebook.document import Document, Finding, Severity
from shared.contracts.rulebook import Rulebook, WithdrawalRule
from shared.contracts.vocabulary import Kind


def withdrawal_findings(document: Document[Rulebook]) -> Iterator[Finding]:
    rules = document.content.withdrawals
    for number, rule in enumerate(rules):
        twins = (earlier for earlier in rules[:number] if _together(earlier, rule))
        twin = next(twins, None)
        if twin is not None:
            kinds = ", ".join(sorted(_kinds(twin) & _kinds(rule)))
            yield document.finding(
                Severity.ERROR,
                "withdrawn-twice",
                ("withdrawals", number),
                what=f"{twin.code} says already whether {kinds} may be withdrawn.",
                advice="Keep one rule a kind for each day, and end the older where this begins.",
            )
        yield from _exceptions(document, number, rule)


def _exceptions(
    document: Document[Rulebook], number: int, rule: WithdrawalRule
) -> Iterator[Finding]:
    codes: set[str] = set()
    for place, exception in enumerate(rule.exceptions):
        if not exception.citation.strip():
            yield document.finding(
                Severity.ERROR,
                "exception-without-citation",
                ("withdrawals", number, "exceptions", place),
                what=f"Nothing says why {exception.code} lets the case go on.",
                advice="Name the law, its article and its date.",
            )
        if exception.code in codes:
            yield document.finding(
                Severity.ERROR,
                "exception-twice",
                ("withdrawals", number, "exceptions", place),
                what=f"Two exceptions of the rule are called {exception.code}.",
                advice="Give each its own code; orders name it.",
            )
        codes.add(exception.code)


def _together(one: WithdrawalRule, other: WithdrawalRule) -> bool:
    """Whether both decide for one kind on one day; two of one code are told of as an overlap."""
    latest = max(one.effective_from, other.effective_from)
    in_force = one.in_force(latest) and other.in_force(latest)
    return in_force and one.code != other.code and bool(_kinds(one) & _kinds(other))


def _kinds(rule: WithdrawalRule) -> frozenset[Kind]:
    return frozenset(rule.kinds or Kind)
