"""Rows: one document each, with the facets that stand and those that stood before."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from bson import decode_all
from pymongo import UpdateOne

from services.reporting.domain.alike import as_seen
from services.reporting.domain.facet import Facet, Laid, RowChange, Table, laid
from services.reporting.domain.period import Window
from services.reporting.domain.row import CaseRow
from services.reporting.store.alike import APART, grouping, kind_of
from shared.runtime.mongo import Collection, Database, Document

CASES_AT_ONCE = 1_000
"""Decoded in one go, some 20 ms, in which the process does nothing else."""


class MongoRows:
    """Collections `case_rows`, `activity_rows`, `channel_rows`: one document per row.

    Each facet of a row is a field: `version`, `recorded`, `event`, `time`, `data`; clocks lie
    together under `clocks`. An update sets a facet only where its mark is the greater; the other
    one goes into the set `past`, with its `place`.
    """

    def __init__(self, database: Database) -> None:
        self._tables: dict[Table, Collection] = {
            table: database.get_collection(f"{table.value}_rows") for table in Table
        }

    async def apply(self, changes: Sequence[RowChange]) -> None:
        updates: dict[Table, list[UpdateOne]] = {table: [] for table in Table}
        for (table, key), row in laid(changes).items():
            fields = {place: _newer(place, facet) for place, facet in row.facets.items()}
            fields["past"] = _past(row)
            updates[table].append(UpdateOne({"_id": key}, [{"$set": fields}], upsert=True))
        for table, of_table in updates.items():
            if of_table:
                await self._tables[table].bulk_write(of_table, ordered=False)

    async def cases(self) -> AsyncIterator[CaseRow]:
        # Undecoded batches: the driver's way, document by document, takes as long again.
        cases = self._tables[Table.CASE]
        async for batch in cases.find_raw_batches({}, batch_size=CASES_AT_ONCE):
            for document in decode_all(batch, cases.codec_options):
                yield CaseRow.of(document["_id"], _laid(document))

    async def alike(self, window: Window) -> AsyncIterator[tuple[CaseRow, int]]:
        kinds = self._tables[Table.CASE].aggregate(
            grouping(window), allowDiskUse=True, batchSize=CASES_AT_ONCE
        )
        async for document in kinds:
            yield kind_of(document)
        async for document in self._tables[Table.CASE].find(APART):
            yield as_seen(CaseRow.of(document["_id"], _laid(document)), window), 1

    async def activities(self) -> AsyncIterator[Laid]:
        async for document in self._tables[Table.ACTIVITY].find({}):
            yield _laid(document)

    async def channels(self) -> AsyncIterator[Laid]:
        async for document in self._tables[Table.CHANNEL].find({}):
            yield _laid(document)


def _newer(place: str, facet: Facet) -> Document:
    """An expression: this facet, or the one that is there if its mark is greater."""
    return {"$cond": [_greater(place, facet), _literal(facet), f"${place}"]}


def _past(row: Laid) -> Document:
    """An expression: what stood before, with whichever of each place gives way now."""
    sets: list[Any] = [{"$ifNull": ["$past", []]}]
    sets += [[_literal(facet, place=place)] for (place, _), facet in row.past.items()]
    for place, facet in row.facets.items():
        there = {"$mergeObjects": [f"${place}", {"place": place}]}
        loser = {"$cond": [_greater(place, facet), there, _literal(facet, place=place)]}
        own = {"$literal": facet.event}
        lost = {"$eq": [{"$ifNull": [f"${place}.event", own]}, own]}
        sets.append({"$cond": [lost, [], [loser]]})
    return {"$setUnion": sets}


def _greater(place: str, facet: Facet) -> Document:
    mark = [facet.version, facet.recorded, facet.event]
    there = [f"${place}.version", f"${place}.recorded", f"${place}.event"]
    return {"$gt": [{"$literal": mark}, there]}


def _literal(facet: Facet, **more: str) -> Document:
    content = {
        "version": facet.version,
        "recorded": facet.recorded,
        "event": facet.event,
        "time": facet.time,
        "data": dict(facet.data),
        **more,
    }
    return {"$literal": content}


def _laid(document: Mapping[str, Any]) -> Laid:
    facets: dict[str, Facet] = {}
    row = Laid(facets)
    for place, value in document.items():
        if place == "clocks":
            for code, clock in value.items():
                facets[f"clocks.{code}"] = Facet(**clock)
        elif place == "past":
            for was in value:
                where = was.pop("place")
                facet = Facet(**was)
                row.past[where, facet.mark] = facet
        elif place != "_id":
            facets[place] = Facet(**value)
    return row
