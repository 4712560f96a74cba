"""What a request asks for: which reports, in which format and language."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request

from services.reporting.rendering import MEDIA_TYPES, Format, Language
from shared.contracts.envelope import Code
from shared.contracts.ingress import FieldProblem
from shared.contracts.report import Edition, PeriodCode
from shared.runtime.http.problem import Problem, one
from shared.runtime.refusal import problems_of

MOST_LISTED = 100
_QUALITY = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", re.ASCII)
PREFERRED = (Format.HTML, Format.JSON, Format.CSV, Format.XLSX, Format.PDF)
"""Of formats that are as welcome, the first."""


class _Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ListAsked(_Asked):
    """Only the public edition is told without sign-in."""

    form: Code | None = None
    unit: Code | None = None
    period: PeriodCode | None = None
    edition: Edition = Edition.PUBLIC
    after: Annotated[str, Field(max_length=256)] = ""
    limit: Annotated[int, Field(ge=1, le=MOST_LISTED)] = 50


class FeedAsked(_Asked):
    form: Code | None = None
    unit: Code | None = None


class ReportAsked(_Asked):
    """`form`, `unit` and `period` come from the path."""

    form: Code
    unit: Code
    period: PeriodCode
    revision: Annotated[int, Field(ge=1, le=2**31)] | None = None
    lang: Language = Language.VIETNAMESE


def fields_of(request: Request) -> Mapping[str, str]:
    """Raises `Problem` 422 where a parameter is given twice."""
    given = request.query_params.multi_items()
    if len(given) != len(dict(given)):
        raise invalid(one("/", "repeated", "Give each parameter once."))
    return dict(given)


def read(
    shape: type[ListAsked] | type[FeedAsked] | type[ReportAsked], fields: Mapping[str, str]
) -> BaseModel:
    try:
        return shape.model_validate(fields)
    except ValidationError as error:
        raise invalid(problems_of(error)) from None


def format_of(accept: str) -> Format:
    """The format that is most welcome (RFC 9110, section 12.5.1). Raises `Problem` 406."""
    ranges = dict(filter(None, map(_range, (accept or "*/*").split(","))))
    scored = [(_welcome(MEDIA_TYPES[format_], ranges), format_) for format_ in PREFERRED]
    best, found = max(scored, key=lambda each: each[0])
    if best <= 0:
        raise Problem(
            HTTPStatus.NOT_ACCEPTABLE,
            "not-acceptable",
            "A report is not told in such a format.",
            detail="Accept text/html, application/json, text/csv, XLSX or PDF, or end the address "
            "with .html, .json, .csv, .xlsx or .pdf.",
        )
    return found


def _range(text: str) -> tuple[str, float] | None:
    kind, *parameters = (part.strip() for part in text.lower().split(";"))
    quality = next((p.removeprefix("q=") for p in parameters if p.startswith("q=")), "1")
    return (kind, float(quality)) if kind and _QUALITY.fullmatch(quality) else None


def _welcome(media_type: str, ranges: Mapping[str, float]) -> float:
    kind = media_type.partition(";")[0]
    for pattern in (kind, f"{kind.partition('/')[0]}/*", "*/*"):
        if pattern in ranges:
            return ranges[pattern]
    return 0


def invalid(problems: tuple[FieldProblem, ...]) -> Problem:
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid",
        "A parameter is not as it must be.",
        problems=problems,
    )
