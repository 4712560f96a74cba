"""Reports: every one that was ever published, as it went out."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

from pymongo import ASCENDING

from services.reporting.domain.edition import Issued
from services.reporting.domain.revision import Closing, Standing
from shared.contracts import ReportPublished
from shared.contracts.envelope import Event
from shared.contracts.report import Edition, Period
from shared.runtime.mongo import Database, Document, insert_new

BATCH = 500


class MongoReports:
    """Collections `reports` and `issues`.

    `reports` has one document a report, `_id` `<edition>/<form>/<unit>/<period>/<revision>`, with
    the closing that it is of and its place there. `issues` has one document for each edition of a
    closing, written when its reports are all there.
    """

    def __init__(self, database: Database) -> None:
        self._reports = database.get_collection("reports")
        self._issues = database.get_collection("issues")

    async def prepare(self) -> None:
        await self._reports.create_index([("closing", ASCENDING), ("place", ASCENDING)])
        await self._reports.create_index([("edition", ASCENDING), ("period", ASCENDING)])

    async def add_once(
        self,
        closing: Closing,
        reports: Sequence[Event[ReportPublished]],
        edition: Edition = Edition.INTERNAL,
    ) -> None:
        name = _name(closing, edition)
        for start in range(0, len(reports), BATCH):
            part = enumerate(reports[start : start + BATCH], start)
            documents = [_document(name, place, event) for place, event in part]
            await insert_new(self._reports, documents)
        await insert_new(self._issues, [{"_id": name, "reports": len(reports)}])

    async def has(self, closing: Closing, edition: Edition = Edition.INTERNAL) -> bool:
        return await self._issues.find_one({"_id": _name(closing, edition)}) is not None

    async def of(
        self, closing: Closing, edition: Edition = Edition.INTERNAL
    ) -> AsyncIterator[Event[ReportPublished]]:
        found = self._reports.find({"closing": _name(closing, edition)}, batch_size=BATCH)
        async for document in found.sort("place", ASCENDING):
            yield Event[ReportPublished].model_validate(document["event"])

    async def standing(self, period: str, edition: Edition) -> Standing:
        newest: dict[tuple[str, str], ReportPublished] = {}
        async for document in self._reports.find({"edition": edition.value, "period": period}):
            report = ReportPublished.model_validate(document["event"]["data"])
            known = newest.get((report.form, report.unit))
            if known is None or known.revision < report.revision:
                newest[report.form, report.unit] = report
        return newest

    async def public_near(self, period: Period) -> Sequence[Issued]:
        day = timedelta(days=1)
        wanted = {
            "edition": Edition.PUBLIC.value,
            "event.data.period.last_day": {"$gte": (period.first_day - day).isoformat()},
            "event.data.period.first_day": {"$lte": (period.last_day + day).isoformat()},
        }
        return [
            Issued(
                int(document["closing"].partition("#")[2].partition("/")[0]),
                ReportPublished.model_validate(document["event"]["data"]),
            )
            async for document in self._reports.find(wanted)
        ]


def _document(issue: str, place: int, event: Event[ReportPublished]) -> Document:
    return {
        "_id": f"{event.data.edition.value}/{event.subject}/{event.data.revision}",
        "edition": event.data.edition.value,
        "period": event.data.period.code,
        "closing": issue,
        "place": place,
        "event": event.model_dump(mode="json"),
    }


def _name(closing: Closing, edition: Edition) -> str:
    name = f"{closing.period.code}#{closing.revision}"
    return name if edition is Edition.INTERNAL else f"{name}/{edition.value}"
