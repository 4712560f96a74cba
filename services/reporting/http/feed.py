"""`GET /v1/feed.atom`: the newest public reports, as RFC 4287 has it."""

import hashlib
from collections.abc import Sequence
from http import HTTPStatus
from typing import cast
from xml.etree import ElementTree as ET

from starlette.requests import Request
from starlette.responses import Response

from services.reporting.http.asking import FeedAsked, fields_of, read
from services.reporting.http.reports import SHORT, address
from services.reporting.ports import Publications, Wanted
from services.reporting.rendering import sheet_of
from shared.contracts import ReportPublished
from shared.contracts.envelope import Event
from shared.runtime.http.resource import Handler

ATOM = "http://www.w3.org/2005/Atom"
MEDIA_TYPE = "application/atom+xml; charset=utf-8"
ENTRIES = 50
TAG = "tag:langnghe,2026:"
EMPTY = "1970-01-01T00:00:00+00:00"
"""When a feed without an entry changed last."""


def feed_teller(publications: Publications) -> Handler:
    async def tell_feed(request: Request) -> Response:
        asked = cast("FeedAsked", read(FeedAsked, fields_of(request)))
        found = await publications.newest(Wanted(asked.form, asked.unit), ENTRIES)
        content = atom(found or (), f"{asked.form or '*'}/{asked.unit or '*'}")
        tag = f'"{hashlib.sha256(content).hexdigest()}"'
        headers = {"ETag": tag, "Cache-Control": SHORT, "X-Content-Type-Options": "nosniff"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=HTTPStatus.NOT_MODIFIED.value, headers=headers)
        return Response(content, media_type=MEDIA_TYPE, headers=headers)

    return tell_feed


def atom(events: Sequence[Event[ReportPublished]], which: str) -> bytes:
    """One entry a revision, in the order given; its id is the same for ever."""
    feed = ET.Element("feed", {"xmlns": ATOM, "xml:lang": "vi"})
    _put(feed, "id", f"{TAG}feed/{which}")
    _put(feed, "title", "Báo cáo công khai")
    _put(feed, "updated", events[0].time.isoformat() if events else EMPTY)
    _put(_put(feed, "author"), "name", "Langnghe")
    for event in events:
        _entry(feed, event)
    made: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return made


def _entry(feed: ET.Element, event: Event[ReportPublished]) -> None:
    report = event.data
    sheet = sheet_of(report)
    entry = _put(feed, "entry")
    _put(entry, "id", f"{TAG}report/{event.id}")
    _put(entry, "title", f"{sheet.title}: {report.unit}, {report.period.code} ({report.revision})")
    _put(entry, "updated", event.time.isoformat())
    for ending, relation, kind in (
        ("html", "alternate", "text/html"),
        ("json", "related", "application/json"),
    ):
        href = f"{address(report)}.{ending}?revision={report.revision}"
        ET.SubElement(entry, "link", {"rel": relation, "type": kind, "href": href})
    _put(entry, "summary", f"SHA-256 {report.digest}")


def _put(parent: ET.Element, name: str, text: str | None = None) -> ET.Element:
    element = ET.SubElement(parent, name)
    element.text = text
    return element
