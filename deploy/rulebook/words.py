"""What a rulebook's keywords mean once they are folded as intake folds them."""

from collections import defaultdict
from collections.abc import Iterator

from deploy.rulebook.document import Document, Finding, Severity
from services.intake.domain.fold import tokens
from shared.contracts.rulebook import CategoryRule, KindRule, Rulebook


def keyword_findings(document: Document[Rulebook]) -> Iterator[Finding]:
    """Keywords that no text has, that two rules have, or that another rule always forestalls."""
    yield from _of_section(document, "kinds", document.content.kinds)
    yield from _of_section(document, "categories", document.content.categories)
    yield from _kinds_forestalled(document)


def _of_section(
    document: Document[Rulebook], section: str, rules: tuple[KindRule | CategoryRule, ...]
) -> Iterator[Finding]:
    owners: dict[tuple[str, ...], dict[str, KindRule | CategoryRule]] = defaultdict(dict)
    for number, rule in enumerate(rules):
        if not rule.keywords:
            yield document.finding(
                Severity.WARNING,
                "no-keywords",
                (section, number),
                what="No text can be told to belong here; only a sender's own word can.",
                advice="Add keywords, unless senders always say it themselves.",
            )
        for place, keyword in enumerate(rule.keywords):
            words = tuple(tokens(keyword))
            here = (section, number, "keywords", place)
            if not words:
                yield document.finding(
                    Severity.ERROR,
                    "empty-keyword",
                    here,
                    what="A keyword without a letter or digit is in no text.",
                    advice="Write a word, or take it out.",
                )
                continue
            others = [other for code, other in owners[words].items() if code != rule.code]
            together = [other.code for other in others if _overlap(other, rule)]
            if together:
                yield document.finding(
                    Severity.WARNING,
                    "keyword-of-two",
                    here,
                    what=f"“{keyword}”, without its diacritics, belongs to {together[0]} as well.",
                    advice="Leave it with one of them: where only it is found, the order decides.",
                )
            owners[words].setdefault(rule.code, rule)


def _kinds_forestalled(document: Document[Rulebook]) -> Iterator[Finding]:
    """Of kinds the first rule with a keyword in the text decides."""
    rules = document.content.kinds
    for number, rule in enumerate(rules):
        for earlier in rules[:number]:
            short = [words for k in earlier.keywords if (words := tokens(k))]
            always = rule.keywords and all(
                any(_holds(tokens(keyword), part) for part in short) for keyword in rule.keywords
            )
            if always and _lives_within(rule, earlier):
                yield document.finding(
                    Severity.ERROR,
                    "never-fires",
                    ("kinds", number),
                    what=f"Each of its keywords holds one of {earlier.code}, which decides before.",
                    advice="Put the longer keywords first, or take this rule out.",
                )
                break


def _holds(words: list[str], part: list[str]) -> bool:
    return any(words[n : n + len(part)] == part for n in range(len(words) - len(part) + 1))


def _overlap(one: KindRule | CategoryRule, other: KindRule | CategoryRule) -> bool:
    latest = max(one.effective_from, other.effective_from)
    return one.in_force(latest) and other.in_force(latest)


def _lives_within(rule: KindRule, earlier: KindRule) -> bool:
    begun = earlier.effective_from <= rule.effective_from
    if earlier.effective_to is None:
        return begun
    return begun and rule.effective_to is not None and rule.effective_to <= earlier.effective_to
