"""Tells who was told what of a case."""

from collections.abc import Collection

from pydantic import ValidationError

from services.routing.domain.look import Look
from services.routing.questions import Reading
from shared.contracts.worklist import Looked, ReadersAsked, ReadersTold
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
