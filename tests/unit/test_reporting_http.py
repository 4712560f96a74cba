"""Public reports over HTTP: for everybody, in five formats, and nothing that is internal."""

import asyncio
import threading
from xml.etree import ElementTree as ET

import httpx
import pytest
from starlette.applications import Starlette

from services.reporting.http import Printer, routes
from services.reporting.http.feed import atom
from services.reporting.rendering import Format, render
from shared.contracts import ReportPublished
from tests.examples_publishing import closing, keep, published
from tests.examples_rendering import HOSTILE, public
from tests.fakes_reporting import MemoryPublications, MemoryReports

PAGE = "/v1/reports/public/01-xld/tinh/2026-h1"
ATOM = "{http://www.w3.org/2005/Atom}"


async def face(printer=None):
    publications = MemoryPublications(await keep(MemoryReports()))
    app = Starlette(routes=routes(publications, printer or Printer()))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://reporting")


async def get(path, **headers):
    async with await face() as client:
        return await client.get(path, headers=headers)


async def test_the_list_leads_to_every_public_report_page_by_page():
    async with await face() as client:
        path, entries = "/v1/reports?limit=2", []
        while path:
            answer = await client.get(path)
            entries += answer.json()["reports"]
            path = answer.links.get("next", {}).get("url")
        assert len(entries) == len({e["id"] for e in entries}) == 5
        told = [await client.get(e["links"]["json"]) for e in entries]

    assert [a.json()["digest"] for a in told] == [e["digest"] for e in entries]
    assert {a.json()["edition"] for a in told} == {"public"}


async def test_no_internal_report_without_sign_in():
    assert (await get("/v1/reports?edition=internal")).status_code == 401
    for path in ("03-kqgq/tinh/2026-h1", "03-kqgq/tinh/2026-h1.json"):
        assert (await get(f"/v1/reports/public/{path}")).status_code == 404
    assert (await get("/v1/reports/internal/03-kqgq/tinh/2026-h1.json")).status_code == 404


@pytest.mark.parametrize("format_", [f for f in Format if f is not Format.PDF])
async def test_each_ending_is_the_rendering(format_):
    answer = await get(f"{PAGE}.{format_.value}?revision=1")
    others = [public(year=2025), public(), public(revision=2)]
    content, kind, name = render(public(), format_, others=others)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == kind
    assert name in answer.headers["content-disposition"]
    if format_ is not Format.HTML:
        assert answer.content == content


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "text/html"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
        ("application/json", "application/json"),
        ("text/csv;q=0.5, application/json;q=0.4", "text/csv"),
        ("text/*;q=0, application/*", "application/json"),
    ],
)
async def test_the_most_welcome_format_is_told(accept, kind):
    answer = await get(PAGE, Accept=accept)

    assert answer.headers["content-type"].startswith(kind)
    assert answer.headers["vary"] == "Accept"


async def test_what_cannot_be_told_is_refused_as_a_problem():
    for path, headers, status in (
        (PAGE, {"Accept": "image/png"}, 406),
        (f"{PAGE}.doc", {}, 404),
        (f"{PAGE}?revision=9", {}, 404),
        (f"{PAGE}?revision=0", {}, 422),
        (f"{PAGE}?revision=1&revision=2", {}, 422),
        (f"{PAGE}?form=other", {}, 200),
        ("/v1/reports/public/01-xld/$x/2026-h1", {}, 422),
        ("/v1/reports?after=public/x", {}, 422),
        ("/v1/other", {}, 404),
    ):
        answer = await get(path, **headers)
        assert answer.status_code == status, path
        if status != 200:
            assert answer.headers["content-type"] == "application/problem+json"


async def test_the_newest_revision_is_told_and_any_by_its_number():
    assert (await get(f"{PAGE}.json")).json()["revision"] == 2
    assert (await get(f"{PAGE}.json?revision=1")).json()["revision"] == 1


async def test_what_is_known_is_not_sent_again():
    first = await get(f"{PAGE}.csv?revision=1")
    tag = first.headers["etag"]

    assert public().digest in tag
    assert "immutable" in first.headers["cache-control"]
    again = await get(f"{PAGE}.csv?revision=1", **{"If-None-Match": f'"x", W/{tag}'})
    assert (again.status_code, again.content) == (304, b"")
    other = await get(f"{PAGE}.csv", **{"If-None-Match": tag})
    assert other.status_code == 200


async def test_head_is_answered_and_post_is_not():
    async with await face() as client:
        assert (await client.head(f"{PAGE}.json")).headers["etag"]
        assert (await client.post(f"{PAGE}.json")).status_code == 405


async def test_no_more_pdfs_are_made_at_once_than_there_are_places():
    go, begun = threading.Event(), threading.Semaphore(0)

    def slow(*_):
        begun.release()
        go.wait(30)
        return b"%PDF", "application/pdf", "x.pdf"

    async with await face(Printer(slow)) as client:
        first = [asyncio.create_task(client.get(f"{PAGE}.pdf")) for _ in range(2)]
        for _ in first:
            assert await asyncio.to_thread(begun.acquire, timeout=30)
        first[0].cancel()  # nobody waits for it, and it is made all the same
        await asyncio.wait([first[0]])
        refused = await client.get(f"{PAGE}.pdf")
        go.set()
        assert (await first[1]).content == b"%PDF"

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")


async def test_the_feed_has_one_entry_a_revision_newest_first():
    answer = await get("/v1/feed.atom?form=01-xld")
    feed = ET.fromstring(answer.content)
    entries = feed.findall(f"{ATOM}entry")
    links = [e.find(f"{ATOM}link").get("href") for e in entries]

    assert answer.headers["content-type"].startswith("application/atom+xml")
    assert links[:2] == [f"{PAGE}.html?revision=2", f"{PAGE}.html?revision=1"]
    assert len(entries) == len({e.findtext(f"{ATOM}id") for e in entries}) == 3
    dates = [e.findtext(f"{ATOM}updated") for e in entries]
    assert dates == sorted(dates, reverse=True)
    assert feed.findtext(f"{ATOM}updated") == dates[0]
    assert (await get("/v1/feed.atom?form=01-xld")).content == answer.content


@pytest.mark.parametrize("text", HOSTILE)
def test_any_name_leaves_the_feed_well_formed(text):
    label = public().title.model_copy(update={"vi": text})
    _of, events = published([ReportPublished(**{**dict(public()), "title": label})], closing())
    feed = ET.fromstring(atom(events, "*"))

    assert len(feed.findall(f"{ATOM}entry")) == 1
    assert {e.tag.removeprefix(ATOM) for e in feed.iter()} <= {
        *("feed", "id", "title", "updated", "author", "name", "entry", "link", "summary")
    }
