"""Brings a closing's reports out: builds them, keeps them, publishes them, and notes that it did.

What was kept is what goes out, so that a crash at any point repeats the same reports.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog
from prometheus_client import Counter

from services.reporting.domain.disclosure import Knowledge
from services.reporting.domain.edition import PublicEdition, public_edition, rule_for
from services.reporting.domain.forms import forms_of
from services.reporting.domain.revision import Closing, reports_of, revised, said
from services.reporting.domain.rollup import Tree
from services.reporting.ports import Closings, Reports, Rules
from shared.contracts import ReportPublished
from shared.contracts.envelope import AnyEvent, Event
from shared.contracts.report import Edition
from shared.contracts.rulebook import Rulebook

BATCH = 500

OUT, REFUSED, NOT_NOW = "published", "refused", "withheld"
EDITIONS = Counter(
    "langnghe_public_editions_total",
    "Public editions by outcome: refused, as the attacker found figures in it; withheld by a rule.",
    ["outcome"],
)
for each_outcome in (OUT, REFUSED, NOT_NOW):
    EDITIONS.labels(each_outcome)

log = structlog.get_logger("issuing")

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

    async def issue(self, edition: Edition = Edition.INTERNAL) -> int:
        """Publish the edition of every closing of which it is not out yet; answers how many."""
        count = 0
        for closing in await self._closings.waiting(edition):
            begun = await self._reports.has(closing, edition)
            if not begun:
                built = [said(closing, report) for report in await self._build(closing, edition)]
                await self._reports.add_once(closing, built, edition)
                del built  # what goes out is read back, batch by batch
            count += await self._publish_kept(closing, edition, begun=begun)
            await self._closings.issued(closing, edition)
        return count

    async def _publish_kept(self, closing: Closing, edition: Edition, *, begun: bool) -> int:
        """Answers how many reports the closing has, also those that were out."""
        count = 0
        batch: list[Event[ReportPublished]] = []
        async for event in self._reports.of(closing, edition):
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

    async def _build(self, closing: Closing, edition: Edition) -> Sequence[ReportPublished]:
        rules = await self._rules.versions(closing.directory, closing.rulebook)
        rulebook = rules.rulebook.rulebook
        if edition is Edition.PUBLIC and rule_for(rulebook, closing.period) is None:
            return ()
        tree = Tree.on(closing.period.last_day, rules.directory.directory)
        forms = forms_of(rulebook, closing.period.last_day)
        reports = reports_of(closing, forms, tree)
        if edition is Edition.PUBLIC:
            return await self._public(closing, reports, rulebook, Knowledge.of(forms))
        return revised(reports, await self._reports.standing(closing.period.code, edition))

    async def _public(
        self,
        closing: Closing,
        reports: Sequence[ReportPublished],
        rulebook: Rulebook,
        knowledge: Knowledge,
    ) -> Sequence[ReportPublished]:
        """What everybody may read of it; what is left out, and why, is in the log."""
        issued = await self._reports.public_near(closing.period)
        edition = await asyncio.to_thread(
            public_edition, reports, closing.revision, rulebook, knowledge, issued
        )
        place = {"period": closing.period.code, "closing": closing.revision}
        EDITIONS.labels(_outcome(edition)).inc()
        if edition.reason is not None:
            log.warning("no public edition", **place, reason=edition.reason)
        for each in edition.found:
            log.error("gives away", **place, form=each.form, unit=each.unit, column=each.column)
        for form in edition.without:
            log.warning("no public edition", **place, form=form, reason="total is too small")
        return edition.reports


def _outcome(edition: PublicEdition) -> str:
    if edition.found:
        return REFUSED
    return OUT if edition.reason is None else NOT_NOW
