"""What new rules would do to open cases: asked of routing page by page, and said in words."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from nats.aio.client import Client

from deploy.access.permissions import OPERATOR
from deploy.casework.asking import ask
from deploy.casework.saying import Names
from deploy.casework.words import EFFECT
from deploy.connection import NotRunning
from shared.contracts.effect import CaseMove, EffectAsked, EffectTold
from shared.contracts.vocabulary import Value

MOST_SHOWN = 20
"""Cases said one by one."""
Told = Callable[[int, int], None]
"""Hears how many cases are weighed, and of how many."""


@dataclass(slots=True)
class Effect:
    """The sums of all pages."""

    open: int = 0
    """Cases that were weighed."""
    moves: int = 0
    leave: Counter[str] = field(default_factory=Counter)
    arrive: Counter[str] = field(default_factory=Counter)
    cases: list[CaseMove] = field(default_factory=list)
    """The first of those that move."""
    terms: int = 0
    earliest: date | None = None

    def add(self, page: EffectTold) -> None:
        self.open += page.weighed
        self.moves += page.moves
        self.terms += page.terms
        for entry in page.bodies:
            self.leave[entry.body] += entry.leave
            self.arrive[entry.body] += entry.arrive
        self.cases += page.cases[: MOST_SHOWN - len(self.cases)]
        days = [day for day in (self.earliest, page.earliest) if day]
        self.earliest = min(days, default=None)

    @property
    def bodies(self) -> list[str]:
        """Those that lose most cases first."""
        return sorted(self.leave | self.arrive, key=lambda b: (-self.leave[b], -self.arrive[b], b))

    def as_json(self) -> dict[str, Any]:
        return {
            "open": self.open,
            "moves": self.moves,
            "bodies": [
                {"body": b, "leave": self.leave[b], "arrive": self.arrive[b]} for b in self.bodies
            ],
            "first": [case.model_dump(mode="json") for case in self.cases],
            "terms": self.terms,
            "earliest": self.earliest.isoformat() if self.earliest else None,
        }

    def lines(self, names: Names, language: str) -> Iterator[str]:
        """In one language (`vi` or `en`)."""
        for line in self._lines(names, language):
            yield "".join(letter for letter in line if letter.isprintable())

    def _lines(self, names: Names, language: str) -> Iterator[str]:
        def say(name: str, **said: object) -> str:
            return EFFECT[name][language].format(**said)

        yield say(_counted("moves", self.moves), count=self.moves, open=self.open)
        for body in self.bodies:
            leave, arrive = self.leave[body], self.arrive[body]
            yield "  " + say("body", body=names.body(body, language), leave=leave, arrive=arrive)
        for case in self.cases:
            before, after = (names.body(b, language) for b in (case.lead_before, case.lead))
            same = case.lead_before == case.lead
            yield "  " + say("stays" if same else "case", case=case.case, before=before, lead=after)
            for reason in case.reasons:
                yield f"    - {reason.vi if language == 'vi' else reason.en}"
        if self.moves > len(self.cases):
            yield "  " + say("more", count=self.moves - len(self.cases))
        if self.earliest is not None:
            day = f"{self.earliest:%d/%m/%Y}" if language == "vi" else self.earliest.isoformat()
            yield say(_counted("terms", self.terms), count=self.terms, day=day)


async def effect_of(client: Client, noun: str, rules: Value, told: Told) -> Effect:
    """What rules that are not published yet would do, as routing says of every open case.

    Raises `NotRunning` where it does not answer, or not to us.
    """
    whole = EffectAsked.model_validate({noun: rules})
    effect, asked, sent = Effect(), whole, True
    while True:
        page = EffectTold.model_validate_json(await ask(client, OPERATOR, "effect", asked))
        if page.status == "send-again" and not sent:  # another replica, or it began anew
            asked, sent = whole.model_copy(update={"after": asked.after}), True
            continue
        if page.status != "told":
            raise NotRunning(f"Routing does not say what would move. {page.advice}")
        effect.add(page)
        told(effect.open, max(page.open, effect.open))
        if not page.next:
            return effect
        asked, sent = EffectAsked(after=page.next), False


def _counted(name: str, count: int) -> str:
    return name if count > 1 else f"{name}-{count}"
