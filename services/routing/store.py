"""Routing's ports, kept in MongoDB: cases, sendings of commands, and versions of the rules.

Instants are kept as text, not as BSON dates: those end at the millisecond, and what has been
announced must come back word for word.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from pydantic import TypeAdapter
from pymongo import ASCENDING, DESCENDING, IndexModel, UpdateOne

from services.routing.domain.calendar import WorkingDays
from services.routing.domain.command import Sending
from services.routing.domain.directory import DirectoryIndex
from services.routing.domain.lifecycle import CaseState, KeptCase, OpenedCase
from services.routing.domain.rules import RulePublished, RulesInForce
from shared.contracts import CATALOGUE
from shared.contracts.directory import Directory, DirectoryPublished
from shared.contracts.envelope import AnyEvent, Event
from shared.contracts.ingress import Fate, FatesAsked
from shared.contracts.rulebook import Calendar, CalendarPublished, Rulebook, RulebookPublished
from shared.runtime.mongo import Collection, Database, Document, insert_new

CONTRACTS = {type_: Event[contract] for type_, contract in CATALOGUE.items()}  # type: ignore[valid-type]
STATE = TypeAdapter(CaseState)


class MongoCases:
    """Collection `cases`: one document per case, `_id` its id.

    `version` is that of the last event, `state` what the next command is decided by;
    `opening` holds the events that announced the case, `acted` the sendings that moved it,
    each with its event. The unique `_id` makes the first opening stand, and an update that
    asks for the version it was decided from makes the first step stand.
    """

    def __init__(self, database: Database) -> None:
        self._cases = database.get_collection("cases")

    async def add_once(self, opened: Sequence[OpenedCase]) -> Sequence[tuple[AnyEvent, ...]]:
        documents = [_case_document(case) for case in opened]
        known = await insert_new(self._cases, documents)
        if not known:
            return [case.events for case in opened]
        ids = {opened[position].state.case for position in known}
        standing = {
            document["_id"]: tuple(map(_event, document["opening"]))
            async for document in self._cases.find({"_id": {"$in": list(ids)}}, {"opening": 1})
        }
        return [
            standing[case.state.case] if case.state.case in ids else case.events for case in opened
        ]

    async def known(self, cases: Iterable[str]) -> Mapping[str, KeptCase]:
        found = self._cases.find({"_id": {"$in": list(cases)}}, {"state": 1, "acted": 1})
        return {
            document["_id"]: KeptCase(
                state=STATE.validate_python(document["state"]),
                acted=tuple(map(_sending, document["acted"])),
            )
            async for document in found
        }

    async def advance(self, steps: Sequence[tuple[KeptCase, KeptCase]]) -> frozenset[str]:
        news = {
            after.state.case: [_sending_document(s) for s in after.acted[len(before.acted) :]]
            for before, after in steps
        }
        updates = [
            UpdateOne(
                {"_id": before.state.case, "version": before.state.version},
                {
                    "$set": {
                        "version": after.state.version,
                        "state": STATE.dump_python(after.state, mode="json"),
                    },
                    "$push": {"acted": {"$each": news[after.state.case]}},
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


class MongoCommands:
    """Collection `commands`: one document per sending of a command, `_id` its key.

    Holds party, command id, stream sequence, fate, digest of the order, and the announced
    events word for word. That a command acts once is the case's promise, not this ledger's:
    a ledger entry may be missing where a process died after it had moved the case.
    """

    def __init__(self, database: Database) -> None:
        self._commands = database.get_collection("commands")

    async def prepare(self) -> None:
        """Create the indexes; again is harmless."""
        await self._commands.create_indexes(
            [
                IndexModel([("party", ASCENDING), ("item", ASCENDING), ("sequence", ASCENDING)]),
                IndexModel([("party", ASCENDING), ("sequence", ASCENDING)]),
            ]
        )

    async def known(self, keys: Iterable[str]) -> Mapping[str, Sending]:
        found = self._commands.find({"_id": {"$in": list(keys)}})
        return {document["_id"]: _sending(document) async for document in found}

    async def acted(self, commands: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], Sending]:
        items: dict[str, list[str]] = defaultdict(list)
        for party, item in commands:
            items[party].append(item)
        if not items:
            return {}
        asked = [{"party": party, "item": {"$in": names}} for party, names in items.items()]
        found = self._commands.find({"$or": asked, "fate": Fate.KEPT.value})
        sendings = [_sending(document) async for document in found]
        return {(sending.party, sending.item): sending for sending in sendings}

    async def add_once(self, sendings: Sequence[Sending]) -> Sequence[Sending]:
        known = await insert_new(self._commands, [_sending_document(s) for s in sendings])
        if not known:
            return list(sendings)
        # Two processes may have had the same sending at once. The one that moved the case is right.
        moved = [
            UpdateOne({"_id": sending.key}, {"$set": _sending_document(sending)})
            for position in known
            if (sending := sendings[position]).fate is Fate.KEPT
        ]
        if moved:
            await self._commands.bulk_write(moved, ordered=False)
        keys = {sendings[position].key for position in known}
        standing = await self.known(keys)
        return [standing[s.key] if s.key in keys else s for s in sendings]

    async def told(self, party: str, asked: FatesAsked) -> Sequence[Sending]:
        wanted = [
            {"party": party, "item": {"$in": list(asked.items)}},
            {"party": party, "sequence": {"$in": list(asked.sequences)}},
        ]
        found = self._commands.find({"$or": wanted}).sort(
            [("sequence", ASCENDING), ("_id", ASCENDING)]
        )
        return [_sending(document) async for document in found]


class MongoRules:
    """Collections `directories`, `rulebooks`, `calendars`: one document per version, its `_id`.

    The latest versions stay parsed in memory; each question reads only their numbers.
    """

    def __init__(self, database: Database) -> None:
        self._directories = database.get_collection("directories")
        self._rulebooks = database.get_collection("rulebooks")
        self._calendars = database.get_collection("calendars")
        self._latest: RulesInForce | None = None

    async def add_once(self, published: Sequence[RulePublished]) -> None:
        fresh: dict[str, dict[int, Document]] = defaultdict(dict)
        for event in published:
            collection, content = self._place(event)
            document = {"_id": event.data.version, "content": content.model_dump(mode="json")}
            fresh[collection.name].setdefault(event.data.version, document)
        for collection in (self._directories, self._rulebooks, self._calendars):
            await insert_new(collection, list(fresh[collection.name].values()))

    async def latest(self) -> RulesInForce | None:
        directory, rulebook, calendar = await asyncio.gather(
            _latest_version(self._directories),
            _latest_version(self._rulebooks),
            _latest_version(self._calendars),
        )
        if directory is None or rulebook is None or calendar is None:
            return None
        kept = self._latest
        self._latest = RulesInForce(
            directory=kept.directory
            if kept and kept.directory_version == directory
            else DirectoryIndex(
                Directory.model_validate(await _content(self._directories, directory))
            ),
            directory_version=directory,
            rulebook=kept.rulebook
            if kept and kept.rulebook_version == rulebook
            else Rulebook.model_validate(await _content(self._rulebooks, rulebook)),
            rulebook_version=rulebook,
            working_days=kept.working_days
            if kept and kept.calendar_version == calendar
            else WorkingDays(Calendar.model_validate(await _content(self._calendars, calendar))),
            calendar_version=calendar,
        )
        return self._latest

    def _place(self, event: RulePublished) -> tuple[Collection, Directory | Rulebook | Calendar]:
        match event.data:
            case DirectoryPublished(directory=directory):
                return self._directories, directory
            case RulebookPublished(rulebook=rulebook):
                return self._rulebooks, rulebook
            case CalendarPublished(calendar=calendar):
                return self._calendars, calendar


async def _latest_version(collection: Collection) -> int | None:
    document = await collection.find_one({}, {"_id": 1}, sort=[("_id", DESCENDING)])
    return document["_id"] if document else None


async def _content(collection: Collection, version: int) -> object:
    document = await collection.find_one({"_id": version})
    return document["content"] if document else None


def _case_document(case: OpenedCase) -> Document:
    return {
        "_id": case.state.case,
        "version": case.state.version,
        "state": STATE.dump_python(case.state, mode="json"),
        "opening": [event.model_dump(mode="json") for event in case.events],
        "acted": [],
    }


def _sending_document(sending: Sending) -> Document:
    return {
        "_id": sending.key,
        "party": sending.party,
        "item": sending.item,
        "sequence": sending.sequence,
        "fate": sending.fate.value,
        "order": sending.order,
        "events": [event.model_dump(mode="json") for event in sending.events],
    }


def _sending(document: Document) -> Sending:
    return Sending(
        key=document["_id"],
        party=document["party"],
        item=document["item"],
        sequence=document["sequence"],
        fate=Fate(document["fate"]),
        order=document["order"],
        events=tuple(map(_event, document["events"])),
    )


def _event(document: Document) -> AnyEvent:
    return CONTRACTS[document["type"]].model_validate(document)
