"""Rows: one document each, with the facets that stand and those that stood before."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from bson import decode_all
from pymongo import UpdateOne

from services.reporting.domain.alike import as_seen
from services.reporting.domain.facet import Facet, Laid, RowChange, Table, laid
from services.reporting.domain.period import Window
from services.reporting.domain.row import CaseRow
from services.reporting.store.alike import grouping, kind_of
from shared.runtime.mongo import Collection, Database, Document, insert_new

BEGINS = frozenset({"submission", "recorded", "announced"})
"""Places whose event comes before all others of its row, as a rule."""

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
        """One write a row, each atomic.

        A row begins with its submission, activity or channel and is inserted; what follows fills
        places that are empty. Both are quick for the server. Whatever finds its place taken, or a
        row that is not there yet, goes the way that weighs both facets, which is right for all.
        """
        rows: dict[Table, dict[str, Laid]] = {table: {} for table in Table}
        for (table, key), row in laid(changes).items():
            rows[table][key] = row
        for table, of_table in rows.items():
            if of_table:
                await self._apply(self._tables[table], of_table)

    async def _apply(self, table: Collection, rows: Mapping[str, Laid]) -> None:
        begin = [
            key for key, row in rows.items() if not row.past and not BEGINS.isdisjoint(row.facets)
        ]
        known = await insert_new(table, [_document(key, rows[key]) for key in begin])
        begun = {key for place, key in enumerate(begin) if place not in known}
        rest = {key: row for key, row in rows.items() if key not in begun}
        plain = [_filled(key, row) for key, row in rest.items() if not row.past]
        if plain:
            filled = await table.bulk_write(plain, ordered=False)
            if filled.matched_count == len(rest):
                return
        if rest:  # the count does not say which were missed; to weigh a facet again is harmless
            await table.bulk_write(list(map(_weighed, rest, rest.values())), ordered=False)

    async def cases(self) -> AsyncIterator[CaseRow]:
        # Undecoded batches: the driver's way, document by document, takes as long again.
        cases = self._tables[Table.CASE]
        async for batch in cases.find_raw_batches({}, batch_size=CASES_AT_ONCE):
            for document in decode_all(batch, cases.codec_options):
                yield CaseRow.of(document["_id"], _laid(document))

    async def alike(self, window: Window, known: datetime) -> AsyncIterator[tuple[CaseRow, int]]:
        cases = self._tables[Table.CASE]
        async for batch in cases.aggregate_raw_batches(
            grouping(window, known), allowDiskUse=True, batchSize=CASES_AT_ONCE
        ):
            for document in decode_all(batch, cases.codec_options):
                if (row := document["row"]) is None:
                    yield kind_of(document)
                else:
                    row = CaseRow.of(row["_id"], _laid(row)).as_known(known)
                    yield as_seen(row, window), 1

    async def activities(self) -> AsyncIterator[Laid]:
        async for document in self._tables[Table.ACTIVITY].find({}):
            yield _laid(document)

    async def channels(self) -> AsyncIterator[Laid]:
        async for document in self._tables[Table.CHANNEL].find({}):
            yield _laid(document)


def _document(key: str, row: Laid) -> Document:
    """A row that begins, with nothing past."""
    document: Document = {"_id": key, "past": []}
    for place, facet in row.facets.items():
        outer, _, inner = place.rpartition(".")
        of_place = document.setdefault(outer, {}) if outer else document
        of_place[inner] = _content(facet)
    return document


def _filled(key: str, row: Laid) -> UpdateOne:
    """Fill places, if every one of them is empty in a row that is there."""
    empty = {place: {"$exists": False} for place in row.facets}
    content = {place: _content(facet) for place, facet in row.facets.items()}
    return UpdateOne({"_id": key, **empty}, {"$set": content})


def _weighed(key: str, row: Laid) -> UpdateOne:
    """Of each place the facet with the greater mark stands, the other is past."""
    fields = {place: _newer(place, facet) for place, facet in row.facets.items()}
    fields["past"] = _past(row)
    return UpdateOne({"_id": key}, [{"$set": fields}], upsert=True)


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
    return {"$literal": {**_content(facet), **more}}


def _content(facet: Facet) -> Document:
    return {
        "version": facet.version,
        "recorded": facet.recorded,
        "event": facet.event,
        "time": facet.time,
        "data": dict(facet.data),
    }


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
