"""Tells who was told what of a case, and what was asked to be unsealed on it."""

from collections.abc import Collection

from pydantic import ValidationError

from services.routing.domain.lifecycle import Unsealed, Unsealing
from services.routing.domain.look import Look
from services.routing.domain.unsealing import Scene
from services.routing.questions import Reading
from shared.contracts.worklist import (
    Looked,
    ReadersAsked,
    ReadersTold,
    UnsealingRow,
    UnsealingsAsked,
    UnsealingsTold,
)
from shared.runtime.bus import Answerer

NOT_YOURS = ReadersTold(status="not-yours", advice="Only the operator is told who looked.")
INVALID = ReadersTold(status="invalid", advice="See the contract of this question.")


def readers_teller(reading: Reading, overseers: Collection[str]) -> Answerer:
    """`overseers` alone are told, unless the directory has a body of that very code."""

    async def tell_readers(party: str, question: bytes) -> bytes:
        """Who opened one case, and who tried to; who met it in a list is not among them."""
        told = await _told(reading, overseers, party, question)
        return told.model_dump_json(exclude_none=True).encode()

    return tell_readers


def unsealings_teller(reading: Reading) -> Answerer:
    async def tell_unsealings(party: str, question: bytes) -> bytes:
        """What the body's own persons asked on a case, and what it may still agree to."""
        try:
            asked = UnsealingsAsked.model_validate_json(question)
        except ValidationError:
            told = UnsealingsTold(status="invalid", advice=INVALID.advice)
        else:
            told = await _unsealings(reading, party, asked)
        return told.model_dump_json(exclude_none=True).encode()

    return tell_unsealings


async def _unsealings(reading: Reading, party: str, asked: UnsealingsAsked) -> UnsealingsTold:
    view, life = await reading.view(party), await reading.worklists.life(asked.case)
    if view is None:
        return UnsealingsTold(status="told")
    rows: tuple[UnsealingRow, ...] = ()
    if life is not None and Scene(life.state, view.rules, view.on).concerned(party) is None:
        rows = tuple(
            _row(each)
            for each in life.state.unsealings
            if each.body == party or each.standing is Unsealed.ASKED
        )
    await reading.note(party, asked, len(rows), case=asked.case if life else None)
    return UnsealingsTold(status="told", unsealings=rows)


def _row(unsealing: Unsealing) -> UnsealingRow:
    return UnsealingRow(
        number=unsealing.number,
        unseals=unsealing.unseals,
        standing=unsealing.standing.value,
        body=unsealing.body,
        person=unsealing.person,
        ground=unsealing.ground,
        citation=unsealing.citation,
        until=unsealing.until,
    )


async def _told(
    reading: Reading, overseers: Collection[str], party: str, question: bytes
) -> ReadersTold:
    view = await reading.view(party)
    if view is None or not view.oversees(overseers):
        return NOT_YOURS
    try:
        asked = ReadersAsked.model_validate_json(question)
    except ValidationError:
        return INVALID
    found = await reading.looks.of(asked.case, after=asked.after, limit=asked.limit + 1)
    page = found[: asked.limit]
    more = page[-1].at if len(found) > len(page) else None
    return ReadersTold(status="told", looks=tuple(map(_looked, page)), next=more)


def _looked(look: Look) -> Looked:
    return Looked(body=look.party, person=look.person, told=look.told, rule=look.rule, at=look.at)
