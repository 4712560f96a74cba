"""Renders beside the event loop, so many PDFs at once and no more."""

import asyncio
from collections.abc import Callable, Sequence
from http import HTTPStatus

from services.reporting.rendering import CannotPrint, Format, Language, render
from shared.contracts import ReportPublished
from shared.runtime.http.problem import Problem

MOST_AT_ONCE = 2
RETRY_SECONDS = 10

Rendered = tuple[bytes, str, str]
Render = Callable[
    [ReportPublished, Format, Language, Sequence[ReportPublished]],
    Rendered,
]


class Printer:
    """A place is given back when its PDF is made, also if nobody waits for it any more."""

    def __init__(self, render: Render = render, most: int = MOST_AT_ONCE) -> None:
        self._render, self._places = render, most
        self._under_way: set[asyncio.Task[Rendered]] = set()

    async def rendered(
        self,
        report: ReportPublished,
        format_: Format,
        language: Language,
        others: Sequence[ReportPublished],
    ) -> Rendered:
        """Raises `Problem` 503 while all places are taken, 501 where no PDF can be made."""
        if format_ is not Format.PDF:
            return await asyncio.to_thread(self._render, report, format_, language, others)
        if len(self._under_way) >= self._places:
            raise _busy()
        work = asyncio.to_thread(self._render, report, format_, language, others)
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._done)
        try:
            return await asyncio.shield(task)
        except CannotPrint:
            raise _no_pdf() from None

    def _done(self, task: asyncio.Task[Rendered]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # seen, though nobody may wait for it any more


def _busy() -> Problem:
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "busy",
        "Too many PDFs are being made.",
        detail="Ask again in a few seconds, or for another format.",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )


def _no_pdf() -> Problem:
    return Problem(
        HTTPStatus.NOT_IMPLEMENTED,
        "no-pdf",
        "This installation makes no PDF.",
        detail="Ask for html, xlsx, csv or json.",
    )
