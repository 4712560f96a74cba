"""What routing tells a body of the cases that it holds: a list, one case, a count.

One rule of access holds for all of them, asked as of today and by the latest rules: what a body
may not open is in no list of its and in no count, and is told of like what does not exist.

Every answer is kept as a look before it is given: what nobody would know of is not told.
"""

from base64 import b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from services.routing.domain.due import Fired, said_of
from services.routing.domain.lifecycle import CaseState
from services.routing.domain.look import Look
from services.routing.domain.reassessing import may_touch
from services.routing.domain.rules import RulesInForce
from services.routing.domain.unsealing import Scene, shown
from services.routing.domain.worklist import Life, row, told, turn, turns_end
from shared.contracts.envelope import AnyEvent
from shared.contracts.vocabulary import Unseals
from shared.contracts.worklist import (
    Asked,
    BodyLoad,
    CaseAsked,
    CaseTold,
    LoadAsked,
    LoadTold,
    UnsealingsAsked,
    WorklistAsked,
    WorklistTold,
)
from shared.runtime.bus import Answerer

BATCH = 200
"""Between two batches others have their turn, however much a body holds."""
MOST_BYTES = 500_000
"""Of history in one answer: NATS carries a megabyte."""
HELD, OVERSEES = "held", "oversees"
"""The rules of access by which something is told."""
QUESTIONS: Mapping[type[Asked], str] = {
    WorklistAsked: "worklist",
    CaseAsked: "case",
    LoadAsked: "load",
    UnsealingsAsked: "unsealings",
}
ADVICE = "See the contract of this question."
NOT_YOURS = CaseTold(status="not-yours", advice="Ask about a case that is assigned to your body.")


class Rules(Protocol):
    async def latest(self) -> RulesInForce | None:
        """The latest version of each; None while one of the three has none."""


class Worklists(Protocol):
    async def held(
        self, body: str, limit: int, *, finished: bool = False, after: str = "", before: str = ""
    ) -> Sequence[CaseState]:
        """Cases of which it is one of the bodies, by turn, from `after` to `before`, both open.

        Those that are answered only if `finished`.
        """

    async def holders(self) -> Sequence[str]:
        """Every body that holds a case, or did so until it was answered; by code."""

    async def life(self, case: str) -> Life | None: ...

    async def show(self, fired: Fired) -> bool:
        """Keep the case with what is said of its being shown, which is announced later.

        False, and nothing is kept, where the case has moved since: it was not shown.
        """


class Looks(Protocol):
    """Looks are added and never changed."""

    async def keep(self, look: Look) -> None:
        """Return once it is kept; any error rises, and nothing may be told then."""

    async def of(self, case: str, *, after: datetime | None, limit: int) -> Sequence[Look]:
        """Those at this one case that came later, the oldest first."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the answers need."""

    rules: Rules
    worklists: Worklists
    looks: Looks
    zone: tzinfo
    now: Callable[[], datetime]

    async def view(self, party: str) -> "View | None":
        """None while there are no rules, and therefore no case."""
        rules = await self.rules.latest()
        on = self.now().astimezone(self.zone).date()
        return View(party, rules, on, self.worklists) if rules is not None else None

    async def note(
        self, party: str, asked: Asked, told: int, *, rule: str = HELD, case: str | None = None
    ) -> None:
        """Keep that the party is told this now, before it is; any error means: tell nothing."""
        look = Look(
            party=party,
            person=asked.person,
            question=QUESTIONS[type(asked)],
            told=told,
            rule=rule,
            at=self.now(),
            case=case,
            shape=_shape(asked),
        )
        await self.looks.keep(look)


@dataclass(frozen=True, slots=True)
class View:
    """What one party may read, today and by these rules."""

    party: str
    rules: RulesInForce
    on: date
    worklists: Worklists

    def of(self, party: str) -> "View":
        return View(party, self.rules, self.on, self.worklists)

    def oversees(self, overseers: Collection[str]) -> bool:
        """Overseers are parties that no body of the directory shares its code with."""
        return self.party in overseers and self.rules.directory.body(self.party, self.on) is None

    def may_read(self, state: CaseState) -> bool:
        return may_touch(self.party, state, self.rules, self.on)

    async def cases(
        self, *, finished: bool = False, after: str = "", before: str = "", at_once: int = BATCH
    ) -> AsyncIterator[CaseState]:
        """By turn; `at_once` are read together."""
        while True:
            batch = await self.worklists.held(
                self.party, at_once, finished=finished, after=after, before=before
            )
            for state in filter(self.may_read, batch):
                yield state
            if len(batch) < at_once:
                return
            after = turn(batch[-1])

    async def count(self) -> int:
        return sum([1 async for _ in self.cases()])


