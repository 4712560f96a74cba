"""Brings a closing's reports out: builds them, keeps them, publishes them, and notes that it did.

What was kept is what goes out, so that a crash at any point repeats the same reports.
"""

from collections.abc import Awaitable, Callable, Sequence

from services.reporting.domain.forms import forms_of
from services.reporting.domain.revision import Closing, reports_of, revised, said
from services.reporting.domain.rollup import Tree
from services.reporting.ports import Closings, Reports, Rules
from shared.contracts import ReportPublished
from shared.contracts.envelope import AnyEvent, Event
from shared.contracts.report import Edition

BATCH = 500

Missing = Callable[[Sequence[Event[ReportPublished]]], Awaitable[Sequence[Event[ReportPublished]]]]
"""Those of these reports that are not out yet."""


class Desk:
    """Several replicas may issue at once: both say the same, under the same ids."""

    def __init__(
        self,
        rules: Rules,
        closings: Closings,
        reports: Reports,
        publish: Callable[[Sequence[AnyEvent]], Awaitable[None]],
        missing: Missing | None = None,
    ) -> None:
        """`missing` is asked where somebody began before, perhaps long ago."""
        self._rules, self._closings, self._reports = rules, closings, reports
        self._publish, self._missing = publish, missing

    async def issue(self) -> int:
        """Publish the reports of every closing that is not out yet; answers how many."""
        count = 0
        for closing in await self._closings.waiting():
            begun = await self._reports.has(closing)
            if not begun:
                built = [said(closing, report) for report in await self._build(closing)]
                await self._reports.add_once(closing, built)
                del built  # what goes out is read back, batch by batch
            count += await self._publish_kept(closing, begun=begun)
            await self._closings.issued(closing)
        return count

    async def _publish_kept(self, closing: Closing, *, begun: bool) -> int:
        """Answers how many reports the closing has, also those that were out."""
        count = 0
        batch: list[Event[ReportPublished]] = []
        async for event in self._reports.of(closing):
            batch.append(event)
            if len(batch) == BATCH:
                await self._publish_part(batch, begun=begun)
                count, batch = count + BATCH, []
        await self._publish_part(batch, begun=begun)
        return count + len(batch)

    async def _publish_part(self, part: Sequence[Event[ReportPublished]], *, begun: bool) -> None:
        missing = await self._missing(part) if begun and self._missing is not None else part
        if missing:
            await self._publish(missing)

    async def _build(self, closing: Closing) -> Sequence[ReportPublished]:
        rules = await self._rules.versions(closing.directory, closing.rulebook)
        tree = Tree.on(closing.period.last_day, rules.directory.directory)
        forms = forms_of(rules.rulebook.rulebook, closing.period.last_day)
        reports = reports_of(closing, forms, tree)
        period = closing.period.code
        return revised(reports, await self._reports.standing(period, Edition.INTERNAL))
