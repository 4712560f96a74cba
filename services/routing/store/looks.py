"""Who was told what of cases."""

from collections.abc import Sequence
from datetime import UTC, datetime

from pymongo import ASCENDING, IndexModel

from services.routing.domain.look import Look
from shared.runtime.mongo import Database, Document, insert_new


class MongoLooks:
    """Collection `looks`: one document an answer, only ever added; `_id` derived from it.

    `at` is text, in UTC and to the microsecond, so that text order is order in time.
    """

    def __init__(self, database: Database) -> None:
        self._looks = database.get_collection("looks")

    async def prepare(self) -> None:
        """Create the index; again is harmless."""
        # Lists name no case and are in no index: they are read in whole, if ever.
        named = {"case": {"$exists": True}}
        by_case = [("case", ASCENDING), ("at", ASCENDING)]
        await self._looks.create_indexes([IndexModel(by_case, partialFilterExpression=named)])

    async def keep(self, look: Look) -> None:
        await insert_new(self._looks, [_document(look)])

    async def of(self, case: str, *, after: datetime | None, limit: int) -> Sequence[Look]:
        later = {"at": {"$gt": _text(after)}} if after else {}
        wanted = {"case": case, **later}
        found = self._looks.find(wanted, sort=[("at", ASCENDING)], limit=limit)
        return [_look(document) async for document in found]


def _document(look: Look) -> Document:
    document = {
        "_id": look.id,
        "party": look.party,
        "question": look.question,
        "told": look.told,
        "rule": look.rule,
        "at": _text(look.at),
    }
    optional = {"person": look.person, "case": look.case, "shape": look.shape}
    return {**document, **{name: value for name, value in optional.items() if value}}


def _look(document: Document) -> Look:
    return Look(
        party=document["party"],
        person=document.get("person"),
        question=document["question"],
        told=document["told"],
        rule=document["rule"],
        at=datetime.fromisoformat(document["at"]),
        case=document.get("case"),
        shape=document.get("shape", ""),
    )


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