def worklist_teller(reading: Reading) -> Answerer:
    async def tell_worklist(party: str, question: bytes) -> WorklistTold:
        """The cases that a body holds, page by page, those first whose term ends first."""
        asked = _asked(WorklistAsked, question)
        after = _opened(asked.after)
        view = await reading.view(party)
        if view is None:
            return WorklistTold(status="told")
        before = turns_end(asked.due_by) if asked.due_by else ""
        page: list[CaseState] = []
        following = ""
        async for state in view.cases(
            finished=asked.which == "all", after=after, before=before, at_once=asked.limit + 1
        ):
            if len(page) == asked.limit:
                following = _closed(turn(page[-1]))
                break
            page.append(state)
        await reading.note(party, asked, len(page))
        rows = tuple(row(each, party) for each in page)
        return WorklistTold(status="told", rows=rows, next=following)

    return _answering(tell_worklist, WorklistTold(status="invalid", advice=ADVICE))


def case_teller(reading: Reading) -> Answerer:
    async def tell_case(party: str, question: bytes) -> CaseTold:
        """One case with its history, and why each assignment of it was made."""
        asked = _asked(CaseAsked, question)
        view, life = await reading.view(party), await reading.worklists.life(asked.case)
        if view is None:
            return NOT_YOURS
        rule = await _rule_of_access(reading, view, asked, life) if life else None
        if life is None or rule is None:
            # Of what does not exist the name is not kept: it could be any text.
            known = asked.case if life else None
            await reading.note(party, asked, 0, rule=NOT_YOURS.status, case=known)
            return NOT_YOURS
        await reading.note(party, asked, 1, rule=rule, case=asked.case)
        events = tuple(e for e in life.events if e.data.version > asked.after)
        page = _within(MOST_BYTES, events)
        standing = told(life.state, party, view.rules, view.on)
        seen = {"events": page, "more": len(page) < len(events)}
        return standing.model_copy(update={**seen, "unsealing": asked.unsealing})

    return _answering(tell_case, CaseTold(status="invalid", advice=ADVICE))


async def _rule_of_access(reading: Reading, view: View, asked: CaseAsked, life: Life) -> str | None:
    """By which rule the party is told the case; None: by none.

    What was unsealed is shown once: before it is, the case is kept as shown. Who loses a race
    is told nothing.
    """
    if asked.unsealing is None:
        return HELD if view.may_read(life.state) else None
    scene = Scene(life.state, view.rules, view.on)
    unsealing = scene.may_see(asked.unsealing, view.party, asked.person)
    if unsealing is None or unsealing.unseals is not Unseals.CASE:
        return None
    after, said = shown(life.state, unsealing)
    at = reading.now()
    event = said_of(life.state, said, at, at)
    kept = await reading.worklists.show(Fired(life.state, after, (event,)))
    return unsealing.ground if kept else None


def load_teller(reading: Reading, overseers: Collection[str]) -> Answerer:
    """`overseers` are told of every body, unless the directory has a body of that very code."""

    async def tell_load(party: str, question: bytes) -> LoadTold:
        """How many open cases a body holds."""
        asked = _asked(LoadAsked, question)
        view = await reading.view(party)
        if view is None:
            return LoadTold(status="told")
        oversees = view.oversees(overseers)
        holders = await reading.worklists.holders() if oversees else [party]
        counts = [BodyLoad(body=body, open=await view.of(body).count()) for body in holders]
        await reading.note(party, asked, len(counts), rule=OVERSEES if oversees else HELD)
        return LoadTold(status="told", bodies=tuple(counts))

    return _answering(tell_load, LoadTold(status="invalid", advice=ADVICE))


class _Unclear(Exception):
    """The question breaks its contract."""


Told = TypeVar("Told", bound=BaseModel)
Question = TypeVar("Question", bound=Asked)


def _answering(teller: Callable[[str, bytes], Awaitable[Told]], invalid: Told) -> Answerer:
    async def answer(party: str, question: bytes) -> bytes:
        try:
            said = await teller(party, question)
        except _Unclear:
            said = invalid
        return said.model_dump_json(exclude_none=True).encode()

    return answer


def _asked(shape: type[Question], question: bytes) -> Question:
    try:
        return shape.model_validate_json(question)
    except ValidationError:
        raise _Unclear from None


def _shape(asked: Asked) -> str:
    """Which question it was; a cursor names a case and a day, and `person` and `case` stand apart.

    A page after the first is told by `later`.
    """
    plain = asked.model_dump_json(exclude={"after", "person", "case"}, exclude_defaults=True)
    return plain + (" later" if getattr(asked, "after", None) else "")


def _within(most: int, events: Sequence[AnyEvent]) -> tuple[dict[str, Any], ...]:
    """As many of the first as `most` bytes hold; never none of some."""
    page: list[dict[str, Any]] = []
    for event in events:
        most -= len(event.encode())
        if page and most < 0:
            break
        page.append(event.model_dump(mode="json", exclude_none=True))
    return tuple(page)


def _closed(place: str) -> str:
    return urlsafe_b64encode(place.encode()).decode()


def _opened(cursor: str) -> str:
    """A made-up one says some place, and opens nothing."""
    try:
        return b64decode(cursor.encode(), altchars=b"-_", validate=True).decode()
    except ValueError:
        raise _Unclear from None
