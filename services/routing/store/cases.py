"""Cases, as commands find and move them."""

from collections.abc import Iterable, Mapping, Sequence

from pymongo import ASCENDING, IndexModel, UpdateOne

from services.routing.domain.lifecycle import CaseState, KeptCase, OpenedCase
from services.routing.store.documents import (
    STATE,
    case_document,
    event_of,
    part_document,
    part_of,
    sending_document,
    sending_of,
    state_fields,
)
from shared.contracts.case import CaseOpened
from shared.contracts.envelope import AnyEvent
from shared.runtime.mongo import Collection, Database, Document, insert_new

OPEN = {"open": True}
OPEN_BY_LEAD = (
    {"$match": OPEN},
    {"$group": {"_id": "$state.lead", "cases": {"$sum": 1}}},
)
"""Answered from the index alone."""


async def count_by_lead(cases: Collection) -> Mapping[str, int]:
    counted = cases.aggregate(list(OPEN_BY_LEAD))
    return {document["_id"]: document["cases"] async for document in counted}


class MongoCases:
    """Collection `cases`: one document per case, `_id` its id.

    `version` is that of the last event, `state` what the next command is decided by;
    `opening` holds the events that announced the case, `acted` the sendings that moved it,
    each with its event; `parts`, if any, are the cases that were split from it as they begin,
    kept here in the write that moves this one before they are cases of their own. The unique
    `_id` makes the first opening stand, and an update that asks for the version it was decided
    from makes the first step stand.
    """

    def __init__(self, database: Database) -> None:
        self._cases = database.get_collection("cases")

    async def prepare(self) -> None:
        """Create the indexes; again is harmless."""
        # Only of open cases: what is concluded makes the count no longer.
        await self._cases.create_indexes(
            [
                IndexModel([("open", ASCENDING), (name, ASCENDING)], partialFilterExpression=OPEN)
                for name in ("state.lead", "_id")
            ]
        )

    async def add_once(self, opened: Sequence[OpenedCase]) -> Sequence[tuple[AnyEvent, ...]]:
        documents = [case_document(case) for case in opened]
        known = await insert_new(self._cases, documents)
        if not known:
            return [case.events for case in opened]
        ids = {opened[position].state.case for position in known}
        standing = {
            document["_id"]: tuple(map(event_of, document["opening"]))
            async for document in self._cases.find({"_id": {"$in": list(ids)}}, {"opening": 1})
        }
        return [
            standing[case.state.case] if case.state.case in ids else case.events for case in opened
        ]

    async def open_by_lead(self) -> Mapping[str, int]:
        return await count_by_lead(self._cases)

    async def open_after(self, case: str, limit: int) -> Sequence[CaseState]:
        wanted = {**OPEN, "_id": {"$gt": case}}
        found = self._cases.find(wanted, {"state": 1}, sort=[("_id", ASCENDING)], limit=limit)
        return [STATE.validate_python(document["state"]) async for document in found]

    async def known(self, cases: Iterable[str]) -> Mapping[str, KeptCase]:
        wanted = {"state": 1, "acted": 1, "parts": 1}
        found = self._cases.find({"_id": {"$in": list(cases)}}, wanted)
        return {
            document["_id"]: KeptCase(
                state=STATE.validate_python(document["state"]),
                acted=tuple(map(sending_of, document["acted"])),
                parts=tuple(map(part_of, document.get("parts", ()))),
            )
            async for document in found
        }

    async def letters(self, cases: Iterable[str]) -> Mapping[str, CaseOpened]:
        first = {"opening": {"$slice": 1}, "_id": 1}
        found = self._cases.find({"_id": {"$in": list(cases)}}, first)
        return {document["_id"]: event_of(document["opening"][0]).data async for document in found}

    async def advance(self, steps: Sequence[tuple[KeptCase, KeptCase]]) -> frozenset[str]:
        news = {
            after.state.case: [sending_document(s) for s in after.acted[len(before.acted) :]]
            for before, after in steps
        }
        parts = {
            after.state.case: [part_document(p) for p in after.parts[len(before.parts) :]]
            for before, after in steps
        }
        updates = [
            UpdateOne(
                {"_id": before.state.case, "version": before.state.version},
                {
                    "$set": state_fields(after.state),
                    "$push": {
                        "acted": {"$each": news[after.state.case]},
                        **_if_any("parts", parts[after.state.case]),
                    },
                },
            )
            for before, after in steps
        ]
        if not updates:
            return frozenset()
        result = await self._cases.bulk_write(updates, ordered=False)
        if result.matched_count == len(updates):
            return frozenset()
        # The count does not say which. A case that holds these sendings was not lost: word for
        # word, for another process may have moved it by the same sending with another event.
        held = {
            document["_id"]: document["acted"]
            async for document in self._cases.find({"_id": {"$in": list(news)}}, {"acted": 1})
        }
        return frozenset(
            case
            for case, acted in news.items()
            if any(sending not in held.get(case, ()) for sending in acted)
        )


def _if_any(field: str, news: Sequence[Document]) -> Document:
    return {field: {"$each": news}} if news else {}
