"""`POST /v1/agencies/{agency}/form`: what somebody says on an agency's web form.

Nobody signs in. Nothing of the connection or of any header but two is looked at.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from python_multipart.multipart import parse_options_header
from starlette.requests import Request
from starlette.responses import Response

from services.intake.sources.http.door import Door, Item, KnowsAgency
from services.intake.sources.http.multipart import (
    ATTACHMENTS,
    FILES_ADVICE,
    MOST_FILE_BYTES,
    MOST_FILES,
    MOST_FILES_BYTES,
    Multipart,
)
from services.intake.sources.http.pace import Pace
from shared.contracts import FormSubmitted
from shared.contracts.ingress import FieldProblem
from shared.runtime.http.body import MEGABYTE, Bodies
from shared.runtime.http.cloudevents import (
    Unreadable,
    is_json_type,
    read_json,
    write_json,
)
from shared.runtime.http.problem import (
    Problem,
    not_found,
    one,
    too_large,
    unreadable,
    unsupported,
)
from shared.runtime.http.resource import Handler
from shared.runtime.refusal import ADVICE, FIELD_NAME

ENTRANCE = "form"
MOST_JSON_BYTES = 40 * MEGABYTE
MOST_MULTIPART_BYTES = 28 * MEGABYTE
KEY_LENGTHS = range(16, 256)
"""Characters of an idempotency key."""

Receipts = Callable[[str], Awaitable[str]]
"""The receipt code of a submission, the same each time it is asked; raises `StoreAway`."""

_OF_THE_ITEM = ("text", "kind", "category")
_OF_THE_REPORTER = ("name", "address", "phone", "email")
_OF_THE_CONCERN = {"concerns_unit": "unit", "concerns_office": "office"}
_KEY = "idempotency-key"
FIELDS = frozenset({*_OF_THE_ITEM, *_OF_THE_REPORTER, *_OF_THE_CONCERN, ATTACHMENTS, _KEY})
MOST_PROBLEMS = 50


def form_taker(
    door: Door, knows: KnowsAgency, bodies: Bodies, pace: Pace, receipts: Receipts | None
) -> Handler:
    async def take_form(request: Request) -> Response:
        agency = request.path_params["agency"]
        if not await knows(agency):
            raise not_found()
        await pace.wait(request.client.host if request.client else "")
        async with bodies.room(request, MOST_JSON_BYTES):
            values, problems = await _values(request, bodies)
            key = _key(request, values, problems)
            recorded = door.now()
            try:
                if problems:
                    item = Item("", write_json(values), tuple(problems))
                else:
                    item = Item(FormSubmitted.TYPE, _event(door, agency, values, key, recorded))
            except Unreadable as why:
                raise unreadable(why.problems) from None
            [answer] = await door.keep(ENTRANCE, agency, [item], recorded)
        if isinstance(answer, Problem):
            answer.problems = tuple(map(_as_sent, answer.problems))
            raise answer
        code = None
        if receipts is not None and answer.submission is not None:
            code = await receipts(answer.submission)
        return answer.response({"receipt": code})

    return take_form


async def _values(request: Request, bodies: Bodies) -> tuple[dict[str, Any], list[FieldProblem]]:
    """What was sent, by field, and what is wrong with it. Raises `Problem` for no form at all."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind == b"multipart/form-data":
        form = Multipart(options.get(b"boundary", b""))
        await bodies.pour(request, MOST_MULTIPART_BYTES, form.write)
        fields = form.finish()
        return fields.values, fields.problems + _unknown(fields.values)
    if not is_json_type(kind.decode("latin-1")):
        raise unsupported("Send multipart/form-data or application/json.")
    try:
        values = read_json(await bodies.read(request, MOST_JSON_BYTES))
    except Unreadable as why:
        raise unreadable(why.problems) from None
    if not isinstance(values, dict):
        raise unreadable(one("/", "dict_type", "Send one JSON object."))
    return values, _unknown(values) + _not_base64(values.get(ATTACHMENTS))


def _unknown(values: Mapping[str, Any]) -> list[FieldProblem]:
    pointers = [f"/{n}" if FIELD_NAME.match(n) else "/?" for n in values if n not in FIELDS]
    return [
        FieldProblem(field=pointer, rule="extra_forbidden", advice=ADVICE["extra_forbidden"])
        for pointer in pointers[:MOST_PROBLEMS]
    ]


def _not_base64(attachments: Any) -> list[FieldProblem]:  # noqa: ANN401 - whatever JSON there is
    """The contract's decoder passes over what is no base64, and so would keep half a file.

    Raises `Problem` beyond the bounds of files; what is no list of files the contract refuses.
    """
    if not isinstance(attachments, list):
        return []
    contents = [a.get("content") for a in attachments if isinstance(a, dict)]
    sizes: list[int] = []
    problems: list[FieldProblem] = []
    for place, content in enumerate(contents):
        if not isinstance(content, str):
            continue
        try:
            sizes.append(len(b64decode(content, validate=True)))
        except (Base64Error, ValueError):
            field = f"/{ATTACHMENTS}/{place}/content"
            problems += one(field, "base64", "Send base64 with + / and =.")
    if len(attachments) > MOST_FILES or sum(sizes) > MOST_FILES_BYTES:
        raise too_large(FILES_ADVICE)
    if any(size > MOST_FILE_BYTES for size in sizes):
        raise too_large(FILES_ADVICE)
    return problems


def _key(request: Request, values: dict[str, Any], problems: list[FieldProblem]) -> str:
    """The idempotency key, from the header or the field, or none."""
    field = values.pop(_KEY, None)
    key = request.headers.get(_KEY) or field or ""
    if not isinstance(key, str) or (key and len(key) not in KEY_LENGTHS):
        advice = f"{KEY_LENGTHS.start} to {KEY_LENGTHS.stop - 1} characters drawn at random."
        problems += one(f"/{_KEY}", "idempotency-key", advice)
    return str(key)


def _event(
    door: Door, agency: str, values: Mapping[str, Any], key: str, recorded: datetime
) -> bytes:
    """The same words under one key are one item; under none, each sending is an item.

    Other words under a known key are another item: what somebody says is never lost to a key
    that a page gave to two people.
    """
    said = {name: value for name, value in values.items() if value not in ("", None)}
    data = {name: said[name] for name in (*_OF_THE_ITEM, ATTACHMENTS) if name in said}
    reporter = {name: said[name] for name in _OF_THE_REPORTER if name in said}
    concerns = {part: said[name] for name, part in _OF_THE_CONCERN.items() if name in said}
    if "text" in values:
        data["text"] = values["text"]
    if reporter:
        data["reporter"] = reporter
    if concerns:
        data["concerns"] = concerns
    named = ("key", key) if key else ("at", recorded.isoformat())
    event = {
        "specversion": "1.0",
        "id": door.name(ENTRANCE, agency, *named, write_json(data)),
        "source": f"/agencies/{agency}",
        "type": FormSubmitted.TYPE,
        "time": recorded.isoformat(),
        "data": data,
    }
    return write_json(event)


def _as_sent(problem: FieldProblem) -> FieldProblem:
    """The field by the name that the form has for it, not the contract's."""
    field = problem.field.removeprefix("/data").removeprefix("/reporter")
    return problem.model_copy(update={"field": field.replace("/concerns/", "/concerns_")})
