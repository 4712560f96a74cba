"""`GET /v1/reports`, and each public report by its address, in five formats."""

import hashlib
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.reporting.http.asking import (
    ListAsked,
    ReportAsked,
    fields_of,
    format_of,
    invalid,
    read,
)
from services.reporting.http.printing import Printer
from services.reporting.ports import Publications, Wanted
from services.reporting.rendering import Format
from shared.contracts import ReportPublished
from shared.contracts.envelope import Event
from shared.contracts.report import Edition
from shared.runtime.http.problem import Problem, not_found, one, unauthorized
from shared.runtime.http.resource import Handler

SHORT = "public, max-age=300"
FOR_EVER = "public, max-age=31536000, immutable"
"""One revision as data never changes; a page may gain charts of other periods."""
DRAWN = frozenset({Format.HTML, Format.PDF})
FORMATS = {format_.value: format_ for format_ in Format}
SAFE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


def address(report: ReportPublished) -> str:
    """Without ending and revision."""
    return f"/v1/reports/public/{report.form}/{report.unit}/{report.period.code}"


def report_lister(publications: Publications) -> Handler:
    async def list_reports(request: Request) -> Response:
        asked = cast("ListAsked", read(ListAsked, fields_of(request)))
        if asked.edition is not Edition.PUBLIC:
            raise unauthorized()
        wanted = Wanted(asked.form, asked.unit, asked.period, asked.after)
        found = await publications.newest(wanted, asked.limit + 1)
        if found is None:
            raise invalid(one("/after", "cursor", "Give `next` of the page before, unchanged."))
        listed = found[: asked.limit]
        following = _name(listed[-1].data) if len(found) > asked.limit else None
        headers = {"Cache-Control": SHORT}
        if following:
            query = urlencode({**fields_of(request), "after": following})
            headers["Link"] = f'<{request.url.path}?{query}>; rel="next"'
        content = {"reports": [_entry(event) for event in listed], "next": following}
        return JSONResponse(content, headers=headers)

    return list_reports


def report_teller(publications: Publications, printer: Printer) -> Handler:
    async def tell_report(request: Request) -> Response:
        path = request.path_params
        period, _, ending = path["period"].partition(".")
        fields = {**fields_of(request), "form": path["form"], "unit": path["unit"]}
        asked = cast("ReportAsked", read(ReportAsked, {**fields, "period": period}))
        if ending and ending not in FORMATS:
            raise not_found()
        format_ = FORMATS[ending] if ending else format_of(request.headers.get("accept", ""))
        event = await publications.one(asked.form, asked.unit, period, asked.revision)
        if event is None:
            raise _none()
        report = event.data
        drawn = format_ in DRAWN
        others = await publications.others(asked.form, asked.unit) if drawn else ()
        headers = {
            **SAFE,
            "ETag": etag(report, format_, asked.lang, others),
            "Cache-Control": SHORT if drawn or asked.revision is None else FOR_EVER,
            "Vary": "Accept",
        }
        if _is_known(request, headers["ETag"]):
            return Response(status_code=HTTPStatus.NOT_MODIFIED.value, headers=headers)
        content, kind, name = await printer.rendered(report, format_, asked.lang, others)
        way = "attachment" if format_ in {Format.CSV, Format.XLSX} else "inline"
        headers["Content-Disposition"] = f'{way}; filename="{name}"'
        return Response(content, media_type=kind, headers=headers)

    return tell_report


def etag(
    report: ReportPublished, format_: Format, language: str, others: Sequence[ReportPublished]
) -> str:
    """Digest and revision, and all else on which the bytes depend."""
    seen = hashlib.sha256(" ".join(f"{_name(o)}={o.digest}" for o in others).encode())
    suffix = f"-{seen.hexdigest()[:16]}" if others else ""
    return f'"{report.digest}-{report.revision}-{format_.value}-{language}{suffix}"'


def _is_known(request: Request, tag: str) -> bool:
    given = [each.strip() for each in request.headers.get("if-none-match", "").split(",")]
    return "*" in given or tag in {each.removeprefix("W/") for each in given}


def _name(report: ReportPublished) -> str:
    names = (report.edition, report.form, report.unit, report.period.code, report.revision)
    return "/".join(map(str, names))


def _entry(event: Event[ReportPublished]) -> dict[str, Any]:
    report = event.data
    links = {f.value: f"{address(report)}.{f.value}?revision={report.revision}" for f in Format}
    return {
        "id": event.id,
        "form": report.form,
        "unit": report.unit,
        "period": report.period.model_dump(mode="json"),
        "revision": report.revision,
        "title": report.title.model_dump(mode="json"),
        "digest": report.digest,
        "published": event.time.isoformat(),
        "links": links,
    }


def _none() -> Problem:
    return Problem(
        HTTPStatus.NOT_FOUND,
        "no-such-report",
        "There is no such public report.",
        detail="GET /v1/reports lists those that there are.",
    )
