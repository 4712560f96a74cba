"""Public reports as everybody reads them: newest first, and each revision by its name."""

from collections.abc import Sequence
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel

from services.reporting.ports import Wanted
from shared.contracts import ReportPublished
from shared.contracts.envelope import Event
from shared.contracts.report import Edition
from shared.runtime.mongo import Database, Document

PUBLIC = Edition.PUBLIC.value
NEWEST = [("event.time", DESCENDING), ("_id", DESCENDING)]
OTHERS = 40
"""Reports of other periods that a chart looks back at."""


class MongoPublications:
    """Collection `reports`, as `MongoReports` keeps it; no question reaches another edition."""

    def __init__(self, database: Database) -> None:
        self._reports = database.get_collection("reports")

    async def prepare(self) -> None:
        """Create the indexes; again is harmless."""
        of_one = ("event.data.unit", "event.data.form", "period", "event.data.revision")
        keys: list[list[tuple[str, int]]] = [
            NEWEST,
            [("period", ASCENDING), *NEWEST],
            [("event.data.unit", ASCENDING), *NEWEST],
            [("event.data.form", ASCENDING), *NEWEST],
            [(each, ASCENDING) for each in of_one],
        ]
        await self._reports.create_indexes(
            [IndexModel([("edition", ASCENDING), *each]) for each in keys]
        )

    async def newest(self, wanted: Wanted, limit: int) -> Sequence[Event[ReportPublished]] | None:
        """None if `after` names no public report."""
        last: Document | None = None
        if wanted.after:
            last = await self._reports.find_one({"_id": wanted.after, "edition": PUBLIC})
            if last is None:
                return None
        found = self._reports.find(asked(wanted, last)).sort(NEWEST).limit(limit)
        return [_event(document) async for document in found]

    async def one(
        self, form: str, unit: str, period: str, revision: int | None
    ) -> Event[ReportPublished] | None:
        """That revision, or the newest."""
        question: Document = {**_of(form, unit), "period": period}
        if revision is not None:
            question["event.data.revision"] = revision
        document = await self._reports.find_one(
            question, sort=[("event.data.revision", DESCENDING)]
        )
        return None if document is None else _event(document)

    async def others(self, form: str, unit: str) -> Sequence[ReportPublished]:
        """Of all periods, the newest periods first."""
        order = [("period", DESCENDING), ("event.data.revision", DESCENDING)]
        found = self._reports.find(_of(form, unit)).sort(order).limit(OTHERS)
        return [_event(document).data async for document in found]


def asked(wanted: Wanted, last: Document | None = None) -> Document:
    """What `newest` asks for, behind `last` where a page came before."""
    question: Document = {"edition": PUBLIC}
    names = {
        "event.data.form": wanted.form,
        "event.data.unit": wanted.unit,
        "period": wanted.period,
    }
    question.update({name: value for name, value in names.items() if value is not None})
    if last is not None:
        at: Any = last["event"]["time"]
        question["event.time"] = {"$lte": at}
        question["$or"] = [{"event.time": {"$lt": at}}, {"_id": {"$lt": last["_id"]}}]
    return question


def _of(form: str, unit: str) -> Document:
    return {"edition": PUBLIC, "event.data.unit": unit, "event.data.form": form}


def _event(document: Document) -> Event[ReportPublished]:
    return Event[ReportPublished].model_validate(document["event"])
