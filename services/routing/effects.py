"""What new rules would do to the cases that are open, told to the operator before they hold.

Asked page by page, since a hundred thousand cases take twenty seconds. A page knows from the one
before where it goes on and what moved so far; only the rules are kept here between two pages.
"""

import asyncio
from base64 import b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from hashlib import sha256
from typing import Protocol

from pydantic import BaseModel, Field

from services.routing.domain.calendar import WorkingDays
from services.routing.domain.directory import DirectoryIndex
from services.routing.domain.effect import Effect, Foretelling
from services.routing.domain.lifecycle import CaseState
from services.routing.domain.rules import RulesInForce
from services.routing.load import Load
from shared.contracts.directory import Directory
from shared.contracts.effect import EffectAsked, EffectTold
from shared.contracts.rulebook import Calendar, Rulebook
from shared.runtime.bus import Answerer

BATCH = 100
"""Between two batches others have their turn, however long a page is."""
MOST_KEPT = 2
"""Sets of rules between two pages: so many operators at once are not asked to send again."""
NOT_YOURS = EffectTold(status="not-yours", advice="Only the operator is told of every body.")
INVALID = EffectTold(
    status="invalid", advice="Send one directory, rulebook or calendar, as its contract has it."
)
SEND_AGAIN = EffectTold(status="send-again", advice="Send the rules again with this page.")


class Rules(Protocol):
    async def latest(self) -> RulesInForce | None:
        """The latest version of each; None while one of the three has none."""


class OpenCases(Protocol):
    async def open_by_lead(self) -> Mapping[str, int]:
        """How many open cases each body leads; one that leads none is absent."""

    async def open_after(self, case: str, limit: int) -> Sequence[CaseState]:
        """The open cases that follow this id, by id."""


class Place(BaseModel):
    """Where a page ended: what the next one goes on from."""

    rules: str
    """Under which they are kept."""
    case: str = ""
    moved: dict[str, int] = Field(default_factory=dict)
    """By body: the cases that it leads more, or less, after all pages so far."""


Part = DirectoryIndex | Rulebook | WorkingDays


@dataclass(slots=True)
class _Kept:
    """Rules that were sent, parsed, under their hash; the one that was asked for last stays."""

    parts: dict[str, Part] = field(default_factory=dict)

    def keep(self, content: Directory | Rulebook | Calendar) -> str:
        key = sha256(content.model_dump_json().encode()).hexdigest()
        if key not in self.parts:
            self.parts[key] = _parsed(content)
            while len(self.parts) > MOST_KEPT:
                del self.parts[next(iter(self.parts))]
        return key

    def find(self, key: str) -> Part | None:
        part = self.parts.pop(key, None)
        if part is not None:
            self.parts[key] = part
        return part


def effect_teller(
    rules: Rules,
    cases: OpenCases,
    overseers: Collection[str],
    zone: tzinfo,
    now: Callable[[], datetime],
) -> Answerer:
    """`overseers` alone are told, unless the directory has a body of that very code."""
    kept, load = _Kept(), Load(cases)

    async def tell(party: str, question: bytes) -> EffectTold:
        """One page of what the proposed rules would do to the cases that are open."""
        latest, at = await rules.latest(), now()
        on = at.astimezone(zone).date()
        if party not in overseers or (latest and latest.directory.body(party, on)):
            return NOT_YOURS
        try:
            page = _Page.read(question, kept)
        except ValueError:
            return INVALID
        if page is None:
            return SEND_AGAIN
        if latest is None:
            return EffectTold(status="told")
        foretelling = Foretelling(latest, _proposed(latest, page.part), zone, at)
        return await page.weigh(foretelling, cases, await load.at(at))

    async def answer(party: str, question: bytes) -> bytes:
        return (await tell(party, question)).model_dump_json(exclude_none=True).encode()

    return answer


@dataclass(frozen=True, slots=True)
class _Page:
    """A page that was asked for, with the rules that it is about."""

    key: str
    part: Part
    place: Place
    limit: int

    @classmethod
    def read(cls, question: bytes, kept: _Kept) -> "_Page | None":
        """None where the rules have to be sent again; raises `ValueError` if it is no question."""
        asked = EffectAsked.model_validate_json(question)
        sent = [c for c in (asked.directory, asked.rulebook, asked.calendar) if c is not None]
        place = _opened(asked.after) if asked.after else Place(rules="")
        if len(sent) > 1 or not (sent or asked.after):
            raise ValueError
        key = kept.keep(sent[0]) if sent else place.rules
        part = kept.find(key)
        return cls(key, part, place, asked.limit) if part is not None else None

    async def weigh(
        self, foretelling: Foretelling, cases: OpenCases, leads: Counter[str]
    ) -> EffectTold:
        effect, counts, last, weighed = Effect(), Counter(leads), self.place.case, 0
        counts.update(self.place.moved)
        while weighed < self.limit:
            at_once = min(BATCH, self.limit - weighed)
            states = await cases.open_after(last, at_once)
            foretelling.add(effect, states, counts)
            weighed += len(states)
            if len(states) < at_once:
                break
            last = states[-1].case
            await asyncio.sleep(0)
        counts.subtract(leads)
        moved = {body: more for body, more in counts.items() if more}
        following = Place(rules=self.key, case=last, moved=moved)
        return EffectTold(
            status="told",
            open=leads.total(),
            weighed=weighed,
            moves=effect.moves,
            bodies=effect.bodies,
            cases=tuple(effect.cases),
            terms=effect.terms,
            earliest=effect.earliest,
            next=_closed(following) if weighed == self.limit else "",
        )


def _parsed(content: Directory | Rulebook | Calendar) -> Part:
    match content:
        case Directory():
            return DirectoryIndex(content)
        case Calendar():
            return WorkingDays(content)
        case Rulebook():
            return content


def _proposed(latest: RulesInForce, part: Part) -> RulesInForce:
    """The rules in force with this part as their next version."""
    match part:
        case DirectoryIndex():
            return replace(latest, directory=part, directory_version=latest.directory_version + 1)
        case WorkingDays():
            return replace(latest, working_days=part, calendar_version=latest.calendar_version + 1)
        case Rulebook():
            return replace(latest, rulebook=part, rulebook_version=latest.rulebook_version + 1)


def _closed(place: Place) -> str:
    return urlsafe_b64encode(place.model_dump_json().encode()).decode()


def _opened(cursor: str) -> Place:
    """A made-up one says some place, and opens nothing; raises `ValueError` where it says none."""
    return Place.model_validate_json(b64decode(cursor.encode(), altchars=b"-_", validate=True))
