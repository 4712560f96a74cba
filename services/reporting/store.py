"""Reporting's ports, kept in MongoDB: rows, closings, reports, sendings of commands, rules."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from pymongo import ASCENDING, DESCENDING, UpdateOne

from services.reporting.domain.revision import Closing
from services.reporting.domain.row import (
    ActivityRow,
    CaseRow,
    ChannelRow,
    Facet,
    RowChange,
    Table,
    newest,
)
from services.reporting.handlers import RulesInForce, RulesMissing, Sending
from shared.contracts import DirectoryPublished, Refused, RulebookPublished
from shared.contracts.envelope import AnyEvent, Event
from shared.contracts.ingress import Fate, FatesAsked
from shared.runtime.mongo import Collection, Database, Document, insert_new


class MongoRows:
    """Collections `case_rows`, `activity_rows`, `channel_rows`: one document per row.

    Each facet of a row is a field: `version`, `recorded`, `event`, `time`, `data`; clocks lie
    together under `clocks`. An update sets a facet only where its mark is the greater.
    """

    def __init__(self, database: Database) -> None:
        self._tables: dict[Table, Collection] = {
            table: database.get_collection(f"{table.value}_rows") for table in Table
        }

    async def apply(self, changes: Sequence[RowChange]) -> None:
        updates: dict[Table, list[UpdateOne]] = {table: [] for table in Table}
        for (table, key), facets in newest(changes).items():
            fields = {place: _newer(place, facet) for place, facet in facets.items()}
            updates[table].append(UpdateOne({"_id": key}, [{"$set": fields}], upsert=True))
        for table, of_table in updates.items():
            if of_table:
                await self._tables[table].bulk_write(of_table, ordered=False)

    async def cases(self) -> AsyncIterator[CaseRow]:
        async for document in self._tables[Table.CASE].find({}, batch_size=5_000):
            case = document.pop("_id")
            clocks = document.pop("clocks", {})
            facets = {place: _facet(value) for place, value in document.items()}
            facets |= {f"clocks.{code}": _facet(value) for code, value in clocks.items()}
            yield CaseRow(case, facets)

    async def activities(self) -> AsyncIterator[ActivityRow]:
        async for document in self._tables[Table.ACTIVITY].find({}):
            yield ActivityRow.of(_facet(document["recorded"]))

    async def channels(self) -> AsyncIterator[ChannelRow]:
        async for document in self._tables[Table.CHANNEL].find({}):
            yield ChannelRow.of(_facet(document["announced"]))


class MongoClosings:
    """Collection `closings`: one document per closed period, `_id` its code.

    `closing` is the whole decision as JSON text: instants come back to the microsecond.
    `party` and `command` stand beside it. There are a handful a year, so nothing is indexed.
    """

    def __init__(self, database: Database) -> None:
        self._closings = database.get_collection("closings")

    async def add_once(self, closing: Closing) -> Closing:
        code = closing.period.code
        document = {
            "_id": code,
            "party": closing.party,
            "command": closing.command,
            "closing": closing.model_dump_json(),
        }
        if not await insert_new(self._closings, [document]):
            return closing
        standing = await self.of(code)
        return standing or closing

    async def of(self, period: str) -> Closing | None:
        found = await self._closings.find_one({"_id": period})
        return Closing.model_validate_json(found["closing"]) if found else None

    async def ordered(self, party: str, command: str) -> Closing | None:
        found = await self._closings.find_one({"party": party, "command": command})
        return Closing.model_validate_json(found["closing"]) if found else None


class MongoReports:
    """Collection `reports`: every published report, `_id` `<form>/<unit>/<period>/<revision>`."""

    def __init__(self, database: Database) -> None:
        self._reports = database.get_collection("reports")

    async def add_once(self, reports: Sequence[AnyEvent]) -> None:
        await insert_new(
            self._reports,
            [
                {
                    "_id": f"{event.subject}/{event.data.revision}",
                    "event": event.model_dump(mode="json"),
                }
                for event in reports
            ],
        )


class MongoSendings:
    """Collection `commands`: one document per sending of a command, `_id` its key."""

    def __init__(self, database: Database) -> None:
        self._commands = database.get_collection("commands")

    async def prepare(self) -> None:
        await self._commands.create_index([("party", ASCENDING), ("item", ASCENDING)])
        await self._commands.create_index([("party", ASCENDING), ("sequence", ASCENDING)])

    async def known(self, keys: Iterable[str]) -> Mapping[str, Sending]:
        found = self._commands.find({"_id": {"$in": list(keys)}})
        return {document["_id"]: _sending(document) async for document in found}

    async def add_once(self, sending: Sending) -> None:
        refusal = sending.refusal.model_dump(mode="json") if sending.refusal else None
        document = {
            "_id": sending.key,
            "party": sending.party,
            "item": sending.item,
            "sequence": sending.sequence,
            "fate": sending.fate.value,
            "period": sending.period,
            "refusal": refusal,
        }
        await insert_new(self._commands, [document])

    async def told(self, party: str, asked: FatesAsked) -> Sequence[Sending]:
        wanted = [
            {"party": party, "item": {"$in": list(asked.items)}},
            {"party": party, "sequence": {"$in": list(asked.sequences)}},
        ]
        found = self._commands.find({"$or": wanted}).sort("sequence", ASCENDING)
        return [_sending(document) async for document in found]


class MongoRules:
    """Collections `directories` and `rulebooks`: every version, `_id` its number."""

    def __init__(self, database: Database) -> None:
        self._directories = database.get_collection("directories")
        self._rulebooks = database.get_collection("rulebooks")

    async def add_once(
        self, directories: Sequence[DirectoryPublished], rulebooks: Sequence[RulebookPublished]
    ) -> None:
        await insert_new(self._directories, [_version(d) for d in directories])
        await insert_new(self._rulebooks, [_version(r) for r in rulebooks])

    async def latest(self) -> RulesInForce:
        directory = await self._directories.find_one({}, sort=[("_id", DESCENDING)])
        rulebook = await self._rulebooks.find_one({}, sort=[("_id", DESCENDING)])
        if directory is None or rulebook is None:
            raise RulesMissing
        return RulesInForce(
            DirectoryPublished.model_validate(directory["content"]),
            RulebookPublished.model_validate(rulebook["content"]),
        )

    async def directory(self, version: int) -> DirectoryPublished:
        found = await self._directories.find_one({"_id": version})
        if found is None:
            raise RulesMissing
        return DirectoryPublished.model_validate(found["content"])


def _newer(place: str, facet: Facet) -> Document:
    """An expression: this facet, or the one that is there if its mark is greater."""
    mark = [facet.version, facet.recorded, facet.event]
    there = [f"${place}.version", f"${place}.recorded", f"${place}.event"]
    content = {
        "version": facet.version,
        "recorded": facet.recorded,
        "event": facet.event,
        "time": facet.time,
        "data": dict(facet.data),
    }
    return {"$cond": [{"$gt": [{"$literal": mark}, there]}, {"$literal": content}, f"${place}"]}


def _facet(document: Document) -> Facet:
    return Facet(**document)


def _version(published: DirectoryPublished | RulebookPublished) -> Document:
    return {"_id": published.version, "content": published.model_dump(mode="json")}


def _sending(document: Document) -> Sending:
    refusal = document["refusal"]
    return Sending(
        key=document["_id"],
        party=document["party"],
        item=document["item"],
        sequence=document["sequence"],
        fate=Fate(document["fate"]),
        period=document["period"],
        refusal=Event[Refused].model_validate(refusal) if refusal else None,
    )
