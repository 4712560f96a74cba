"""Intake's own view of routing's cases: which body may ask, and how far each is."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from pymongo import ASCENDING, UpdateOne

from services.intake.handlers.ports import Agreed, CaseView
from shared.contracts import (
    CaseAccepted,
    CaseAmended,
    CaseAssigned,
    CaseConcluded,
    CaseJoined,
    CaseOpened,
    CaseReferred,
    CaseReopened,
    CaseUnsealingConfirmed,
)
from shared.contracts.envelope import AnyEvent
from shared.contracts.vocabulary import Kind, Unseals
from shared.runtime.mongo import Database, Document, insert_new

JOINED, UNSEALINGS = "joined", "unsealings"
STATES = {
    CaseOpened.TYPE: "opened",
    CaseAssigned.TYPE: "assigned",
    CaseAccepted.TYPE: "accepted",
    CaseConcluded.TYPE: "concluded",
    CaseReopened.TYPE: "accepted",
    CaseReferred.TYPE: "referred",
    CaseJoined.TYPE: JOINED,
}


class MongoCases:
    """Collection `cases`: `_id` the case, `submission`, `kind`, `lead`, `cooperating`, `state`.

    `unsealings` are what second persons agreed to, each by its number, with `told`, the moment
    when it was used; `amended_version` is the case's version since which it is about more.

    `parent` is there in a part of a mixed letter, whose submission has several cases. `into` is
    the case that a duplicate was joined to; it counts while `state` is `joined`. A duplicate reads
    as that case does: who holds that one may ask, and it is as far as that one is.
    `state_version`, `into_version` and `lead_version` are the case's versions that these reflect:
    an older event never overwrites a newer one, whichever replica or redelivery brings it.
    """

    def __init__(self, database: Database) -> None:
        self._documents = database.get_collection("cases")

    async def prepare(self) -> None:
        await self._documents.create_index([("submission", ASCENDING)], sparse=True)

    async def note(self, events: Sequence[AnyEvent]) -> None:
        """Take over what routing announced, in whatever order it comes.

        One write for a case. Nearly every case is new, and inserting it costs the server a tenth
        of an update; what is there already is updated.
        """
        said: dict[str, _Said] = {}
        agreed: list[UpdateOne] = []
        for event in events:
            if isinstance(event.data, CaseUnsealingConfirmed | CaseAmended):
                if stage := _unsealing(event.data):
                    agreed.append(UpdateOne({"_id": event.subject}, [stage], upsert=True))
                continue
            said.setdefault(event.subject or event.id, _Said()).add(event)
        cases = list(said)
        known = await insert_new(self._documents, [{"_id": c, **said[c].fields()} for c in cases])
        updates = [
            UpdateOne({"_id": cases[n]}, said[cases[n]].stages(), upsert=True)
            for n in sorted(known)
        ]
        updates += agreed
        if updates:
            await self._documents.bulk_write(updates, ordered=True)

    async def find(self, case: str) -> CaseView | None:
        return await self._as_it_stands(await self._documents.find_one({"_id": case}))

    async def of(self, submission: str) -> CaseView | None:
        """The case that it opened, whatever was split from it."""
        wanted = {"submission": submission, "parent": {"$exists": False}}
        return await self._as_it_stands(await self._documents.find_one(wanted))

    async def all_of(self, submission: str) -> Sequence[CaseView]:
        order = list(Kind)
        found = await self._documents.find({"submission": submission}).to_list(None)
        views = [(("parent" in d), await self._as_it_stands(d)) for d in found]
        known = [(part, view) for part, view in views if view is not None]
        known.sort(key=lambda one: (one[0], order.index(one[1].kind) if one[1].kind else 0))
        return [view for _, view in known]

    async def agreed(self, case: str, number: int) -> Agreed | None:
        found = await self._documents.find_one(_may_be_told(case, number))
        if found is None:
            return None
        one = found[UNSEALINGS][_name(number)]
        return Agreed(
            one["body"],
            one["person"],
            one["second_person"],
            date.fromisoformat(one["until"]),
        )

    async def use(self, case: str, number: int, at: datetime) -> bool:
        told = {"$set": {f"{UNSEALINGS}.{_name(number)}.told": at}}
        done = await self._documents.update_one(_may_be_told(case, number), told)
        return done.modified_count == 1

    async def _as_it_stands(self, document: Document | None) -> CaseView | None:
        """A duplicate held by whom the case is held by that goes on, and as far as that is.

        By nobody while that one is not known yet, or events are so far out of order that the
        duplicates seem to go round in a circle.
        """
        view = _view(document)
        seen: set[str] = set()
        while document is not None and document.get("state") == JOINED:
            into = document.get("into")
            if into is None or into in seen:
                document = None
                break
            seen.add(into)
            document = await self._documents.find_one({"_id": into})
        standing = _view(document)
        if view is None:
            return None
        if standing is None:
            return replace(view, lead=None, cooperating=())
        return replace(
            view,
            lead=standing.lead,
            cooperating=standing.cooperating,
            state=standing.state,
        )


def _unsealing(data: CaseUnsealingConfirmed | CaseAmended) -> Document | None:
    """Who may be told who spoke; and since when the case is about more than anybody agreed to."""
    if isinstance(data, CaseAmended):
        return _newer("amended_version", data.version, {})
    if data.unseals is not Unseals.IDENTITY:
        return None
    said = {name: getattr(data, name) for name in ("version", "body", "person", "second_person")}
    place = f"{UNSEALINGS}.{_name(data.number)}"
    known = {"$literal": {**said, "until": data.until.isoformat()}}
    return {"$set": {place: {"$ifNull": [f"${place}", known]}}}


def _may_be_told(case: str, number: int) -> Document:
    one = f"{UNSEALINGS}.{_name(number)}"
    amended = {"$ifNull": ["$amended_version", 0]}
    return {
        "_id": case,
        one: {"$exists": True},
        f"{one}.told": {"$exists": False},
        "$expr": {"$lt": [amended, f"${one}.version"]},
    }


def _name(number: int) -> str:
    """No number alone: in a path it would be a place in a list."""
    return f"n{number}"


@dataclass(slots=True)
class _Said:
    """What the events of one batch say of a case; of two versions the newer counts."""

    fixed: Document = field(default_factory=dict)
    newest: dict[str, tuple[int, Document]] = field(default_factory=dict)
    """By the field that holds the version: that version, and what it brings."""

    def add(self, event: AnyEvent) -> None:
        said = event.data
        if not _stays_with_its_lead(event):
            self._newer("state_version", said.version, {"state": STATES[event.type]})
        if isinstance(said, CaseOpened):
            self.fixed |= {"submission": said.submission, "kind": said.kind.value}
            if said.parent is not None:
                self.fixed["parent"] = said.parent
        if isinstance(said, CaseJoined):
            self._newer("into_version", said.version, {"into": said.into})
        if isinstance(said, CaseAssigned):
            lead = {"lead": said.lead, "cooperating": list(said.cooperating)}
            self._newer("lead_version", said.version, lead)

    def fields(self) -> Document:
        """Of a case that is not known yet."""
        document = dict(self.fixed)
        for version_field, (version, brings) in self.newest.items():
            document |= {**brings, version_field: version}
        return document

    def stages(self) -> list[Document]:
        """What updates a case that is known."""
        stages = [_newer(name, version, brings) for name, (version, brings) in self.newest.items()]
        if self.fixed:
            stages.append({"$set": {name: {"$literal": v} for name, v in self.fixed.items()}})
        return stages

    def _newer(self, version_field: str, version: int, brings: Document) -> None:
        if version > self.newest.get(version_field, (0, {}))[0]:
            self.newest[version_field] = (version, brings)


def _stays_with_its_lead(event: AnyEvent) -> bool:
    """Only others come in beside the lead, or leave: what it has accepted it still has."""
    return isinstance(event.data, CaseAssigned) and event.data.lead == event.data.lead_before


def _newer(version_field: str, version: int, fields: Document) -> Document:
    """Set the fields only if what they reflect is newer than what stands."""
    is_newer = {"$gt": [version, {"$ifNull": [f"${version_field}", 0]}]}

    def unless_older(name: str, value: Any) -> Document:  # noqa: ANN401 - whatever a document holds
        return {"$cond": [is_newer, {"$literal": value}, f"${name}"]}

    wanted = {**fields, version_field: version}
    return {"$set": {name: unless_older(name, value) for name, value in wanted.items()}}


def _view(document: Document | None) -> CaseView | None:
    """None also while the case's opening has not come yet."""
    if document is None or "submission" not in document:
        return None
    return CaseView(
        case=document["_id"],
        submission=document["submission"],
        lead=document.get("lead"),
        cooperating=tuple(document.get("cooperating") or ()),
        state=document["state"],
        kind=Kind(document["kind"]) if "kind" in document else None,
    )
