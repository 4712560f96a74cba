"""What a body asks over HTTP: the tellers of the bus answer, whose one rule of access holds."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlencode

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from services.routing.http.door import Door, not_this_person
from shared.contracts.ingress import FatesAsked, FieldProblem
from shared.contracts.worklist import CaseAsked, LoadAsked, UnsealingsAsked, WorklistAsked
from shared.runtime.bus import Answerer
from shared.runtime.http.credentials import Caller
from shared.runtime.http.problem import Problem, one
from shared.runtime.http.resource import Handler
from shared.runtime.refusal import problems_of

Asked = TypeVar("Asked", bound=BaseModel)
_MANY = {"item": "items", "sequence": "sequences"}
"""Parameters that may be given again and again, and the field that they fill."""


def worklist_teller(door: Door, tell: Answerer) -> Handler:
    async def tell_worklist(request: Request) -> Response:
        async with door.opened(request) as who:
            asked = _asked(WorklistAsked, request, who)
            answer, told = await _told(tell, who, asked)
        if told["status"] != "told":
            raise _invalid(one("/after", "cursor", "Give `next` of the page before, unchanged."))
        return _page(request, answer, told.get("next"))

    return tell_worklist


def case_teller(door: Door, tell: Answerer) -> Handler:
    async def tell_case(request: Request) -> Response:
        async with door.opened(request) as who:
            asked = _asked(CaseAsked, request, who, case=request.path_params["case"])
            answer, told = await _told(tell, who, asked)
        if told["status"] != "told":
            raise _not_yours(told)
        more = told.get("more") and told["events"][-1]["data"]["version"]
        return _page(request, answer, more)

    return tell_case


def unsealed_teller(door: Door, tell: Answerer) -> Handler:
    async def tell_unsealed(request: Request) -> Response:
        """The case, this once: no GET, which any client may repeat."""
        async with door.opened(request) as who:
            if who.person is None:
                raise not_this_person(None)
            place = request.path_params
            asked = _asked(CaseAsked, request, who, case=place["case"], unsealing=place["number"])
            answer, told = await _told(tell, who, asked)
        if told["status"] != "told":
            raise _not_yours(told)
        return _page(request, answer)

    return tell_unsealed


def unsealings_teller(door: Door, tell: Answerer) -> Handler:
    async def tell_unsealings(request: Request) -> Response:
        async with door.opened(request) as who:
            asked = _asked(UnsealingsAsked, request, who, case=request.path_params["case"])
            answer, _ = await _told(tell, who, asked)
        return _page(request, answer)

    return tell_unsealings


def load_teller(door: Door, tell: Answerer) -> Handler:
    async def tell_load(request: Request) -> Response:
        async with door.opened(request) as who:
            answer, _ = await _told(tell, who, _asked(LoadAsked, request, who))
        return _page(request, answer)

    return tell_load


def fate_teller(door: Door, tell: Answerer) -> Handler:
    async def tell_fates(request: Request) -> Response:
        async with door.opened(request) as who:
            answer, _ = await _told(tell, who, _asked(FatesAsked, request, who))
        return _page(request, answer)

    return tell_fates


async def _told(tell: Answerer, who: Caller, asked: BaseModel) -> tuple[bytes, dict[str, Any]]:
    """The answer, word for word as on the bus, and what it says."""
    answer = await tell(who.party, asked.model_dump_json().encode())
    return answer, orjson.loads(answer)


def _asked(shape: type[Asked], request: Request, who: Caller, **more: str) -> Asked:
    """The question as the contract of the bus has it.

    Raises `Problem` 422, and 403 where it speaks for a person whose token was not shown.
    """
    fields = _fields(request.query_params.multi_items())
    if "unsealing" in fields:
        raise _invalid(
            one("/unsealing", "method", "POST to /v1/cases/<case>/unsealings/<number>: it is once.")
        )
    if "person" in shape.model_fields:
        if fields.get("person", who.person) != who.person:
            raise not_this_person(who.person)
        fields = {**fields, "person": who.person}
    try:
        return shape.model_validate({**fields, **more})
    except ValidationError as error:
        raise _invalid(problems_of(error)) from None


def _fields(parameters: Iterable[tuple[str, str]]) -> Mapping[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in parameters:
        if name in _MANY:
            fields.setdefault(_MANY[name], []).append(value)
        elif name in fields or name in _MANY.values():
            raise _invalid(one("/", "repeated", "Give each parameter once, under its own name."))
        else:
            fields[name] = value
    return fields


def _not_yours(told: Mapping[str, Any]) -> Problem:
    return Problem(
        HTTPStatus.NOT_FOUND,
        told["status"],
        "No such case is yours.",
        problems=one("/case", told["status"], told["advice"]),
    )


def _invalid(problems: tuple[FieldProblem, ...]) -> Problem:
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid",
        "A parameter is not as it must be.",
        problems=problems,
    )


def _page(request: Request, answer: bytes, after: object = None) -> Response:
    """With a link to the next page, if there is one (RFC 8288)."""
    headers = {}
    if after:
        kept = [(n, v) for n, v in request.query_params.multi_items() if n != "after"]
        query = urlencode([*kept, ("after", str(after))])
        headers["Link"] = f'<{request.url.path}?{query}>; rel="next"'
    return Response(answer, media_type="application/json", headers=headers)
