"""Answers an operator who asks whether a closing still follows from the rows."""

from collections.abc import Container
from typing import Protocol

from services.reporting.domain.revision import Closing
from services.reporting.ports import Closings
from shared.contracts.report import RecountAsked, RecountTold
from shared.runtime.bus import Answerer


class Counter(Protocol):
    async def figures_as_known(self, closing: Closing) -> Closing:
        """The closing counted again from what was known then, by its own rules."""


def recount_teller(counter: Counter, closings: Closings, overseers: Container[str]) -> Answerer:
    async def tell_recount(party: str, question: bytes) -> bytes:
        """Count each revision of a period again, as it was known, and compare every own cell.

        It takes as long as a closing, so that overseers alone are answered at all.
        """
        asked = RecountAsked.model_validate_json(question)
        told: dict[str, list[int]] = {}
        for closing in await closings.history(asked.period) if party in overseers else ():
            told.setdefault(await _compared(counter, closing), []).append(closing.revision)
        return RecountTold.model_validate(told).model_dump_json().encode()

    return tell_recount


async def _compared(counter: Counter, closing: Closing) -> str:
    if closing.in_flight:
        return "unsure"
    again = await counter.figures_as_known(closing)
    return "same" if again.figures == closing.figures else "differ"
