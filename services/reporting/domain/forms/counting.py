"""The little language in which a form says what a column counts.

    count     = cases | "sum" "of" measure | "sum" "of" amount "over" cases | column ("+" column)*
    cases     = "cases" ["where" all-of ("or" all-of)*]
    all-of    = ["not"] fact ("and" ["not"] fact)*

Words stand apart by spaces. `and` binds closer than `or`; there are no brackets. A fact like
`outcome = right` is three words. Columns are added by their codes, also where these are numbers.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from services.reporting.domain.forms.facts import Amount, Fact, Measure

RESERVED = frozenset({"cases", "where", "and", "or", "not", "sum", "of", "over", "+", "=", "<="})
"""Words of the language, which no column may bear as its code."""

FIRST = ("cases", "sum")


class NotACount(ValueError):
    """The text does not follow the grammar: what was read, and what is allowed in its place."""

    def __init__(self, read: str, allowed: str, known: Collection[str] = ()) -> None:
        self.read, self.allowed = read, allowed
        nearest = get_close_matches(read, known, n=1)
        self.nearest = nearest[0] if nearest else None
        what = f"{read!r} was read" if read else "the text ends"
        hint = f"; did you mean {self.nearest!r}?" if self.nearest else ""
        super().__init__(f"{what} where {allowed} is allowed{hint}")


@dataclass(frozen=True, slots=True)
class Condition:
    """That a fact holds of a case, or that it does not."""

    fact: Fact
    holds: bool = True

    @property
    def text(self) -> str:
        return self.fact.value if self.holds else f"not {self.fact}"


@dataclass(frozen=True, slots=True)
class Cases:
    """The number of cases for which one of the alternatives holds, with all of its conditions."""

    alternatives: tuple[tuple[Condition, ...], ...] = ((),)

    def has(self, facts: Collection[Fact]) -> bool:
        return any(
            all((each.fact in facts) is each.holds for each in conditions)
            for conditions in self.alternatives
        )

    @property
    def text(self) -> str:
        if self.alternatives == ((),):
            return "cases"
        alternatives = (" and ".join(each.text for each in one) for one in self.alternatives)
        return f"cases where {' or '.join(alternatives)}"


@dataclass(frozen=True, slots=True)
class OfUnit:
    """What the unit has of a measure."""

    measure: Measure

    @property
    def text(self) -> str:
        return f"sum of {self.measure}"


@dataclass(frozen=True, slots=True)
class OfCases:
    """What these cases have of an amount, added up."""

    amount: Amount
    cases: Cases

    @property
    def text(self) -> str:
        return f"sum of {self.amount} over {self.cases.text}"


@dataclass(frozen=True, slots=True)
class Sum:
    """The sum of other columns, themselves no sums."""

    columns: tuple[str, ...]

    @property
    def text(self) -> str:
        return " + ".join(self.columns)


Counts = Cases | OfUnit | OfCases | Sum


def cases(*facts: Fact) -> Cases:
    """The cases with all of these facts."""
    return Cases((tuple(map(Condition, facts)),))


def parse(text: str) -> Counts:
    """Raises `NotACount`. `parse(counts.text)` is `counts` again."""
    words = _Words(text.split())
    counts = words.counts()
    words.end(ending_in_conditions=isinstance(counts, Cases | OfCases))
    return counts


class _Words:
    """What is still to be read, word by word."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = list(words)

    def counts(self) -> Counts:
        match self._peek():
            case "cases":
                return self._cases()
            case "sum":
                return self._sum_of()
            case _:
                return self._sum()

    def end(self, *, ending_in_conditions: bool) -> None:
        if self._words and ending_in_conditions:
            raise NotACount(self._peek(), "`and`, `or` or the end", ("and", "or"))
        if self._words:
            raise NotACount(self._peek(), "the end")

    def _peek(self) -> str:
        return self._words[0] if self._words else ""

    def _took(self, word: str) -> bool:
        if self._peek() != word:
            return False
        del self._words[0]
        return True

    def _take(self, word: str) -> None:
        if not self._took(word):
            raise NotACount(self._peek(), f"`{word}`", (word,))

    def _cases(self) -> Cases:
        self._take("cases")
        if not self._words:
            return Cases()
        self._take("where")
        alternatives = [self._all_of()]
        while self._took("or"):
            alternatives.append(self._all_of())
        return Cases(tuple(alternatives))

    def _all_of(self) -> tuple[Condition, ...]:
        conditions = [self._condition()]
        while self._took("and"):
            conditions.append(self._condition())
        return tuple(conditions)

    def _condition(self) -> Condition:
        holds = not self._took("not")
        fact = self._peek()
        del self._words[:1]
        if self._took("="):
            fact = f"{fact} = {self._peek()}"
            del self._words[:1]
        known = [each.value for each in Fact]
        if fact not in known:
            raise NotACount(fact, "a fact of a case", known)
        return Condition(Fact(fact), holds)

    def _sum_of(self) -> OfUnit | OfCases:
        self._take("sum")
        self._take("of")
        word = self._peek()
        del self._words[:1]
        if word in set(Measure):
            return OfUnit(Measure(word))
        if word in set(Amount):
            self._take("over")
            return OfCases(Amount(word), self._cases())
        raise NotACount(word, "a measure", [*Measure, *Amount])

    def _sum(self) -> Sum:
        columns = [self._column()]
        while self._took("+"):
            columns.append(self._column())
        if self._words:
            if get_close_matches(columns[0], FIRST):
                raise NotACount(columns[0], "`cases`, `sum of` or a column", FIRST)
            raise NotACount(self._peek(), "`+` or the end")
        return Sum(tuple(columns))

    def _column(self) -> str:
        column = self._peek()
        if not column or column in RESERVED:
            raise NotACount(column, "`cases`, `sum of` or a column")
        del self._words[0]
        return column
