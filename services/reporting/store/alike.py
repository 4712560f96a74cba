"""Lets the database group the rows that a period cannot tell apart.

It says in MongoDB's words what `domain.alike.as_seen` says of one row; the suite of the stores
holds the two together.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.reporting.domain.alike import COMPARED, READ, seen
from services.reporting.domain.facet import Facet
from services.reporting.domain.period import DAY, Window
from services.reporting.domain.row import CaseRow
from shared.runtime.mongo import Document


def grouping(window: Window, known: datetime) -> Sequence[Document]:
    """A pipeline that leaves of each kind of row one document, which `kind_of` reads.

    A row apart is a kind by itself, and lies whole under `row`. All in one pass, which meets each
    row once: one that changes between two would be counted twice, or never.
    """
    kind = {**{place: _if_seen(place, window) for place in READ}, "clocks": _clocks(window)}
    apart = _apart(window, known)
    return [
        {
            "$group": {
                "_id": {"$cond": [apart, {"apart": "$_id"}, kind]},
                "count": {"$sum": 1},
                "case": {"$min": "$_id"},
                "row": {"$first": {"$cond": [apart, "$$ROOT", None]}},
            }
        }
    ]


def _apart(window: Window, known: datetime) -> Document:
    """Whether what stands was not known, or came after the period and took another's place.

    Which of it the period sees is not for a pipeline.
    """
    came_after = _any_facet("time", "$gte", window.end)
    stood = {"$gt": [{"$size": {"$ifNull": ["$past", []]}}, 0]}
    return {"$or": [{"$and": [stood, came_after]}, _any_facet("recorded", "$gt", known)]}


def _any_facet(name: str, compares: str, instant: datetime) -> Document:
    of_places = [{compares: [f"${place}.{name}", instant]} for place in READ]
    clocks = {"$objectToArray": {"$ifNull": ["$clocks", {}]}}
    of_clocks = {"$map": {"input": clocks, "in": {compares: [f"$$this.v.{name}", instant]}}}
    return {"$or": [*of_places, {"$anyElementTrue": [of_clocks]}]}


def kind_of(document: Mapping[str, Any]) -> tuple[CaseRow, int]:
    kind = document["_id"]
    facets: dict[str, Facet] = {place: seen(**kind[place]) for place in READ if place in kind}
    for clock in kind["clocks"] or ():
        facets[f"clocks.{clock['code']}"] = seen({"due": clock["due"]})
    return CaseRow(document["case"], facets), document["count"]


def _if_seen(place: str, window: Window) -> Document:
    told = {"$gt": [f"${place}.event", None]}
    in_time = {"$lt": [f"${place}.time", window.end]}
    return {"$cond": [{"$and": [told, in_time]}, _facet(place, window), "$$REMOVE"]}


def _facet(place: str, window: Window) -> Document:
    data: Document = {name: f"${place}.data.{name}" for name in READ[place]}
    if "received" in data:
        data["received"] = _instant(data["received"], window)
    facet = {"time": _instant(f"${place}.time", window), "data": data}
    if place in COMPARED:
        other = f"${COMPARED[place]}"
        seen_version = {"$cond": [{"$lt": [f"{other}.time", window.end]}, f"{other}.version", None]}
        versions = [f"${place}.version", seen_version]
        facet["version"] = {"$cmp": versions}  # a version is greater than none
    return facet


def _instant(path: str, window: Window) -> Document:
    within = {"$cond": [{"$lt": [path, window.end]}, window.start, window.end]}
    return {"$cond": [{"$lt": [path, window.start]}, window.before, within]}


def _clocks(window: Window) -> Document:
    """Days are text, `2026-06-30`, and compare as such."""
    last_day = window.period.last_day
    over = {"$lte": ["$$this.v.data.due", last_day.isoformat()]}
    due = {"$cond": [over, last_day.isoformat(), (last_day + DAY).isoformat()]}
    seen_ones = {"$lt": ["$$this.v.time", window.end]}
    clocks = {"$filter": {"input": {"$objectToArray": "$clocks"}, "cond": seen_ones}}
    return {"$map": {"input": clocks, "in": {"code": "$$this.k", "due": due}}}
